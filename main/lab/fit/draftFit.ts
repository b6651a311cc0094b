/** What the settings of a sweep need of memory and time, grouped by their plans. */
import type { Config, SettingValue, Warning } from '../../../preload/contract/settings.ts';
import type { PlanGroup, Range, SweepPlan, TimeBasis } from '../../../preload/contract/shapes.ts';
import { BUILT_IN } from '../../engine/kind.ts';
import type { FitDevice, Prices } from './index.ts';
import { notReached } from './notReached.ts';
import { warningsOf } from './report.ts';
import { drawnSchedules } from './schedules.ts';
import { costOf } from './time.ts';
import { verdictFor } from './verdict.ts';
import type { Planned, PlanMemory } from './planMemory.ts';

/** One setting of a sweep. */
export interface PlannedConfig {
  readonly label: string;
  readonly values: Readonly<Record<string, SettingValue>>;
  readonly config: Config;
  /** Seeds counted. */
  readonly runs: number;
}

export interface SweepFitOptions {
  readonly prices: Prices;
  /** Milliseconds; without it everything is checked. */
  readonly budget?: number | undefined;
  readonly signal?: AbortSignal;
  /** False leaves out what would make the largest fit, which takes many further plans. */
  readonly suggest?: boolean;
}

export type CheckedSweep = Pick<
  SweepPlan,
  'groups' | 'pending' | 'seconds' | 'basis' | 'cost' | 'suggestions' | 'schedules'
> & {
  readonly warnings: readonly Warning[];
};

export async function checkSweep(
  memory: PlanMemory,
  settings: readonly PlannedConfig[],
  device: FitDevice,
  { prices, budget, signal, suggest = true }: SweepFitOptions,
): Promise<CheckedSweep> {
  const configs = settings.map(({ config }) => config);
  const planned = await memory.all(configs, device, { budget, ...(signal === undefined ? {} : { signal }) });
  const done = planned.map((each, i) => ({ ...settings[i]!, ...each }));
  const pending = settings.length - done.length;
  const grouped = [...Map.groupBy(done, ({ plan }) => planKey(plan)).values()]
    .map((own) => ({ first: own[0]!, group: groupOf(own, device) }))
    .sort((a, b) => b.group.bytes - a.group.bytes);
  const seconds = pending > 0 ? null : total(done);
  const [worst] = grouped;
  return {
    groups: grouped.map(({ group }) => group),
    pending,
    seconds,
    basis: seconds === null ? 'unknown' : basisOf(done),
    cost: costOf(seconds, prices) ?? null,
    // Found by planning many variants: not while a form waits for the rest.
    suggestions:
      !suggest || worst === undefined || worst.group.fit === 'fits' || pending > 0
        ? []
        : memory.suggestions(worst.first.config, device),
    schedules: drawnSchedules(
      done.map(({ label, config, plan: { length }, time }) => ({ label, config, ...length, pace: paceOf(time) })),
      memory.catalog ?? BUILT_IN,
    ),
    warnings: [
      ...new Set([
        ...grouped.flatMap(({ first: { config, plan } }) => warningsOf(config, device, plan, memory.catalog)),
        // Those with one plan may differ in their schedules.
        ...done.flatMap(({ config, plan: { length } }) => notReached(config, length, memory.catalog)),
      ]),
    ].map((message) => ({ code: 'fit', message })),
  };
}

/** Seconds of a step, in the middle of their range. */
const paceOf = ({ stepSeconds }: Planned['time']): number | null =>
  stepSeconds === null ? null : Math.sqrt(stepSeconds.low * stepSeconds.high);

/** Equal where memory and length are. */
function planKey({ parameterCount, byCategory, programs, sequences, microBatch, context, length }: Planned['plan']) {
  return JSON.stringify([parameterCount, byCategory, programs, sequences, microBatch, context, length]);
}

type Done = PlannedConfig & Planned;

function groupOf(own: readonly Done[], device: FitDevice): PlanGroup {
  const [{ label, values, plan, time }] = own as [Done];
  const verdict = verdictFor(plan.totalBytes, device);
  return {
    label,
    labels: own.map((each) => each.label),
    values,
    runs: own.reduce((sum, { runs }) => sum + runs, 0),
    verdict,
    fit: verdict.fit,
    bytes: plan.totalBytes,
    parameters: plan.parameterCount,
    steps: time.steps,
    tokens: plan.length.tokens,
    seconds: span(own),
    basis: basisOf(own),
  };
}

/** The weakest. */
function basisOf(own: readonly Planned[]): TimeBasis {
  const bases = new Set(own.map(({ time }) => time.basis));
  return (['unknown', 'estimated', 'measured'] as const).find((basis) => bases.has(basis)) ?? 'unknown';
}

/** From the fastest to the slowest of the runs; null when one is unknown. */
function span(own: readonly Planned[]): Range | null {
  const known = own.flatMap(({ time }) => time.seconds ?? []);
  if (known.length < own.length || known.length === 0) return null;
  return { low: Math.min(...known.map(({ low }) => low)), high: Math.max(...known.map(({ high }) => high)) };
}

/** All runs, one after the other; null when one is unknown. */
function total(done: readonly Done[]): Range | null {
  let low = 0;
  let high = 0;
  for (const { runs, time } of done) {
    if (time.seconds === null) return null;
    low += runs * time.seconds.low;
    high += runs * time.seconds.high;
  }
  return done.length === 0 ? null : { low, high };
}
