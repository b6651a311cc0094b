/**
 * Files of several chunks, whose memory is written anew as soon as the next one is asked for: here with rubbish at once, so that whoever looks
 * into a chunk that he should have copied is found out.
 */
import { open } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Config } from '../../../../preload/contract/settings.ts';
import { Dice, Folder, read } from './helpers.ts';

type Read = (bytes: Buffer, at: number, length: number, position: number) => Promise<unknown>;

const folder = new Folder();
let rubbish = 0;

beforeAll(async () => {
  await folder.make();
  const handle = await open(await folder.file('any', 'any'));
  const prototype = Object.getPrototypeOf(handle) as { read: Read };
  await handle.close();
  const own = prototype.read;
  vi.spyOn(prototype, 'read').mockImplementation(function (this: unknown, bytes, at, length, position) {
    bytes.fill(0xee, at, at + length);
    rubbish++;
    return own.call(this, bytes, at, length, position);
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await folder.remove();
});

const dice = new Dice();
/** Lines of random letters, so many that every chunk ends somewhere in them. */
const lines = (bytes: number): string =>
  dice.list(1 + bytes / 400, () => String.fromCharCode(...dice.list(400, () => 97 + dice.below(26)))).join('\n');
const documents = dice.list(30, () => lines(dice.below(100_000)));
documents.push(lines(2_600_000), ...dice.list(30, () => lines(dice.below(50_000))));
/** Parted by `separator`, once by another one. */
const parted = (separator: string, once: string): string =>
  [documents.slice(0, 20), documents.slice(20)].map((some) => some.join(separator)).join(once);
const MARK = '\ufeff';
const table = (quote: (text: string) => string): string =>
  ['id,text', ...documents.map((text, i) => `${i},${quote(text)}`)].join('\n');
const jsonLines = documents.map((text) => JSON.stringify({ text })).join('\n');
const byBlankLines = documents.join('\n \n\n');

const CASES: readonly { readonly name: string; readonly content: string | Buffer; readonly settings?: Config }[] = [
  { name: 'blank.txt', content: byBlankLines },
  // What is blank may be the beginning of a document or nothing at all, which the chunk after the next tells.
  { name: 'spaces.txt', content: parted('\n\n', `\n${'\n \t'.repeat(900_000)}\n`) },
  { name: 'marks.txt', content: parted('\n\n', `\n\n${MARK.repeat(600_000)}`) },
  { name: 'returns.txt', content: byBlankLines.replaceAll('\n', '\r\n') },
  { name: 'lines.txt', content: documents.join('\n%%\n'), settings: { 'data.separator': '\n%%\n' } },
  { name: 'within.txt', content: documents.join('<|e|>'), settings: { 'data.separator': '<|e|>' } },
  { name: 'wide.txt', content: Buffer.from(MARK + byBlankLines, 'utf16le') },
  { name: 'big.txt', content: Buffer.from(MARK + byBlankLines, 'utf16le').swap16() },
  { name: 'latin.txt', content: byBlankLines, settings: { 'data.encoding': 'windows-1252' } },
  { name: 'rows.jsonl', content: jsonLines },
  { name: 'rows.jsonl.gz', content: gzipSync(jsonLines, { level: 1 }) },
  { name: 'rows.jsonl.zst', content: zstdCompressSync(jsonLines) },
  { name: 'list.json', content: `[${documents.map((text) => JSON.stringify({ text })).join(', ')}]` },
  { name: 'rows.csv', content: table((text) => `"${text}"`) },
];

test.each(CASES)(`$name is read whole (seed ${dice.seed})`, async ({ name, content, settings }) => {
  const path = await folder.file(name, content);
  rubbish = 0;
  const { texts } = await read(path, settings);
  expect(rubbish).toBeGreaterThan(3);
  // Not toEqual: what differs would be shown, megabytes of it.
  expect(texts.length).toBe(documents.length);
  expect(texts.findIndex((text, i) => text !== documents[i])).toBe(-1);
});

test('characters of two halves are whole where a chunk ends between these', async () => {
  // Chunks end at even places. Characters begin at such up to the second letter, in the second chunk, and at odd ones from there on.
  const text = `a${'🦊'.repeat(400_000)}a${'🦊'.repeat(300_000)}${'😀'.repeat(600_000)}`;
  for (const order of ['le', 'be']) {
    const bytes = Buffer.from(MARK + text, 'utf16le');
    const { texts, report } = await read(await folder.file(`${order}.txt`, order === 'le' ? bytes : bytes.swap16()));
    expect(report.warnings).toEqual([]);
    expect(texts.length === 1 && texts[0] === text, order).toBe(true);
  }
});

test('spaces that go on over chunks are the beginning of the document that follows', async () => {
  const spaces = ' '.repeat(900_000);
  const path = await folder.file('begins.txt', `${documents[0]}\n\n${spaces}\t${spaces}\t${spaces}${documents[1]}`);
  const { texts } = await read(path);
  expect(texts.length).toBe(2);
  expect(texts[1] === `${spaces}\t${spaces}\t${spaces}${documents[1]}`).toBe(true);
});
