import { fork } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { storyBits } from '../../../main/engine/data/corpora/storiesTelling.ts';
import {
  DataError,
  checkDataSettings,
  entropyFloor,
  listDatasets,
  prepareDataset,
} from '../../../main/engine/data/index.ts';
import type { Dataset } from '../../../main/engine/data/index.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { DataProgress } from '../../../preload/contract/shapes.ts';

let folder = '';
let cacheDir = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-prepare-'));
  cacheDir = join(folder, 'cache');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Settings = Record<string, SettingValue>;
const small: Settings = { 'data.corpus': 'stories', 'data.size': 60_000 };
const prepare = (config: Settings, onProgress?: (p: DataProgress) => void) =>
  prepareDataset(config, { cacheDir, onProgress });

const decodeDocuments = (dataset: Dataset, side: 'train' | 'validation') => {
  const { tokens, offsets } = dataset[side];
  return Array.from({ length: offsets.length - 1 }, (_, d) => {
    expect(tokens.subarray(offsets[d + 1] - 1, offsets[d + 1])[0]).toBe(dataset.tokenizer.eosId);
    return Buffer.from(dataset.tokenizer.decode(tokens.subarray(offsets[d], offsets[d + 1]))).toString('latin1');
  });
};

const essence = (dataset: Dataset) => ({
  ...dataset,
  information: dataset.information?.bits,
  tokenizer: [dataset.tokenizer.kind, dataset.tokenizer.vocabularySize, [...dataset.tokenizer.tokenBytes]],
});

async function words(name: string, count: number, from = 0): Promise<string> {
  const path = join(folder, name);
  const documents = Array.from({ length: count }, (_, i) => `document number ${from + i} says hello hello`);
  await writeFile(path, documents.join('\n\n'));
  return path;
}

