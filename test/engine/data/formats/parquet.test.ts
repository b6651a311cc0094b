import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Folder, read } from '../reading/helpers.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const column = (name: string) => ({ 'data.column': name });

test('Parquet written by another program: row groups, nulls, Unicode, raw bytes, structs, snappy and zstd', async () => {
  for (const name of ['rows.snappy.parquet', 'rows.zstd.parquet']) {
    const { texts, report } = await read(fixture(name));
    expect(texts.length).toBe(48); // one text is null, one is empty
    expect(texts[0]).toBe('Row 0: the quick brown fox, again and again.');
    expect(texts[3]).toBe('Zażółć gęślą jaźń — 日本語 🦊');
    expect(texts[47]).toBe('Row 49: the quick brown fox, again and again.');
    expect(report.dropped.map(({ what, count }) => [what, count])).toEqual(
      expect.arrayContaining([
        ['rows whose text is null', 1],
        ['rows whose text is empty', 1],
      ]),
    );
    expect(report.formats).toEqual({ Parquet: 1 });
  }
  const snappy = fixture('rows.snappy.parquet');
  expect((await read(snappy, column('meta.title'))).texts[33]).toBe('title 33');
  expect((await read(snappy, column('id'))).texts[49]).toBe('49');
  const raw = await read(snappy, column('raw'));
  expect([...Buffer.from(raw.corpus.bytes.subarray(raw.corpus.offsets[20], raw.corpus.offsets[21]))]).toEqual([
    0xff, 0xfe, 20, 0x80,
  ]);
  expect(raw.report.warnings).toEqual([
    expect.stringMatching(/(1 byte is|\d+ bytes are) no UTF-8; (it stays|they stay) in the text/),
  ]);
  await expect(read(fixture('rows.zstd.parquet'), column('txet'))).rejects.toThrow(
    /one of the columns id, text.*nearest: text/,
  );
  await expect(read(snappy, column('tags'))).rejects.toThrow(/holds a list/);
  await expect(read(snappy, column('meta.titel'))).rejects.toThrow(/meta.title, meta.n.*nearest: meta.title/);
  await expect(read(snappy, column('meta'))).rejects.toThrow(/holds an object, not text\); allowed: .* meta.title/);
});

const NESTED = Array.from({ length: 3 }, (_, i) => ({
  id: i,
  meta: { title: `t${i}`, n: i, deep: { x: 'dx', l: [1, 2] } },
  tags: ['a', 'b'],
  msgs: [
    { role: 'u', content: 'hello' },
    { role: 'a', content: 'hi' },
  ],
  s: i === 0 ? 'str' : null,
  mm: { k1: 'v', schlüssel: 'w' },
}));
const PATHS =
  'text meta tags msgs mm meta.deep meta.deep.l meta.deep.l.0 meta.x meta.deep.y msgs.content msgs.0.content msgs.0 msgs.0.x mm.k1 mm.schlüssel mm.zz tags.0 tags.9 s id.x s.x';

test('structs, lists and maps say and give what JSON lines do (catches keys of maps as bytes, and a column that is nowhere taken for empty)', async () => {
  const lines = await folder.file('rows.jsonl', NESTED.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const answer = async (path: string, name: string): Promise<unknown> => {
    try {
      const { texts, report } = await read(path, column(name));
      return [texts, report.dropped.map(({ what, count }) => [what, count])];
    } catch (error) {
      return (error as Error).message.replaceAll(path, 'FILE');
    }
  };
  const table = fixture('nested.parquet');
  for (const path of PATHS.split(' '))
    expect([path, await answer(table, path)]).toEqual([path, await answer(lines, path)]);
  expect(await answer(table, 'mm.schlüssel')).toEqual([['w', 'w', 'w'], []]);
  expect(await answer(table, 'msgs.content')).toMatch(/no such column in FILE, row 1.*id, meta.title/u);
});

test('LZ4, with row groups that hold nothing but nulls (catches empty pages taken for damaged ones)', async () => {
  const { texts, report } = await read(fixture('nulls.lz4.parquet'));
  expect(texts).toEqual(['one', 'two', 'three']);
  expect(report.dropped.map(({ what, count }) => [what, count])).toEqual([['rows whose text is null', 3]]);
});

test('it is found by its content, also inside a compressed file, and a broken one is named', async () => {
  const bytes = await readFile(fixture('rows.snappy.parquet'));
  const { hash } = await read(fixture('rows.snappy.parquet'));
  expect((await read(await folder.file('table', bytes))).hash).toBe(hash);
  expect((await read(await folder.file('table.parquet.gz', gzipSync(bytes)))).hash).toBe(hash);
  await expect(read(await folder.file('cut.parquet', bytes.subarray(0, bytes.length - 100)))).rejects.toThrow(
    /cut.parquet" \(not a whole Parquet file \(.*download it again/,
  );
  const damaged = Buffer.from(bytes);
  damaged.fill(0xff, 20, 400);
  await expect(read(await folder.file('damaged.parquet', damaged))).rejects.toThrow(
    /damaged.parquet" \(not a whole Parquet file \(row group 1 of \d+: /,
  );
});
