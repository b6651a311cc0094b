/** The ranking in words, the same in the command line, the interface and exports. */
import type { RunState } from '../../contract/runs.ts';
import { counted, formatDifference, formatInteger, formatMeanInUnit, formatValue, plural, SPACE } from '../format.ts';
import { describe } from '../statistics/describe.ts';
import type { Difference } from '../statistics/difference.ts';
import { commonFloor, commonFloorError, floorWords } from './floor.ts';
import { labelOf } from './groups.ts';
import type { RankedSetting, Ranking, Rankings } from './rank.ts';
import { finalValue } from './samples.ts';
import type { Outcome } from './samples.ts';

/** In the order in which they are told. */
const UNFINISHED: readonly (readonly [RunState, string])[] = [
  ['failed', 'failed'],
  ['stopped', 'stopped'],
  ['running', 'running'],
  ['queued', 'waiting'],
];

/** What became of the seeds that do not count: `4 failed, 1 running`; empty when all do. */
export function unfinishedWords({ states, metric }: Pick<Outcome, 'states' | 'metric'>): string {
  const parts = UNFINISHED.filter(([state]) => states[state] > 0).map(([state, word]) => `${states[state]} ${word}`);
  const silent = states.finished - metric.n;
  return [...parts, ...(silent > 0 ? [`${silent} without a number`] : [])].join(', ');
}

/** What became of runs of which none has a number: `6 of 6 failed`, `2 failed, 1 waiting`. */
export function absentWords(outcome: Pick<Outcome<unknown>, 'states' | 'metric' | 'runs'>): string {
  const { states, runs } = outcome;
  const only = UNFINISHED.find(([state]) => states[state] === runs.length);
  return only === undefined ? unfinishedWords(outcome) : `${runs.length} of ${runs.length} ${only[1]}`;
}

/** How many seeds count: `6`, or `2 of 6 (4 failed)`. */
export function seedsWords(row: Pick<Outcome<unknown>, 'states' | 'metric' | 'runs'>): string {
  const { metric, runs } = row;
  return metric.n === runs.length ? String(metric.n) : `${metric.n} of ${runs.length} (${unfinishedWords(row)})`;
}

/** The same without what became of the others, for a column beside that of their states: `2 of 3`. */
export function seedsCount({ metric, runs }: Pick<Outcome<unknown>, 'metric' | 'runs'>): string {
  return metric.n === runs.length ? String(metric.n) : `${metric.n} of ${runs.length}`;
}

/** What can be said of a setting in one word, and of how many seeds. */
export function verdictWords(row: RankedSetting, { open }: Pick<Ranking, 'open'>): string {
  const { verdict, states, metric, difference } = row;
  switch (verdict) {
    case 'best':
      return open > 0 ? 'best so far' : 'best';
    case 'equal':
      return `equal to the best (N ${metric.n})`;
    case 'undecided':
      return `undecided (N ${difference?.n ?? metric.n})`;
    case 'alone':
      return 'nothing to compare';
    case 'worse':
    case 'promising':
      return verdict;
    case 'none':
      return (
        UNFINISHED.find(([state]) => state !== 'failed' && state !== 'stopped' && states[state] > 0)?.[1] ??
        (states.finished > 0 ? 'no number' : states.failed > 0 ? 'failed' : 'stopped')
      );
  }
}

/** The distance to the best with its interval; empty where there is none. */
export function differenceWords({ difference, unit }: Pick<RankedSetting, 'difference' | 'unit'>): string {
  if (difference === undefined) return '';
  const { mean, half } = difference;
  return unit === 'share' ? `${formatDifference(100 * mean, 100 * half)}${SPACE}%` : formatDifference(mean, half);
}

