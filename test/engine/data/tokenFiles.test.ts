/** Tokens in files, and the order of epochs that is never written down: what texts larger than a memory stand on. */
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batcher } from '../../../main/engine/data/batching/batcher.ts';
import { evaluationSet } from '../../../main/engine/data/batching/evaluation.ts';
import type { BatchingMode } from '../../../main/engine/data/batching/modes.ts';
import { randomOrder } from '../../../main/engine/data/batching/order.ts';
import { FileChecks } from '../../../main/engine/data/fileChecks.ts';
import { TokenFiles } from '../../../main/engine/data/tokenFiles.ts';
import { byteTokenizer } from '../../../main/engine/data/tokenizers/byte.ts';
import { Stream } from '../../../main/engine/random/stream.ts';
import { sha256 } from '../../../main/files/whole.ts';
import { random, SEED } from '../../oracles/random.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-tokens-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe(`tokens in files (SEED=${SEED})`, () => {
  const numbers = random();

  /** The ids in up to five files, some of them empty. */
  async function inFiles(ids: Uint16Array | Int32Array): Promise<TokenFiles> {
    const cuts = Array.from({ length: numbers.integer(0, 4) }, () => numbers.integer(0, ids.length));
    const ends = [...cuts.sort((a, b) => a - b), ids.length];
    const parts = ends.map((end, i) => ({
      path: join(folder, `${i}.bin`),
      ids: ids.subarray(ends[i - 1] ?? 0, end),
    }));
    for (const part of parts)
      await writeFile(part.path, new Uint8Array(part.ids.buffer, part.ids.byteOffset, part.ids.byteLength));
    return new TokenFiles(
      parts.map(({ path, ids: own }) => ({ path, bytes: own.byteLength })),
      ids instanceof Uint16Array ? Uint16Array : Int32Array,
    );
  }

  it('any range reads as that of the array, over the ends of files too', async () => {
    for (const Ids of [Uint16Array, Int32Array]) {
      const ids = new Ids(500).fill(0).map(() => numbers.integer(0, 60_000));
      const files = await inFiles(ids);
      expect(files.length).toBe(ids.length);
      for (let trial = 0; trial < 200; trial++) {
        const from = numbers.integer(0, ids.length);
        const to = numbers.integer(from, ids.length);
        expect([...files.subarray(from, to)]).toEqual([...ids.subarray(from, to)]);
      }
    }
  });

  it('give the batches and windows of the same tokens in memory (catches a batch that depends on where its text lies)', async () => {
    const tokenizer = byteTokenizer();
    const lengths = Array.from({ length: 20 }, () => numbers.integer(1, 40));
    const offsets = Float64Array.from([0, ...lengths]).map((_, i, all) => all.slice(0, i + 1).reduce((a, b) => a + b));
    const tokens = Uint16Array.from({ length: offsets.at(-1)! }, () => numbers.integer(0, 255));
    const memory = { tokens, offsets, bytes: 1 };
    const files = { ...memory, tokens: await inFiles(tokens) };
    for (const mode of ['random', 'shuffled', 'documents', 'packed'] satisfies BatchingMode[]) {
      const options = { mode, context: numbers.integer(1, 30), seed: numbers.integer(0, 9), documentMask: true };
      const [one, other] = [memory, files].map((train) => batcher({ train, tokenizer }, options).rows(0, 50));
      expect(other).toEqual(one);
      const layout = mode === 'documents' ? ('documents' as const) : ('stream' as const);
      const [a, b] = [memory, files].map((split) => evaluationSet(split, tokenizer, { ...options, layout, rows: 3 }));
      expect(b!.units).toEqual(a!.units);
      expect(b!.batch(0)).toEqual(a!.batch(0));
    }
  });
});

describe('the order of an epoch', () => {
  it('that is computed takes every row once, and another stream takes them otherwise', () => {
    for (const rows of [1, 2, 3, 17, 1000, 4097]) {
      const orders = [1, 2].map((epoch) => {
        const order = randomOrder(new Stream(7, 'order', epoch), rows, 0);
        return Array.from({ length: rows }, (_, i) => order(i));
      });
      for (const order of orders)
        expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
      if (rows > 100) expect(orders[0]).not.toEqual(orders[1]);
    }
  });

  it('has no memory of the order of the rows: neighbours are far apart on average', () => {
    const rows = 10_000;
    const order = randomOrder(new Stream(3, 'order'), rows, 0);
    let apart = 0;
    for (let i = 1; i < rows; i++) apart += Math.abs(order(i) - order(i - 1));
    // A third of all for independent places.
    expect(apart / (rows - 1) / rows).toBeGreaterThan(0.3);
    expect(apart / (rows - 1) / rows).toBeLessThan(0.37);
  });
});

describe('checks of large files', () => {
  it('are made again when a file has changed, and only then', async () => {
    const path = join(folder, 'a.bin');
    await writeFile(path, 'content');
    const facts = { bytes: 7, sha256: sha256('content') };
    const first = await FileChecks.of(folder);
    expect(await first.isWhole('a.bin', facts)).toBe(true);
    await first.remember();
    const second = await FileChecks.of(folder);
    expect(await second.isWhole('a.bin', facts)).toBe(true);
    await writeFile(path, 'contenu');
    await utimes(path, new Date(1e9), new Date(1e9));
    expect(await (await FileChecks.of(folder)).isWhole('a.bin', facts)).toBe(false);
    expect(await second.isWhole('b.bin', facts)).toBe(false);
  });
});
