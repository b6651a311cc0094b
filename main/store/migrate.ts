/** Brings a database file to the current schema: `user_version` counts the migrations applied. */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { APPLICATION_ID, Connection } from './connection.ts';
import { StoreError } from './errors.ts';

export interface Migration {
  /** 1, 2, 3, … without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** Bytes of the file; 0 where there is none. @throws StoreError `io` where that cannot be told: what may not be looked at is not absent. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 0;
    const reasons: Record<string, string> = {
      EACCES: 'its folder may not be read by you',
      EPERM: 'its folder may not be read by you',
      ENOTDIR: 'what should be its folder is a file',
      ELOOP: 'links on its path lead in a circle',
    };
    const why = reasons[code ?? ''] ?? message;
    throw new StoreError('io', `the run database ${path} cannot be looked at: ${why} (${code})`, { cause: error });
  }
}

/**
 * Looks at a file without changing a byte of it.
 * @returns its schema version; 0 when the file is absent or empty.
 * @throws StoreError `foreign` for another program's file, `newer` when this Sweeplab is too old for it, `io` when it may not be read.
 */
export function inspect(path: string, newest: number): number {
  if (sizeOf(path) === 0) return 0;
  const probe = new Connection(path, true);
  try {
    const id = probe.pragma('application_id');
    const version = Number(probe.pragma('user_version'));
    // Creating the file was cut off before its first migration.
    if (id === 0 && version === 0 && !probe.get('SELECT 1 FROM sqlite_schema')) return 0;
    if (id !== APPLICATION_ID)
      throw new StoreError('foreign', `${path} is not a Sweeplab database; it was left as it is`);
    if (version > newest) {
      throw new StoreError(
        'newer',
        `${path} was made by a newer Sweeplab (schema ${version}, this one knows up to ${newest}); ` +
          'it was left as it is: update Sweeplab, or choose another data folder',
      );
    }
    return version;
  } finally {
    probe.close();
  }
}

/**
 * Applies the missing migrations, each in its own transaction. An existing database is first copied to
 * `<path>.backup-v<version>-<time>`; when that copy cannot be made, nothing is migrated.
 * @returns the path of the backup, or null when none was needed.
 */
export function migrate(connection: Connection, migrations: readonly Migration[]): string | null {
  const version = Number(connection.pragma('user_version'));
  const missing = migrations.filter((migration) => migration.version > version);
  if (missing.length === 0) return null;
  const backup = version === 0 ? null : backUp(connection, version);
  for (const migration of missing) {
    try {
      connection.write(() => {
        connection.exec(migration.sql);
        connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migration.version}`);
      });
    } catch (error) {
      const code = error instanceof StoreError ? error.code : 'internal';
      const kept = backup ? `; the copy made before is ${backup}` : '';
      throw new StoreError(
        code,
        `updating the run database to schema ${migration.version} (${migration.name}) failed and was undone${kept}: ` +
          (error as Error).message,
        { cause: error },
      );
    }
  }
  return backup;
}

function backUp(connection: Connection, version: number): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, '');
  const stem = `${connection.path}.backup-v${version}-${time}`;
  let path = stem;
  for (let attempt = 2; existsSync(path); attempt++) path = `${stem}-${attempt}`;
  // Only a complete copy gets the name of one: what a kill leaves of it is replaced by the next try.
  const part = `${connection.path}.backup.part`;
  try {
    rmSync(part, { force: true });
    connection.run('VACUUM INTO ?', part);
    const file = openSync(part, 'r+');
    fsyncSync(file);
    closeSync(file);
    renameSync(part, path);
    return path;
  } catch (error) {
    rmSync(part, { force: true });
    const code = error instanceof StoreError ? error.code : 'io';
    throw new StoreError(
      code,
      `the run database must be updated, but the copy made before that failed, so nothing was changed: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
