import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Corpus } from '../../../main/engine/data/corpus.ts';
import { CorpusBuilder, characterBoundary, documentBytes, documentCount } from '../../../main/engine/data/corpus.ts';
import { findFiles, readDocuments, readFiles } from '../../../main/engine/data/corpora/files.ts';
import { splitDocuments, unescapeSeparator } from '../../../main/engine/data/corpora/text.ts';
import { holdOut } from '../../../main/engine/data/holdout.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-corpora-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname;

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function all(documents: AsyncIterable<Uint8Array>): Promise<string[]> {
  const texts: string[] = [];
  for await (const document of documents) texts.push(Buffer.from(document).toString('utf8'));
  return texts;
}

async function* inChunks(bytes: Buffer, sizes: () => number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const size = sizes();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const corpusOf = (documents: readonly (string | Uint8Array)[]): Corpus => {
  const builder = new CorpusBuilder();
  for (const document of documents) builder.add(Buffer.from(document));
  return builder.build();
};

const read = (path: string, column = 'text', separator = '\n\n') => all(readDocuments(path, column, separator));

describe('text files', () => {
  test('blank lines separate documents, also with Windows line ends, spaces and at both ends of the file', async () => {
    const path = await file('a.txt', '\n\r\n one\ntwo\r\n\r\nthree\n \t\n\n  four \n\n\n');
    expect(await read(path)).toEqual([' one\ntwo', 'three', '  four ']);
  });

  test('other separators, none, and escapes', async () => {
    const path = await file('b.txt', 'a<|>b\n\nc<|><|>d<|>');
    expect(await read(path, 'text', '<|>')).toEqual(['a', 'b\n\nc', 'd']);
    expect(await read(path, 'text', '')).toEqual(['a<|>b\n\nc<|><|>d<|>']);
    expect(unescapeSeparator('a\\n\\n\\t\\\\n')).toBe('a\n\n\t\\n');
    expect(await read(await file('empty.txt', ''))).toEqual([]);
  });

  test('the result does not depend on how the file is cut into chunks (catches separators lost at a border)', async () => {
    const alphabet = ['\n', '\r\n', ' ', 'x', 'yz', '\n\n', '|', '||', '|-|'];
    for (let trial = 0; trial < 300; trial++) {
      const length = Math.floor(Math.random() * 40);
      const text = Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)]).join('');
      const bytes = Buffer.from(text);
      for (const separator of ['\n\n', '|-|', '||', '']) {
        const whole = await all(
          splitDocuments(
            inChunks(bytes, () => 1000),
            separator,
          ),
        );
        const pieces = await all(
          splitDocuments(
            inChunks(bytes, () => 1 + Math.floor(Math.random() * 4)),
            separator,
          ),
        );
        expect(pieces, JSON.stringify([text, separator])).toEqual(whole);
        if (separator === '|-|' || separator === '||')
          expect(whole).toEqual(text.split(separator).filter((document) => document !== ''));
      }
    }
  });

  test('bytes that are no UTF-8 survive', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x0a, 0x0a, 0xc3, 0x28, 0x00]);
    const path = await file('bad.txt', bytes);
    const documents: Uint8Array[] = [];
    for await (const document of readDocuments(path, 'text', '\n\n')) documents.push(document);
    expect(documents.map((d) => [...d])).toEqual([
      [0xff, 0xfe],
      [0xc3, 0x28, 0x00],
    ]);
  });

  test('compressed files are read as their content', async () => {
    expect(await read(await file('c.txt.gz', gzipSync('one\n\ntwo')))).toEqual(['one', 'two']);
    expect(await read(await file('c.jsonl.gz', gzipSync('{"text":"x"}\n{"text":"y"}')))).toEqual(['x', 'y']);
    await expect(read(await file('broken.txt.gz', 'no gzip'))).rejects.toThrow(/header/);
  });
});

