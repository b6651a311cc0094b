/** The parts of a report, in the order of the page. */
import type { RunRecord, SweepRecord } from '../../../../preload/contract/runs.ts';
import {
  briefSetting,
  formatCount,
  formatDuration,
  formatInUnit,
  formatSetting,
  formatTime,
  plural,
} from '../../../../preload/shared/format.ts';
import { differingSettings, shortName } from '../../../../preload/shared/results/groups.ts';
import type { RankedSetting, Ranking } from '../../../../preload/shared/results/rank.ts';
import { finalValue } from '../../../../preload/shared/results/samples.ts';
import { rankSweep } from '../../../../preload/shared/results/target.ts';
import type { SweepRankings } from '../../../../preload/shared/results/target.ts';
import {
  columnsNote,
  differenceWords,
  floorNote,
  meanWords,
  nameOf,
  rankingNotes,
  rankingsNotes,
  reasonsOf,
  seedsWords,
  verdictWords,
} from '../../../../preload/shared/results/words.ts';
import { secondsOf } from '../../../../preload/shared/runTime.ts';
import { catalogFor } from '../../../../preload/shared/declaredUnits.ts';
import { fontRules } from '../../figures/fonts.ts';
import type { ExportJob } from '../exchange.ts';
import { chartsOf } from './charts.ts';
import { escaped, paragraphs, section, table } from './html.ts';
import type { Cell, TableColumn } from './html.ts';
import { STYLE } from './style.ts';

/** Nothing is fetched, and nothing in it can run. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:";

export function* reportPieces(job: ExportJob): Generator<string> {
  const { runs } = job;
  const sweep = commonSweep(job);
  const catalog = catalogFor(job.catalog, runs);
  const byCreation = runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const results = rankSweep(sweep?.spec, byCreation, catalog);
  const title = sweep?.name ?? (runs.length === 1 ? runs[0].name : plural(runs.length, 'run'));
  const body = [
    section('Settings, ranked', 'ranking', rankings(results)),
    ...chartsOf(job, results, sweep),
    section('Runs', 'runs', runTable(job, results)),
    section('Configuration', 'configuration', configuration(job, sweep)),
    section('Code and machine', 'code', code(runs)),
  ];
  // Fonts are those that its letters need.
  const rules = fontRules([title, ...body].join(''));
  yield `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${rules}${STYLE}</style></head><body><main>
<h1>${escaped(title)}</h1>
<p class="meta">${escaped(facts(runs, sweep))}</p>
<nav><a href="#ranking">Settings, ranked</a><a href="#charts">Charts</a><a href="#runs">Runs</a><a href="#configuration">Configuration</a><a href="#code">Code and machine</a></nav>
<div class="summary"><p class="lead">${escaped(lead(results))}</p></div>
`;
  yield* body;
  yield `<p class="meta">Written by Sweeplab on ${escaped(formatTime(Date.now()))}.</p>\n</main></body></html>\n`;
}

function commonSweep({ runs, sweepOf }: ExportJob): SweepRecord | undefined {
  const [id, ...others] = new Set(runs.map(({ sweepId }) => sweepId));
  return id == null || others.length > 0 ? undefined : sweepOf(runs[0]);
}

function facts(runs: readonly RunRecord[], sweep: SweepRecord | undefined): string {
  const states = [...Map.groupBy(runs, ({ state }) => state)].map(([state, of]) => `${of.length} ${state}`);
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const times = runs.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt].filter((time) => time !== null));
  return [
    ...(sweep === undefined ? [] : [`sweep ${sweep.id}`]),
    `${plural(runs.length, 'run')} (${states.join(', ')})`,
    plural(seeds, 'seed'),
    ...(times.length === 0 ? [] : [`${formatTime(Math.min(...times))} to ${formatTime(Math.max(...times))}`]),
  ].join(' · ');
}

/** What came out, in a sentence. */
function lead({ best, metric, groups }: SweepRankings<RunRecord>): string {
  if (groups.every(({ rows }) => rows.every((row) => row.metric.n === 0)))
    return `No run has ended with a number of ${metric} yet.`;
  if (best === undefined) return `There is no one best setting: see the rankings below.`;
  const { open } = groups[0];
  const name = nameOf(best);
  const what = name === '' ? 'the only setting' : name;
  const ties = groups[0].rows.filter((row) => row.verdict === 'undecided').length;
  const told = ties === 0 ? '' : ` ${plural(ties, 'other setting')} cannot be told apart from it with these seeds.`;
  return `${open > 0 ? 'Best so far' : 'Best'}: ${what}, ${metric} ${meanWords(best)}, N ${seedsWords(best)}.${told}`;
}

function rankings(results: SweepRankings<RunRecord>): string {
  const parts = results.groups.map((ranking, i) =>
    [
      results.groups.length > 1 ? `<h3>Ranking ${i + 1} of ${results.groups.length}</h3>` : '',
      rankTable(ranking),
      paragraphs([columnsNote(ranking), ...floorNote(ranking), ...rankingNotes(ranking)]),
    ].join(''),
  );
  return parts.join('') + paragraphs(rankingsNotes(results));
}

