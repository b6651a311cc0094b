/** Imports whose files are malformed, and whose calls are: hostile names, parts that do not fit, cancelled at any moment. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Random } from '../../../oracles/random.ts';
import { malformedFiles } from '../../../lab/imports/malformed.ts';
import type { TestLab } from '../support.ts';

const FOLDERS = [
  '',
  'a/',
  '../',
  '../../etc/',
  '/',
  'C:\\',
  '..\\',
  '.ssh/',
  'a/../../',
  '\0/',
  'é/',
  '__proto__/',
  'a//',
  './',
];
/** Errors of calls that were wrong, or came too late. */
const CODES = new Set(['invalid', 'state', 'not-found', 'input', 'cancelled', 'denied', 'busy']);

const listed = (folder: string): string[] => readdirSync(folder).toSorted();

/** @throws what vitest says, with the seed and the round */
export async function fuzzUploads(lab: TestLab, random: Random, seed: number, rounds: number): Promise<void> {
  const client = lab.client();
  const { store, paths } = lab.server.lab;
  const home = listed(lab.home).filter((name) => name !== 'imports');
  // Of the test's own: folders of other tests come and go.
  const beside = mkdtempSync(join(dirname(lab.home), 'sweeplab-neighbour-'));
  onTestFinished(() => rmSync(beside, { recursive: true, force: true }));
  writeFileSync(join(beside, 'kept'), 'as it was');
  for (let round = 0; round < rounds; round++) {
    const what = `seed ${seed}, round ${round}`;
    const heard = async <T>(call: Promise<T>): Promise<T | undefined> => {
      try {
        return await call;
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        expect(CODES, `${what}: ${code} ${message}`).toContain(code);
        return undefined;
      }
    };
    const before = store.countRuns();
    const { id } = await client.call('import.open', {});
    const folder = random() < 0.7 ? 'a/' : random.pick(FOLDERS);
    const files = Object.entries(malformedFiles(round, random)).map(([name, bytes]) => ({
      path: `${folder}${name}`,
      bytes: new Uint8Array(bytes),
    }));
    const told = files.map(({ path, bytes }) => ({
      path,
      size: random() < 0.9 ? bytes.length : random.integer(0, 2000),
    }));
    const numbers = (await heard(client.call('import.files', { id, files: told })))?.numbers ?? [];
    const parts = files.flatMap(({ bytes }, i) => {
      const file = random() < 0.95 ? numbers[i] : random.integer(0, 5);
      const cut = random.integer(0, bytes.length);
      return typeof file !== 'number'
        ? []
        : [
            { file, at: 0, bytes: bytes.slice(0, cut) },
            { file, at: random() < 0.95 ? cut : random.integer(0, 999), bytes: bytes.slice(cut) },
          ];
    });
    await heard(client.call('import.send', { id, parts }));
    // As many files as were told, under numbers.
    const lying = listed(lab.home).includes('imports') ? listed(paths.imports) : [];
    expect(lying, what).toEqual(lying.length === 0 ? [] : [id]);
    for (const name of lying.flatMap((each) => listed(join(paths.imports, each)))) expect(name, what).toMatch(/^\d+$/u);
    const stop = new AbortController();
    const options = { signal: stop.signal };
    const shown = heard(client.call('import.preview', { id }, options));
    if (random() < 0.1) stop.abort();
    const preview = await shown;
    const written = heard(client.call('import.write', { id }, options));
    if (random() < 0.1) stop.abort();
    const result = await written;
    await client.call('import.close', { id });
    if (result !== undefined) expect(preview?.counts.new, what).toBe(result.counts.new);
    // What was cancelled may have been whole by then.
    const added = store.countRuns() - before;
    expect(result === undefined ? [0, preview?.counts.new] : [result.created.length], what).toContain(added);
    expect(lying.length === 0 ? [] : listed(paths.imports), what).toEqual([]);
  }
  expect(store.outside.dropUnfinished()).toBe(0);
  expect(listed(lab.home).filter((name) => name !== 'imports')).toEqual(home);
  expect(listed(beside)).toEqual(['kept']);
  expect(readFileSync(join(beside, 'kept'), 'utf8')).toBe('as it was');
  expect(store.check()).toEqual([]);
}
