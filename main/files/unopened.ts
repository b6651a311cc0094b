/** Why SQLite could not open a file: it says no more than that it was unable to. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { noFileOpens } from './openFiles.ts';

/** SQLite's result where it cannot open a file, or one that it needs beside it. */
export const SQLITE_CANTOPEN = 14;

/**
 * In words that complete `NAME cannot be opened: …`; undefined where nothing is seen to stand in the way.
 * @param access another one for tests
 */
export function whyUnopened(path: string, access = accessSync): string | undefined {
  const refused = (place: string, mode: number): string | undefined => {
    try {
      access(place, mode);
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };
  const many = noFileOpens();
  if (many !== undefined) return many;
  const own = refused(path, constants.R_OK);
  if (own === 'EACCES' || own === 'EPERM') return 'you have no permission to read it';
  const beside = refused(dirname(path), constants.W_OK);
  if (beside === 'EROFS') return 'its disk can only be read';
  if (beside === 'EACCES' || beside === 'EPERM') return 'you have no permission to write in its folder';
  return undefined;
}
