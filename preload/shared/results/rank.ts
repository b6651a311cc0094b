/**
 * The one ranking. Command line, Start page, list of sweeps, sweep page, board and exports say what is best by calling this.
 *
 * - The unit is the setting (the whole configuration but the seed); seeds are its samples, a rerun of a seed counts once.
 * - Only runs that finished with a number count. Failed, stopped and waiting ones stay with their setting and are counted beside it.
 * - Settings are ranked together only where their values rest on the same text, and the same tokenizer where it matters: see basis.ts.
 * - Best is the best mean among the settings with the most finished seeds. One with fewer is never best, however good its mean: a lucky
 *   seed, or the seeds that survived, would win too often. If its mean is better it is called promising.
 * - Every other setting is compared with the best over the seeds that both have (a paired test; Welch's where they share too few), and
 *   the comparisons are corrected for their number by Holm. Below 5 % it is worse, else undecided. One whose every seed ended with the very
 *   number of the best is equal to it, and shares its rank: no further seed could be expected to tell them apart.
 */
import type { SettingValue } from '../../contract/settings.ts';
import type { Goal, MetricSpec } from '../metrics.ts';
import type { Description } from '../statistics/describe.ts';
import { describe } from '../statistics/describe.ts';
import type { Difference } from '../statistics/difference.ts';
import { halfInterval, pairedDifference, seedsToDecide, welchDifference } from '../statistics/difference.ts';
import { holm } from '../statistics/holm.ts';
import { basesOf, basisLabels, BASIS_WORDS } from './basis.ts';
import { pick } from './groups.ts';
import { secondsOf } from '../runTime.ts';
import { distinctSeeds, outcomeOf, resultValue, settingOf } from './samples.ts';
import type { Outcome, SweepRun } from './samples.ts';
import { variedSettings } from './varied.ts';

/**
 * Chance of even one false "worse" in comparisons with a setting that was named beforehand. The best is chosen by the same numbers, which
 * flatters it: where nothing differs at all, 5 settings get one false "worse" in 7 to 8 of 100 rankings, 20 settings in 12 to 16.
 */
export const LEVEL = 0.05;

export interface Compared extends Difference {
  /** Half-width of the interval around `mean`, at the level at which Holm's correction tested it: it leaves out 0 exactly where `decided`. */
  readonly half: number;
  /** Level of that interval: 0.95, or more where several settings are compared. */
  readonly level: number;
  /** p-value corrected for the number of comparisons. */
  readonly adjusted: number;
  readonly decided: boolean;
  /** So many further seeds of each would probably decide; undefined where it is decided, Infinity where they are too many to count. */
  readonly moreSeeds: number | undefined;
}

/**
 * `best`; `equal`: the same number in every seed; `worse` and `undecided` compared with it; `promising`: a better mean, but of fewer seeds; `alone`: the only one that rests on
 * what it rests on; `none`: no seed ended with a number.
 */
export type Verdict = 'best' | 'equal' | 'worse' | 'undecided' | 'promising' | 'alone' | 'none';

/** A setting with its seeds: `runs` in the order of their creation. All its costs are those of the `counted` runs. */
export interface RankedSetting<R extends SweepRun = SweepRun> extends Outcome<R> {
  readonly key: string;
  /** From 1, among the settings with the most finished seeds; the others have none. */
  readonly rank: number | undefined;
  /** Of the settings that tell the rows apart. */
  readonly values: Readonly<Record<string, SettingValue>>;
  /** The best counted run, to look at: no result in itself. */
  readonly best: R | undefined;
  readonly seconds: Description;
  readonly verdict: Verdict;
  /** This setting minus the best one. Undefined for the best, and without two seeds of each. */
  readonly difference: Compared | undefined;
}

/** Settings that can be ranked together. */
export interface Ranking<R extends SweepRun = SweepRun> {
  readonly metric: string;
  readonly goal: Goal;
  /** Settings that tell the rows apart: the columns of a table. */
  readonly columns: readonly string[];
  /** Settings that differ because those do. */
  readonly following: readonly string[];
  /** The ranked ones first, best first; then those with fewer seeds by their mean, then those without a number. */
  readonly rows: readonly RankedSetting<R>[];
  readonly best: RankedSetting<R> | undefined;
  /** Finished seeds of the best: the most that any setting has. */
  readonly seeds: number;
  /** Runs that wait or train: the order may still change. */
  readonly open: number;
  /** What these runs rest on, where there are several rankings: the settings that tell them apart. */
  readonly basis: Readonly<Record<string, SettingValue>>;
}

