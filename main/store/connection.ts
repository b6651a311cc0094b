/** A connection to one SQLite file: version check, prepared statements by text, transactions, typed errors. */

import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StoreError, toStoreError } from './errors.ts';

/** Before it, resetting the write-ahead log could corrupt a database under concurrent use (fixed in 3.51.3). */
const OLDEST_SQLITE = '3.51.3';

/** 'SWPL': marks the file as ours, so that another program's database is never migrated by mistake. */
export const APPLICATION_ID = 0x53_57_50_4c;

/** @throws StoreError `sqlite-version` when `version` is older than the oldest safe one. */
export function assertSqliteVersion(version: string): void {
  const found = version.split('.').map(Number);
  const oldest = OLDEST_SQLITE.split('.').map(Number);
  for (let part = 0; part < oldest.length; part++) {
    if (found[part] > oldest[part]) return;
    if (!(found[part] === oldest[part])) {
      throw new StoreError(
        'sqlite-version',
        `Node ${process.version} carries SQLite ${version}, which can damage databases; ` +
          `Sweeplab needs SQLite ${OLDEST_SQLITE} or newer: install the latest Node 24`,
      );
    }
  }
}

export type Row = Record<string, string | number | null | Uint8Array>;

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Opens for reading. Readers keep a file beside the database as well: in a folder that may not be written there can be none, and the
 * database is read as it stands, which is whole only where no log waits beside it.
 * @throws what SQLite throws
 * @throws StoreError `io` where a log waits that cannot be read there
 */
export function openReader(path: string, writable = mayWrite(dirname(path))): DatabaseSync {
  const options = { readOnly: true, timeout: 5000, enableForeignKeyConstraints: true };
  if (writable) return new DatabaseSync(path, options);
  if (!existsSync(`${path}-wal`)) {
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return new DatabaseSync(url, options);
  }
  // With its writer at work it can be read all the same.
  const db = new DatabaseSync(path, options);
  try {
    db.prepare('PRAGMA user_version').get();
    return db;
  } catch (error) {
    db.close();
    throw new StoreError(
      'io',
      `${dirname(path)} may not be written, and ${path}-wal holds what is not in the run database yet: ` +
        'copy the folder to where it can be written, and name the copy (--data-dir)',
      { cause: error },
    );
  }
}

export class Connection {
  readonly path: string;
  readonly readOnly: boolean;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #listed = new Map<string, StatementSync>();
  #open = true;

  constructor(path: string, readOnly: boolean) {
    this.path = path;
    this.readOnly = readOnly;
    try {
      this.#db = readOnly
        ? openReader(path)
        : new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
    } catch (error) {
      throw toStoreError(error, path);
    }
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Runs a statement with a fixed text; it is prepared once. */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; lastInsertRowid: number } {
    return this.#guard(() => {
      const result = this.#prepared(sql).run(...values);
      return { changes: Number(result.changes), lastInsertRowid: Number(result.lastInsertRowid) };
    });
  }

  get<T extends object = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#guard(() => this.#prepared(sql).get(...values) as T | undefined);
  }

  all<T extends object = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#guard(() => this.#prepared(sql).all(...values) as T[]);
  }

  /** As `all`, each row as the list of its columns: a third of the time where there are thousands. */
  rows<T extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#guard(() => {
      let statement = this.#listed.get(sql);
      if (!statement) {
        statement = this.#db.prepare(sql);
        statement.setReturnArrays(true);
        this.#listed.set(sql, statement);
      }
      return statement.all(...values) as unknown as T[];
    });
  }

  /** As `all`, for texts that vary from call to call: nothing is kept. */
  query<T extends object = Row>(sql: string, values: readonly SQLInputValue[]): T[] {
    return this.#guard(() => this.#db.prepare(sql).all(...values) as T[]);
  }

  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  /** The first column of the first row, for pragmas. */
  pragma(name: string): number | string {
    return this.#guard(() => Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number | string);
  }

  /** One write transaction: all of `body` or nothing. Inside another one, `body` joins it. */
  write<T>(body: () => T): T {
    if (this.readOnly) throw new StoreError('read-only', `the run database ${this.path} was opened for reading only`);
    return this.#transaction('BEGIN IMMEDIATE', body);
  }

  /** Several reads that see one state of the database, whatever a writer commits meanwhile. */
  read<T>(body: () => T): T {
    // The writing connection is used by this thread alone, so nothing can come between two of its statements.
    return this.readOnly ? this.#transaction('BEGIN', body) : body();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#statements.clear();
    this.#listed.clear();
    this.#db.close();
  }

  #transaction<T>(begin: string, body: () => T): T {
    return this.#guard(() => {
      if (this.#db.isTransaction) return body();
      this.#db.exec(begin);
      try {
        const result = body();
        this.#db.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite has already rolled back after some errors (disk full, I/O).
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(body: () => T): T {
    if (!this.#open) throw new StoreError('closed', `the run database ${this.path} is closed`);
    try {
      return body();
    } catch (error) {
      throw toStoreError(error, this.path);
    }
  }
}

/** What makes a commit durable (a write-ahead log that is flushed with every commit), and buffers of sensible size. */
export function configureWriter(connection: Connection): void {
  if (connection.pragma('journal_mode = WAL') !== 'wal') {
    throw new StoreError(
      'io',
      `the disk of ${connection.path} cannot hold a run database (no shared memory): choose a folder on a local disk`,
    );
  }
  connection.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -32768;
  `);
}

/** Bytes of the file that are read through memory; beyond them it is read as usual. Only addresses are taken, no memory. */
const MAPPED = 2 ** 36;

/**
 * Blobs of points are longer than a page, and SQLite asks the system for every further page of each, past its own cache: that is most of the
 * time of a chart of many runs. Mapped into memory they cost nothing but their bytes.
 */
export function mapFile(connection: Connection): void {
  connection.exec(`PRAGMA mmap_size = ${MAPPED}`);
}
