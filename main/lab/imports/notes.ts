/** Counts what was left out of a file, or read in a way worth telling; by what it is, with the place of the first. */
import type { ImportNote } from '../../../preload/contract/imports.ts';

/** Different things that are told; all further ones are counted together. */
const MOST = 50;
const MORE = 'other things';

export class Notes {
  readonly #found = new Map<string, { count: number; readonly first: string }>();

  add(what: string, where: string, count = 1): void {
    const name = this.#found.has(what) || this.#found.size < MOST ? what : MORE;
    const known = this.#found.get(name);
    if (known === undefined) this.#found.set(name, { count, first: where });
    else known.count += count;
  }

  get list(): ImportNote[] {
    return [...this.#found].map(([what, { count, first }]) => ({ what, count, first }));
  }
}
