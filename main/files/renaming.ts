/** Renaming over a file that others may be reading: everywhere but on Windows they keep the old one, and nobody waits. */
import { renameSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What Windows says while a reader or a scanner has one of the two open. */
const HELD = new Set(['EPERM', 'EACCES', 'EBUSY']);
/** Before each further try, in ms: a scanner takes well under a second. What is refused for good is refused then, too. */
const PAUSES = [10, 20, 50, 100, 200, 400];

const worthTrying = (error: unknown, platform: NodeJS.Platform): boolean =>
  platform === 'win32' && HELD.has((error as NodeJS.ErrnoException).code ?? '');

interface System<Renamed, Waited> {
  readonly platform?: NodeJS.Platform;
  readonly move?: (from: string, to: string) => Renamed;
  readonly wait?: (milliseconds: number) => Waited;
}

/** @throws what the file system says at last */
export async function renameOver(
  from: string,
  to: string,
  { platform = process.platform, move = rename, wait = delay }: System<Promise<void>, Promise<unknown>> = {},
): Promise<void> {
  for (const pause of PAUSES)
    try {
      return await move(from, to);
    } catch (error) {
      if (!worthTrying(error, platform)) throw error;
      await wait(pause);
    }
  await move(from, to);
}

const sleep = (milliseconds: number): void =>
  void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** As {@link renameOver}, at moments that cannot wait for others. */
export function renameOverSync(
  from: string,
  to: string,
  { platform = process.platform, move = renameSync, wait = sleep }: System<void, void> = {},
): void {
  for (const pause of PAUSES)
    try {
      return move(from, to);
    } catch (error) {
      if (!worthTrying(error, platform)) throw error;
      wait(pause);
    }
  move(from, to);
}