describe('tables', () => {
  test('JSON lines: columns, strings, blank lines, null', async () => {
    const path = await file('a.jsonl', '\uFEFF{"text":"ä\\n1","n":1}\n\n{"text":null}\r\n"plain"\n{"text":"last"}');
    expect(await read(path)).toEqual(['ä\n1', 'plain', 'last']);
  });

  test('JSON lines: errors name the line, the column and what there is', async () => {
    await expect(read(await file('b.jsonl', '{"text":"x"}\n{"titel":"y","body":"z"}'), 'title')).rejects.toThrow(
      /data.column = "title": no such column in .*b.jsonl, row 1. Allowed: one of the columns text. Nearest valid choice: text/,
    );
    await expect(read(await file('c.jsonl', '{"titel":"y","body":"z"}'), 'title')).rejects.toThrow(
      /one of the columns titel, body. Nearest valid choice: titel/,
    );
    await expect(read(await file('d.jsonl', '{"text":"x"}\n{broken'))).rejects.toThrow(/line 2 is not JSON/);
    await expect(read(await file('e.jsonl', '{"text":["x"]}'))).rejects.toThrow(
      /row 1: the column holds a list, not text/,
    );
    await expect(read(await file('f.jsonl', '[1]'))).rejects.toThrow(/row 1 is neither an object nor a string/);
  });

  test('JSON lists', async () => {
    expect(await read(await file('a.json', '[{"text":"x"},"y",{"text":3}]'))).toEqual(['x', 'y', '3']);
    await expect(read(await file('b.json', '{"text":"x"}'))).rejects.toThrow(/does not hold a list/);
    await expect(read(await file('c.json', '[{'))).rejects.toThrow(/not a JSON file/);
  });

  test('CSV and TSV: quotes, line breaks and characters across chunk borders', async () => {
    const long = 'ü'.repeat(700_001); // 2 bytes each: some chunk border falls inside a character
    const path = await file('a.csv', `\uFEFFid,text,n\n1,"a ""b"",\nc",2\n\n2,${long},3\n`);
    const documents = await read(path);
    expect(documents[0]).toBe('a "b",\nc');
    expect(documents[1] === long).toBe(true);
    expect(documents.length).toBe(2);
    expect(await read(await file('a.tsv', 'x\ttext\n1\ta,b\n'))).toEqual(['a,b']);
    await expect(read(path, 'txt')).rejects.toThrow(
      /no such column in .*a.csv. Allowed: one of the columns id, text, n. Nearest valid choice: text/,
    );
    await expect(read(await file('short.csv', 'id,text\n1\n'))).rejects.toThrow(/row 2 has only 1 fields/);
  });

  test('Parquet written by another program: row groups, nulls, Unicode, raw bytes, structs, snappy and zstd', async () => {
    for (const name of ['rows.snappy.parquet', 'rows.zstd.parquet']) {
      const texts = await read(fixture(name));
      expect(texts.length).toBe(49); // the null is left out, the empty text is an empty document
      expect(texts[0]).toBe('Row 0: the quick brown fox, again and again.');
      expect(texts[3]).toBe('Zażółć gęślą jaźń — 日本語 🦊');
      expect(texts[5]).toBe('');
      expect(texts[48]).toBe('Row 49: the quick brown fox, again and again.');
    }
    expect((await read(fixture('rows.snappy.parquet'), 'meta.title'))[33]).toBe('title 33');
    expect((await read(fixture('rows.snappy.parquet'), 'id'))[49]).toBe('49');
    const raw: Uint8Array[] = [];
    for await (const document of readDocuments(fixture('rows.snappy.parquet'), 'raw', '')) raw.push(document);
    expect([...raw[20]]).toEqual([0xff, 0xfe, 20, 0x80]);
    await expect(read(fixture('rows.zstd.parquet'), 'txet')).rejects.toThrow(/one of the columns id, text/);
    await expect(read(fixture('rows.snappy.parquet'), 'tags')).rejects.toThrow(/holds a list/);
    await expect(read(fixture('rows.snappy.parquet'), 'meta.titel')).rejects.toThrow(/meta.title, meta.n/);
    await expect(read(await file('fake.parquet', 'x'.repeat(100)))).rejects.toThrow(/not a Parquet file/);
  });
});

describe('files', () => {
  test('folders and globs give all files in the order of their names; missing ones are named', async () => {
    const deep = join(folder, 'tree', 'deep');
    await mkdir(deep, { recursive: true });
    for (const name of ['tree/b.txt', 'tree/a.jsonl', 'tree/deep/c.txt', 'tree/skip.png', 'tree/.hidden.txt'])
      await writeFile(join(folder, name), '{"text":"x"}');
    const names = async (path: string) =>
      (await findFiles(path, 'data.corpus'))?.map((f) => f.path.slice(folder.length + 1));
    expect(await names(join(folder, 'tree'))).toEqual(['tree/a.jsonl', 'tree/b.txt', 'tree/deep/c.txt']);
    expect(await names(join(folder, 'tree/*.txt'))).toEqual(['tree/b.txt']);
    expect(await names(join(folder, 'tree/**/*.txt'))).toEqual(['tree/b.txt', 'tree/deep/c.txt']);
    expect(await names(join(folder, 'nothing'))).toBeUndefined();
    await expect(names(join(folder, 'tree/*.md'))).rejects.toThrow(/no file matches/);
    await mkdir(join(folder, 'void'));
    await expect(names(join(folder, 'void'))).rejects.toThrow(/no text or table files/);
  });

  test('the size limit is never exceeded, and stops the reading of further files', async () => {
    const paths = await Promise.all([0, 1, 2].map((i) => file(`limit${i}.txt`, 'aaaa\n\nbbbbbb\n\ncc')));
    const files = (await Promise.all(paths.map((path) => findFiles(path, 'data.corpus')))).flatMap((found) => found!);
    const opened: string[] = [];
    const asked = function* () {
      for (const one of files) {
        opened.push(one.path);
        yield one;
      }
    };
    const options = { column: 'text', separator: '\n\n', setting: 'data.corpus', totalBytes: 0 };
    const whole = await readFiles(asked(), { ...options, limit: 0 });
    expect(documentCount(whole)).toBe(9);
    opened.length = 0;
    for (const [limit, documents] of [
      [10, 2],
      [11, 2],
      [12, 3],
      [13, 3],
      [16, 4],
      [3, 1],
    ]) {
      const corpus = await readFiles(asked(), { ...options, limit });
      expect([limit, documentCount(corpus)]).toEqual([limit, documents]);
      expect(corpus.bytes.length).toBeLessThanOrEqual(limit);
    }
    opened.length = 0;
    await readFiles(asked(), { ...options, limit: 10 });
    expect(opened.length).toBe(1);
    await expect(readFiles([], { ...options, limit: 0 })).rejects.toThrow(/holds no text/);
  });

  test('reading may stop early in every format (catches streams left open or failing late)', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `document ${i} with some words`);
    const paths = [
      await file('early.txt', many.join('\n\n')),
      await file('early.txt.gz', gzipSync(many.join('\n\n'))),
      await file('early.jsonl', many.map((text) => JSON.stringify({ text })).join('\n')),
      await file('early.csv', ['text', ...many].join('\n')),
      fixture('rows.snappy.parquet'),
    ];
    const options = { column: 'text', separator: '\n\n', setting: 'data.corpus', totalBytes: 0, limit: 100 };
    for (const path of paths) {
      const corpus = await readFiles((await findFiles(path, 'data.corpus'))!, options);
      expect(documentCount(corpus)).toBeGreaterThan(1);
      expect(corpus.bytes.length).toBeLessThanOrEqual(100);
    }
    const controller = new AbortController();
    controller.abort(new Error('stopped'));
    const files = (await findFiles(paths[0], 'data.corpus'))!;
    await expect(readFiles(files, { ...options, signal: controller.signal })).rejects.toThrow('stopped');
  });

  test('cuts fall between characters', () => {
    const bytes = Buffer.from('aé日🦊z');
    const cuts = Array.from({ length: bytes.length + 1 }, (_, i) => characterBoundary(bytes, i));
    expect(cuts).toEqual([0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11]);
  });
});

