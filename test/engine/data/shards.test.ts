/** Texts that are prepared document by document, in shards: the same dataset as in memory, whatever interrupts it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDatasets, listPartial, prepareDataset, removePartial } from '../../../main/engine/data/index.ts';
import type { Dataset } from '../../../main/engine/data/index.ts';
import type { PrepareOptions } from '../../../main/engine/data/prepareOptions.ts';
import { holdFolder } from '../../../main/files/folderLock.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { random, SEED } from '../../oracles/random.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-shards-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const numbers = random();
const WORDS = ['the', 'cat', "isn't", 'Größe', '日本語', '🙂', '1234', '--', 'x = 1;\n', 'y.\nz', '  ', 'ab'];

const document = (words: number): string =>
  Array.from({ length: words }, () => numbers.pick(WORDS)).join(' ') + numbers.pick(['', '.', ' end']);

/** A folder with files of several formats. */
async function texts(name: string, documents = 60): Promise<string> {
  const path = join(folder, name);
  await rm(path, { recursive: true, force: true });
  await mkdir(path);
  const some = () => Array.from({ length: numbers.integer(1, documents) }, () => document(numbers.integer(1, 40)));
  await writeFile(join(path, 'a.txt'), some().join('\n\n'));
  await writeFile(
    join(path, 'b.jsonl'),
    some()
      .map((text) => JSON.stringify({ text }))
      .join('\n'),
  );
  await writeFile(join(path, 'c.txt'), some().join('\n\n'));
  return path;
}

const inMemory = (config: Config): Promise<Dataset> => prepareDataset(config, { cacheDir: join(folder, 'memory') });
const inShards = (config: Config, more: Partial<PrepareOptions> = {}, shardIds = 300): Promise<Dataset> =>
  prepareDataset(config, { cacheDir: join(folder, 'shards'), shards: { from: 0, shardIds, threads: 0 }, ...more });

const essence = ({ train, validation, stats, tokenizer, reading }: Dataset) => ({
  train: [...train.tokens.subarray(0, train.tokens.length)],
  validation: [...validation.tokens.subarray(0, validation.tokens.length)],
  offsets: [[...train.offsets], [...validation.offsets]],
  bytes: [train.bytes, validation.bytes],
  stats,
  tokenizer: [tokenizer.kind, tokenizer.vocabularySize],
  reading,
});

