/** By what the settings of a sweep are ranked. */
import type { Goal, MetricCatalog } from '../metrics.ts';
import { rankSettings } from './rank.ts';
import type { Rankings } from './rank.ts';
import type { SweepRun } from './samples.ts';

/** Without a word of the sweep, the first that its runs have. Bits per byte come first: they compare across tokenizers. */
const USUAL = ['val/bpb', 'val/loss', 'train/loss'] as const;
export const DEFAULT_METRIC = USUAL[0];

export interface Target {
  readonly name: string;
  readonly goal: Goal;
  /** The sweep names a metric that none of its runs has logged. */
  readonly missing?: string;
}

/** What a sweep's definition says its settings are ranked by; undefined when it says nothing. */
function declaredTarget(spec: unknown): Target | undefined {
  const metric = (spec as { metric?: { name?: unknown; goal?: unknown } } | null | undefined)?.metric;
  if (typeof metric?.name !== 'string') return undefined;
  return { name: metric.name, goal: metric.goal === 'maximize' ? 'maximize' : 'minimize' };
}

/**
 * The sweep's own metric and goal, or the usual metric with the goal that it is known to have. Runs that have not logged anything yet do not
 * change the answer.
 *
 * @param wanted a metric that the user chose to look at instead
 */
export function targetOf(
  spec: unknown,
  runs: readonly Pick<SweepRun, 'state' | 'summary'>[],
  catalog: MetricCatalog,
  wanted?: string,
): Target {
  const declared = declaredTarget(spec);
  const known = (name: string): Target => (name === declared?.name ? declared : { name, goal: catalog.goal(name) });
  const ended = runs.filter(({ state }) => state === 'finished');
  const logged = (name: string): boolean => (ended.length > 0 ? ended : runs).some(({ summary }) => name in summary);
  if (wanted !== undefined && logged(wanted)) return known(wanted);
  const nothing = runs.every(({ summary }) => Object.keys(summary).length === 0);
  if (declared !== undefined && (nothing || logged(declared.name))) return declared;
  const usual = USUAL.find(logged) ?? anyRankable(runs, catalog) ?? DEFAULT_METRIC;
  return { ...known(usual), ...(declared === undefined ? {} : { missing: declared.name }) };
}

/** The first metric that the runs have and of which more or less is better; or just the first. */
function anyRankable(runs: readonly Pick<SweepRun, 'summary'>[], catalog: MetricCatalog): string | undefined {
  const names = [...new Set(runs.flatMap(({ summary }) => Object.keys(summary)))].sort(catalog.compare);
  return names.find((name) => catalog.get(name).better !== undefined) ?? names[0];
}

export interface SweepRankings<R extends SweepRun = SweepRun> extends Rankings<R> {
  readonly target: Target;
}

/** What came out of a sweep, or of runs picked from several: the answer that every part of Sweeplab shows. */
export function rankSweep<R extends SweepRun>(
  spec: unknown,
  runs: readonly R[],
  catalog: MetricCatalog,
  { wanted, order }: { readonly wanted?: string; readonly order?: readonly string[] } = {},
): SweepRankings<R> {
  const target = targetOf(spec, runs, catalog, wanted);
  return { target, ...rankSettings(runs, { metric: catalog.get(target.name), goal: target.goal, order, spec }) };
}
