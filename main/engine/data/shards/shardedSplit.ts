/** One side of a dataset in shards. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Tokens, TokenSplit } from '../dataset.ts';
import type { TokenArrayType } from '../tokenArray.ts';
import { TokenFiles } from '../tokenFiles.ts';
import { namesOf } from './files.ts';
import type { ShardNote, Side } from './files.ts';

/** Documents that are read at a time. */
const AT_ONCE = 1 << 16;

export class ShardedSplit implements TokenSplit {
  readonly tokens: Tokens;
  readonly bytes: number;
  readonly #lists: readonly { readonly path: string; readonly documents: number }[];
  #offsets: Float64Array | undefined;

  constructor(folder: string, side: Side, shards: readonly ShardNote[], Ids: TokenArrayType) {
    const own = shards.flatMap((note, number) => {
      const facts = note[side];
      return facts === undefined ? [] : [{ facts, names: namesOf(side, number) }];
    });
    const parts = own.map(({ facts, names }) => ({ path: join(folder, names.ids), bytes: facts.ids.bytes }));
    this.tokens = new TokenFiles(parts, Ids);
    this.bytes = own.reduce((sum, { facts }) => sum + facts.textBytes, 0);
    this.#lists = own.map(({ facts, names }) => ({ path: join(folder, names.list), documents: facts.documents }));
  }

  /** Read when somebody asks: windows of a stream need none of them. */
  get offsets(): Float64Array {
    if (this.#offsets !== undefined) return this.#offsets;
    const offsets = new Float64Array(this.#lists.reduce((sum, { documents }) => sum + documents, 1));
    let at = 0;
    for (const { path, documents } of this.#lists)
      for (const tokens of tokensOfDocuments(path, documents)) {
        offsets[at + 1] = offsets[at]! + tokens;
        at++;
      }
    return (this.#offsets = offsets);
  }
}

function* tokensOfDocuments(path: string, documents: number): Generator<number> {
  const file = openSync(path, 'r');
  try {
    const pairs = new Float64Array(2 * AT_ONCE);
    const bytes = new Uint8Array(pairs.buffer);
    for (let from = 0; from < documents; from += AT_ONCE) {
      const wanted = 16 * Math.min(AT_ONCE, documents - from);
      for (let done = 0; done < wanted;) {
        const read = readSync(file, bytes, done, wanted - done, 16 * from + done);
        if (read === 0) throw new Error(`${path} became shorter while it was read`);
        done += read;
      }
      for (let i = 0; i < wanted / 8; i += 2) yield pairs[i]!;
    }
  } finally {
    closeSync(file);
  }
}
