/** When the runs of the queue begin and end, reckoned from what is known of runs like them. */
import { median } from '../../preload/shared/statistics/describe.ts';
import { secondsOf } from '../../preload/shared/runTime.ts';
import type { Progress, RunRecord } from './contract.ts';

/** Seconds from now; null: not known. */
export interface RunTimes {
  readonly begin: number | null;
  readonly end: number | null;
}

export interface TimedRun {
  readonly id: string;
  /** That it takes, or has left where it trains; null: not known. */
  readonly seconds: number | null;
  /** Runs at a time while it trains; Infinity: no limit. */
  readonly limit: number;
}

/**
 * Goes through the queue as it is taken: in order, at most `places` runs at a time and never more than the limit of one that trains; none
 * overtakes. What would have to wait for a run of unknown length, and all behind it, has no times. One device is assumed.
 */
export function queueTimes(
  training: readonly TimedRun[],
  waiting: readonly TimedRun[],
  places: number,
): ReadonlyMap<string, RunTimes> {
  const times = new Map<string, RunTimes>();
  let now = 0;
  let beside: { readonly end: number | null; readonly limit: number }[] = [];
  const begin = ({ id, seconds, limit }: TimedRun): void => {
    const end = seconds === null ? null : now + seconds;
    times.set(id, { begin: now, end });
    beside.push({ end, limit });
  };
  training.forEach(begin);
  for (const run of waiting) {
    while (beside.length >= Math.min(places, run.limit, ...beside.map(({ limit }) => limit))) {
      if (beside.some(({ end }) => end === null)) return times;
      const next = Math.min(...beside.map(({ end }) => end!));
      now = Math.max(now, next);
      beside = beside.filter(({ end }) => end! > next);
    }
    begin(run);
  }
  return times;
}

/** What a run takes in all. */
interface Whole {
  readonly seconds: number;
  /** 0: not known. */
  readonly steps: number;
}
export type Wholes = ReadonlyMap<string, Whole>;

/** How long finished runs took, for runs like them: one slow run among many bends nothing. */
export function finished(runs: Iterable<RunRecord>): Wholes {
  const found = new Lists();
  for (const run of runs) {
    const seconds = run.state === 'finished' ? secondsOf(run) : null;
    if (seconds !== null) found.add(run, { seconds, steps: run.steps });
  }
  return found.medians();
}

/** Before this share of a run its rest says too little of the whole. */
const FAR_ENOUGH = 0.05;

/** What runs in training will have taken, for runs like them. */
export function inTraining(
  runs: readonly { readonly run: RunRecord; readonly progress: Progress | undefined }[],
): Wholes {
  const found = new Lists();
  for (const { run, progress } of runs) {
    const { eta = null, fraction = null, plannedSteps = null } = progress ?? {};
    if (eta === null || fraction === null || fraction < FAR_ENOUGH || fraction >= 1) continue;
    found.add(run, { seconds: eta / (1 - fraction), steps: plannedSteps ?? 0 });
  }
  return found.medians();
}

/**
 * Seconds that a run has before it, less what an earlier attempt has done: from those with the same settings, or else from all of its
 * sweep. Null: nothing like it has finished or come far.
 */
export function secondsAhead(run: RunRecord, ...known: readonly Wholes[]): number | null {
  for (const key of keysOf(run)) {
    const whole = known.map((wholes) => wholes.get(key)).find((each) => each !== undefined);
    if (whole === undefined) continue;
    const done = whole.steps === 0 ? 0 : run.steps / whole.steps;
    return whole.seconds * Math.max(0, 1 - done);
  }
  return null;
}

class Lists {
  readonly #lists = new Map<string, Whole[]>();

  add(run: RunRecord, whole: Whole): void {
    for (const key of keysOf(run)) {
      const list = this.#lists.get(key);
      if (list === undefined) this.#lists.set(key, [whole]);
      else list.push(whole);
    }
  }

  medians(): Wholes {
    return new Map(
      [...this.#lists].map(([key, list]) => [
        key,
        { seconds: median(list.map(({ seconds }) => seconds)), steps: median(list.map(({ steps }) => steps)) },
      ]),
    );
  }
}

/** Most alike first. */
const keysOf = ({ sweepId, settingKey }: RunRecord): readonly string[] => [
  `${sweepId ?? ''} ${settingKey}`,
  ...(sweepId === null ? [] : [sweepId]),
];
