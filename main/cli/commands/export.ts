/** `sweeplab export`: runs and their metrics in a file or folder of a format that others read. */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Command, Option } from 'commander';
import type { ExportOption } from '../../../preload/contract/shapes.ts';
import type { ExchangeKind } from '../../lab/exchange/exchange.ts';
import { exportFiles, exportPieces } from '../../lab/exchange/exports.ts';
import { writeExport, writeExportFolder } from '../../lab/exchange/file.ts';
import { exchangeFamily } from '../../lab/exchange/index.ts';
import { existingLab, tellPlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { EXIT, InputError } from '../errors.ts';
import { formatBytes, plural } from '../format.ts';
import { onInterrupt } from '../interrupts.ts';
import { addFilterOptions } from './runs.ts';
import { resolveRuns, runFilter } from './find.ts';
import type { FilterOptions } from './find.ts';

interface ExportOptions extends FilterOptions {
  readonly format?: string;
  readonly out?: string;
  readonly append?: boolean;
  readonly exact?: boolean;
  readonly metric?: string[];
  readonly allSettings?: boolean;
}

/** The flags of options that some formats do not heed. */
const FLAGS: Readonly<Record<ExportOption, { readonly flag: string; readonly key: keyof ExportOptions }>> = {
  metrics: { flag: '--metric', key: 'metric' },
  settings: { flag: '--all-settings', key: 'allSettings' },
  exact: { flag: '--exact', key: 'exact' },
};

export function exportCommand(context: Context): Command {
  tellPlugins(context);
  const formats = formatsOf(context);
  const command = new Command('export')
    .description('Write runs and their points to a file or a folder, or to standard output.')
    .argument('[runs...]', 'ids, beginnings of ids, or names; without them all runs that the filters choose')
    .addOption(
      new Option(
        '--format <format>',
        `how they are written (default: by the ending of --out, else ${formats[0]!.name})`,
      ).choices(formats.map(({ name }) => name)),
    )
    .option('--out <path>', 'file to write, or folder where the format is one; default: standard output')
    .option('--append', 'add to the file; its columns must be the same')
    .option('--exact', 'leave text that a spreadsheet would take for a formula as it is')
    .option('--metric <names...>', 'only these metrics')
    .option('--all-settings', 'every setting, not only those that differ from the defaults');
  return addFilterOptions(command)
    .addHelpText('after', () => `\nFormats:\n${formats.map(formatLine).join('\n')}`)
    .action((names: string[], options: ExportOptions) => exportRuns(context, names, options));
}

const formatsOf = ({ workshop }: Context): readonly ExchangeKind[] => workshop.registry.catalog.all(exchangeFamily);

function formatLine({ name, label, help, extensions, options = [], appends = false, files }: ExchangeKind): string {
  const heeds = [...options.map((option) => FLAGS[option].flag), ...(appends ? ['--append'] : [])];
  const takes = heeds.length > 0 ? `; with ${heeds.join(', ')}` : '';
  const makes = files === undefined ? `.${extensions.join(', .')}` : `a folder, or .${extensions[0]}`;
  return `  ${name}  ${label} (${makes}${takes})\n      ${help}`;
}

const endingOf = (path: string): string => extname(path).slice(1).toLowerCase();

/** The format asked for, else one that the file's name speaks of, else the first. @throws InputError where several are such folders */
function formatOf(formats: readonly ExchangeKind[], { format, out = '' }: ExportOptions): ExchangeKind {
  const named = formats.find(({ name }) => name === format);
  if (named !== undefined) return named;
  const found = formats.filter(({ extensions }) => extensions.includes(endingOf(out)));
  // Formats of one ending are layouts of the same, but folders have nothing in common but the archive.
  if (found.length > 1 && found[0].files !== undefined)
    throw new InputError(
      `--out ${out} can be of several formats; say which: --format ${found.map(({ name }) => name).join(' or ')}`,
    );
  return found[0] ?? formats[0]!;
}

/** @throws InputError for an option that would have no effect */
function checkOptions(format: ExchangeKind, formats: readonly ExchangeKind[], options: ExportOptions): void {
  const refuse = (flag: string, heeds: (each: ExchangeKind) => boolean | undefined): never => {
    const names = formats.filter(heeds).map(({ name }) => name);
    const allowed = names.length > 0 ? `only with --format ${names.join(' or ')}` : 'not with any format';
    throw new InputError(`${flag} has no effect with --format ${format.name}; allowed: ${allowed}`);
  };
  for (const option of Object.keys(FLAGS) as ExportOption[]) {
    const { flag, key } = FLAGS[option];
    if (options[key] !== undefined && !(format.options ?? []).includes(option))
      refuse(flag, (each) => each.options?.includes(option));
  }
  if (options.append === true && format.appends !== true) refuse('--append', ({ appends }) => appends);
}

async function exportRuns(context: Context, names: readonly string[], options: ExportOptions): Promise<void> {
  const { output, workshop } = context;
  if (options.append === true && options.out === undefined)
    throw new InputError('--append needs a file: --out runs.csv');
  if (output.json && options.out === undefined)
    throw new InputError('--json needs a file for the export: --out runs.csv');
  const formats = formatsOf(context);
  const format = formatOf(formats, options);
  checkOptions(format, formats, options);
  using lab = await existingLab(context);
  const filter = runFilter(lab.store, context.workshop, options);
  const runs = names.length > 0 ? resolveRuns(lab.store, names) : lab.store.listRuns(filter);
  const { metric: metrics, exact, allSettings } = options;
  const wanted = { runs, metrics, exact, allSettings };
  const { out } = options;
  if (out === undefined) {
    if (format.files !== undefined)
      throw new InputError(
        `--format ${format.name} makes a folder: --out FOLDER, or --out FILE.${format.extensions[0]}`,
      );
    for await (const piece of exportPieces(lab.store, workshop.registry, format, wanted))
      if (!output.raw(piece)) await once(process.stdout, 'drain');
    return;
  }
  const stop = new AbortController();
  using _ = onInterrupt(
    () => stop.abort(),
    () => process.exit(EXIT.interrupted),
  );
  const source = [lab.store, workshop.registry, format, { ...wanted, signal: stop.signal }] as const;
  const place = { append: options.append, notes: workshop.paths.exports };
  try {
    const bytes =
      format.files !== undefined && !format.extensions.includes(endingOf(out))
        ? await writeExportFolder(out, exportFiles(...source), place)
        : await writeExport(out, exportPieces(...source), place);
    output.data({ file: out, format: format.name, runs: runs.length, bytes });
    output.text(`${plural(runs.length, 'run')}, ${formatBytes(bytes)}, in ${out}`);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    output.note(
      options.append === true ? `Interrupted; a part was added to ${out}.` : `Interrupted; ${out} is as it was.`,
    );
    context.exit(EXIT.interrupted);
  }
}
