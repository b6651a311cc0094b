/** What the rows of a board's list say, and in which order they come. Free of Vue. */
import type { RunRecord, RunState } from '../../../preload/contract/runs.ts';
import { formatInUnit } from '../../../preload/shared/format.ts';
import { shortName } from '../../../preload/shared/results/groups.ts';
import { distinctSeeds, finalValue, outcomeOf } from '../../../preload/shared/results/samples.ts';
import type { Outcome } from '../../../preload/shared/results/samples.ts';
import type { Target } from '../../../preload/shared/results/target.ts';
import { meanWords, reasonsOf, seedsWords, unfinishedWords } from '../../../preload/shared/results/words.ts';
import { describe } from '../../../preload/shared/statistics/describe.ts';
import type { RunOrder } from '../../../preload/charts/board/boardState.ts';
import type { BoardGroup } from '../../../preload/charts/board/groups.ts';
import type { Board } from '../../charts/board/useBoard.ts';

/** Names of the settings that the rows give values of; `group` or `run` where the rows name themselves. */
export function headOf({ settings, state, all, grouped }: Board): string {
  const own = all.value.every(({ sweepId }) => sweepId === null);
  if (!['setting', 'none'].includes(state.value.groupBy) || own) return grouped.value ? 'group' : 'run';
  const names = settings.value.map((name) => shortName(name, settings.value));
  return names.length === 0 ? 'run' : names.join(' · ');
}

const PART = ' · ';
const numberIn = (text: string | undefined): number =>
  text === undefined || text === '' ? Number.NaN : Number(text.replaceAll(',', '').replace('−', '-'));

/** Rows by their values, one after the other, numbers by size: by their text 0.01 would come before 0.003. */
export function compareRows(a: string, b: string): number {
  const [first, second] = [a.split(PART), b.split(PART)];
  for (const [i, left] of first.entries()) {
    const right = second[i];
    if (left === right) continue;
    const difference = numberIn(left) - numberIn(right);
    return Number.isNaN(difference) ? left.localeCompare(right ?? '', 'en', { numeric: true }) : difference;
  }
  return first.length - second.length;
}

/** Groups by what the list is sorted by; by value the best first, and those without a number last. */
export function groupsInOrder(
  groups: readonly BoardGroup[],
  order: RunOrder,
  latest: ReadonlyMap<string, RunRecord>,
  { name, goal }: Target,
): readonly BoardGroup[] {
  if (order === 'created') return groups;
  if (order === 'name') return groups.toSorted((a, b) => compareRows(a.values, b.values));
  const sign = goal === 'maximize' ? -1 : 1;
  const places = new Map(
    groups.map(({ id, runs }) => {
      const members = distinctSeeds(runs.flatMap((run) => latest.get(run) ?? []));
      const { mean } = outcomeOf(members, name).metric;
      return [id, Number.isNaN(mean) ? Infinity : sign * mean];
    }),
  );
  return groups.toSorted((a, b) => {
    const [first, second] = [places.get(a.id)!, places.get(b.id)!];
    return first === second ? 0 : first - second;
  });
}

export interface Row {
  readonly key: string;
  readonly kind: 'group' | 'run';
  readonly label: string;
  /** What tells it apart: the names of the settings stand above the list. */
  readonly values: string;
  readonly color: string;
  readonly striped: boolean;
  readonly ids: readonly string[];
  readonly run?: RunRecord;
  readonly nested: boolean;
}

export interface ShownValue {
  readonly text: string;
  readonly help: string;
  /** It is where runs stand that still train: to watch, no result. */
  readonly latest: boolean;
}

/** Of a metric: the mean of what finished, else of where the runs stand that train, else why there is none. */
export function valueOf(found: Outcome<RunRecord>, runs: readonly RunRecord[], metric: string): ShownValue {
  if (found.metric.n > 0) {
    const spread = found.metric.n > 1 ? `${meanWords(found)} (sd, n − 1), ` : `${found.metric.mean}, `;
    return {
      text: formatInUnit(found.metric.mean, found.unit ?? ''),
      help: `${spread}N ${seedsWords(found)}`,
      latest: false,
    };
  }
  const training = runs.filter(({ state }) => state === 'running').map((run) => finalValue(run, metric));
  const { mean } = describe(training);
  if (Number.isFinite(mean))
    return {
      text: formatInUnit(mean, found.unit ?? ''),
      help: 'The latest value of runs that still train, not a result',
      latest: true,
    };
  return { text: '–', help: [unfinishedWords(found), ...reasonsOf(found)].filter(Boolean).join('\n'), latest: false };
}

/** Seeds that count of all: `2/6`. */
export const seedCount = ({ metric, runs }: Outcome<RunRecord>): string =>
  metric.n === runs.length ? String(metric.n) : `${metric.n}/${runs.length}`;

/** From the state that needs attention most. */
export const ATTENTION: readonly RunState[] = ['failed', 'running', 'stopped', 'queued', 'finished'];
export const stateOf = (runs: readonly RunRecord[]): RunState =>
  ATTENTION.find((each) => runs.some(({ state }) => state === each)) ?? 'finished';
