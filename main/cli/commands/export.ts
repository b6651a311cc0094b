/** `sweeplab export`: runs and their metrics as CSV. */
import { once } from 'node:events';
import { Command, Option } from 'commander';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Lab } from '../../host/lab.ts';
import { writeExport } from '../../lab/export/file.ts';
import { changedSettingNames, longCsv } from '../../lab/export/longCsv.ts';
import { wideCsv } from '../../lab/export/wideCsv.ts';
import { existingLab } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatBytes, plural } from '../format.ts';
import { addFilterOptions } from './runs.ts';
import { resolveRuns, runFilter } from './find.ts';
import type { FilterOptions } from './find.ts';

interface ExportOptions extends FilterOptions {
  readonly layout: 'long' | 'wide';
  readonly out?: string;
  readonly append?: boolean;
  readonly exact?: boolean;
  readonly metric?: string[];
  readonly allSettings?: boolean;
}

export function exportCommand(context: Context): Command {
  const command = new Command('export')
    .description('Write runs and all their points as CSV, to a file or to standard output.')
    .argument('[runs...]', 'ids, beginnings of ids, or names; without them all runs that the filters choose')
    .addOption(
      new Option(
        '--layout <layout>',
        'long: one line per point; wide: one row per run in the 29 columns of hlb-gpt-cli',
      )
        .choices(['long', 'wide'])
        .default('long'),
    )
    .option('--out <file>', 'file to write; default: standard output')
    .option('--append', 'add to the file; its columns must be the same')
    .option('--exact', 'leave text that a spreadsheet would take for a formula as it is')
    .option('--metric <names...>', 'only these metrics (long layout)')
    .option(
      '--all-settings',
      'a column for every setting, not only for those that differ from the defaults (long layout)',
    );
  return addFilterOptions(command).action((names: string[], options: ExportOptions) =>
    exportRuns(context, names, options),
  );
}

async function exportRuns(context: Context, names: readonly string[], options: ExportOptions): Promise<void> {
  const { output } = context;
  if (options.append === true && options.out === undefined)
    throw new InputError('--append needs a file: --out runs.csv');
  if (output.json && options.out === undefined)
    throw new InputError('--json needs a file for the export: --out runs.csv');
  using lab = await existingLab(context);
  const filter = runFilter(lab.store, context.workshop, options);
  const runs = names.length > 0 ? resolveRuns(lab.store, names) : lab.store.listRuns(filter);
  const chunks = makeChunks(context, lab, runs, options);
  if (options.out === undefined) {
    for (const chunk of chunks) if (!output.raw(chunk)) await once(process.stdout, 'drain');
    return;
  }
  const bytes = await writeExport(options.out, chunks, { append: options.append });
  output.data({ file: options.out, layout: options.layout, runs: runs.length, bytes });
  output.text(`${plural(runs.length, 'run')}, ${formatBytes(bytes)}, in ${options.out}`);
}

function makeChunks(
  { workshop }: Context,
  lab: Lab,
  runs: readonly RunRecord[],
  options: ExportOptions,
): Iterable<string> {
  if (options.layout === 'wide') return wideCsv(lab.store, runs);
  const { names, defaults } = workshop.registry;
  const settings = options.allSettings === true ? names : changedSettingNames(runs, names, defaults);
  return longCsv(lab.store, { runs, settings, metrics: options.metric, exact: options.exact });
}