export interface Rankings<R extends SweepRun = SweepRun> {
  readonly metric: string;
  readonly goal: Goal;
  /** One, or one for each text (or tokenizer) on which settings with a number rest; at least one. */
  readonly groups: readonly Ranking<R>[];
  /** The best of all, where there is one ranking. */
  readonly best: RankedSetting<R> | undefined;
  /** Why there are several rankings; undefined where there is one. */
  readonly split: string | undefined;
  /** What was taken from the settings because the runs did not record it; undefined where nothing was. */
  readonly assumed: string | undefined;
  /** Reruns of a seed that count once with it. */
  readonly repeated: number;
}

export interface RankOptions {
  readonly metric: MetricSpec;
  readonly goal: Goal;
  /** All settings in the order of the columns; default: by name. */
  readonly order?: readonly string[];
  /** Definition of the sweep that all runs are of. */
  readonly spec?: unknown;
}

/** @param runs in the order of their creation */
export function rankSettings<R extends SweepRun>(
  runs: readonly R[],
  { metric, goal, order, spec }: RankOptions,
): Rankings<R> {
  const within = metric.within ?? [];
  const bases = basesOf(runs, within);
  const samples = distinctSeeds(runs, bases.of);
  const { varied: columns, following } = variedSettings(samples, spec, order);
  const numbered = (run: R): boolean => Number.isFinite(resultValue(run, metric.name));
  const groups = groupByBasis(samples, bases.of, numbered);
  const labels = groups.length > 1 ? basisLabels(groups, within) : [{}];
  const rankings = groups.map((members, i) =>
    rankGroup(members, {
      metric: metric.name,
      unit: metric.unit,
      goal,
      columns,
      following,
      alone: groups.length > 1,
      basis: labels[i],
    }),
  );
  const what = within.map((basis) => BASIS_WORDS[basis]).join(' or ');
  return {
    metric: metric.name,
    goal,
    groups: rankings,
    best: rankings.length === 1 ? rankings[0].best : undefined,
    split:
      rankings.length > 1
        ? `These settings differ in their ${what}, so that their ${metric.name} cannot be compared: ${rankings.length} rankings.`
        : undefined,
    assumed:
      bases.assumed.length > 0
        ? `Some runs (of scripts, or of an earlier version) did not record their ${bases.assumed.map((basis) => BASIS_WORDS[basis]).join(' and ')}; it is taken to be the same where the data settings are.`
        : undefined,
    repeated: runs.length - samples.length,
  };
}

/** Runs by what they rest on, the largest group first. Runs of settings without a number say nothing, and stay with the first. */
function groupByBasis<R extends SweepRun>(
  runs: readonly R[],
  basis: (run: R) => string,
  numbered: (run: R) => boolean,
): readonly (readonly R[])[] {
  const found = new Set(runs.filter(numbered).map(basis));
  if (found.size <= 1) return [runs];
  // Seeds that failed stand with those of their setting that did not.
  const bySetting = new Map(runs.filter(numbered).map((run) => [settingOf(run), basis(run)]));
  const placed = runs.map((run) => (found.has(basis(run)) ? basis(run) : bySetting.get(settingOf(run))));
  const groups = [...found].map((name) => runs.filter((_, i) => placed[i] === name));
  groups.sort((a, b) => b.length - a.length);
  const rest = runs.filter((_, i) => placed[i] === undefined);
  return [[...groups[0], ...rest], ...groups.slice(1)];
}

interface GroupOptions {
  readonly metric: string;
  readonly unit: string;
  readonly goal: Goal;
  readonly columns: readonly string[];
  readonly following: readonly string[];
  /** There are other rankings, so that one setting by itself is not the best of anything. */
  readonly alone: boolean;
  readonly basis: Readonly<Record<string, SettingValue>>;
}

type Measured<R extends SweepRun> = Omit<RankedSetting<R>, 'rank' | 'verdict' | 'difference'>;

