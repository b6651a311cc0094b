/** Texts of sizes that nobody has by accident: read, or refused in words, in bounded time and memory. */
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { prepareDataset } from '../../main/engine/data/index.ts';
import { LIMITS } from '../../main/engine/data/limits.ts';
import { shareOf } from './share.ts';

const GIB = 2 ** 30;
const FILES = shareOf(100_000);
const DOCUMENTS = shareOf(100) * 100_000;
/** Longer than a line of JSON may be, however small the share. */
const LINE = Math.max(shareOf(2 * GIB), LIMITS.row + 2 ** 20);
/** A document lies in memory about ten times while its bytes become tokens. */
const TEXT = Math.min(shareOf(2 * GIB), Math.floor(freemem() / 16));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-large-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Prepared {
  readonly documents: number;
  readonly tokens: number;
}

/** Says how long it took, and how much memory the process held at its most. */
async function prepare(what: string, corpus: string, more: object = {}): Promise<Prepared> {
  const begun = performance.now();
  try {
    const { stats } = await prepareDataset(
      { 'data.corpus': corpus, 'tokenizer.kind': 'byte', 'data.validation': 0.01, ...more },
      { cacheDir: join(folder, 'cache') },
    );
    return {
      documents: stats.trainDocuments + stats.validationDocuments,
      tokens: stats.trainTokens + stats.validationTokens,
    };
  } finally {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`${what}: ${seconds} s, at most ${(process.resourceUsage().maxRSS / 2 ** 20).toFixed(1)} GiB so far`);
  }
}

/** A file of one line: `head`, then so many bytes of words without an end of line, then `tail`. */
function lineIn(name: string, bytes: number, head = '', tail = ''): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  writeSync(file, head);
  const piece = 'one word and another '.repeat(1 << 15);
  for (let written = 0; written < bytes; written += piece.length) writeSync(file, piece);
  writeSync(file, tail);
  closeSync(file);
  return path;
}

it(`a line of ${LINE} bytes in JSON lines is refused by its length, naming the limit (catches a line that is gathered to its end)`, async () => {
  const path = lineIn('line.jsonl', LINE, '{"text":"', '"}\n');
  const before = process.resourceUsage().maxRSS;
  await expect(prepare('a long line of JSON', path)).rejects.toMatchObject({
    name: 'DataError',
    message: expect.stringContaining('256 MiB'),
  });
  expect((process.resourceUsage().maxRSS - before) / 2 ** 20).toBeLessThan(1.5);
});

it(`a line of ${TEXT} bytes in a text is one document (catches a text that becomes a string, which may not be so long)`, async () => {
  const path = lineIn('line.txt', TEXT, '', '\n\nthe end\n');
  const prepared = await prepare('a long line of text', path, { 'data.validation': 0.5 });
  expect(prepared.documents).toBe(2);
  expect(prepared.tokens).toBeGreaterThan(TEXT);
});

it(`${FILES} files in a folder are read, each once`, async () => {
  const texts = join(folder, 'texts');
  mkdirSync(texts);
  for (let i = 0; i < FILES; i++) writeFileSync(join(texts, `${i}.txt`), `text ${i}`);
  expect(await prepare(`${FILES} files`, texts, { 'data.separator': '' })).toMatchObject({ documents: FILES });
});

it(`${DOCUMENTS} documents are read`, async () => {
  const path = join(folder, 'many.txt');
  const file = openSync(path, 'w');
  for (let i = 0; i < DOCUMENTS; i += 100_000)
    writeSync(file, Array.from({ length: 100_000 }, (_, k) => `${i + k} text\n`).join(''));
  closeSync(file);
  expect(await prepare(`${DOCUMENTS} documents`, path, { 'data.separator': '\\n' })).toMatchObject({
    documents: DOCUMENTS,
  });
});
