/** Exports that the lab writes itself: every point of runs, however many, in a format of its list. */
import { exportName } from '../../preload/shared/exportName.ts';
import { fileName } from '../../preload/shared/fileName.ts';
import type { Input } from '../../preload/contract/api.ts';
import type { Download, ExportFormat } from '../../preload/contract/shapes.ts';
import { chooseFile, download } from '../connect/files.ts';
import { useClient } from './client.ts';
import { toldSaved } from './save.ts';
import { useToasts } from './toasts.ts';

/**
 * Writes runs where the desktop's dialog says, or has the browser fetch the file; failures are told in words.
 * @param runs ids
 * @param name of the file, without its ending
 * @returns false when nothing was written: it failed, or nobody chose a place
 */
export async function exportRuns(format: ExportFormat, runs: readonly string[], name: string): Promise<boolean> {
  const asked = { runs: [...runs], format: format.name, name };
  return await written(exportName(format, name), (path) => useClient().call('export.runs', { ...asked, path }));
}

type Figure = Omit<Input<'export.figure'>, 'path'>;

/** A chart as a bundle of files for a paper. @param figure drawn only when a place was chosen */
export const exportFigure = (name: string, figure: () => Figure): Promise<boolean> =>
  written(fileName(`${name}.zip`), (path) => useClient().call('export.figure', { ...figure(), path }));

async function written(file: string, write: (path: string | undefined) => Promise<Download>): Promise<boolean> {
  try {
    const path = await chooseFile(file);
    if (path === null) return false;
    const { url, name: made } = await write(path);
    if (path !== undefined) toldSaved(path);
    else if (url === null) throw new Error('The lab made no file to fetch.');
    else download(url, made);
    return true;
  } catch (error) {
    useToasts().fail(`${file} was not written`, error);
    return false;
  }
}
