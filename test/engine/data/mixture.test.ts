/** Mixtures of texts: each has its share of the batches, a loss of its own, and nothing depends on how a run was cut up. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Catalog } from '../../../main/engine/catalog.ts';
import { batcher } from '../../../main/engine/data/batching/batcher.ts';
import { mixedBatcher } from '../../../main/engine/data/batching/mixture.ts';
import type { BatchingMode } from '../../../main/engine/data/batching/modes.ts';
import { checkDataSettings, countText, mixOf, prepareDataset } from '../../../main/engine/data/index.ts';
import { datasetRequest } from '../../../main/engine/data/prepare.ts';
import { byteTokenizer } from '../../../main/engine/data/tokenizers/byte.ts';
import { evaluate } from '../../../main/engine/train/evaluate.ts';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import type { LoadedProgram, Session } from '../../../main/engine/executors/executor.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { random, SEED } from '../../oracles/random.ts';
import { testConfig } from '../train/helpers.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-mix-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const numbers = random();

describe(`batches of a mixture (SEED=${SEED})`, () => {
  const tokenizer = byteTokenizer();
  /** A text whose tokens tell which text it is. */
  const text = (value: number) => {
    const lengths = Array.from({ length: numbers.integer(1, 8) }, () => numbers.integer(1, 30));
    const offsets = [0];
    for (const length of lengths) offsets.push(offsets.at(-1)! + length);
    return { tokens: new Uint16Array(offsets.at(-1)!).fill(value), offsets: Float64Array.from(offsets), bytes: 1 };
  };

  it('are the rows of each text in its own order, whatever the grouping, and as many as its share says', () => {
    for (const mode of ['random', 'shuffled', 'documents', 'packed'] satisfies BatchingMode[]) {
      const options = { mode, context: numbers.integer(1, 12), seed: numbers.integer(0, 99), documentMask: true };
      const own = Array.from({ length: numbers.integer(1, 4) }, (_, t) =>
        batcher({ train: text(t + 1), tokenizer }, options),
      );
      const weights = own.map(() => 0.01 + numbers());
      const total = weights.reduce((sum, weight) => sum + weight);
      const texts = own.map((each, t) => ({ batcher: each, share: weights[t]! / total }));
      const mixed = mixedBatcher(texts, options.seed);
      const rows = 2048;
      const all = mixed.rows(0, rows);
      const { length } = all;
      const of = (batch: typeof all, row: number) => ({
        inputs: [...batch.inputs.subarray(row * length, (row + 1) * length)],
        targets: [...batch.targets.subarray(row * length, (row + 1) * length)],
        starts: [...batch.starts!.subarray(row * length, (row + 1) * length)],
        mask: batch.keyMask && [...batch.keyMask.subarray(row * length, (row + 1) * length)],
      });
      const had = own.map(() => 0);
      for (let row = 0; row < rows; row++) {
        const t = all.targets[row * length]! - 1;
        const index = had[t]!++;
        if (row % 97 === 0) expect(of(all, row)).toEqual(of(own[t]!.rows(index, 1), 0));
      }
      for (const [t, { share }] of texts.entries()) expect(Math.abs(had[t]! - share * rows)).toBeLessThanOrEqual(1);
      expect(mixed.epochs(rows)).toEqual(had.map((count, t) => count / own[t]!.rowsPerEpoch));
      for (let trial = 0; trial < 20; trial++) {
        const first = numbers.integer(0, rows - 1);
        const some = mixedBatcher(texts, options.seed).rows(first, numbers.integer(1, rows - first));
        for (const row of [0, some.rows - 1]) expect(of(some, row)).toEqual(of(all, first + row));
      }
    }
  });
});

