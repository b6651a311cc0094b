/** What a metric's name says about it. */
import type { SweepRun } from './results/groups.ts';

/** Whether more is better. Everything else is a loss, a norm or a cost. */
export function higherIsBetter(metric: string): boolean {
  return /accuracy|tokens_per_second|coverage|utili[sz]ation|mfu/u.test(metric);
}

export type Goal = 'minimize' | 'maximize';

/** What a sweep's definition says its settings are ranked by; null when it says nothing. */
export function metricOfSweep(spec: unknown): { readonly name: string; readonly goal: Goal } | null {
  const metric = (spec as { metric?: { name?: unknown; goal?: unknown } } | null | undefined)?.metric;
  if (typeof metric?.name !== 'string') return null;
  return { name: metric.name, goal: metric.goal === 'maximize' ? 'maximize' : 'minimize' };
}

/** The section of a metric is its prefix: `val/loss` → `val`; metrics without one come under `run`. */
export function sectionOf(metric: string): string {
  const slash = metric.indexOf('/');
  return slash > 0 ? metric.slice(0, slash) : 'run';
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)(loss|best_loss)$/u, 'nats/token'],
  [/bpb$/u, 'bits/byte'],
  [/perplexity$/u, ''],
  [/tokens_per_second$/u, 'tokens/s'],
  [/seconds$/u, 's'],
  [/flops$/u, 'FLOPs'],
  [/^tokens$/u, 'tokens'],
  [/^system\/memory$/u, 'bytes'],
];

/** Unit of a metric as a chart's header shows it; empty when it has none. */
export function unitOf(metric: string): string {
  return UNITS.find(([pattern]) => pattern.test(metric))?.[1] ?? '';
}

/** Order of sections: what people look at first comes first. */
const SECTIONS = ['val', 'train', 'grad', 'health', 'run', 'system'];

export function compareMetrics(a: string, b: string): number {
  const place = (metric: string): number => {
    const at = SECTIONS.indexOf(sectionOf(metric));
    return at === -1 ? SECTIONS.length : at;
  };
  const RANKS = ['loss', 'bpb', 'perplexity', 'accuracy'];
  const importance = (metric: string): number => {
    const at = RANKS.indexOf(metric.slice(metric.indexOf('/') + 1));
    return at === -1 ? RANKS.length : at;
  };
  return place(a) - place(b) || importance(a) - importance(b) || a.localeCompare(b);
}

/**
 * Final value of a run: its summary's. `null` in a summary stands for NaN or an infinity (the run diverged) and becomes NaN;
 * so does a metric that the run never logged.
 */
export function finalValue(run: Pick<SweepRun, 'summary'>, metric: string): number {
  return run.summary[metric] ?? Number.NaN;
}

/**
 * What a run says about its setting: its final value if it came to its end, else NaN. The last value of a run that failed, was
 * stopped or still trains is that of an earlier moment, and would change the mean of the others.
 */
export function resultValue(run: Pick<SweepRun, 'state' | 'summary'>, metric: string): number {
  return run.state === 'finished' ? finalValue(run, metric) : Number.NaN;
}

/** Seconds from first start to end; NaN while running. */
export function runSeconds(run: SweepRun): number {
  const seconds = run.summary['seconds'];
  if (typeof seconds === 'number') return seconds;
  return run.startedAt && run.endedAt ? (run.endedAt - run.startedAt) / 1000 : Number.NaN;
}
