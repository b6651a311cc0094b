/** The fit check of a whole sweep: every different plan once, the largest first, and the time of all runs. */
import type { Cost, Fit, Range, Suggestion, TimeEstimate } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { checkAll } from './before.ts';
import type { CheckedConfig } from './before.ts';
import { planBasis } from './devices.ts';
import type { FitDevice } from './devices.ts';
import { notReached } from './notReached.ts';
import { fitPlan, runUse } from './plan.ts';
import type { PlanOptions } from './plan.ts';
import type { FitOptions } from './report.ts';
import { warningsOf } from './report.ts';
import { suggest } from './suggest.ts';
import { costOf, estimateTime } from './time.ts';

export interface SweepGroup extends CheckedConfig {
  /** Labels of the settings with this plan. */
  readonly labels: readonly string[];
  /** Runs with this plan, seeds counted. */
  readonly runs: number;
  /** Steps of each of them, which may differ by the limits of their settings; null where some cannot be told. */
  readonly steps: Range | null;
}

export interface SweepFit {
  readonly device: FitDevice;
  /** The largest first. */
  readonly groups: readonly SweepGroup[];
  /** Runs by verdict. */
  readonly counts: Readonly<Record<Fit, number>>;
  /** What would make the largest plan fit; empty when it does. */
  readonly suggestions: readonly Suggestion[];
  /** Of all runs one after the other; null when one of them has no known time. */
  readonly seconds: Range | null;
  readonly timeBasis: TimeEstimate['basis'];
  readonly cost: Cost | null;
  readonly warnings: readonly string[];
}

export interface SweepSetting {
  readonly label: string;
  /** One of its runs: the seed changes neither memory nor time. */
  readonly config: Config;
  /** How many runs have it. */
  readonly runs: number;
}

/** Checks every setting of a sweep on one device. */
export function fitSweep(settings: readonly SweepSetting[], device: FitDevice, options: FitOptions = {}): SweepFit {
  const planOptions: PlanOptions = {
    ...planBasis(device),
    catalog: options.catalog,
    dataset: options.dataset,
  };
  const configs = settings.map(({ config }) => config);
  const groups = checkAll(configs, device, planOptions).map((group): SweepGroup => ({
    ...group,
    labels: group.indices.map((i) => settings[i]!.label),
    runs: group.indices.reduce((sum, i) => sum + settings[i]!.runs, 0),
    steps: rangeOf(group.indices.map((i) => fitPlan(configs[i]!, planOptions).length.steps)),
  }));
  const counts: Record<Fit, number> = { fits: 0, tight: 0, 'does not fit': 0 };
  for (const { verdict, runs } of groups) counts[verdict.fit] += runs;
  const ends = configs.flatMap((config) => notReached(config, fitPlan(config, planOptions).length, options.catalog));
  const { seconds, basis } = timeOfAll(settings, device, options, planOptions);
  const [worst] = groups;
  return {
    device,
    groups,
    counts,
    suggestions: worst === undefined ? [] : suggest(worst.config, device, planOptions),
    seconds,
    timeBasis: basis,
    cost: costOf(seconds, options.prices ?? {}) ?? null,
    warnings: [
      ...new Set([...groups.flatMap(({ config, plan }) => warningsOf(config, device, plan, options.catalog)), ...ends]),
    ],
  };
}

function rangeOf(values: readonly (number | null)[]): Range | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : { low: Math.min(...known), high: Math.max(...known) };
}

/** Sum over all runs. The basis is the weakest of them. */
function timeOfAll(
  settings: readonly SweepSetting[],
  device: FitDevice,
  options: FitOptions,
  planOptions: PlanOptions,
) {
  let total: Range | null = { low: 0, high: 0 };
  let basis: TimeEstimate['basis'] = 'measured';
  for (const { config, runs } of settings) {
    const time = estimateTime(
      config,
      fitPlan(config, planOptions),
      runUse(config, planOptions),
      device,
      options.samples?.(config, device),
    );
    if (time.basis === 'unknown' || basis === 'unknown') basis = 'unknown';
    else if (time.basis === 'estimated') basis = 'estimated';
    const { seconds } = time;
    total =
      total === null || seconds === null
        ? null
        : { low: total.low + runs * seconds.low, high: total.high + runs * seconds.high };
  }
  return { seconds: total, basis };
}
