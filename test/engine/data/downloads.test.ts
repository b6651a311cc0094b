import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { download } from '../../../main/engine/data/downloads/transfer.ts';
import type { NetOptions } from '../../../main/engine/data/downloads/transfer.ts';
import { corpusSource } from '../../../main/engine/data/corpora/index.ts';
import { joinArticles } from '../../../main/engine/data/corpora/wikitext.ts';
import { CorpusBuilder } from '../../../main/engine/data/corpusBuilder.ts';
import { textsOf } from './reading/helpers.ts';
import { prepareDataset } from '../../../main/engine/data/index.ts';
import type { DataProgress } from '../../../preload/contract/shapes.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, hit: number) => void;

let folder = '';
let server: Server;
let base = '';
let handler: Handler;
let requests: { url: string; range?: string; ifRange?: string }[] = [];
const fixture = (name: string) => readFile(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-downloads-'));
  requests = [];
  server = createServer((request, response) => {
    const { range, 'if-range': ifRange } = request.headers;
    requests.push({ url: request.url ?? '', range, ifRange: ifRange as string | undefined });
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const net: NetOptions = { backoffMs: 1, attempts: 3 };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 5));

/** Waits until a part file in the test's folder is so long. */
async function partReaches(length: number): Promise<void> {
  for (;;) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!name.endsWith('.part')) continue;
      const info = await stat(join(folder, name)).catch(() => null);
      if (info !== null && info.size >= length) return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Answers like a file server: ranges, If-Range, and (with `cut`) a connection that breaks after so many bytes. */
function serve(bytes: Buffer, etag: string, cut = Infinity): Handler {
  return (request, response) => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const valid = range !== null && request.headers['if-range'] === etag;
    const start = valid ? Number(range[1]) : 0;
    if (valid && start >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(start);
    response.writeHead(valid ? 206 : 200, {
      etag,
      'content-length': body.length,
      ...(valid ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (body.length <= cut) response.end(body);
    else {
      response.write(body.subarray(0, cut));
      // Breaks once the client has saved what was sent.
      void partReaches(start + cut).then(() => response.destroy());
    }
  };
}

describe('transfer', () => {
  test('a broken connection goes on where it stopped (catches restarts and holes)', async () => {
    handler = serve(content, '"v1"', 90_000);
    const path = join(folder, 'file.bin');
    const progress: DataProgress[] = [];
    await download(`${base}/file.bin`, path, { net, sha256: sha256(content), onProgress: (p) => progress.push(p) });
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(requests.length).toBe(4);
    expect(requests.slice(1).map((r) => r.ifRange)).toEqual(['"v1"', '"v1"', '"v1"']);
    expect(requests.slice(1).map((r) => r.range)).toEqual(['bytes=90000-', 'bytes=180000-', 'bytes=270000-']);
    expect(progress.at(-1)).toMatchObject({ phase: 'download', fraction: 1, bytes: 300_000, totalBytes: 300_000 });
    expect(await readdir(folder)).toEqual(['file.bin', 'file.bin.receipt.json']);
  });

  test('another process goes on with what an aborted one left', async () => {
    const path = join(folder, 'file.bin');
    const controller = new AbortController();
    // Sends a part and then nothing more, until the client gives up.
    handler = (_, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': content.length });
      response.write(content.subarray(0, 100_000));
    };
    const first = download(`${base}/f`, path, { net, signal: controller.signal });
    void partReaches(100_000).then(() => controller.abort(new Error('stopped')));
    await expect(first).rejects.toThrow('stopped');
    const kept = (await readFile(`${path}.part`)).length;
    expect(kept).toBe(100_000);
    handler = serve(content, '"v1"');
    await download(`${base}/f`, path, { net });
    expect(requests.at(-1)!.range).toBe(`bytes=${kept}-`);
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  test('a file that changed meanwhile is fetched anew, not glued together', async () => {
    const path = join(folder, 'file.bin');
    const changed = Buffer.from(content.map((byte) => byte ^ 255));
    handler = (request, response, hit) =>
      hit === 1
        ? serve(content, '"v1"', 50_000)(request, response, hit)
        : serve(changed, '"v2"')(request, response, hit);
    await download(`${base}/f`, path, { net });
    expect((await readFile(path)).equals(changed)).toBe(true);
  });

  test('a server without ranges or validators is read from the beginning', async () => {
    const path = join(folder, 'file.bin');
    handler = (_, response, hit) => {
      response.writeHead(200, { 'content-length': content.length });
      if (hit > 1) response.end(content);
      else response.write(content.subarray(0, 1000), () => setImmediate(() => response.destroy()));
    };
    await download(`${base}/f`, path, { net });
    expect(requests.map((r) => r.range)).toEqual([undefined, undefined]);
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  test('a wrong checksum is refused and nothing of the file is kept', async () => {
    handler = serve(content, '"v1"');
    const path = join(folder, 'file.bin');
    const wrong = '0'.repeat(64);
    await expect(download(`${base}/f`, path, { net, sha256: wrong })).rejects.toThrow(
      /wrong checksum.*expected 0000.*deleted/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('the checksum announced on a redirect is checked', async () => {
    const announce =
      (digest: string): Handler =>
      (request, response, hit) => {
        if (request.url === '/resolve')
          response.writeHead(302, { location: '/cdn', 'x-linked-etag': `"${digest}"` }).end();
        else serve(content, '"v1"')(request, response, hit);
      };
    handler = announce(sha256(content));
    await download(`${base}/resolve`, join(folder, 'good'), { net });
    handler = announce(sha256(Buffer.from('other')));
    await expect(download(`${base}/resolve`, join(folder, 'bad'), { net })).rejects.toThrow(/wrong checksum/);
    expect(await readdir(folder)).toEqual(['good', 'good.receipt.json']);
  });

  test('a verified copy is used without a request; a damaged one is fetched again', async () => {
    handler = serve(content, '"v1"');
    const path = join(folder, 'file.bin');
    await download(`${base}/f`, path, { net });
    await download(`${base}/f`, path, { net });
    expect(requests.length).toBe(1);
    const damaged = Buffer.from(content);
    damaged[1234] ^= 1;
    await writeFile(path, damaged);
    await download(`${base}/f`, path, { net });
    expect(requests.length).toBe(2);
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  test('temporary failures are retried, final ones are not, and both are told in words', async () => {
    const path = join(folder, 'f');
    handler = (request, response, hit) =>
      hit < 3 ? response.writeHead(503).end() : serve(content, '"v1"')(request, response, hit);
    await download(`${base}/f`, path, { net });
    expect(requests.length).toBe(3);
    for (const [status, message, hits] of [
      [404, /Not found \(404\).*renamed or removed/, 1],
      [403, /private or asks for an agreement/, 1],
      [400, /refused .*status 400/, 1],
      [500, /failed on .*status 500/, 3],
    ] as const) {
      requests = [];
      handler = (_, response) => response.writeHead(status).end();
      await expect(download(`${base}/g`, join(folder, 'g'), { net })).rejects.toThrow(message);
      expect(requests.length).toBe(hits);
    }
  });

  test('without a connection the message says so and names the way out', async () => {
    const closed = base;
    await new Promise((resolve) => server.close(resolve));
    await expect(download(`${closed}/f`, join(folder, 'f'), { net })).rejects.toThrow(
      /No connection for http.*refuses connections.*Is this computer online\?.*data.corpus/,
    );
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  test('a connection that falls silent is given up', async () => {
    handler = (_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write('x');
    };
    const quick = { ...net, attempts: 2, stallMs: 50 };
    await expect(download(`${base}/f`, join(folder, 'f'), { net: quick })).rejects.toThrow(
      /nothing arrived for 0.05 s/,
    );
  });

  test('a full disk is told in words', async () => {
    handler = serve(content, '"v1"');
    const { describeWriteError } = await import('../../../main/files/atomic.ts');
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    expect(describeWriteError(full, '/data/x').message).toMatch(/disk is full: \/data\/x could not be written/);
    // /dev/full refuses every write like a full disk.
    const { symlink } = await import('node:fs/promises');
    if (process.platform === 'linux') {
      await symlink('/dev/full', join(folder, 'f.part'));
      await expect(download(`${base}/f`, join(folder, 'f'), { net })).rejects.toThrow(/disk is full/);
    }
  });
});

describe('Hugging Face datasets', () => {
  const files = (config: string, split: string, n: number) =>
    Array.from({ length: n }, (_, i) => ({
      dataset: 'owner/name',
      config,
      split,
      url: `https://huggingface.co/datasets/owner/name/resolve/refs%2Fconvert%2Fparquet/${config}/${split}/000${i}.parquet`,
      filename: `000${i}.parquet`,
      size: 1000,
    }));
  const listing = {
    parquet_files: [...files('default', 'train', 3), ...files('default', 'test', 1)],
    pending: [],
    failed: [],
  };

  const hub = async (list: unknown): Promise<Handler> => {
    const parquet = await fixture('rows.snappy.parquet');
    return (request, response, hit) => {
      if (request.url!.startsWith('/parquet?'))
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
      else if (request.url!.startsWith('/datasets/')) serve(parquet, '"p"')(request, response, hit);
      else response.writeHead(404).end();
    };
  };
  const prepare = (config: Record<string, string | number>) =>
    prepareDataset(
      { 'data.corpus': 'hf:owner/name', ...config },
      { cacheDir: folder, net: { ...net, bases: { huggingface: base, datasetsServer: base, githubRaw: base } } },
    );

  test('only the shards that data.size needs are downloaded, and offline the cache suffices', async () => {
    handler = await hub(listing);
    const dataset = await prepare({ 'data.size': 3000 });
    expect(requests.map((r) => r.url.replace(/.*\//, ''))).toEqual([
      'parquet?dataset=owner%2Fname',
      '0000.parquet',
      '0001.parquet',
    ]);
    expect(dataset.stats.trainBytes + dataset.stats.validationBytes).toBeGreaterThan(2900);
    handler = (_, response) => response.writeHead(500).end();
    const before = requests.length;
    expect((await prepare({ 'data.size': 3000 })).contentHash).toBe(dataset.contentHash);
    expect(requests.length).toBe(before);
    // Other settings on files that are here already: the kept listing serves while the server is down.
    expect((await prepare({ 'data.size': 2500 })).stats.trainBytes).toBeGreaterThan(2000);
  });

  test('the FineWeb-Edu sample is prepared in shards, to what memory would hold, and read on from there', async () => {
    const shards = files('sample-10BT', 'train', 3).map((file) => ({ ...file, dataset: 'HuggingFaceFW/fineweb-edu' }));
    handler = await hub({ parquet_files: shards });
    const bases = { huggingface: base, datasetsServer: base, githubRaw: base };
    const config = { 'data.corpus': 'fineweb-edu', 'tokenizer.kind': 'gpt2' };
    const from = (name: string, more: object) =>
      prepareDataset(config, { cacheDir: join(folder, name), net: { ...net, bases }, ...more });
    const inShards = await from('shards', { shards: { from: 0, shardIds: 500, threads: 0 } });
    const inMemory = await from('memory', {});
    expect(inShards.stats).toEqual(inMemory.stats);
    expect(inShards.reading.corpus!.documents).toBe(inMemory.reading.corpus!.documents);
    for (const side of ['train', 'validation'] as const) {
      const { tokens } = inMemory[side];
      expect([...inShards[side].tokens.subarray(0, tokens.length + 1)]).toEqual([...tokens.subarray(0, tokens.length)]);
    }
  });

  test('a file at an address is read by what its name says, goes on where it was cut off, and is fetched once', async () => {
    const lines = Array.from({ length: 400 }, (_, i) => JSON.stringify({ title: `Line ${i} of a text, ${i * 7919}.` }));
    const packed = gzipSync(lines.join('\n'));
    handler = serve(packed, '"v1"', Math.ceil(packed.length / 2));
    const config = { 'data.corpus': `${base}/texts/a%20b.jsonl.gz?version=1#part`, 'data.column': 'title' };
    const heard: DataProgress[] = [];
    const from = (more: object = {}, cache = 'url') =>
      prepareDataset({ ...config, ...more }, { cacheDir: join(folder, cache), net, onProgress: (p) => heard.push(p) });
    const dataset = await from();
    expect(dataset.stats.trainDocuments + dataset.stats.validationDocuments).toBe(400);
    expect(requests.map((r) => [r.url, r.range !== undefined])).toEqual([
      ['/texts/a%20b.jsonl.gz?version=1', false],
      ['/texts/a%20b.jsonl.gz?version=1', true],
    ]);
    expect(heard.find(({ phase }) => phase === 'download')).toMatchObject({ totalBytes: packed.length });
    const [sub] = await readdir(join(folder, 'url', 'downloads', 'url'));
    const receipt = join(folder, 'url', 'downloads', 'url', sub!, 'a_b.jsonl.gz.receipt.json');
    expect(JSON.parse(await readFile(receipt, 'utf8'))).toMatchObject({ bytes: packed.length, sha256: sha256(packed) });
    await from({ 'data.size': 5000 });
    expect(requests).toHaveLength(2);
    // The same as from a file on disk.
    const path = join(folder, 'own.jsonl.gz');
    await writeFile(path, packed);
    expect((await from({ 'data.corpus': path })).contentHash).toBe(dataset.contentHash);
  });

  test('an address that cannot be read is refused in words', async () => {
    const at = (corpus: string) => prepareDataset({ 'data.corpus': corpus }, { cacheDir: folder, net });
    handler = (_, response) => response.writeHead(404).end();
    await expect(at(`${base}/gone.txt`)).rejects.toThrow(/Not found \(404\): .*gone.txt/);
    handler = (_, response) => response.writeHead(503).end();
    await expect(at(`${base}/down.txt`)).rejects.toThrow(/server failed on .*down.txt \(status 503\)/);
    handler = (_, response) => response.writeHead(200).end(Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0]));
    await expect(at(`${base}/picture`)).rejects.toThrow(/data.corpus is ".*picture" \(not text: it is/);
    await expect(at('https://')).rejects.toThrow(/data.corpus is "https:\/\/" \(not an address\); allowed: an address/);
    await expect(at('https://me:secret@example.org/a.txt')).rejects.toThrow(/no place for a password/);
    expect(await readdir(join(folder, 'datasets')).catch(() => [])).toEqual([]);
  });

  test('configuration, split and column are checked against what there is', async () => {
    handler = await hub(listing);
    await expect(prepare({ 'data.split': 'tarin' })).rejects.toThrow(
      /data.split is "tarin".*train, test.*nearest: train/,
    );
    await expect(prepare({ 'data.config': 'x' })).rejects.toThrow(/data.config is "x".*allowed: default/);
    await expect(prepare({ 'data.column': 'txt' })).rejects.toThrow(
      /data.column is "txt".*id, text, meta.title, meta.n, raw, tags/,
    );
    handler = await hub({ parquet_files: [...files('en', 'train', 1), ...files('de', 'train', 1)] });
    await expect(prepare({ 'data.split': 'train' })).rejects.toThrow(/several configurations.*en, de/);
    expect((await prepare({ 'data.config': 'de', 'data.column': 'meta.title' })).stats.trainDocuments).toBeGreaterThan(
      40,
    );
    handler = await hub({ parquet_files: [] });
    await expect(prepare({})).rejects.toThrow(/no Parquet files/);
    handler = (_, response) => response.writeHead(404).end('{"error":"The dataset does not exist."}');
    await expect(prepare({ 'data.split': 'other' })).rejects.toThrow(/Not found.*It says: The dataset does not exist/);
  });

  test('a named file is checked against its known checksum', async () => {
    handler = serve(Buffer.from('not Shakespeare'), '"s"');
    await expect(prepare({ 'data.corpus': 'tinyshakespeare' })).rejects.toThrow(/wrong checksum.*86c4e6aa/);
    expect(requests[0].url).toBe('/karpathy/char-rnn/master/data/tinyshakespeare/input.txt');
  });

  test('names stand for the right dataset, configuration and column', async () => {
    const named = async (corpus: string, config = {}) => {
      const { fingerprint } = await corpusSource({ 'data.corpus': corpus, ...config }, 'data.corpus', { cacheDir: '' });
      return JSON.parse(fingerprint) as Record<string, unknown>;
    };
    expect(await named('wikitext-103')).toMatchObject({
      column: 'text',
      download: 'hf:Salesforce/wikitext:wikitext-103-raw-v1:train',
    });
    expect(await named('hacker-news', { 'data.column': 'text' })).toMatchObject({ column: 'title' });
    expect(await named('hacker-news', { 'data.column': 'url' })).toMatchObject({ column: 'url' });
    expect(await named('fineweb-edu')).toMatchObject({ download: 'hf:HuggingFaceFW/fineweb-edu:sample-10BT:train' });
    const glue = { 'data.config': 'cola', 'data.split': 'test', 'data.column': 'sentence' };
    expect(await named('hf:glue', glue)).toMatchObject({ column: 'sentence', download: 'hf:glue:cola:test' });
    await expect(named('constructor')).rejects.toThrow('there is no corpus, file or folder of that name');
    await expect(named('some/file.txt')).rejects.toThrow('there is no corpus, file or folder of that name');
  });

  test('WikiText lines become articles', async () => {
    const lines = [
      '',
      ' = First = \n',
      '',
      ' Text . \n',
      ' = = Section = = \n',
      ' More . \n',
      '',
      ' = Second = \n',
      ' End . \n',
    ];
    const builder = new CorpusBuilder();
    const articles = joinArticles(builder);
    for (const line of lines) articles.addText(line);
    articles.end();
    expect(textsOf(builder.build())).toEqual([
      '\n',
      ' = First = \n\n Text . \n = = Section = = \n More . \n\n',
      ' = Second = \n End . \n',
    ]);
  });
});
