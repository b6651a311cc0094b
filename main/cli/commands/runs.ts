/** `sweeplab runs`: looking at runs, and keeping order among them. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { differingSettings } from '../../../preload/shared/results/groups.ts';
import { ORIGIN_WORDS } from '../../../preload/shared/origin.ts';
import { oneLine } from '../../../preload/shared/plainText.ts';
import { deviceWords } from '../../../preload/shared/device.ts';
import { secondsOf } from '../../../preload/shared/runTime.ts';
import { temporaryName } from '../../files/atomic.ts';
import type { Lab } from '../../host/lab.ts';
import type { RunLine } from '../../store/index.ts';
import { existingLab, readableLab, readableStore, requireDatabase, writableLab } from '../context.ts';
import type { Context, Start } from '../context.ts';
import { InputError } from '../errors.ts';
import {
  formatCount,
  formatDuration,
  formatInteger,
  formatMetric,
  formatNumber,
  formatSetting,
  formatTime,
  plural,
} from '../format.ts';
import { runJson, sweepJson } from '../json.ts';
import type { Output } from '../output.ts';
import { rankRuns, renderResults, resultsJson, sweepResults } from '../results.ts';
import { renderTable } from '../table.ts';
import { commandGroup } from '../group.ts';
import { asksByName, changedSettings, findSweepOrLatest, resolveRuns, runFilter } from './find.ts';
import type { FilterOptions } from './find.ts';

const RUN = 'ids, beginnings of ids, or names';

/** The flags that choose runs; also those of `export`. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--state <states...>', 'only runs in these states: queued, running, finished, failed, stopped')
    .option('--sweep <sweep>', 'only runs of this sweep (id, name or `latest`)')
    .option('--tag <tags...>', 'only runs with all of these tags')
    .option(
      '--where <conditions...>',
      "only runs for which these hold, for example 'depth=4' 'bpb<2' 'created>2026-03-01'",
    )
    .option(
      '--search <text>',
      "words and conditions as in the app: 'warm lr<=1e-3 state:fail', words in id, name, note, state, reason, tags or sweep",
    )
    .option(
      '--sort <field>',
      'order by a column, setting or metric, by any name that --where takes; -field for descending',
    )
    .option('--limit <n>', 'at most so many');
}

export function runsCommand(start: Start): Command {
  const runs = commandGroup('runs', 'List, show, compare, tag and remove runs.');
  runs.addCommand(
    addFilterOptions(new Command('ls').description('List runs.'))
      .option('--deleted', 'those in the bin instead')
      .option('--sweeps', 'list sweeps instead of runs')
      .action((options: ListOptions) => list(start, options)),
  );
  runs.addCommand(
    new Command('show')
      .description('Everything about one run.')
      .argument('<run>', 'id, beginning of an id, or name')
      .option('--all', 'all settings, not only those that differ from the defaults')
      .action(async (run: string, options: { all?: boolean }) =>
        show(await start.context(), run, options.all === true),
      ),
  );
  runs.addCommand(
    new Command('compare')
      .description(
        'What differs between runs, and their results; for a sweep, mean ± sd over the seeds of each setting.',
      )
      .argument('[runs...]', RUN)
      .option('--sweep <sweep>', 'all runs of this sweep (id, name or `latest`)')
      .action(async (names: string[], options: { sweep?: string }) =>
        compare(await start.context(), names, options.sweep),
      ),
  );
  runs.addCommand(
    new Command('tag')
      .description('Add tags to runs, or take them away.')
      .argument('<runs...>', RUN)
      .option('--add <tags...>', 'tags to add')
      .option('--remove <tags...>', 'tags to take away')
      .action(async (names: string[], options: { add?: string[]; remove?: string[] }) =>
        tag(await start.context(), names, options),
      ),
  );
  runs.addCommand(
    new Command('note')
      .description('Write a note on a run, replacing the old one.')
      .argument('<run>', 'id, beginning of an id, or name')
      .argument('<text...>', 'the note; "" removes it')
      .action(async (run: string, words: string[]) => note(await start.context(), run, words.join(' '))),
  );
  runs.addCommand(
    new Command('rm')
      .description('Move runs to the bin; with --purge remove them for good, checkpoints included.')
      .argument('<runs...>', RUN)
      .option('--purge', 'remove for good')
      .option('--restore', 'take them out of the bin again')
      .action(async (names: string[], options: { purge?: boolean; restore?: boolean }) =>
        remove(await start.context(), names, options),
      ),
  );
  return runs;
}

type ListOptions = FilterOptions & { readonly sweeps?: boolean };

/** What is listed most often needs no setting, and does not wait for them. */
async function list(start: Start, options: ListOptions): Promise<void> {
  const { output, paths } = start;
  if (output.json && options.sweeps !== true) return listJson(await start.context(), options);
  const store = await readableStore(start);
  if (store === undefined) {
    output.data([]);
    output.text(`No runs yet in ${paths.home}. Start with: sweeplab start`);
    return;
  }
  try {
    if (options.sweeps === true) listSweeps(start, store.listSweeps());
    else {
      const workshop = asksByName(options) ? (await start.context()).workshop : undefined;
      listLines(output, store.listRunLines(runFilter(store, workshop, options)));
    }
  } finally {
    store.close();
  }
}

