/**
 * One engine per checkpoint folder. An engine that lost its host may still be saving when the next one starts; the next one waits.
 *
 * The lock is a write transaction on a tiny SQLite file: the operating system drops it however the process ends, so there is
 * no stale lock to detect.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

const LOCK = 'engine.lock';
const SQLITE_BUSY = 5;

export interface FolderLock {
  release(): void;
}

/** Waits for the folder up to `patience` milliseconds. Throws when another engine keeps it. */
export async function lockFolder(folder: string, patience = 60_000): Promise<FolderLock> {
  await mkdir(folder, { recursive: true });
  const deadline = performance.now() + patience;
  for (;;) {
    const database = new DatabaseSync(join(folder, LOCK), { timeout: 0 });
    try {
      database.exec('PRAGMA synchronous = OFF; BEGIN EXCLUSIVE');
      return { release: () => database.isOpen && database.close() };
    } catch (error) {
      database.close();
      if (((error as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY) throw error;
      if (performance.now() >= deadline)
        throw new Error(`another engine process is training this run: ${folder} is locked`, { cause: error });
    }
    await delay(50);
  }
}