describe('the data of a mixture', () => {
  async function mixture(more: Config = {}): Promise<Config> {
    const path = join(folder, 'some code.txt');
    await writeFile(path, Array.from({ length: 60 }, (_, i) => `let x${i} = ${i * 7};`).join('\n\n'));
    return testConfig({ 'data.mix': `stories: 3, ${path}: 1`, 'data.size': 20_000, 'eval.tokens': 0, ...more });
  }

  /** Each document has a number and letters of its own, so that it is known by what it holds. */
  const documents = (word: string): string[] =>
    Array.from({ length: numbers.integer(20, 60) }, (_, i) => `${word} ${i}: ${word.repeat(numbers.integer(1, 9))}.`);
  const utf16 = (text: string, bigEndian = false): Buffer => {
    const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
    return bigEndian ? bytes.swap16() : bytes;
  };

  it.each([
    ['auto', ['utf-16le.txt', 'utf-16be.txt.gz', 'utf-8.txt.gz'], 'Größe 日本'],
    ['windows-1252', ['windows-1252.txt', 'windows-1252.txt.gz', 'utf-16le.txt.gz'], 'Größe ÿœ€'],
  ] as const)(
    'is the text of each, whatever it is written in: data.encoding %s (catches an encoding that one text hands on to the next)',
    async (encoding, names, word) => {
      const windows = { œ: 0x9c, '€': 0x80 } as Record<string, number>;
      const written: Record<string, (text: string) => Buffer> = {
        'utf-8': (text) => Buffer.from(text),
        'utf-16le': (text) => utf16(text),
        'utf-16be': (text) => utf16(text, true),
        'windows-1252': (text) => Buffer.from(Array.from(text, (each) => windows[each] ?? each.charCodeAt(0))),
      };
      const expected = names.map((_, i) => documents(`${word}${'abc'[i]}`));
      const paths = await Promise.all(
        names.map(async (name, i) => {
          const path = join(folder, `${i}-${name}`);
          const bytes = written[name.split('.')[0]!]!(expected[i]!.join('\n\n'));
          await writeFile(path, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
          return path;
        }),
      );
      const mix = paths.map((path, i) => `${path}: ${i + 1}`).join(', ');
      for (const inShards of [true, false]) {
        const kind = inShards ? { 'tokenizer.kind': 'byte' } : { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 300 };
        const config = testConfig({ 'data.mix': mix, 'data.encoding': encoding, 'data.size': 0, ...(kind as Config) });
        const shards = inShards ? { from: 0, threads: 0 } : {};
        const cacheDir = join(folder, `cache-${inShards}`);
        const { texts } = await prepareDataset(config, { cacheDir, shards, kinds: new Catalog() });
        for (const [i, { dataset }] of texts!.entries()) {
          const read = ({ tokens, offsets }: typeof dataset.train) =>
            Array.from({ length: offsets.length - 1 }, (_, d) => {
              const bytes = dataset.tokenizer.decode(tokens.subarray(offsets[d]!, offsets[d + 1]! - 1));
              return Buffer.from(bytes).toString();
            });
          const [train, held] = [read(dataset.train), read(dataset.validation)];
          expect([...train, ...held].sort(), names[i]).toEqual(expected[i]!.toSorted());
          expect(held.length, names[i]).toBeGreaterThan(0);
          // What bits per byte are counted by: the text as UTF-8, not as it lies in the file.
          const own = held.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
          expect(dataset.stats.validationBytes, names[i]).toBe(own);
        }
      }
    },
  );

  it('has tokens that all texts share, and a loss of each beside that of all', async () => {
    const kinds: Config[] = [{ 'tokenizer.kind': 'byte' }, { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 400 }];
    for (const kind of kinds) {
      const config = await mixture(kind);
      // As a run does it: a tokenizer that is shown a setting of another kind refuses to read it.
      const dataset = await prepareDataset(config, { cacheDir: folder, kinds: new Catalog() });
      const [stories, code] = dataset.texts!;
      expect([stories!.name, code!.name]).toEqual(['stories', 'some-code']);
      expect([stories!.share, code!.share]).toEqual([0.75, 0.25]);
      expect(code!.dataset.tokenizer.decode(stories!.dataset.tokenizer.encode(Buffer.from('let x = 1')))).toEqual(
        new Uint8Array(Buffer.from('let x = 1')),
      );
      const { tokens } = dataset.train;
      expect(tokens.length).toBe(stories!.dataset.train.tokens.length + code!.dataset.train.tokens.length);
      expect(dataset.stats.trainTokens).toBe(tokens.length);
      const last = dataset.train.offsets.at(-2)!;
      const text = Buffer.from(dataset.tokenizer.decode(tokens.subarray(last, tokens.length))).toString();
      expect(text).toMatch(/^let x\d+ = \d+;$/u);

      const data = await prepareData({ config, cache: folder });
      const set = data.validation(2);
      // A loss that tells what it is of: 1 nat for each token of stories, 3 for each of code.
      const end = stories!.dataset.validation.tokens.length;
      let at = 0;
      const run: Session['run'] = (_, inputs) => {
        const targets = inputs!.targets as Int32Array;
        const loss = Float32Array.from(targets, (target) => (target < 0 ? 0 : at++ < end ? 1 : 3));
        return Promise.resolve({ loss, correct: new Float32Array(targets.length) } as never);
      };
      const result = (await evaluate({ session: { run } as Session, loaded: {} as LoadedProgram, data: set }))!;
      expect(result.texts.map(({ name, loss }) => [name, loss])).toEqual([
        ['stories', 1],
        ['some-code', 3],
      ]);
      const { validationBytes, validationTokens } = code!.dataset.stats;
      expect(result.texts[1]!.bpb).toBeCloseTo((3 * validationTokens) / Math.LN2 / validationBytes, 12);
      expect(result.coverage).toBe(1);
      expect(data.epochsOfTexts!(4)['some-code']).toBeGreaterThan(0);
    }
  });

  it('scores of each text its share where not all is scored, and says how much of all that is', async () => {
    const data = await prepareData({ config: await mixture({ 'eval.tokens': 80 }), cache: folder });
    const set = data.validation(1);
    expect(set.texts!.map(({ end }) => end)).toEqual([60, 80]);
    expect(set.coverage).toBeCloseTo(80 / data.info.validationTokens, 12);
  });

  it('blames data.mix for a text that is not there, whoever looks first', async () => {
    const config = await mixture({ 'data.mix': 'stories: 1, nothing.txt: 1' });
    const looks = [
      () => checkDataSettings(config),
      () => datasetRequest(config),
      () => countText(config, {}),
      () => prepareDataset(config, { cacheDir: folder }),
    ];
    for (const look of looks) await expect(look()).rejects.toThrow(/^data\.mix is .*nothing\.txt: there is no corpus/u);
  });

  it('is counted before it is prepared, text by text', async () => {
    const config = await mixture();
    const before = (await countText(config, {}))!;
    const { stats, texts } = await prepareDataset(config, { cacheDir: folder });
    expect(before.texts!.map(({ name }) => name)).toEqual(['stories', 'some-code']);
    expect(before.texts![1]!.trainTokens).toBe(texts![1]!.dataset.stats.trainTokens);
    const after = (await countText(config, { cacheDir: folder }))!;
    expect(after.trainTokens).toBe(stats.trainTokens);
  });

  it('takes shares of any size', () => {
    const shares = mixOf({ 'data.mix': 'stories: 1.5e308, one.txt: 1.5e308, two.txt: 3e-308' }).map(
      (each) => each.share,
    );
    expect(shares).toEqual([0.5, 0.5, expect.closeTo(0, 300)]);
  });

  it.each([
    ['stories: much', /the share of stories is no number above 0/],
    ['stories: 0', /the share of stories/],
    ['stories', /the share of stories/],
    ['stories: 1, stories: 2', /stories is there twice/],
    [': 1', /"" is no text/],
    [',', /at least one text/],
    ['stories: 1,, quick: 1', /nothing stands before a comma/],
    [
      'nothing/here.txt: 1',
      /data.mix is "nothing.*" \(nothing\/here.txt: there is no corpus, file or folder of that name\)/,
    ],
  ])('%s is refused in words', async (mix, words) => {
    await expect(prepareDataset(testConfig({ 'data.mix': mix }), { cacheDir: folder })).rejects.toThrow(words);
  });

  it('takes no validation text of its own', async () => {
    const config = await mixture({ 'data.validation_path': folder });
    await expect(prepareDataset(config, { cacheDir: folder })).rejects.toThrow(/data.validation_path/);
  });
});