function rankGroup<R extends SweepRun>(runs: readonly R[], options: GroupOptions): Ranking<R> {
  const { metric, goal, columns, following, basis } = options;
  const sign = goal === 'maximize' ? -1 : 1;
  const measured = [...Map.groupBy(runs, settingOf).values()].map((members) => measure(members, options));
  const seeds = Math.max(0, ...measured.map((row) => row.metric.n));
  const full = (row: Measured<R>): boolean => row.metric.n === seeds;
  measured.sort((a, b) => {
    if (a.metric.n === 0 || b.metric.n === 0) return Number(a.metric.n === 0) - Number(b.metric.n === 0);
    return Number(full(b)) - Number(full(a)) || sign * (a.metric.mean - b.metric.mean);
  });
  const [first] = measured;
  const best = first !== undefined && first.metric.n > 0 ? first : undefined;
  // Those that are equal to the best stand with it, not between others that have its mean by chance.
  const equals = new Set(
    best === undefined ? [] : measured.filter((row) => row !== best && isEqual(row, best, metric)),
  );
  const place = (row: Measured<R>): number => (row === best ? 0 : equals.has(row) ? 1 : 2);
  measured.sort((a, b) => place(a) - place(b));
  const compared = best === undefined ? [] : compareWith(best, measured, metric);
  const numbered = measured.filter((row) => row.metric.n > 0).length;
  const rows = measured.map((row, i): RankedSetting<R> => {
    if (row.metric.n === 0) return { ...row, rank: undefined, verdict: 'none', difference: undefined };
    const difference = compared[i];
    const better = sign * (row.metric.mean - best!.metric.mean) < 0;
    const equal = equals.has(row);
    const verdict =
      row === best
        ? options.alone && numbered === 1
          ? 'alone'
          : 'best'
        : equal
          ? 'equal'
          : better
            ? 'promising'
            : difference?.decided === true && sign * difference.mean > 0
              ? 'worse'
              : 'undecided';
    return { ...row, rank: full(row) ? (equal ? 1 : i + 1) : undefined, verdict, difference };
  });
  const open = rows.reduce((sum, { states }) => sum + states.queued + states.running, 0);
  return { metric, goal, columns, following, rows, best: best === undefined ? undefined : rows[0], seeds, open, basis };
}

/** Whether two settings have the same seeds with a number, and each of them the same number, to the last digit. */
function isEqual<R extends SweepRun>(a: Measured<R>, b: Measured<R>, metric: string): boolean {
  const other = new Map(b.counted.map((run) => [run.seed, resultValue(run, metric)]));
  return (
    a.metric.n === b.metric.n && a.counted.every((run) => Object.is(other.get(run.seed), resultValue(run, metric)))
  );
}

/** NaN where nobody knows. */
const secondsOfRun = ({ startedAt = null, trained = 0, sessionAt = null }: SweepRun): number =>
  secondsOf({ startedAt, trained, sessionAt }) ?? Number.NaN;

function measure<R extends SweepRun>(
  members: readonly R[],
  { metric, unit, goal, columns }: GroupOptions,
): Measured<R> {
  const sign = goal === 'maximize' ? -1 : 1;
  const value = (run: R): number => resultValue(run, metric);
  const outcome = outcomeOf(members, metric, unit);
  const { counted } = outcome;
  return {
    ...outcome,
    key: members[0].id,
    values: pick(members[0].config, columns),
    best: counted.toSorted((a, b) => sign * (value(a) - value(b)))[0],
    seconds: describe(counted.map(secondsOfRun)),
  };
}

/** Every row with a number against the best; undefined where it cannot be compared. */
function compareWith<R extends SweepRun>(
  best: Measured<R>,
  rows: readonly Measured<R>[],
  metric: string,
): (Compared | undefined)[] {
  const differences = rows.map((row) => (row === best ? undefined : difference(row, best, metric)));
  const judged = holm(
    differences.map((each) => each?.p ?? Number.NaN),
    LEVEL,
  );
  return differences.map((each, i) => {
    const verdict = judged[i];
    if (each === undefined || verdict === undefined) return undefined;
    const { adjusted, alpha, rejected } = verdict;
    const needed = seedsToDecide(each, alpha);
    return {
      ...each,
      half: halfInterval(each, alpha),
      level: 1 - alpha,
      adjusted,
      decided: rejected,
      // At least one more: what there is did not decide.
      moreSeeds: rejected ? undefined : Math.max(1, needed - each.n),
    };
  });
}

/**
 * Paired over the seeds that both finished, where these are at least half of the smaller sample. Else the pairs would throw more away than
 * they gain, and the samples are taken as independent.
 */
function difference<R extends SweepRun>(a: Measured<R>, b: Measured<R>, metric: string): Difference | undefined {
  const other = new Map(b.counted.map((run) => [run.seed, resultValue(run, metric)]));
  const shared = a.counted.filter(({ seed }) => other.has(seed));
  if (shared.length >= 2 && 2 * shared.length >= Math.min(a.metric.n, b.metric.n))
    return pairedDifference(
      shared.map((run) => resultValue(run, metric)),
      shared.map(({ seed }) => other.get(seed)!),
    );
  return welchDifference(a.metric, b.metric);
}
