/** Which file answers an address of the app's own scheme. */
import { findPageFile } from '../host/pageFiles.ts';
import type { PageFile } from '../host/pageFiles.ts';
import { isOwn } from './origin.ts';

/** The file of `address` under `root`, or undefined, which means 404: for addresses of others, and for all that `findPageFile` refuses. */
export async function findPage(root: string, address: string): Promise<PageFile | undefined> {
  return isOwn(address) ? await findPageFile(root, new URL(address).pathname) : undefined;
}
