/** The database as a file: whether it is still there, and whether it is sound. */

import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Connection } from './connection.ts';
import { StoreError } from './errors.ts';

/** Which file a path means; undefined when there is none, or none that may be looked at. */
function identity(path: string): string | undefined {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  return info && `${info.dev} ${info.ino}`;
}

/**
 * An open file stays readable and writable after it was deleted or its permissions were taken away: only its path tells.
 * @returns what throws StoreError `gone` when the path has become another file or none, `read-only` when nothing can be made beside it
 */
export function watchFile(path: string): () => void {
  const folder = dirname(path);
  const opened = identity(path);
  return () => {
    let found: string | undefined;
    try {
      found = identity(path);
      if (found !== undefined) accessSync(folder, constants.W_OK);
    } catch (error) {
      throw new StoreError(
        'read-only',
        `the folder ${folder} of the run database can no longer be written: ${(error as Error).message}`,
        { cause: error },
      );
    }
    if (found === opened) return;
    const what = found === undefined ? 'was deleted or moved away' : 'was replaced by another file';
    throw new StoreError(
      'gone',
      `the run database ${path} ${what} while it was in use: what was written since is lost`,
    );
  };
}

/** Walks through the whole file. @returns what is wrong with it; empty when nothing is. */
export function integrityProblems(connection: Connection): string[] {
  const rows = connection.query<{ integrity_check: string }>('PRAGMA integrity_check', []);
  const foreign = connection.query('PRAGMA foreign_key_check', []);
  return [
    ...rows.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
    ...foreign.map((row) => `${String(row.table)} row ${String(row.rowid)} refers to a missing ${String(row.parent)}`),
  ];
}

/** Bytes of a database and its write-ahead log. */
export const databaseSize = (path: string): number =>
  [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