/** How the distance to the best was found, for a hint beside it. */
export function differenceHelp({ difference, verdict }: Pick<RankedSetting, 'difference' | 'verdict'>): string {
  if (difference === undefined) return '';
  if (verdict === 'equal') return `Each of ${difference.n} seeds ended with the same number as with the best.`;
  const { method, n, df, level, p, adjusted, moreSeeds } = difference;
  const test =
    method === 'paired' ? `paired over ${n} shared seeds` : `Welch's test, ${formatValue(df, 3)} degrees of freedom`;
  const chance = (value: number): string => (value < 1e-4 ? '< 0.0001' : formatValue(value, 2));
  return (
    `This setting minus the best, ${test}; ${formatValue(100 * level, 3)} % interval. ` +
    `p ${chance(p)}, corrected for the number of comparisons ${chance(adjusted)}.` +
    (moreSeeds === undefined ? '' : ` ${moreSeedsWords(moreSeeds)}`)
  );
}

function moreSeedsWords(more: number): string {
  if (more === Infinity) return 'No number of seeds that is worth training would decide.';
  return `About ${plural(more, 'more seed')} of each would probably decide (an estimate from the spread of these).`;
}

/** Why seeds of a setting do not count, each reason once: `4 failed: diverged: train/loss is NaN at step 12`. */
export function reasonsOf({ runs }: Pick<RankedSetting, 'runs'>): string[] {
  const ended = runs.filter(({ state }) => state === 'failed' || state === 'stopped');
  const groups = Map.groupBy(
    ended,
    ({ state, endReason }) => `${state}: ${generalReason(endReason ?? 'no reason recorded')}`,
  );
  return [...groups].map(([reason, list]) =>
    list.length === 1 && runs.length === 1 ? reason : `${list.length} ${reason}`,
  );
}

/** The same trouble at another step is the same trouble. */
const generalReason = (reason: string): string => reason.replaceAll(/ at step \d+/gu, '');

/** Mean with the spread over its seeds: `3.256 ± 0.012`. */
export const meanWords = ({ metric, unit = '' }: Pick<RankedSetting, 'metric' | 'unit'>): string =>
  metric.n === 0 ? '–' : formatMeanInUnit(metric.mean, metric.sd, unit);

/** A setting by what tells it apart. */
export const nameOf = ({ values }: Pick<RankedSetting, 'values'>): string => labelOf(values);

/** Settings that a picture of means cannot show, with what became of them; empty when it shows all. */
export function absentNote(rows: readonly RankedSetting[]): string {
  const absent = rows.filter(({ metric }) => metric.n === 0);
  if (absent.length === 0) return '';
  const named = absent.slice(0, 6).map((row) => `${nameOf(row) || 'the only setting'} (${seedsWords(row)})`);
  const rest = absent.length > 6 ? ` and ${absent.length - 6} more` : '';
  return `Without a number, so not drawn: ${named.join('; ')}${rest}.`;
}

/** What a reader must know beside the table, a sentence each, the most important first. */
export function rankingNotes(ranking: Ranking): string[] {
  const { rows, best, seeds, open, metric } = ranking;
  if (best === undefined) return [];
  const notes: string[] = [];
  const others = rows.filter((row) => row !== best && row.metric.n > 0);
  const promising = others.filter(({ verdict }) => verdict === 'promising');
  for (const row of promising.slice(0, 3))
    notes.push(
      `${nameOf(row) || 'One setting'} has a better ${metric} (${meanWords(row)}), but of fewer seeds: ${seedsWords(row)}. Promising, not best.`,
    );
  if (promising.length > 3)
    notes.push(`${counted(promising.length - 3, 'more setting is', 'more settings are')} promising.`);
  const equal = others.filter(({ verdict }) => verdict === 'equal').length;
  if (equal > 0)
    notes.push(
      `${plural(equal, 'other setting')} ${equal === 1 ? 'is' : 'are'} equal to the best: the same ${metric}, to the last digit, ${seeds === 1 ? 'with the one seed' : `with each of ${seeds} seeds`}. What tells them apart makes no difference to it.`,
    );
  const undecided = others.filter(({ verdict }) => verdict === 'undecided');
  if (undecided.length > 0) notes.push(undecidedNote(undecided, seeds));
  if (open > 0)
    notes.push(`${plural(open, 'run')} ${open === 1 ? 'waits or trains' : 'wait or train'}: the order may change.`);
  return [...notes, ...textNote(ranking)];
}

