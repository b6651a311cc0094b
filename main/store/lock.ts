/**
 * One writer per database, over all processes.
 *
 * The writer keeps a write transaction open on a tiny database beside the real one (`<database>.writer`). The operating
 * system drops that lock when the process ends, however it ends, so there is no stale lock to detect and no process id
 * to mistake for a reused one. The id stored inside only serves the message. (Rejected: a file with a process id, which
 * needs a liveness guess after every crash.)
 */

import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { StoreError, toStoreError } from './errors.ts';

export interface WriterLock {
  release(): void;
}

/** @throws StoreError `locked`, naming the process that writes. */
export function acquireWriterLock(databasePath: string): WriterLock {
  const path = `${databasePath}.writer`;
  let lock: DatabaseSync | undefined;
  try {
    // Long enough for a reader that only looks whether somebody writes.
    lock = new DatabaseSync(path, { timeout: 250 });
    // Nothing in this file needs to survive a power cut.
    lock.exec('PRAGMA synchronous = OFF; BEGIN IMMEDIATE');
    lock.exec(
      'CREATE TABLE IF NOT EXISTS writer (pid INTEGER NOT NULL, host TEXT NOT NULL, since INTEGER NOT NULL) STRICT',
    );
    lock.exec('DELETE FROM writer');
    lock.prepare('INSERT INTO writer VALUES (?, ?, ?)').run(process.pid, hostname(), Date.now());
    // Commit, so that others can read who writes, and take the lock again. Whoever slips in between wins.
    lock.exec('COMMIT; BEGIN IMMEDIATE');
  } catch (error) {
    const holder = lock && isBusy(error) ? readHolder(lock) : undefined;
    lock?.close();
    if (!isBusy(error)) throw toStoreError(error, path);
    throw new StoreError(
      'locked',
      `${holder ?? 'another process'} is already writing to the run database ${databasePath}; ` +
        'let it finish or end it, or open the database for reading only',
    );
  }
  const held = lock;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}

/** Whether a process writes to this database now. True where that cannot be found out. */
export function hasWriter(databasePath: string): boolean {
  const path = `${databasePath}.writer`;
  if (!existsSync(path)) return false;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('BEGIN IMMEDIATE');
    return false;
  } catch {
    return true;
  } finally {
    lock?.close();
  }
}

function readHolder(lock: DatabaseSync): string | undefined {
  try {
    if (lock.isTransaction) lock.exec('ROLLBACK');
    const row = lock.prepare('SELECT pid, host, since FROM writer').get();
    if (!row) return undefined;
    const place = row.host === hostname() ? '' : ` on ${String(row.host)}`;
    return `process ${String(row.pid)}${place} (since ${new Date(Number(row.since)).toISOString()})`;
  } catch {
    return undefined;
  }
}

function isBusy(error: unknown): boolean {
  return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === 5;
}
