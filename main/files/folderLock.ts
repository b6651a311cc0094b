/**
 * One process at a time in a folder. The lock is a write transaction on a tiny SQLite file: the operating system drops it however the process
 * ends, so there is no stale lock to detect.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

const SQLITE_BUSY = 5;

export interface FolderLock {
  release(): void;
}

export interface LockOptions {
  /** The file that is locked. */
  readonly name: string;
  /** Milliseconds to wait for another process. */
  readonly patience: number;
  readonly signal?: AbortSignal;
}

/** Waits for the folder, which is made where it is missing. Null when another process keeps it. @throws the reason of the signal */
export async function holdFolder(folder: string, { name, patience, signal }: LockOptions): Promise<FolderLock | null> {
  await mkdir(folder, { recursive: true });
  const deadline = performance.now() + patience;
  for (;;) {
    const database = new DatabaseSync(join(folder, name), { timeout: 0 });
    try {
      database.exec('PRAGMA synchronous = OFF; BEGIN EXCLUSIVE');
      return { release: () => database.isOpen && database.close() };
    } catch (error) {
      database.close();
      if (((error as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY) throw error;
      if (performance.now() >= deadline) return null;
    }
    await delay(50, undefined, { signal });
  }
}