function rankTable(ranking: Ranking<RunRecord>): string {
  const { rows, columns, metric } = ranking;
  const compared = rows.some(({ difference }) => difference !== undefined);
  const titles: TableColumn[] = [
    ...columns.map((name) => ({ title: name, number: true })),
    { title: 'parameters', number: true },
    { title: 'N', number: true },
    { title: metric, number: true },
    ...(compared ? [{ title: `Δ ${metric}`, number: true }] : []),
    { title: 'verdict' },
  ];
  const cells = rows.map((row): Cell[] => [
    ...columns.map((name) => ({ text: name in row.values ? briefSetting(row.values[name]) : '' })),
    { text: parametersOf(row) },
    { text: seedsWords(row) },
    { text: meanWords(row), ...(row.verdict === 'best' ? { tone: 'best' as const } : {}) },
    ...(compared ? [{ text: differenceWords(row) }] : []),
    {
      text: [verdictWords(row, ranking), ...reasonsOf(row)].join(' · '),
      tone: row.verdict === 'best' ? 'best' : row.metric.n === 0 ? 'bad' : 'muted',
    },
  ]);
  return table(titles, cells);
}

function parametersOf({ runs }: RankedSetting<RunRecord>): string {
  const count = runs.find(({ parameters }) => parameters !== null)?.parameters;
  return count == null ? '' : formatCount(count);
}

/** Of thousands of runs a page is no list. */
const MOST_RUNS = 500;

function runTable({ runs, catalog }: ExportJob, { metric }: SweepRankings<RunRecord>): string {
  const settings = differingSettings(runs);
  const shown = runs.slice(0, MOST_RUNS);
  const rows = shown.map((run): Cell[] => {
    const seconds = secondsOf(run);
    return [
      { text: run.name },
      { text: run.id, tone: 'muted' },
      ...settings.map((name) => ({ text: run.config[name] === undefined ? '' : briefSetting(run.config[name]) })),
      { text: String(run.seed) },
      { text: run.state, ...(run.state === 'failed' ? { tone: 'bad' as const } : {}) },
      { text: formatCount(run.steps) },
      { text: seconds == null ? '' : formatDuration(seconds) },
      { text: numberOf(run, metric, catalog.get(metric).unit) },
      { text: run.endReason ?? '', tone: 'muted' },
    ];
  });
  const all = table(
    [
      { title: 'run' },
      { title: 'id' },
      ...settings.map((name) => ({ title: shortName(name, settings), number: true })),
      { title: 'seed', number: true },
      { title: 'state' },
      { title: 'steps', number: true },
      { title: 'time', number: true },
      { title: metric, number: true },
      { title: 'why it ended' },
    ],
    rows,
  );
  return all + paragraphs(runs.length > MOST_RUNS ? [`and ${plural(runs.length - MOST_RUNS, 'more run')}`] : []);
}

function numberOf(run: RunRecord, metric: string, unit: string): string {
  const value = finalValue(run, metric);
  return Number.isFinite(value) ? formatInUnit(value, unit) : metric in run.summary ? 'not finite' : '';
}

function configuration({ runs, settings }: ExportJob, sweep: SweepRecord | undefined): string {
  const differing = new Set(differingSettings(runs));
  const [first] = runs;
  const rows = settings
    .filter((name) => runs.some(({ config }) => config[name] !== undefined))
    .map((name): Cell[] => {
      const values = [...new Set(runs.map(({ config }) => config[name]))].map((value) =>
        value === undefined ? 'not set' : formatSetting(value),
      );
      const varied = differing.has(name) || name === 'seed';
      return [
        { text: name },
        {
          text: varied
            ? values.slice(0, 20).join(', ') + (values.length > 20 ? ', …' : '')
            : formatSetting(first.config[name]),
        },
        { text: varied ? 'varied' : 'the same for all', tone: varied ? 'best' : 'muted' },
      ];
    });
  const spec =
    sweep === undefined || sweep.yaml === ''
      ? ''
      : `<details open><summary>Definition of the sweep</summary><pre>${escapedLines(sweep.yaml)}</pre></details>`;
  return (
    table([{ title: 'setting' }, { title: 'value' }, { title: '' }], rows) +
    paragraphs(['Settings that are not listed have their default in all of these runs.']) +
    spec
  );
}

/** Line by line: an end of a line is no hidden character here. */
const escapedLines = (text: string): string => text.split('\n').map(escaped).join('\n');

function code(runs: readonly RunRecord[]): string {
  const named = new Map<string, Set<string>>();
  const add = (name: string, value: unknown): void => {
    if (value === null || value === undefined || value === '') return;
    const values = named.get(name) ?? new Set();
    values.add(String(value));
    named.set(name, values);
  };
  for (const { codeVersion, environment } of runs) {
    add('code version', codeVersion);
    for (const [name, value] of Object.entries(environment)) add(name, value);
  }
  return table(
    [{ title: '' }, { title: 'value' }],
    [...named].map(([name, values]) => [{ text: name, tone: 'muted' }, { text: [...values].slice(0, 12).join(' · ') }]),
  );
}