describe('hold-out', () => {
  const total = (corpus: Corpus) => corpus.bytes.length;
  const texts = (corpus: Corpus) =>
    Array.from({ length: documentCount(corpus) }, (_, d) => Buffer.from(documentBytes(corpus, d)).toString('latin1'));

  test('splits whole documents, loses none, keeps their order and comes near the fraction (random sizes)', () => {
    for (let trial = 0; trial < 200; trial++) {
      const n = 2 + Math.floor(Math.random() * 60);
      const documents = Array.from({ length: n }, (_, i) =>
        `${i}:`.padEnd(3 + Math.floor(Math.random() ** 3 * 200), 'x'),
      );
      const corpus = corpusOf(documents);
      const fraction = 0.01 + Math.random() * 0.49;
      for (const how of ['random', 'last'] as const) {
        const { train, validation } = holdOut(corpus, fraction, how, trial);
        const held = new Set(texts(validation));
        expect(texts(train)).toEqual(documents.filter((d) => !held.has(d)));
        expect(texts(validation)).toEqual(documents.filter((d) => held.has(d)));
        expect(total(train)).toBeGreaterThan(0);
        expect(total(validation)).toBeGreaterThan(0);
        if (how === 'last') expect(texts(validation)).toEqual(documents.slice(n - held.size));
        const largest = Math.max(...documents.map((d) => d.length));
        expect(Math.abs(total(validation) - fraction * total(corpus))).toBeLessThanOrEqual(largest);
      }
    }
  });

  test('depends on the seed alone', () => {
    const corpus = corpusOf(Array.from({ length: 100 }, (_, i) => `document ${i}`));
    const held = (seed: number) => texts(holdOut(corpus, 0.1, 'random', seed).validation);
    expect(held(1)).toEqual(held(1));
    expect(held(1)).not.toEqual(held(2));
  });

  test('information of documents goes with them', () => {
    const builder = new CorpusBuilder();
    for (let i = 0; i < 20; i++) builder.add(Buffer.from(String.fromCharCode(65 + i)), i);
    const { train, validation } = holdOut(builder.build(), 0.2, 'random', 0);
    for (const side of [train, validation])
      texts(side).forEach((text, d) => expect(side.bits![d]).toBe(text.charCodeAt(0) - 65));
    expect(validation.bits!.length).toBe(4);
  });

  test('a single document is cut once, at a line end or between characters, its tail held out', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join('');
    const byLine = holdOut(corpusOf([lines]), 0.1, 'random', 0);
    expect(texts(byLine.train)[0] + texts(byLine.validation)[0]).toBe(lines);
    expect(texts(byLine.validation)[0]).toMatch(/^line 9\d\n/);
    const { train, validation } = holdOut(corpusOf(['é'.repeat(51)]), 0.1, 'last', 0);
    expect(train.bytes.length % 2).toBe(0);
    expect(validation.bytes.length).toBeGreaterThanOrEqual(8);
    expect(() => holdOut(corpusOf(['x']), 0.1, 'random', 0)).toThrow(/too short/);
    expect(() => holdOut(corpusOf(['ab', 'c']), 0, 'random', 0)).toThrow(/data.validation = 0/);
  });
});
