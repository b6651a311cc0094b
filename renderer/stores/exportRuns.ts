/** Exports that the lab writes itself: every point of runs, however many, in a format of its list. */
import { fileName } from '../../preload/shared/fileName.ts';
import type { ExportFormat } from '../../preload/contract/shapes.ts';
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
  const client = useClient();
  const file = fileName(`${name}.${format.extensions[0]}`);
  try {
    const path = await chooseFile(file);
    if (path === null) return false;
    const asked = { runs: [...runs], format: format.name, name };
    if (path !== undefined) {
      await client.call('export.runs', { ...asked, path });
      toldSaved(path);
      return true;
    }
    const { url, name: made } = await client.call('export.runs', asked);
    if (url === null) throw new Error('The lab made no file to fetch.');
    download(url, made);
    return true;
  } catch (error) {
    useToasts().fail(`${file} was not written`, error);
    return false;
  }
}
