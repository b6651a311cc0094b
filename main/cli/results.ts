/** The table at the end of a sweep: its settings by rank, each with mean ± sd over its seeds and what can be said of it. */
import type { RunRecord, SweepRecord } from '../../preload/contract/runs.ts';
import { briefSetting, digitsApart, formatCount } from '../../preload/shared/format.ts';
import type { MetricCatalog } from '../../preload/shared/metrics.ts';
import { commonFloor } from '../../preload/shared/results/floor.ts';
import { labelOf } from '../../preload/shared/results/groups.ts';
import type { RankedSetting, Ranking } from '../../preload/shared/results/rank.ts';
import { finalValue } from '../../preload/shared/results/samples.ts';
import { rankSweep } from '../../preload/shared/results/target.ts';
import type { SweepRankings } from '../../preload/shared/results/target.ts';
import {
  columnsNote,
  differenceWords,
  floorNote,
  meanWords,
  rankingNotes,
  rankingsNotes,
  reasonsOf,
  seedsWords,
  verdictWords,
} from '../../preload/shared/results/words.ts';
import { describe } from '../../preload/shared/statistics/describe.ts';
import type { Description } from '../../preload/shared/statistics/describe.ts';
import { formatMean } from '../../preload/shared/format.ts';
import type { Store } from '../store/index.ts';
import type { Output } from './output.ts';
import { renderTable } from './table.ts';
import type { Column } from './table.ts';

export type Results = SweepRankings<RunRecord>;

/** What the command line needs to rank: which metrics there are, and all settings in the order of columns. */
export interface Catalogs {
  readonly metrics: MetricCatalog;
  readonly registry: { readonly names: readonly string[] };
}

/** What came out of a sweep. */
export function sweepResults(store: Store, sweep: SweepRecord, catalogs: Catalogs): Results {
  return rankRuns(store.listRuns({ sweepId: sweep.id }), catalogs, sweep.spec);
}

/** What came out of runs picked from anywhere. @param spec of the sweep that they share, if there is one */
export function rankRuns(runs: readonly RunRecord[], { metrics, registry }: Catalogs, spec?: unknown): Results {
  const byCreation = runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return rankSweep(spec, byCreation, metrics, { order: registry.names });
}

/** Shown beside the metric that decides, from the same runs. */
const ALSO = ['val/bpb', 'val/loss'] as const;
const shownMetrics = ({ metric, rows }: Ranking<RunRecord>): string[] =>
  [...new Set([metric, ...ALSO])].filter(
    (name) => name === metric || rows.some(({ runs }) => runs.some(({ summary }) => name in summary)),
  );
const over = ({ counted }: RankedSetting<RunRecord>, metric: string): Description =>
  describe(counted.map((run) => finalValue(run, metric)));

export function renderResults(results: Results, output: Output): string {
  const lines: string[] = [];
  const { missing } = results.target;
  if (missing !== undefined)
    lines.push(`No run has logged ${missing}, the metric of the sweep: ranked by ${results.metric}.`, '');
  const notes = rankingsNotes(results);
  if (notes.length > 0) lines.push(...notes, '');
  results.groups.forEach((ranking, i) => {
    if (i > 0) lines.push('');
    if (results.groups.length > 1) lines.push(output.style('bold', labelOf(ranking.basis)));
    lines.push(table(ranking, output), '', columnsNote(ranking), ...floorNote(ranking), ...rankingNotes(ranking));
  });
  return lines.join('\n');
}

function table(ranking: Ranking<RunRecord>, output: Output): string {
  const { rows, columns } = ranking;
  const metrics = shownMetrics(ranking);
  const right = (title: string): Column => ({ title, align: 'right', free: true });
  const digits = new Map(columns.map((name) => [name, digitsApart(rows.map(({ values }) => values[name]))]));
  const columnText = (name: string, value: unknown): string => briefSetting(value, digits.get(name));
  const parameters = rows.map(({ runs }) => runs.find((run) => run.parameters !== null)?.parameters);
  const withParameters = parameters.some((count) => count != null);
  const compared = rows.some(({ difference }) => difference !== undefined);
  const cells = rows.map((row, i) => [
    ...columns.map((name) => (name in row.values ? columnText(name, row.values[name]) : '')),
    ...(withParameters ? [parameters[i] == null ? '' : formatCount(parameters[i])] : []),
    seedsWords(row),
    ...metrics.map((name) => (name === ranking.metric ? meanWords(row) : meanOf(row, name))),
    ...(compared ? [differenceWords(row)] : []),
    [row.verdict === 'best' ? `← ${verdictWords(row, ranking)}` : verdictWords(row, ranking), ...reasonsOf(row)].join(
      '  ',
    ),
  ]);
  const titles = [
    ...columns.map(right),
    ...(withParameters ? [right('parameters')] : []),
    right('N'),
    ...metrics.map(right),
    ...(compared ? [right(`Δ ${ranking.metric}`)] : []),
    { title: '' },
  ];
  return renderTable(output, titles, cells, ranking.best === undefined ? undefined : 0);
}

function meanOf(row: RankedSetting<RunRecord>, metric: string): string {
  const { n, mean, sd } = over(row, metric);
  return n === 0 ? '' : formatMean(mean, sd);
}

/** For `--json`. Statistics are over the finished runs; `best` is null where there is none, or where the settings cannot be compared. */
export function resultsJson(results: Results): Record<string, unknown> {
  const { metric, goal, groups, best, split, assumed, repeated, target } = results;
  return {
    metric,
    goal,
    missing: target.missing ?? null,
    varied: groups[0].columns,
    best: best === undefined ? null : best.values,
    split: split ?? null,
    assumed: assumed ?? null,
    reruns: repeated,
    entropyFloor:
      commonFloor(
        groups.flatMap(({ rows }) => rows.flatMap(({ counted }) => counted)),
        'val/bpb',
      ) ?? null,
    rankings: groups.map((ranking) => ({
      basis: ranking.basis,
      best: ranking.best?.values ?? null,
      open: ranking.open,
      notes: rankingNotes(ranking),
    })),
    settings: groups.flatMap((ranking, group) => ranking.rows.map((row) => settingJson(row, ranking, group))),
  };
}

function settingJson(
  row: RankedSetting<RunRecord>,
  ranking: Ranking<RunRecord>,
  group: number,
): Record<string, unknown> {
  const logged = row.runs.flatMap(({ summary }) => Object.keys(summary).filter((name) => name.includes('/')));
  const statistics = [...new Set([...shownMetrics(ranking), ...logged])].map((name) => {
    const { n, mean, sd, min, max } = over(row, name);
    return [name, { n, mean, sd, min, max }];
  });
  return {
    ranking: group,
    rank: row.rank ?? null,
    verdict: row.verdict,
    words: verdictWords(row, ranking),
    seeds: seedsWords(row),
    settingKey: row.runs[0].settingKey,
    settings: row.values,
    runs: row.runs.map(({ id }) => id),
    counted: row.counted.map(({ id }) => id),
    states: row.states,
    reasons: reasonsOf(row),
    statistics: Object.fromEntries(statistics),
    difference: row.difference === undefined ? null : differenceJson(row.difference),
  };
}

/** An infinite number of further seeds has no place in JSON: it is null, as is none. */
function differenceJson({ moreSeeds, ...rest }: NonNullable<RankedSetting['difference']>): Record<string, unknown> {
  return { ...rest, moreSeeds: moreSeeds ?? null };
}
