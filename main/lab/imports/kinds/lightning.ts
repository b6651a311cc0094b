/** Folders of Lightning's CSVLogger: metrics.csv, and beside it what was set in hparams.yaml. Its runs are called by their folders: version_0. */
import { parse } from 'yaml';
import { LIMITS } from '../../../../preload/contract/limits.ts';
import { wholeText } from '../files.ts';
import type { ImportFile } from '../files.ts';
import { defineImport } from '../importKind.ts';
import { csvRows } from '../rows/csvRows.ts';
import { isFields } from '../values.ts';
import type { Fields } from '../values.ts';
import { folderOf } from './folders.ts';
import { readTable } from './table.ts';

const FILE = /(?:^|\/)(?:metrics\.csv|hparams\.yaml)$/u;
const inFolder = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

export const lightning = defineImport({
  name: 'lightning',
  label: 'Lightning, CSVLogger',
  help: 'Folders with metrics.csv and hparams.yaml: the settings beside the table of a training.',
  claims: () => false,
  unit: (path, paths) => {
    const folder = folderOf(path);
    const both = ['metrics.csv', 'hparams.yaml'].every((name) => paths.has(inFolder(folder, name)));
    return FILE.test(path) && both ? folder : undefined;
  },
  async read(source, to, roles) {
    const settings = source.files.find(({ path }) => path.endsWith('.yaml'))!;
    const table = source.files.find(({ path }) => path.endsWith('.csv'))!;
    const config = await settingsOf(settings);
    if (config === undefined) to.note('hparams.yaml that cannot be read, left out', settings.path);
    const name = source.name.slice(source.name.lastIndexOf('/') + 1);
    await readTable(source, await csvRows(table), to, roles, { begins: () => ({ name, config: config ?? {} }) });
  },
});

/** Objects of Python that were written with their class (`!!python/object`) have no value here. */
async function settingsOf(file: ImportFile): Promise<Fields | undefined> {
  try {
    const found: unknown = parse(await wholeText(file, LIMITS.configCharacters), { logLevel: 'silent' });
    return isFields(found) ? found : found === null ? {} : undefined;
  } catch {
    return undefined;
  }
}
