/** Tells the user when the disk does not take anything any more, and when it does again. Training waits meanwhile; nothing is lost. */
import type { Store, StoreError } from '../store/index.ts';
import { formatBytes, plural } from './format.ts';
import type { Output } from './output.ts';

/** Points: until disposed. */
export function watchDatabase(store: Store, output: Output): Disposable {
  const unwatch = store.onTrouble((error) => {
    if (error === null) output.note(`The run database takes points again (${formatBytes(store.sizeOnDisk())}).`);
    else output.warn(`${error.message}. Points wait in memory and are written as soon as that is possible.`);
  });
  return { [Symbol.dispose]: unwatch };
}

/** A command that was asked to end waits a little for a disk that takes nothing. */
export function tellGrace(output: Output, { message }: StoreError, milliseconds: number): void {
  output.warn(
    `${message}. Waiting ${plural(Math.round(milliseconds / 1000), 'second')} for it, to record how the training ended; a second signal ` +
      '(Ctrl-C) ends at once.',
  );
}

/**
 * Beginnings and ends of runs.
 * @param stays the command goes on and looks again and again, as a lab does that serves pages
 */
export function tellTrouble(output: Output, error: StoreError | null, stays = false): void {
  if (error === null) output.note('The run database takes runs again.');
  else if (stays && !error.retryable)
    output.warn(
      `${error.message}. Training has ended: nothing of it could be kept. It goes on when the data folder is back as it was; until then ` +
        'nothing is written into its place.',
    );
  // What does not pass ends the command, with the error as its last word.
  else if (error.retryable)
    output.warn(
      `${error.message}. The queue waits: no run begins or ends until that is possible. Ctrl-C twice ends all the same.`,
    );
}
