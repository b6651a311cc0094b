/** The fit check of a planned sweep within a time that a form can wait: what is done is remembered by the plans' memory. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { PlanGroup, SweepPlan } from '../../../preload/contract/shapes.ts';
import { checkAll, fitPlan, suggest } from '../../lab/fit/index.ts';
import type { FindSamples, FitDevice, Prices, Range, TimeEstimate } from '../../lab/fit/index.ts';
import { runUse } from '../../lab/fit/plan.ts';
import type { PlanOptions } from '../../lab/fit/plan.ts';
import { warningsOf } from '../../lab/fit/report.ts';
import { costOf, estimateTime } from '../../lab/fit/time.ts';

export interface PlannedConfig {
  readonly label: string;
  readonly values: PlanGroup['values'];
  readonly config: Config;
  readonly runs: number;
}

export interface SweepFitOptions {
  readonly models: PlanOptions['models'];
  readonly samples: FindSamples;
  readonly prices: Prices;
  /** Milliseconds; at least one setting is checked. */
  readonly budget: number;
}

type Checked = Pick<SweepPlan, 'groups' | 'pending' | 'seconds' | 'basis' | 'cost' | 'suggestions'> & {
  readonly warnings: readonly string[];
};

export function checkSweep(settings: readonly PlannedConfig[], device: FitDevice, options: SweepFitOptions): Checked {
  const { models, samples, prices, budget } = options;
  const planOptions: PlanOptions = { kind: device.kind, models };
  const until = performance.now() + budget;
  const times: TimeEstimate[] = [];
  for (const { config } of settings) {
    if (times.length > 0 && performance.now() > until) break;
    const plan = fitPlan(config, planOptions);
    times.push(estimateTime(config, plan, runUse(config, planOptions), device, samples(config, device), undefined));
  }
  const done = settings.slice(0, times.length);
  const pending = settings.length - done.length;
  const checked = checkAll(
    done.map(({ config }) => config),
    device,
    planOptions,
  );
  const groups = checked.map(({ indices, plan, verdict }): PlanGroup => {
    const own = indices.map((i) => done[i]!);
    const { seconds, basis } = together(indices.map((i) => times[i]!));
    return {
      label: own[0]!.label,
      labels: own.map(({ label }) => label),
      values: own[0]!.values,
      runs: own.reduce((sum, { runs }) => sum + runs, 0),
      verdict,
      fit: verdict.fit,
      bytes: plan.totalBytes,
      parameters: plan.parameterCount,
      tokens: plan.length.tokens,
      seconds,
      basis,
    };
  });
  const all = sum(
    done.map(({ runs }, i) => ({ runs, seconds: times[i]!.seconds })),
    pending > 0,
  );
  const [worst] = checked;
  return {
    groups,
    pending,
    seconds: all,
    basis: all === null ? 'unknown' : together(times).basis,
    cost: costOf(all, prices) ?? null,
    // Found by planning many variants: not while the form waits.
    suggestions:
      worst === undefined || (pending > 0 && worst.verdict.fit === 'fits')
        ? []
        : suggest(worst.config, device, planOptions),
    warnings: [...new Set(checked.flatMap(({ config, plan }) => warningsOf(config, device, plan)))],
  };
}

/** The range over runs with one plan, and the weakest basis of them. */
function together(times: readonly TimeEstimate[]): { seconds: Range | null; basis: TimeEstimate['basis'] } {
  let seconds: Range | null = times[0]?.seconds ?? null;
  let basis: TimeEstimate['basis'] = times.length === 0 ? 'unknown' : 'measured';
  for (const time of times) {
    if (time.basis === 'unknown' || basis === 'unknown') basis = 'unknown';
    else if (time.basis === 'estimated') basis = 'estimated';
    seconds =
      seconds === null || time.seconds === null
        ? null
        : { low: Math.min(seconds.low, time.seconds.low), high: Math.max(seconds.high, time.seconds.high) };
  }
  return { seconds, basis };
}

function sum(parts: readonly { runs: number; seconds: Range | null }[], incomplete: boolean): Range | null {
  if (incomplete || parts.length === 0) return null;
  let total: Range | null = { low: 0, high: 0 };
  for (const { runs, seconds } of parts)
    total =
      total === null || seconds === null
        ? null
        : { low: total.low + runs * seconds.low, high: total.high + runs * seconds.high };
  return total;
}
