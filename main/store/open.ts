/** Opening a run database: safely, whoever made it, and whoever uses it already. */

import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { assertSqliteVersion, configureWriter, Connection, mapFile } from './connection.ts';
import { StoreError } from './errors.ts';
import { reserveLastWords } from './lastWords.ts';
import { acquireWriterLock } from './lock.ts';
import { inspect, migrate } from './migrate.ts';
import type { Migration } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { showOrphansStopped } from './orphans.ts';
import type { CompleteConfig } from './runs.ts';
import { Store } from './store.ts';

export interface OpenOptions {
  /** Any number of readers may be open beside the one writer, in any process. Default false. */
  readonly readOnly?: boolean;
  /** With `readOnly`: reads the file through memory, for who reads many series again and again. See `mapFile`. */
  readonly mapped?: boolean;
  /** The file may not grow beyond this many bytes; commits that need more fail with `full`. Default: unlimited. */
  readonly maxBytes?: number;
  /** Other migrations than the released ones; for tests. */
  readonly migrations?: readonly Migration[];
  /** How configurations of earlier versions are completed when they are read. Default: they are as they were stored. */
  readonly completeConfig?: CompleteConfig;
}

/**
 * Opens a run database, creating it (and its folder) when it is to be written and does not exist.
 * @throws StoreError `missing`, `foreign`, `newer`, `older`, `locked`, `sqlite-version`, `full`, `io`
 */
export function openStore(path: string, options: OpenOptions = {}): Store {
  const probe = new Connection(':memory:', false);
  const version = String(probe.get('SELECT sqlite_version() AS version')!.version);
  probe.close();
  assertSqliteVersion(version);
  const migrations = options.migrations ?? MIGRATIONS;
  const newest = migrations.at(-1)!.version;
  const file = resolve(path);
  if (options.readOnly) {
    const found = inspect(file, newest);
    if (found === 0) throw new StoreError('missing', `there is no run database at ${file}`);
    if (found < newest) {
      throw new StoreError(
        'older',
        `${file} was made by an older Sweeplab; open it once for writing (start Sweeplab) to update it`,
      );
    }
    const connection = new Connection(file, true);
    if (options.mapped) mapFile(connection);
    showOrphansStopped(connection);
    return new Store(connection, null, null, options.completeConfig);
  }
  try {
    mkdirSync(dirname(file), { recursive: true });
  } catch (error) {
    throw new StoreError('io', `the folder for the run database cannot be made: ${(error as Error).message}`);
  }
  const lock = acquireWriterLock(file);
  let connection: Connection | undefined;
  try {
    const found = inspect(file, newest);
    connection = new Connection(file, false);
    // Lets purged runs give their space back. Only possible before the first table.
    if (found === 0) connection.exec('PRAGMA auto_vacuum = INCREMENTAL');
    configureWriter(connection);
    const backup = migrate(connection, migrations);
    reserveLastWords(file);
    const store = new Store(connection, lock, backup, options.completeConfig);
    if (options.maxBytes !== undefined) store.limitSize(options.maxBytes);
    return store;
  } catch (error) {
    connection?.close();
    lock.release();
    throw error;
  }
}
