/**
 * One process at a time in a folder. The lock is a write transaction on a tiny SQLite file: the operating system drops it however the process
 * ends, so there is no stale lock to detect.
 */
import { rmSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { describeWriteError } from './atomic.ts';
import { SQLITE_CANTOPEN, whyUnopened } from './unopened.ts';

const SQLITE_BUSY = 5;
/** Results of SQLite that are those of the file system. */
const SAME_AS: Readonly<Record<number, string>> = { 3: 'EACCES', 8: 'EROFS', 13: 'ENOSPC' };
const RETRIES = 20;

export interface FolderLock {
  release(): void;
  /** Releases it and removes its file, where that is possible, for a folder that is no more. */
  remove(): void;
}

export interface LockOptions {
  /** The file that is locked. */
  readonly name: string;
  /** Milliseconds to wait for another process. */
  readonly patience: number;
  readonly signal?: AbortSignal;
}

const resultOf = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) % 256;

/** Why a file cannot be locked, for people. */
export function describeLockError(error: unknown, path: string): Error {
  const code = SAME_AS[resultOf(error)];
  if (code !== undefined) return describeWriteError({ code }, path);
  const why = resultOf(error) === SQLITE_CANTOPEN ? whyUnopened(path) : undefined;
  return new Error(`${path} cannot be locked: ${why ?? (error as Error).message}`, { cause: error });
}

/**
 * Waits for the folder, which is made where it is missing. Null when another process keeps it.
 * @throws the reason of the signal; Error in words
 */
export async function holdFolder(folder: string, { name, patience, signal }: LockOptions): Promise<FolderLock | null> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw describeWriteError(error, folder);
  });
  const deadline = performance.now() + patience;
  const path = join(folder, name);
  for (let tries = 0; ; tries++) {
    const before = await fileAt(path);
    const database = openAt(path);
    try {
      database.exec('PRAGMA synchronous = OFF; BEGIN EXCLUSIVE');
      // A lock on a file that was removed meanwhile is not the only one. Not for ever: some disks give a file ever new numbers.
      if (tries < RETRIES && (before === null || before !== (await fileAt(path)))) {
        database.close();
        continue;
      }
      const release = (): void => void (database.isOpen && database.close());
      return { release, remove: () => removeHeld(path, release) };
    } catch (error) {
      database.close();
      if (resultOf(error) !== SQLITE_BUSY) throw describeLockError(error, path);
      if (performance.now() >= deadline) return null;
    }
    await delay(50, undefined, { signal });
  }
}

function openAt(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw describeLockError(error, path);
  }
}

const fileAt = async (path: string): Promise<bigint | null> =>
  (await stat(path, { bigint: true }).catch(() => null))?.ino ?? null;

/** While it is held, so that nobody else has it. Windows removes no file that is open: it stays, which does no harm. */
function removeHeld(path: string, release: () => void): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // See above.
  } finally {
    release();
  }
}

/** Whether a process holds the folder now. Makes nothing. */
export async function isHeld(folder: string, name: string): Promise<boolean> {
  if ((await fileAt(join(folder, name))) === null) return false;
  // What cannot be locked here, on a disk that can only be read, nobody holds.
  const lock = await holdFolder(folder, { name, patience: 0 }).catch(() => undefined);
  lock?.release();
  return lock === null;
}
