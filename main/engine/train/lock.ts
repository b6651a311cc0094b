/** One engine per checkpoint folder. An engine that lost its host may still be saving when the next one starts; the next one waits. */
import { holdFolder } from '../../files/folderLock.ts';
import type { FolderLock } from '../../files/folderLock.ts';

/** Waits for the folder up to `patience` milliseconds. Throws when another engine keeps it. */
export async function lockFolder(folder: string, patience = 60_000): Promise<FolderLock> {
  const lock = await holdFolder(folder, { name: 'engine.lock', patience });
  if (lock === null) throw new Error(`another engine process is training this run: ${folder} is locked`);
  return lock;
}
