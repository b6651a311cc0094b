/** Sweep files that the system asks the app to open: by a double click, on its command line, or dropped on its icon. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { LIMITS } from '../../preload/contract/limits.ts';
import type { OpenArrival } from '../../preload/contract/bridge.ts';
import { withoutCommands } from '../../preload/shared/plainText.ts';
import { textOf } from '../../preload/shared/textEncoding.ts';
import { readProblem } from '../files/words.ts';

/** As the packages register it (.ci/package/builder.ts). */
export const SWEEP_ENDING = '.sweeplab';

/** Paths of sweep files on a command line; options and what else is there are none. @param folder where relative ones begin */
export const sweepFilesIn = (args: readonly string[], folder: string): string[] =>
  args
    .filter((each) => !each.startsWith('-') && each.toLowerCase().endsWith(SWEEP_ENDING))
    .map((each) => resolve(folder, each));

/** What the page is told of a file. @throws Error in words for the user */
export async function readSweepFile(path: string): Promise<OpenArrival> {
  const name = basename(path);
  const most = LIMITS.yamlCharacters;
  try {
    // A pipe that nobody writes to is opened only where nobody waits for it; four that wait would hold up all files of this process.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const found = await file.stat();
      if (found.isDirectory()) throw new Error(readProblem({ code: 'EISDIR' }));
      if (!found.isFile()) throw new Error('it is no file but a pipe or a device');
      // It may grow meanwhile.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(most + 1), 0, most + 1, 0);
      if (bytesRead > most) throw new Error(`more than a sweep file may have (${most / 1e6} MB)`);
      return { type: 'sweeplab:open', name, text: textOf(buffer.subarray(0, bytesRead)) };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(`${withoutCommands(path)} cannot be read: ${readProblem(error)}.`, { cause: error });
  }
}
