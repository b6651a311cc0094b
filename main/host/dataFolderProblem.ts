import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, relative } from 'node:path';

const WORDS: Readonly<Record<string, string>> = {
  EROFS: 'can only be read',
  EACCES: 'may not be written by you',
  EPERM: 'may not be written by you',
};

/**
 * Why the data folder takes nothing, in words, where an error of the file system comes from that; undefined for any other. The system's own
 * words mislead: of a folder that cannot be made on a disk that can only be read it says that there is no such file.
 * @param choosing what another is chosen with
 */
export function dataFolderProblem(
  error: unknown,
  home: string,
  access = accessSync,
  choosing = '--data-dir or SWEEPLAB_HOME',
): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || typeof path !== 'string') return undefined;
  const inside = relative(home, path);
  if (inside.startsWith('..') || isAbsolute(inside)) return undefined;
  let folder = home;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const choose = `choose another with ${choosing}`;
  if (!statSync(folder).isDirectory())
    return folder === home
      ? `the data folder ${home} is a file, not a folder; ${choose}`
      : `the data folder ${home} cannot be made: ${folder} is a file, not a folder; ${choose}`;
  try {
    access(folder, constants.W_OK);
    return undefined;
  } catch (refused) {
    const why = (refused as NodeJS.ErrnoException).code ?? '';
    const what = WORDS[why] ?? 'cannot be written';
    const where = folder === home ? `the data folder ${home}` : `the data folder ${home} cannot be made: ${folder}`;
    return `${where} ${what} (${why}); ${choose}`;
  }
}
