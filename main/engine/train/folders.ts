/** Where a run writes: folders in a data folder that is there. One that was removed is not made again: nobody would look for it. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeWriteError } from '../../files/atomic.ts';
import { CheckpointError } from './checkpoint.ts';

/** @param paths `checkpoints`: the run's own folder, in one for all runs @throws CheckpointError */
export async function makeFolders(paths: { readonly checkpoints: string; readonly cache: string }): Promise<void> {
  for (const folder of [dirname(paths.checkpoints), paths.cache, paths.checkpoints])
    try {
      await mkdir(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue;
      if (code === 'ENOENT' || code === 'ENOTDIR')
        throw new CheckpointError(`the data folder ${dirname(folder)} is no longer there: it was removed or replaced`);
      throw describeWriteError(error, folder);
    }
}