async function listJson(context: Context, options: ListOptions): Promise<void> {
  using lab = await readableLab(context);
  const { output, workshop } = context;
  output.data(lab === undefined ? [] : lab.store.listRuns(runFilter(lab.store, workshop, options)).map(runJson));
}

function listLines(output: Output, runs: readonly RunLine[]): void {
  if (runs.length === 0) {
    output.text('No run matches.');
    return;
  }
  const rows = runs.map((run) => [
    run.id,
    run.name,
    run.state,
    formatInteger(run.steps),
    formatNumber(run.summary['val/loss']),
    formatNumber(run.summary['val/bpb']),
    run.parameters === null ? '' : formatCount(run.parameters),
    formatDuration(secondsOf(run)).replace('?', ''),
    formatTime(run.createdAt),
    ORIGIN_WORDS[run.origin],
    run.tags.join(', '),
  ]);
  const right = 'right' as const;
  const columns = [
    { title: 'id' },
    { title: 'name', free: true },
    { title: 'state' },
    { title: 'steps', align: right },
    { title: 'val/loss', align: right },
    { title: 'val/bpb', align: right },
    { title: 'parameters', align: right },
    { title: 'time', align: right },
    { title: 'created' },
    { title: 'origin' },
    { title: 'tags', free: true },
  ];
  output.text(renderTable(output, columns, rows));
  const interrupted = runs.filter(isInterrupted).length;
  if (interrupted > 0)
    output.text(
      `${plural(interrupted, 'run')} interrupted; go on with: sweeplab train --resume <run>, or sweeplab sweep --resume <sweep>`,
    );
}

/** Ended by Ctrl-C, or with its process. */
const isInterrupted = ({ state, stopCause }: Pick<RunRecord, 'state' | 'stopCause'>): boolean =>
  state === 'stopped' && (stopCause === 'interrupted' || stopCause === 'killed');

const howToResume = ({ id, sweepId, origin }: RunRecord): string =>
  `resume with: sweeplab ${sweepId === null ? `${origin === 'program' ? 'run' : 'train'} --resume ${id}` : `sweep --resume ${sweepId}`}`;

function listSweeps({ output }: Pick<Context, 'output'>, sweeps: Parameters<typeof sweepJson>[0][]): void {
  output.data(sweeps.map(sweepJson));
  if (sweeps.length === 0) output.text('No sweeps yet.');
  else {
    const rows = sweeps.map(({ id, name, state, counts, createdAt }) => [
      id,
      name,
      state,
      Object.entries(counts)
        .filter(([, n]) => n > 0)
        .map(([which, n]) => `${n} ${which}`)
        .join(', '),
      formatTime(createdAt),
    ]);
    output.text(
      renderTable(
        output,
        ['id', 'name', 'state', 'runs', 'created'].map((title) => ({ title, free: title === 'name' })),
        rows,
      ),
    );
  }
}