/** How much the score of a model owes to the text that was held out: its standard error over the documents of that text. */
export const errorName = (metric: string): string => `${metric}_se`;

/** All settings are scored on one text, so that its luck is theirs together: it moves the values, hardly their differences. */
function textNote({ metric, best }: Ranking): string[] {
  const { mean, n } = describe((best?.counted ?? []).map((run) => finalValue(run, errorName(metric))));
  if (n === 0) return [];
  return [
    `Another validation text of the same kind would move all values together, by about ± ${formatValue(mean, 2)} (standard error of ${metric} over this text).`,
  ];
}

/** The entropy of the text, where it is known, and how far above it the best setting is. */
export function floorNote({ metric, rows, best }: Ranking): string[] {
  const runs = rows.flatMap(({ counted }) => counted);
  const floor = commonFloor(runs, 'val/bpb');
  if (floor === undefined) return [];
  const { mean, n } = describe((best?.counted ?? []).map((run) => finalValue(run, 'val/bpb')));
  const what = metric === 'val/bpb' ? 'the best setting' : 'val/bpb of the best setting';
  const gap = n === 0 ? '' : `; ${what} is ${formatValue(mean - floor, 3)} above it`;
  return [`The entropy of this text is ${floorWords(floor, commonFloorError(runs))}${gap}.`];
}

function undecidedNote(undecided: readonly RankedSetting[], seeds: number): string {
  const which = `${plural(undecided.length, 'other setting')} cannot be told apart from the best with these seeds`;
  const more = undecided.flatMap(({ difference }) => difference?.moreSeeds ?? []).sort((a, b) => a - b);
  if (more.length === 0)
    return seeds < 2
      ? `${which}: with one seed each a difference may be chance.`
      : `${which}: a comparison needs two of them.`;
  if (more[0] === Infinity) return `${which}, and hardly with any number that is worth training.`;
  const last = more.at(-1)!;
  const many =
    last === Infinity
      ? `${formatInteger(more[0])} or many more seeds`
      : last > more[0]
        ? `${formatInteger(more[0])} to ${formatInteger(last)} more seeds`
        : counted(more[0], 'more seed');
  return `${which}; about ${many} of each would probably decide (an estimate from the spread of these).`;
}

/** What concerns all rankings of a sweep, before the first of them. */
export function rankingsNotes({ split, assumed, repeated }: Rankings): string[] {
  return [
    ...(split === undefined ? [] : [split]),
    ...(assumed === undefined ? [] : [assumed]),
    ...(repeated === 0 ? [] : [`${plural(repeated, 'rerun')} of a seed: each seed counts once.`]),
  ];
}

const overSeeds = (methods: ReadonlySet<Difference['method']>): string =>
  methods.size === 2
    ? 'seed by seed where a setting shares seeds with the best, else between the means'
    : methods.has('paired')
      ? 'seed by seed over shared seeds'
      : 'between the means of different seeds';

/** How to read the columns. */
export function columnsNote({ goal, metric, rows, columns, following }: Ranking): string {
  const methods = new Set(rows.flatMap(({ difference }) => difference?.method ?? []));
  return (
    `Mean ± sample standard deviation (n − 1) over N finished seeds; ${goal === 'minimize' ? 'lower' : 'higher'} ${metric} is better.` +
    (methods.size > 0
      ? ` Δ: difference from the best with its 95 % interval, ${overSeeds(methods)}, corrected for many comparisons.`
      : '') +
    (following.length === 0
      ? ''
      : ` With ${columns.join(', ')} differ what follows from ${columns.length === 1 ? 'it' : 'them'}: ${following.join(', ')}.`)
  );
}
