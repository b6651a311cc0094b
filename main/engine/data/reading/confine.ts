/** Keeps a reading within folders: what a page has asked for may not lead out of them by a link, whatever lies in them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { realpath } from 'node:fs/promises';
import { isWithin } from '../../../files/within.ts';
import { DataError } from '../errors.ts';

/** Where may be read. All are real paths. */
export interface Reach {
  /** Files, and folders with all that is in them. */
  readonly within: readonly string[];
  /** Files in them that may not. */
  readonly without: readonly string[];
}

const reaches = new AsyncLocalStorage<Reach | undefined>();

/** Everything that `body` reads must be in reach; undefined: anything is. */
export const confinedTo = <T>(reach: Reach | undefined, body: () => T): T => reaches.run(reach, body);

/** Names what may be read now, for answers that are remembered. */
export const reachNow = (): string => JSON.stringify(reaches.getStore() ?? null);

/** Whether a path leads to where may be read, links followed. @throws what the file system says */
export async function mayRead(path: string): Promise<boolean> {
  const reach = reaches.getStore();
  if (reach === undefined) return true;
  const target = await realpath(path);
  return !reach.without.includes(target) && reach.within.some((folder) => isWithin(folder, target));
}

/** @throws DataError for a file that a link leads to and that may not be read */
export async function assertReadable(path: string, setting: string): Promise<void> {
  if (await mayRead(path)) return;
  const isOwn = reaches.getStore()!.without.includes(await realpath(path));
  if (isOwn)
    throw new DataError(setting, path, "is a file of the lab's own, which pages do not get.", 'texts beside it');
  throw new DataError(
    setting,
    path,
    'leads out of the folders that were opened for pages.',
    'files in those folders, or links that stay in them',
  );
}