async function show(context: Context, name: string, all: boolean): Promise<void> {
  const { output, workshop } = context;
  using lab = await existingLab(context);
  const { store } = lab;
  const run = store.resolveRun(name);
  const metrics = store.metricStates(run.id);
  const events = store.readEvents({ runId: run.id });
  const checkpoints = store.checkpoints(run.id);
  output.data({ ...runJson(run), metrics: jsonMetrics(metrics), checkpoints, events });
  const sweep = run.sweepId === null ? undefined : store.getSweep(run.sweepId);
  const facts: [string, string][] = [
    ['run', `${oneLine(run.name)} (${run.id})`],
    [
      'state',
      `${run.state}${run.endReason === null ? '' : `: ${run.endReason}`}${isInterrupted(run) ? `; ${howToResume(run)}` : ''}`,
    ],
    ...(sweep === undefined ? [] : [['sweep', `${oneLine(sweep.name)} (${sweep.id})`] as [string, string]]),
    ['origin', ORIGIN_WORDS[run.origin]],
    ['seed', String(run.seed)],
    ['done', `${plural(run.steps, 'step')}, ${formatCount(run.tokens)} tokens, attempt ${run.attempt}`],
    ...(run.parameters === null ? [] : [['parameters', formatInteger(run.parameters)] as [string, string]]),
    [
      'times',
      `created ${formatTime(run.createdAt)}, started ${formatTime(run.startedAt) || '–'}, ended ${formatTime(run.endedAt) || '–'}`,
    ],
    ['device', [...new Set([deviceWords(run.environment), run.environment.device])].filter(Boolean).join(': ') || '–'],
    ['version', run.codeVersion],
    ...(typeof run.environment.command === 'string'
      ? ([
          ['command', oneLine(run.environment.command)],
          ['exit code', String(run.environment.exit_code ?? '–')],
        ] as [string, string][])
      : []),
    ...readingFacts(run.environment.reading),
    ...(run.tags.length === 0 ? [] : [['tags', oneLine(run.tags.join(', '))] as [string, string]]),
    ...(run.note === '' ? [] : [['note', indented(run.note)] as [string, string]]),
    ...checkpoints.map(({ kind, step, path }): [string, string] => [kind, `checkpoint of step ${step}: ${path}`]),
  ];
  output.text(facts.map(([title, text]) => `${title.padEnd(11)}${text}`).join('\n'));
  const { defaults } = workshop.registry;
  const settings = Object.entries(all ? run.config : changedSettings(run, defaults));
  output.text(`\n${output.style('bold', all ? 'Settings' : 'Settings that differ from the defaults')}`);
  output.text(settings.map(([key, value]) => `  ${oneLine(key).padEnd(28)}${formatSetting(value)}`).join('\n'));
  const rows = Object.entries(metrics).map(([metric, { points, last, min, max, lastStep }]) => [
    metric,
    formatInteger(points),
    ...[last, min, max].map((value) => formatMetric(value, workshop.metrics.get(metric).unit)),
    formatInteger(lastStep),
  ]);
  const columns = ['metric', 'points', 'last', 'min', 'max', 'at step'].map((title, i) => ({
    title,
    align: i === 0 ? ('left' as const) : ('right' as const),
    free: i === 0,
  }));
  if (rows.length > 0) output.text(`\n${renderTable(output, columns, rows)}`);
  const notable = events.filter(({ kind }) => kind === 'warning' || kind === 'error');
  for (const { kind, message, at } of notable) output.text(`${formatTime(at)} ${kind}: ${message}`);
}

/** Lines under one title. */
const indented = (text: string): string => text.split('\n').join(`\n${' '.repeat(11)}`);

/** What was read, a line each under one title. */
function readingFacts(reading: unknown): [string, string][] {
  if (typeof reading !== 'string') return [];
  return [['text', indented(reading)]];
}

/** NaN and infinities become null here; `export` keeps them. */
const jsonMetrics = (metrics: object): unknown => JSON.parse(JSON.stringify(metrics));

