/** Which runs are samples of which setting: the app, the command line and the exports count the same ones. */
import type { RunRecord, RunState } from '../../contract/runs.ts';
import type { Config } from '../../contract/settings.ts';
import { describe } from '../statistics/describe.ts';
import type { Description } from '../statistics/describe.ts';

/** What the statistics need of a run. */
export type SweepRun = Pick<RunRecord, 'id' | 'name' | 'config' | 'settingKey' | 'seed' | 'state' | 'summary'> &
  Partial<
    Pick<
      RunRecord,
      | 'startedAt'
      | 'endedAt'
      | 'trained'
      | 'sessionAt'
      | 'endReason'
      | 'parameters'
      | 'steps'
      | 'tokens'
      | 'color'
      | 'environment'
      | 'sweepId'
    >
  >;

type Keyed = Pick<RunRecord, 'config' | 'settingKey' | 'seed' | 'state'>;

const keys = new WeakMap<Config, string>();

/**
 * Names the setting of a run: its whole configuration but the seed. Equal keys are the same setting in whichever sweep it ran, and what a
 * sweep left at its base counts as well: depth 1 and depth 2 are two settings also where each sweep varied the learning rate alone. Runs
 * from elsewhere that have no configuration fall back to the key that they came with.
 */
export function settingOf({ config, settingKey }: Pick<RunRecord, 'config' | 'settingKey'>): string {
  const known = keys.get(config);
  if (known !== undefined) return known === '' ? settingKey : known;
  const names = sortedNames(config);
  const key = names.length === 0 ? '' : JSON.stringify(names.map((name) => [name, config[name]]));
  keys.set(config, key);
  return key === '' ? settingKey : key;
}

let lately: { readonly given: readonly string[]; readonly sorted: readonly string[] } = { given: [], sorted: [] };

/** Without the seed. Those of the configuration before, mostly. */
function sortedNames(config: Config): readonly string[] {
  const given = Object.keys(config);
  if (given.length !== lately.given.length || given.some((name, i) => name !== lately.given[i]))
    lately = { given, sorted: given.filter((name) => name !== 'seed').sort() };
  return lately.sorted;
}

/**
 * One run per setting and seed: the last one that finished, or else the last one. A rerun of a seed is not another sample of its
 * setting; counted twice it would make the spread look smaller than it is. Runs come in the order in which they were created, and
 * keep it.
 *
 * @param apart runs for which this differs are never reruns of each other
 */
export function distinctSeeds<R extends Keyed>(runs: readonly R[], apart: (run: R) => string = () => ''): readonly R[] {
  // By the setting, whose name is long, and then by the seed.
  const chosen = new Map<string, Map<string, R>>();
  let samples = 0;
  for (const run of runs) {
    const setting = settingOf(run);
    let seeds = chosen.get(setting);
    if (seeds === undefined) chosen.set(setting, (seeds = new Map()));
    const seed = `${run.seed}|${apart(run)}`;
    const before = seeds.get(seed);
    if (before === undefined) samples++;
    if (before === undefined || run.state === 'finished' || before.state !== 'finished') seeds.set(seed, run);
  }
  if (samples === runs.length) return runs;
  const kept = new Set([...chosen.values()].flatMap((seeds) => [...seeds.values()]));
  return runs.filter((run) => kept.has(run));
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

/** What runs say together about a metric, and what became of those that say nothing. */
export interface Outcome<R = SweepRun> {
  /** One per seed. */
  readonly runs: readonly R[];
  /** Those that finished with a number. */
  readonly counted: readonly R[];
  /** Over the counted runs. */
  readonly metric: Description;
  readonly states: Readonly<Record<RunState, number>>;
  /** Of the metric, where it has one that numbers are written in. */
  readonly unit?: string;
}

/** @param runs one per seed: see distinctSeeds */
export function outcomeOf<R extends Pick<SweepRun, 'state' | 'summary'>>(
  runs: readonly R[],
  metric: string,
  unit?: string,
): Outcome<R> {
  const counted = runs.filter((run) => Number.isFinite(resultValue(run, metric)));
  const states = { queued: 0, running: 0, finished: 0, failed: 0, stopped: 0 };
  for (const { state } of runs) states[state]++;
  const found = describe(counted.map((run) => resultValue(run, metric)));
  return { runs, counted, metric: found, states, ...(unit === undefined ? {} : { unit }) };
}
