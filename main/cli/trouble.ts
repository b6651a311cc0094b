/** Tells the user when the disk does not take points any more, and when it does again. Training waits meanwhile; nothing is lost. */
import type { Store } from '../store/index.ts';
import { formatBytes } from './format.ts';
import type { Output } from './output.ts';

/** @returns a function that ends it */
export function watchDatabase(store: Store, output: Output): () => void {
  return store.onTrouble((error) => {
    if (error === null) output.note(`The run database takes points again (${formatBytes(store.sizeOnDisk())}).`);
    else output.warn(`${error.message}. Points wait in memory and are written as soon as that is possible.`);
  });
}