describe(`a dataset in shards (SEED=${SEED})`, () => {
  it('holds what it would hold in memory, for every tokenizer and way of holding out', async () => {
    const corpus = await texts('corpus');
    const own = await texts('own', 5);
    const ways: Config[] = [
      { 'tokenizer.kind': 'byte' },
      { 'tokenizer.kind': 'gpt2', 'data.holdout': 'last' },
      { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 400, 'data.validation': 0.3 },
      { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 300, 'tokenizer.sample': numbers.integer(100, 4000) },
      { 'tokenizer.kind': 'byte', 'data.validation_path': own },
      { 'tokenizer.kind': 'byte', 'data.size': numbers.integer(2000, 4000) },
    ];
    for (const way of ways) {
      const config = { 'data.corpus': corpus, ...way };
      const shards = { from: 0, shardIds: 300, threads: way === ways[1] ? 2 : 0 };
      expect(essence(await inShards(config, { shards }))).toEqual(essence(await inMemory(config)));
    }
    // And again, from the cache.
    const config = { 'data.corpus': corpus, ...ways[1] };
    expect(essence(await inShards(config))).toEqual(essence(await inMemory(config)));
    expect((await listDatasets(join(folder, 'shards'))).length).toBe(ways.length);
  });

  it('cuts a text of one document where it is cut in memory, and one that is too long where it is cut there', async () => {
    for (let trial = 0; trial < 4; trial++) {
      const path = join(folder, `${trial}.txt`);
      await writeFile(path, document(numbers.integer(100, 300)));
      const config = { 'data.corpus': path, 'data.separator': '', 'data.validation': 0.1 + numbers() / 3 };
      expect(essence(await inShards(config))).toEqual(essence(await inMemory(config)));
      const short = { ...config, 'data.size': numbers.integer(20, 200) };
      expect(essence(await inShards(short))).toEqual(essence(await inMemory(short)));
    }
  });

  it('encodes a document that is longer than a block in parts, to the same tokens', async () => {
    const path = join(folder, 'long.txt');
    const lines = Array.from({ length: 500 }, () => document(20).replaceAll('\n', ' ')).join('\n');
    await writeFile(path, `${lines}\n`.repeat(60));
    const config = { 'data.corpus': path, 'data.separator': '', 'tokenizer.kind': 'gpt2' };
    expect(essence(await inShards(config, {}, 2 ** 20))).toEqual(essence(await inMemory(config)));
  });

  it('is the same after any interruption, and finished shards are not made again', async () => {
    const config = { 'data.corpus': await texts('corpus'), 'tokenizer.kind': 'byte' };
    const undisturbed = await inShards(config, { cacheDir: join(folder, 'other') });
    let left = numbers.integer(1, 4);
    const starts: number[] = [];
    for (let tries = 0; tries < 50; tries++) {
      const controller = new AbortController();
      let first: number | undefined;
      const prepared = inShards(config, {
        signal: controller.signal,
        onProgress: ({ phase, bytes }) => {
          if (phase !== 'encode') return;
          first ??= bytes ?? 0;
          if (left-- <= 0) controller.abort(new Error('enough'));
        },
      });
      const dataset = await prepared.catch((error: Error) => {
        if (error.message !== 'enough') throw error;
        return null;
      });
      starts.push(first ?? 0);
      left = 3;
      if (dataset === null) continue;
      expect(dataset.contentHash).toBe(undisturbed.contentHash);
      expect(essence(dataset)).toEqual(essence(undisturbed));
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      break;
    }
    // Windows keeps the empty file of the lock.
    if (process.platform !== 'win32') expect(await readdir(join(folder, 'shards', 'datasets', 'partial'))).toEqual([]);
    const [made] = await listDatasets(join(folder, 'shards'));
    expect(made.corpus).toBe(config['data.corpus']);
    expect((await readdir(made.folder)).filter((name) => name.endsWith('.json'))).toEqual([
      'checked.json',
      'meta.json',
    ]);
  });

  it('tells what is unfinished and how far it came, and is rid of it unless it is at work', async () => {
    const cacheDir = join(folder, 'shards');
    const corpus = await texts('corpus');
    const config = { 'data.corpus': corpus, 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 300, 'data.size': 1e6 };
    expect(await listPartial(cacheDir)).toEqual([]);
    const controller = new AbortController();
    const stopped = inShards(config, {
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'encode' && controller.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
    const [left, ...others] = await listPartial(cacheDir);
    expect(others).toEqual([]);
    expect(left).toMatchObject({
      corpus,
      tokenizer: { kind: 'bpe', vocabularySize: 300 },
      settings: config,
      working: false,
    });
    expect(left.totalBytes).toBeGreaterThan(0);
    expect(left.doneBytes).toBeLessThanOrEqual(left.totalBytes!);
    const partial = join(cacheDir, 'datasets', 'partial');
    const atWork = (await holdFolder(partial, { name: `${left.id}.lock`, patience: 0 }))!;
    expect(await listPartial(cacheDir)).toEqual([{ ...left, working: true }]);
    expect(await removePartial(cacheDir, left.id)).toBe('working');
    atWork.release();
    const names = await readdir(join(partial, left.id));
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(partial, left.id, name))).size));
    expect(left.bytesOnDisk).toBe(sizes.reduce((sum, size) => sum + size, 0));
    // One of an earlier version has no note.
    const old = 'e'.repeat(32);
    await mkdir(join(partial, old));
    await writeFile(join(partial, old, 'train-00000.bin'), 'some');
    expect((await listPartial(cacheDir)).find(({ id }) => id === old)).toMatchObject({
      corpus: null,
      doneBytes: 0,
      totalBytes: null,
      bytesOnDisk: 4,
    });
    expect(await removePartial(cacheDir, '../..')).toBe('missing');
    expect(await removePartial(cacheDir, left.id)).toEqual({ freed: left.bytesOnDisk });
    expect(await removePartial(cacheDir, old)).toEqual({ freed: 4 });
    expect(await removePartial(cacheDir, old)).toBe('missing');
    expect(await listPartial(cacheDir)).toEqual([]);
    expect(essence(await inShards(config))).toEqual(essence(await inMemory(config)));
  });

  it('goes on after kill -9, from the shards that were finished', async () => {
    const corpus = join(folder, 'large.txt');
    await writeFile(corpus, Array.from({ length: 5000 }, () => document(12).replaceAll('\n', ' ')).join('\n\n'));
    const config = { 'data.corpus': corpus, 'tokenizer.kind': 'byte' };
    const cacheDir = join(folder, 'shards');
    const script = join(folder, 'prepare.mjs');
    const module = new URL('../../../main/engine/data/index.ts', import.meta.url).href;
    await writeFile(
      script,
      `import { prepareDataset } from ${JSON.stringify(module)};
       await prepareDataset(${JSON.stringify(config)}, { cacheDir: ${JSON.stringify(cacheDir)},
         shards: { from: 0, shardIds: 20_000, threads: 1 },
         onProgress: (progress) => process.send(progress) });`,
    );
    const child = fork(script, [], { execArgv: ['--disable-warning=ExperimentalWarning'] });
    const partial = join(cacheDir, 'datasets', 'partial');
    const finished = async (): Promise<number> => {
      const names = await readdir(partial, { recursive: true }).catch(() => []);
      return names.filter((name) => /shard-\d+\.json$/.test(name)).length;
    };
    child.on('message', () => void finished().then((count) => count > 0 && child.kill('SIGKILL')));
    await once(child, 'exit');
    let first: number | undefined;
    const dataset = await inShards(
      config,
      {
        onProgress: ({ phase, bytes }) => {
          if (phase === 'encode') first ??= bytes;
        },
      },
      20_000,
    );
    // Where the machine was so quick that nothing was left to kill, the dataset was there.
    if (first !== undefined) expect(first).toBeGreaterThan(0);
    expect(essence(dataset)).toEqual(essence(await inMemory(config)));
  });

  it.runIf(process.platform === 'linux')('says that the disk is full, and goes on when it is not', async () => {
    const config = { 'data.corpus': await texts('corpus'), 'tokenizer.kind': 'byte' };
    const partial = join(folder, 'shards', 'datasets', 'partial');
    let name: string | undefined;
    const full = inShards(config, {
      // As soon as the text is read: /dev/full refuses every write like a full disk.
      onProgress: ({ phase }) => {
        if (phase !== 'encode' || name !== undefined) return;
        name = readdirSync(partial).find((each) => !each.endsWith('.lock'));
        symlinkSync('/dev/full', join(partial, name!, 'train-00000.bin'));
      },
    });
    await expect(full).rejects.toThrow(/disk is full.*train-00000\.bin could not be written/);
    rmSync(join(partial, name!, 'train-00000.bin'), { force: true });
    expect(essence(await inShards(config))).toEqual(essence(await inMemory(config)));
  });

  it('makes a finished shard again that was damaged meanwhile', async () => {
    const config = { 'data.corpus': await texts('corpus'), 'tokenizer.kind': 'byte' };
    const controller = new AbortController();
    let count = 0;
    const stopped = inShards(config, {
      signal: controller.signal,
      onProgress: ({ phase, fraction }) => {
        if (phase === 'encode' && count++ > 0 && (fraction ?? 0) > 0) controller.abort(new Error('enough'));
      },
    });
    await stopped.catch(() => undefined);
    const partial = join(folder, 'shards', 'datasets', 'partial');
    const names = await readdir(partial, { recursive: true });
    const shard = names.find((name) => name.endsWith('train-00000.bin'));
    if (shard !== undefined) await writeFile(join(partial, shard), 'damaged');
    expect(essence(await inShards(config))).toEqual(essence(await inMemory(config)));
  });
});