async function compare(context: Context, names: readonly string[], sweepText: string | undefined): Promise<void> {
  const { output, workshop } = context;
  using lab = await existingLab(context);
  if (sweepText !== undefined) {
    if (names.length > 0) throw new InputError('name runs or --sweep, not both');
    const results = sweepResults(lab.store, findSweepOrLatest(lab.store, sweepText), workshop);
    output.data(resultsJson(results));
    output.text(renderResults(results, output));
    return;
  }
  const runs = resolveRuns(lab.store, names);
  if (runs.length < 2)
    throw new InputError(`compare needs at least two different runs, or --sweep; given: ${names.join(', ') || 'none'}`);
  const varied = [
    ...differingSettings(runs, workshop.registry.names),
    ...(new Set(runs.map(({ seed }) => seed)).size > 1 ? ['seed'] : []),
  ];
  const metrics = [...new Set(runs.flatMap(({ summary }) => Object.keys(summary)))].filter((metric) =>
    metric.includes('/'),
  );
  const results = rankRuns(runs, workshop, commonSpec(lab, runs));
  const ranked = resultsJson(results);
  output.data({ varied, runs: runs.map(runJson), groups: ranked.settings, results: ranked });
  const lines: [string, ...string[]][] = [
    ['state', ...runs.map(({ state }) => state)],
    ['steps', ...runs.map(({ steps }) => formatInteger(steps))],
    ['parameters', ...runs.map(({ parameters }) => (parameters === null ? '' : formatCount(parameters)))],
    ...varied.map((name): [string, ...string[]] => [
      name,
      ...runs.map(({ config }) => formatSetting(Object.hasOwn(config, name) ? config[name] : undefined)),
    ]),
    ...metrics.map((metric): [string, ...string[]] => [
      metric,
      ...runs.map(({ summary }) => formatMetric(summary[metric], workshop.metrics.get(metric).unit)),
    ]),
  ];
  output.text(
    renderTable(
      output,
      [{ title: '', free: true }, ...runs.map(({ id }) => ({ title: id, align: 'right' as const, free: true }))],
      lines,
    ),
  );
  if (varied.length === 0) output.text('All settings are the same.');
  else if (runs.some(({ state }) => state === 'finished')) output.text(`\n${renderResults(results, output)}`);
}

/** The definition of the sweep that all runs are of; undefined when they are of several, or of none. */
function commonSpec({ store }: Lab, runs: readonly RunRecord[]): unknown {
  const [id, ...others] = new Set(runs.map(({ sweepId }) => sweepId));
  return others.length > 0 || id === null ? undefined : store.getSweep(id)?.spec;
}

async function tag(
  context: Context,
  names: readonly string[],
  { add = [], remove = [] }: { add?: string[]; remove?: string[] },
): Promise<void> {
  if (add.length + remove.length === 0) throw new InputError('nothing to do: give --add or --remove with tags');
  await requireDatabase(context);
  using lab = await writableLab(context);
  const ids = resolveRuns(lab.store, names).map(({ id }) => id);
  if (add.length > 0) lab.store.tagRuns(ids, add);
  if (remove.length > 0) lab.store.untagRuns(ids, remove);
  const runs = ids.map((id) => lab.store.getRun(id)!);
  context.output.data(runs.map(runJson));
  for (const run of runs)
    context.output.text(`${run.id} ${oneLine(run.name)}: ${oneLine(run.tags.join(', ')) || 'no tags'}`);
}

async function note(context: Context, name: string, text: string): Promise<void> {
  await requireDatabase(context);
  using lab = await writableLab(context);
  const run = lab.store.updateRun(lab.store.resolveRun(name).id, { note: text });
  context.output.data(runJson(run));
  context.output.text(`${run.id} ${oneLine(run.name)}: ${run.note || 'no note'}`);
}

/** @returns its new name, as of something that an interrupted write left */
async function setAside(path: string): Promise<string> {
  const name = temporaryName(path);
  await rename(path, name).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return name;
}

async function remove(
  context: Context,
  names: readonly string[],
  options: { purge?: boolean; restore?: boolean },
): Promise<void> {
  if (options.purge === true && options.restore === true) throw new InputError('--purge or --restore, not both');
  await requireDatabase(context);
  const { output } = context;
  using lab = await writableLab(context);
  const { store, paths } = lab;
  const ids = resolveRuns(store, names).map(({ id }) => id);
  if (options.restore === true) store.restoreRuns(ids);
  else {
    store.deleteRuns(ids);
    if (options.purge === true) {
      // Set aside first: should this be cut short, what is left has the name of something to be removed at the next start.
      const folders = ids.flatMap((id) => [join(paths.checkpoints, id), join(paths.files, id)]);
      const aside = await Promise.all(folders.map(setAside));
      store.purgeRuns(ids);
      for (const path of aside) await rm(path, { recursive: true, force: true });
    }
  }
  const done = options.restore === true ? 'restored' : options.purge === true ? 'removed for good' : 'moved to the bin';
  output.data({ [options.restore === true ? 'restored' : options.purge === true ? 'purged' : 'deleted']: ids });
  output.text(
    `${plural(ids.length, 'run')} ${done}.${done === 'moved to the bin' ? ' Bring back with: sweeplab runs rm --restore, remove with --purge.' : ''}`,
  );
}
