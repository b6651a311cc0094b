/** Token ids that nanoGPT and llm.c have prepared, read as the text that they stand for. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareDataset } from '../../../../main/engine/data/index.ts';
import type { Dataset } from '../../../../main/engine/data/index.ts';
import { gpt2Tokenizer } from '../../../../main/engine/data/tokenizers/gpt2.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { read } from '../reading/helpers.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-ids-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const numbers = random();
const WORDS = ['the', 'cat', "isn't", 'Größe', '日本語', '🙂', '1234', '--', 'x = 1;\n', 'y.\nz', '  ', 'ab'];
const document = (words: number): string => Array.from({ length: words }, () => numbers.pick(WORDS)).join(' ') + '.';

const prepare = (config: Config, from?: number): Promise<Dataset> =>
  prepareDataset(config, {
    cacheDir: join(folder, `cache-${from}`),
    shards: from === undefined ? {} : { from, threads: 0 },
  });

const essence = ({ train, validation, stats }: Dataset) => ({
  train: [...train.tokens.subarray(0, train.tokens.length)],
  validation: [...validation.tokens.subarray(0, validation.tokens.length)],
  offsets: [[...train.offsets], [...validation.offsets]],
  stats,
});

describe(`token ids of other trainers (SEED=${SEED})`, () => {
  const header = (count: number, magic = 20_240_520, version = 1): Buffer => {
    const numbersOf = new Int32Array(256);
    numbersOf.set([magic, version, count]);
    return Buffer.from(numbersOf.buffer);
  };
  const EOT = 50_256;

  /** The ids of documents as GPT-2's tokenizer makes them. */
  async function ids(documents: readonly string[]): Promise<number[][]> {
    const tokenizer = await gpt2Tokenizer();
    return documents.map((text) => [...tokenizer.encode(Buffer.from(text))]);
  }
  const raw = (tokens: readonly number[]): Buffer => Buffer.from(Uint16Array.from(tokens).buffer);

  it('of nanoGPT and llm.c are read as they are (catches ids that are taken for text, or cut documents)', async () => {
    const documents = Array.from({ length: 30 }, () => document(numbers.integer(1, 50)));
    const each = await ids(documents);
    const gpt2 = { 'tokenizer.kind': 'gpt2', 'data.holdout': 'last', 'data.validation': 0.2 };
    const nano = join(folder, 'train.bin');
    await writeFile(nano, raw(each.flatMap((tokens) => [...tokens, EOT])));
    const llm = join(folder, 'fineweb_train_000001.bin');
    const stream = each.flatMap((tokens) => [EOT, ...tokens]);
    await writeFile(llm, Buffer.concat([header(stream.length), raw(stream)]));
    const plain = join(folder, 'plain.jsonl');
    await writeFile(plain, documents.map((text) => JSON.stringify({ text })).join('\n'));
    const expected = essence(await prepare({ 'data.corpus': plain, ...gpt2 }));
    for (const path of [nano, llm]) {
      expect(essence(await prepare({ 'data.corpus': path, ...gpt2 }))).toEqual(expected);
      expect(essence(await prepare({ 'data.corpus': path, ...gpt2 }, 0))).toEqual(expected);
    }
    // As the text that they stand for, in any other tokens.
    const bytes = { ...gpt2, 'tokenizer.kind': 'byte' };
    const asBytes = essence(await prepare({ 'data.corpus': plain, ...bytes }));
    expect(essence(await prepare({ 'data.corpus': nano, ...bytes }))).toEqual(asBytes);
  });

  it('val.bin is a validation text, and is left out of a folder', async () => {
    const [train, val] = [await ids(['one text', 'two texts']), await ids(['a third'])];
    const path = join(folder, 'nano');
    await mkdir(path);
    await writeFile(join(path, 'train.bin'), raw(train.flatMap((tokens) => [...tokens, EOT])));
    await writeFile(join(path, 'val.bin'), raw(val[0]!));
    const dataset = await prepare({
      'data.corpus': path,
      'data.validation_path': join(path, 'val.bin'),
      'tokenizer.kind': 'gpt2',
    });
    expect([...dataset.validation.tokens.subarray(0, 100)]).toEqual([...val[0]!, EOT]);
    expect(dataset.stats.trainDocuments).toBe(2);
  });

  it('a shard that was cut off anywhere is said to be one, whatever its name (catches a beginning that is taken for something else)', async () => {
    const whole = Buffer.concat([header(40), raw(Array.from({ length: 40 }, () => numbers.integer(0, EOT)))]);
    for (const name of ['x.bin', 'train.bin', 'notes.txt', 'shard'])
      for (const format of ['auto', 'tokens'])
        for (const length of [4, 5, 6, 7, 8, 9, numbers.integer(10, 1022), 1023, 1024, numbers.integer(1025, 1103)]) {
          const path = join(folder, name);
          await writeFile(path, whole.subarray(0, length));
          const words =
            length < 1024
              ? `is a shard of llm.c that ends after ${length} of the 1024 bytes of its head`
              : `is a shard of llm.c that says it holds 40 ids, but has ${length} bytes, not 1104`;
          const refused = read(path, { 'data.format': format });
          await expect(refused, `${name}, ${format}, ${length} bytes`).rejects.toThrow(words);
        }
  });

  it('ids in a file of another name are not called text (catches UTF-16 that is none)', async () => {
    const path = join(folder, 'mine.bin');
    const [each] = await ids(['The cat sat on the mat. '.repeat(9)]);
    await writeFile(path, raw(each!));
    await expect(read(path)).rejects.toThrow(/If these are token ids of GPT-2 in 16 bits, set data\.format to tokens/u);
  });

  it.each([
    ['a shard of Llama 3', 'x.bin', Buffer.concat([header(2, 20_240_801, 7), Buffer.alloc(8)]), {}, /Llama 3/],
    [
      'an unknown version',
      'x.bin',
      Buffer.concat([header(2, 20_240_520, 9), Buffer.alloc(4)]),
      {},
      /version 9.*allowed: version 1/,
    ],
    ['no ids', 'x.bin', header(0), {}, /holds 0 ids.*a whole shard/],
    ['a part of a head', 'x.bin', header(2).subarray(0, 40), {}, /ends after 40 of the 1024 bytes of its head/],
    ['a shard that was cut off', 'x.bin', Buffer.concat([header(9), Buffer.alloc(4)]), {}, /says it holds 9 ids/],
    ['ids that GPT-2 has not', 'train.bin', Buffer.from(Uint16Array.of(1, 2, 60_000).buffer), {}, /number 3 is 60000/],
    ['ids of 32 bits', 'val.bin', Buffer.from(Int32Array.of(1, 2, 60_000).buffer), {}, /ids of 32 bits/],
    ['a shard as text', 'x.bin', Buffer.concat([header(2), Buffer.alloc(4)]), { 'data.format': 'text' }, /llm\.c/],
    ['ids as text', 'train.bin', Buffer.from(new Uint16Array(500).fill(7).buffer), { 'data.format': 'text' }, /tokens/],
  ])('%s is refused in words', async (_, name, content, more, words) => {
    const path = join(folder, name);
    await writeFile(path, content);
    await expect(prepare({ 'data.corpus': path, ...more })).rejects.toThrow(words);
  });
});