describe('prepareDataset', () => {
  test('stories: documents come back whole, and the floor is the mean information of the held-out ones', async () => {
    const tokenizers: Settings[] = [
      { 'tokenizer.kind': 'byte' },
      { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 500 },
    ];
    for (const tokenizer of tokenizers) {
      const dataset = await prepare({ ...small, ...tokenizer });
      const held = decodeDocuments(dataset, 'validation');
      const train = decodeDocuments(dataset, 'train');
      let bits = 0;
      let bytes = 0;
      for (const text of held) {
        bits += storyBits(text).bits;
        bytes += text.length;
      }
      const floor = entropyFloor(dataset.validation, dataset.tokenizer, dataset.information!)!;
      expect(floor.bitsPerByte).toBeCloseTo(bits / bytes, 12);
      expect(floor.documents).toBe(held.length);
      expect(dataset.validation.bytes).toBe(bytes);
      expect(dataset.stats.validationBytes + dataset.stats.trainBytes).toBeGreaterThanOrEqual(60_000);
      expect(dataset.stats.trainDocuments).toBe(train.length);
      expect(dataset.stats.duplicateFraction).toBe(0);
      expect(dataset.stats.longestDocument).toBeGreaterThan(100);
      expect(dataset.stats.bytesPerToken).toBeCloseTo(dataset.train.bytes / dataset.train.tokens.length, 12);
    }
  });

  test('the cache gives back the same dataset, and byte damage is noticed and repaired', async () => {
    const config = { ...small, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 400 };
    const phases = new Set<string>();
    const fresh = await prepare(config, (p) => phases.add(p.phase));
    expect([...phases]).toEqual(expect.arrayContaining(['tokenizer', 'encode', 'save']));
    phases.clear();
    const cached = await prepare(config, (p) => phases.add(p.phase));
    expect(phases.size).toBe(0);
    expect(essence(cached)).toEqual(essence(fresh));
    const root = join(cacheDir, 'datasets');
    const [name] = (await readdir(root)).filter((entry) => entry !== 'requests');
    const [note] = await readdir(join(root, 'requests'));
    const files = ['train.bin', 'validation.offsets.bin', 'merges.bin', 'meta.json'].map((file) => join(name, file));
    for (const damaged of [...files, join('requests', note)]) {
      const path = join(root, damaged);
      const bytes = await readFile(path);
      bytes[bytes.length >> 1] ^= 64;
      await writeFile(path, bytes);
      expect(essence(await prepare(config))).toEqual(essence(fresh));
    }
    await rm(join(root, name, 'validation.bin'));
    expect(essence(await prepare(config))).toEqual(essence(fresh));
    expect((await readdir(root)).filter((entry) => entry.includes('.tmp-'))).toEqual([]);
  });

  test('the floor belongs to the request, whichever was prepared first (catches a floor by cache order)', async () => {
    const stories = await prepare(small);
    const documents = [...decodeDocuments(stories, 'train'), ...decodeDocuments(stories, 'validation')];
    const path = join(folder, 'same.txt');
    const validation = join(folder, 'same.validation.txt');
    await writeFile(path, decodeDocuments(stories, 'train').join('\n\n'));
    await writeFile(validation, decodeDocuments(stories, 'validation').join('\n\n'));
    expect(documents.every((text) => !text.includes('\n'))).toBe(true);
    const same: Settings = { 'data.corpus': path, 'data.validation_path': validation };
    for (const order of [
      [same, small, same],
      [small, same, small],
    ]) {
      await rm(cacheDir, { recursive: true, force: true });
      for (const config of order) {
        const dataset = await prepare(config);
        expect(dataset.contentHash).toBe(stories.contentHash);
        expect(dataset.information === null).toBe(config === same);
        expect(dataset.reading.corpus === null).toBe(config === small);
      }
    }
  });

  test('what was read is kept with the prepared data, for both sides', async () => {
    const path = join(folder, 'a.csv');
    await writeFile(path, `text\r\n${Array.from({ length: 30 }, (_, i) => `row ${i}`).join('\r\n')}\r\n\r\n`);
    const own = await words('own.txt', 5);
    const config: Settings = { 'data.corpus': path, 'data.validation_path': own };
    const fresh = await prepare(config);
    expect(fresh.reading.corpus).toMatchObject({ files: 1, documents: 30, formats: { CSV: 1 }, whole: true });
    expect(fresh.reading.validation).toMatchObject({ files: 1, documents: 5, formats: { 'plain text': 1 } });
    expect((await prepare(config)).reading).toEqual(fresh.reading);
  });

  test('an edited file is read again, though its name and size stay (catches a cache by name)', async () => {
    const path = await words('a.txt', 30);
    const before = await prepare({ 'data.corpus': path });
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('hello', 'holla'));
    const after = await prepare({ 'data.corpus': path });
    expect(after.contentHash).not.toBe(before.contentHash);
    expect(decodeDocuments(after, 'train')[0]).toContain('holla');
  });

  test('the corpus seed, the fraction and the tokenizer change the dataset; nothing else does', async () => {
    const hash = async (config: Settings) => (await prepare({ ...small, ...config })).contentHash;
    const base = await hash({});
    expect(await hash({ 'model.width': 64, seed: 9 })).toBe(base);
    const others: Settings[] = [
      { 'data.corpus_seed': 1 },
      { 'data.validation': 0.2 },
      { 'tokenizer.kind': 'gpt2' },
      { 'data.holdout': 'last' },
    ];
    const hashes = [base];
    for (const config of others) hashes.push(await hash(config));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('the tokenizer never sees validation text', async () => {
    const train = await words('train.txt', 40);
    const validation = join(folder, 'validation.txt');
    await writeFile(validation, 'zzzz zzzz zzzz zzzz\n\nzzzz zzzz zzzz zzzz');
    const config = { 'data.corpus': train, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 300 };
    const { tokenizer, stats } = await prepare({ ...config, 'data.validation_path': validation });
    expect(tokenizer.encode(Buffer.from('zzzz')).length).toBe(4);
    expect(tokenizer.encode(Buffer.from('hello')).length).toBeLessThan(4);
    expect(stats.unseenTokenFraction).toBeGreaterThan(0.5);
    expect(stats.duplicateFraction).toBe(0);
    expect((await prepare({ ...config, 'data.validation_path': train })).stats.duplicateFraction).toBe(1);
  });

  test('tokenizer.sample limits what the tokenizer learns from', async () => {
    const config = { ...small, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 2000 };
    const whole = await prepare(config);
    const sampled = await prepare({ ...config, 'tokenizer.sample': 3000 });
    expect(sampled.stats.usedVocabulary).toBeLessThan(whole.stats.usedVocabulary);
    expect(decodeDocuments(sampled, 'validation')).toEqual(decodeDocuments(whole, 'validation'));
  });

  test('two processes that prepare the same dataset at once both succeed', async () => {
    const script = join(folder, 'prepare.ts');
    const module = new URL('../../../main/engine/data/index.ts', import.meta.url).href;
    const config = JSON.stringify({ ...small, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 400 });
    await writeFile(
      script,
      `import { prepareDataset } from ${JSON.stringify(module)};
       const dataset = await prepareDataset(${config}, { cacheDir: ${JSON.stringify(cacheDir)} });
       process.send(dataset.contentHash, () => process.exit(0));`,
    );
    const run = () =>
      new Promise<unknown>((resolve, reject) => {
        const child = fork(script, { execArgv: ['--disable-warning=ExperimentalWarning'] });
        child.on('message', resolve);
        child.on('exit', (code) => code !== 0 && reject(new Error(`exit ${code}`)));
      });
    const hashes = await Promise.all([run(), run()]);
    expect(hashes[0]).toBe(hashes[1]);
    const entries = await readdir(join(cacheDir, 'datasets'));
    expect(entries.filter((entry) => entry.includes('.tmp-'))).toEqual([]);
    expect((await prepare(JSON.parse(config) as Settings)).contentHash).toBe(hashes[0]);
  });

  test('cancelling leaves no dataset behind', async () => {
    const controller = new AbortController();
    const config = { ...small, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 400 };
    const onProgress = (p: DataProgress) => p.phase === 'tokenizer' && controller.abort(new Error('stopped'));
    await expect(prepareDataset(config, { cacheDir, onProgress, signal: controller.signal })).rejects.toThrow(
      'stopped',
    );
    const entries = await readdir(join(cacheDir, 'datasets')).catch(() => []);
    expect(entries).toEqual([]);
    expect((await prepare(config)).stats.trainDocuments).toBeGreaterThan(10);
  });

  test('a place that cannot be written gives a message in words', async () => {
    const blocked = join(folder, 'file');
    await writeFile(blocked, '');
    await expect(prepareDataset(small, { cacheDir: blocked })).rejects.toThrow(/ENOTDIR|not a directory/i);
  });

  test('prepared datasets are listed with what is worth knowing; other folders are not', async () => {
    expect(await listDatasets(cacheDir)).toEqual([]);
    const dataset = await prepare(small);
    await mkdir(join(cacheDir, 'datasets', '0'.repeat(32)));
    const [listed, ...others] = await listDatasets(cacheDir);
    expect(others).toEqual([]);
    const { contentHash, stats } = dataset;
    expect(listed).toMatchObject({ contentHash, stats });
    expect(listed.bytesOnDisk).toBeGreaterThan(2 * stats.trainTokens);
  });

  test('the quick check accepts what works and touches neither disk nor network', async () => {
    await checkDataSettings(small);
    await checkDataSettings({ 'data.corpus': 'fineweb-edu', 'tokenizer.kind': 'gpt2' });
    await checkDataSettings({ 'data.corpus': await words('check.txt', 3) });
    expect(await readdir(folder)).toEqual(['check.txt']);
  });

  test('bad settings are named and start nothing', async () => {
    const one = join(folder, 'one.txt');
    await writeFile(one, 'x');
    const empty = join(folder, 'empty.txt');
    await writeFile(empty, '\n\n\n');
    const bad: [Settings, RegExp][] = [
      [{ 'data.corpus': 'storys' }, /data.corpus is "storys".*nearest: stories/],
      [{ 'data.corpus': 'tinyshakespear' }, /nearest: tinyshakespeare/],
      [{ 'data.corpus': join(folder, 'missing.txt') }, /no corpus, file or folder of that name/],
      [{ 'data.corpus': 'hf:../x' }, /hf:owner\/name/],
      [{ 'data.corpus': 'hf:a/b/c' }, /hf:owner\/name/],
      [{ 'data.corpus': one }, /too short/],
      [{ 'data.corpus': empty }, /holds no text/],
      [{ ...small, 'data.validation': 0 }, /data.validation is 0.*nearest: 0.05/],
      [{ ...small, 'data.validation': 0.7 }, /at most 0.5/],
      [{ ...small, 'data.holdout': 'lats' }, /nearest: last/],
      [{ ...small, 'data.validation_path': join(folder, 'no.txt') }, /data.validation_path is .*no.txt/],
      [{ ...small, 'tokenizer.kind': 'bytes' }, /nearest: byte/],
      [{ ...small, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 1e6 }, /nearest: 65536/],
      [{ ...small, 'data.size': -5 }, /data.size is -5/],
    ];
    for (const [config, message] of bad) {
      const error = await prepare(config).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error, JSON.stringify(config)).toBeInstanceOf(DataError);
      // Only what the text itself decides is left to the preparation.
      if (![one, empty].includes(String(config['data.corpus'])))
        await expect(checkDataSettings(config)).rejects.toThrow((error as DataError).message);
      expect((error as DataError).message).toMatch(message);
      const { setting } = (error as DataError).problem;
      expect([...Object.keys(config), 'data.validation']).toContain(setting);
    }
  });
});
