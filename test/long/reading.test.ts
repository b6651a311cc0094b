/**
 * Files without end: what goes in comes out. Rounds: SWEEPLAB_ROUNDS (default 3,000 files). With SWEEPLAB_PYTHON (a Python with pyarrow) also
 * files that other programs wrote, Parquet among them.
 */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../preload/contract/settings.ts';
import { Dice, Folder, read } from '../engine/data/reading/helpers.ts';
import { readRandomFiles, readRandomFolders } from '../engine/data/reading/randomTrials.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

const rounds = Number(process.env.SWEEPLAB_ROUNDS ?? 3000);
const python = process.env.SWEEPLAB_PYTHON;
if (python === undefined) console.warn('SKIPPED: files of pyarrow (set SWEEPLAB_PYTHON to a Python that has it)');

test('random files, folders and archives', async () => {
  await readRandomFiles(new Dice(), folder, rounds);
  await readRandomFolders(new Dice(), folder, Math.ceil(rounds / 20));
});

interface Case {
  readonly file: string;
  readonly made: string;
  readonly settings: Config;
  /** Base64. */
  readonly documents: readonly string[];
}

test.skipIf(python === undefined)('files of Python and pyarrow', async () => {
  const { seed } = new Dice();
  const root = folder.at('python');
  execFileSync(python!, [
    fileURLToPath(new URL('randomFiles.py', import.meta.url)),
    String(seed),
    String(rounds),
    root,
  ]);
  const cases = JSON.parse(await readFile(join(root, 'cases.json'), 'utf8')) as Case[];
  expect(cases.length).toBe(rounds);
  for (const { file, made, settings, documents } of cases) {
    const label = `seed ${seed}: ${file}, ${made} ${JSON.stringify(settings)}`;
    const { texts } = await read(join(root, file), settings).catch((error: unknown) => {
      throw new Error(label, { cause: error });
    });
    // Line ends inside a text file are read as \n, those of JSON and Parquet stay.
    expect(texts, label).toEqual(documents.map((each) => Buffer.from(each, 'base64').toString('utf8')));
  }
});
