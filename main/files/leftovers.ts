/**
 * What is being written outside of the data folder is noted inside it, so that what a killed process left behind is found and removed
 * later. Only files with the name of a temporary one (atomic.ts) of that very process are ever removed.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { madeBy } from './atomic.ts';
import { processBegan } from './processBegan.ts';

const note = z.strictObject({
  /** Absolute. */
  path: z.string().refine(isAbsolute),
  pid: z.int().positive(),
  began: z.string().nullable(),
});

/**
 * Notes a temporary file or folder, made by this process. @returns what takes the note away again
 * @param write another one for tests
 */
export async function noteTemporary(notes: string, path: string, write = writeFile): Promise<() => Promise<void>> {
  const { pid } = process;
  const file = join(notes, `${pid}-${randomBytes(6).toString('hex')}.json`);
  const found: z.infer<typeof note> = { path: resolve(path), pid, began: processBegan(pid) ?? null };
  try {
    // A data folder that is gone is not made again.
    await mkdir(notes).catch(() => undefined);
    await write(file, JSON.stringify(found));
  } catch {
    // A full disk takes an empty one.
    await rm(file, { force: true }).catch(() => undefined);
    // A data folder that can only be read keeps nobody from writing elsewhere.
    return () => Promise.resolve();
  }
  return () => rm(file, { force: true }).catch(() => undefined);
}

/** Removes what processes that are gone had noted. @returns the paths that were removed */
export async function removeAbandoned(notes: string): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(notes).catch(() => [])) {
    const file = join(notes, name);
    const text = await readFile(file, 'utf8').catch(() => '');
    const { data } = note.safeParse(parsed(text));
    if (data !== undefined && processBegan(data.pid) === data.began) continue;
    if (data !== undefined && madeBy(basename(data.path), data.pid)) {
      const gone = await rm(data.path, { recursive: true, force: true }).then(
        () => true,
        () => false,
      );
      // Perhaps on a disk that is not there now.
      if (!gone) continue;
      removed.push(data.path);
    }
    await rm(file, { force: true }).catch(() => undefined);
  }
  return removed;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
