/** What a user's lab holds is that user's alone: names, notes, texts, models. Nothing of it may be read by others of the machine. */
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LabPaths } from './paths.ts';

const OTHERS = 0o077;
const FOLDER = 0o700;
const FILE = 0o600;

/** From here on, whatever this process and those that it starts create is for its user alone. Call it at the start of a process. */
export function keepPrivate(): void {
  process.umask(OTHERS);
}

/** Rights that others have are taken away; a file of somebody else, or a disk without rights, stays as it is. */
function close(path: string, mode: number): void {
  try {
    if ((statSync(path).mode & OTHERS) !== 0) chmodSync(path, mode);
  } catch {
    // Reading and writing will say what is wrong with it.
  }
}

/** Whether a folder holds nothing but ours: one that was there before, for other things too, keeps its rights. */
function isOurs({ home, ...own }: LabPaths): boolean {
  const names = new Set(Object.values(own).map((path) => basename(path)));
  const database = basename(own.database);
  return readdirSync(home).every(
    (name) => [...names].some((each) => name === each || name.startsWith(`${each}.`)) || name.startsWith(database),
  );
}

/**
 * Makes the data folder and the database file for their user alone, and closes those of earlier versions. SQLite gives the files beside
 * the database its rights.
 * @throws what the file system says of a folder that cannot be made
 */
export function closeHome(paths: LabPaths): void {
  mkdirSync(paths.home, { recursive: true, mode: FOLDER });
  if (process.platform === 'win32') return;
  if (isOurs(paths)) close(paths.home, FOLDER);
  for (const path of [paths.database, `${paths.database}.writer`, `${paths.database}.last`])
    try {
      closeSync(openSync(path, 'a', FILE));
    } catch {
      // The database says it better.
    }
  for (const name of readdirSync(paths.home))
    if (name.startsWith(basename(paths.database))) close(join(paths.home, name), FILE);
  for (const folder of [paths.checkpoints, paths.cache, paths.engines, paths.files, paths.imports])
    close(folder, FOLDER);
}
