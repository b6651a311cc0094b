/** `sweeplab import`: runs that other tools and scripts have recorded, from their files. */
import { Command, Option } from 'commander';
import type { ColumnRole, ImportPreview, ImportResult, ImportRun } from '../../../preload/contract/imports.ts';
import type { ImportKind } from '../../lab/imports/importKind.ts';
import { countsWords, FATES, metricsOf, stepsOf } from '../../../preload/shared/importWords.ts';
import { listed } from '../../../preload/shared/format.ts';
import { importFamily } from '../../lab/imports/index.ts';
import { writeImport } from '../../lab/outside/importing.ts';
import { planImport, previewOf } from '../../lab/outside/importPlan.ts';
import type { PlanOptions } from '../../lab/outside/importPlan.ts';
import { ImportReading } from '../../lab/imports/reading.ts';
import { readableLab, requirePlugins, tellPlugins, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { EXIT, InputError } from '../errors.ts';
import { formatBytes, formatInteger, formatSetting, plural } from '../format.ts';
import { onInterrupt } from '../interrupts.ts';
import type { Output } from '../output.ts';
import { renderTable } from '../table.ts';

interface ImportOptions {
  readonly dryRun?: boolean;
  readonly format?: string;
  readonly asNew?: boolean;
  /** False: `--no-sweep`. */
  readonly sweep?: string | false;
  readonly step?: string;
  readonly run?: string[];
  readonly name?: string;
  readonly seed?: string;
  readonly setting?: string[];
  readonly metric?: string[];
  readonly final?: string[];
  readonly ignore?: string[];
}

/** The flags that say what columns are. */
const ROLES = [
  'step',
  'run',
  'name',
  'seed',
  'setting',
  'metric',
  'final',
  'ignore',
] as const satisfies readonly ColumnRole[];
/** Runs and metrics that are listed one by one. */
const LISTED = 12;

const kindsOf = ({ workshop }: Context): readonly ImportKind[] => workshop.registry.catalog.all(importFamily);

export function importCommand(context: Context): Command {
  const kinds = kindsOf(context);
  return new Command('import')
    .description('Read runs from files of other trackers and scripts. Once more, it updates them.')
    .argument('<paths...>', 'files, folders or zip archives')
    .option('--dry-run', 'say what would become settings, seeds, metrics and steps, and write nothing')
    .addOption(new Option('--format <format>', 'read only files of this format').choices(kinds.map(({ name }) => name)))
    .option(
      '--sweep <name>',
      'the sweep that runs join whose files name none (default: one for each path with several runs)',
    )
    .option('--no-sweep', 'runs whose files name no sweep join none')
    .option('--as-new', 'make further runs of what was imported before, instead of updating it')
    .option('--step <column>', 'of tables: the column of the steps')
    .option('--run <columns...>', 'the columns that tell runs apart')
    .option('--name <column>', 'the column of their names')
    .option('--seed <column>', 'the column of the seed')
    .option('--setting <columns...>', 'columns that are settings')
    .option('--metric <columns...>', 'columns that are metrics')
    .option('--final <columns...>', 'columns of numbers that a run has once, at its end')
    .option('--ignore <columns...>', 'columns that are left out')
    .addHelpText(
      'after',
      () => `\nFormats:\n${kinds.map(({ name, label, help }) => `  ${name}  ${label}\n      ${help}`).join('\n')}`,
    )
    .action((paths: string[], options: ImportOptions) => importRuns(context, paths, options));
}

function rolesOf(options: ImportOptions): Record<string, ColumnRole> {
  const roles: Record<string, ColumnRole> = Object.create(null);
  for (const role of ROLES)
    for (const column of [options[role] ?? []].flat()) {
      if (column in roles)
        throw new InputError(
          `column ${JSON.stringify(column)} is given as --${roles[column]} and as --${role}; allowed: one of them`,
        );
      roles[column] = role;
    }
  return roles;
}

async function importRuns(context: Context, paths: readonly string[], options: ImportOptions): Promise<void> {
  const { output } = context;
  const roles = rolesOf(options);
  const stop = new AbortController();
  using _ = onInterrupt(
    () => stop.abort(),
    () => process.exit(EXIT.interrupted),
  );
  if (options.dryRun === true) tellPlugins(context);
  else requirePlugins(context);
  const { sweep, asNew } = options;
  const planned: PlanOptions = { asNew, ...(sweep === undefined ? {} : { sweep: sweep === false ? null : sweep }) };
  const progress = (words: string) => (done: number, total: number) => {
    if (output.interactive) output.live(`${words} ${formatBytes(done)} of ${formatBytes(total)}`);
  };
  try {
    await using reading = await ImportReading.open(
      paths.map((path) => ({ path })),
      { kinds: kindsOf(context), only: options.format, roles, signal: stop.signal, onProgress: progress('reading') },
    );
    const surveyed = await reading.survey();
    output.clearLive();
    checkColumns(roles, surveyed.sources);
    using lab = options.dryRun === true ? await readableLab(context) : await writableLab(context);
    const plan = planImport(lab?.store ?? NOTHING_KNOWN, surveyed, planned);
    const preview = previewOf(lab?.store ?? NOTHING_KNOWN, plan);
    if (options.dryRun === true) {
      output.data({ written: false, ...preview });
      showPreview(output, preview);
      output.text('\nNothing was written (--dry-run).');
      return;
    }
    const result = await writeImport(lab!.store, plan, reading.parcels(), {
      signal: stop.signal,
      onPoints: (points) => {
        if (output.interactive)
          output.live(`writing ${formatInteger(points)} of ${formatInteger(preview.points)} points`);
      },
    });
    output.clearLive();
    output.data({ written: true, ...preview, ...result });
    showPreview(output, preview);
    showResult(output, result);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    output.note('Interrupted; nothing was written.');
    context.exit(EXIT.interrupted);
  }
}

/** Where there is no database yet, nothing is known of any run. */
const NOTHING_KNOWN = {
  outside: { run: () => undefined, sweepId: () => undefined },
  getRun: () => undefined,
  getSweep: () => undefined,
  listRuns: () => [],
} as unknown as Parameters<typeof previewOf>[0];

/** @throws InputError for a column that no table has */
function checkColumns(roles: Readonly<Record<string, ColumnRole>>, sources: ImportPreview['sources']): void {
  const names = new Set(sources.flatMap(({ columns }) => columns.map(({ name }) => name)));
  const missing = Object.keys(roles).find((name) => !names.has(name));
  if (missing === undefined) return;
  const allowed = names.size === 0 ? 'none, since no file is a table' : [...names].join(', ');
  throw new InputError(`--${roles[missing]} ${JSON.stringify(missing)} is no column; allowed: ${allowed}`);
}

function showPreview(output: Output, { sources, runs, counts, points, leftOut }: ImportPreview): void {
  for (const { name, label, columns, notes, bytes, runs: found } of sources.slice(0, LISTED)) {
    output.text(`${name}: ${label}, ${formatBytes(bytes)}, ${plural(found, 'run')}`);
    const byRole = Map.groupBy(columns, ({ role }) => role);
    for (const [role, of] of byRole)
      output.text(
        `  ${ROLE_WORDS[role] ?? role}: ${listed(
          of.map((each) => each.name),
          8,
        )}`,
      );
    for (const { what, count, first } of notes) output.text(`  ${formatInteger(count)} × ${what} (first: ${first})`);
  }
  if (sources.length > LISTED) output.text(`and ${plural(sources.length - LISTED, 'more file')}`);
  for (const { what, count, first } of leftOut)
    output.text(`left out: ${formatInteger(count)} × ${what} (first: ${first})`);
  const total = counts.new + counts.update + counts.same + counts.here;
  output.text('');
  if (total === 0) return output.text('No run was found.');
  output.text(
    renderTable(
      output,
      [
        { title: 'run', free: true },
        { title: '' },
        { title: 'seed', align: 'right' },
        { title: 'settings', free: true },
        { title: 'metrics', free: true },
        { title: 'steps', align: 'right' },
      ],
      runs.slice(0, LISTED).map(rowOf),
    ),
  );
  if (runs.slice(0, LISTED).some(({ seedSaid }) => !seedSaid))
    output.text('* no seed is said: the runs of a setting are numbered');
  if (total > LISTED) output.text(`and ${plural(total - LISTED, 'more run')}`);
  output.text(`\n${countsWords(counts)}; ${formatInteger(points)} points`);
}

const ROLE_WORDS: Readonly<Partial<Record<ColumnRole, string>>> = {
  step: 'steps',
  metric: 'metrics',
  final: 'final values',
  setting: 'settings',
  run: 'runs by',
  name: 'names',
  group: 'sweeps',
  series: 'names of metrics',
  value: 'values',
  time: 'times',
  about: 'kept with the run',
  ignore: 'left out',
};

function rowOf(run: ImportRun): string[] {
  const settings = Object.entries(run.config).filter(([name]) => name !== 'seed');
  return [
    run.name,
    FATES[run.fate],
    `${run.seed}${run.seedSaid ? '' : '*'}`,
    listed(
      settings.map(([name, value]) => `${name}=${formatSetting(value)}`),
      3,
    ),
    listed(metricsOf(run), 3),
    stepsOf(run) ?? '',
  ];
}

function showResult(output: Output, { created, updated, points }: ImportResult): void {
  const made = [
    ...(created.length > 0 ? [`${plural(created.length, 'run')} added`] : []),
    ...(updated.length > 0 ? [`${plural(updated.length, 'run')} updated`] : []),
  ];
  output.text(
    made.length === 0
      ? 'Nothing to write.'
      : `${made.join(', ')}: ${formatInteger(points)} points. See them: sweeplab runs ls`,
  );
}
