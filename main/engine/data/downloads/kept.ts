/** What lies downloaded in a cache: it is fetched again when it is needed. */
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileOfClaim } from './transfer.ts';

interface Kept {
  readonly path: string;
  readonly bytes: number;
  /** Some process is downloading it now. */
  readonly busy: boolean;
}

const rootOf = (cacheDir: string) => join(cacheDir, 'downloads');

async function listKept(cacheDir: string): Promise<Kept[]> {
  const entries = await readdir(rootOf(cacheDir), { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const claimed = (await Promise.all(paths.map(fileOfClaim))).filter((path) => path !== undefined);
  return await Promise.all(
    paths.map(async (path) => ({
      path,
      bytes: (await stat(path).catch(() => null))?.size ?? 0,
      busy: claimed.some((of) => path.startsWith(of)),
    })),
  );
}

export async function downloadedBytes(cacheDir: string): Promise<number> {
  return (await listKept(cacheDir)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Deletes all of it but what some process is downloading now. @returns the bytes that it took */
export async function removeDownloads(cacheDir: string): Promise<number> {
  let freed = 0;
  for (const { path, bytes, busy } of await listKept(cacheDir)) {
    if (busy) continue;
    await rm(path, { force: true });
    freed += bytes;
  }
  const folders = await readdir(rootOf(cacheDir), { recursive: true, withFileTypes: true }).catch(() => []);
  const deepest = folders.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  // One that still holds something stays.
  for (const folder of deepest.toSorted((a, b) => b.length - a.length)) await rmdir(folder).catch(() => undefined);
  return freed;
}
