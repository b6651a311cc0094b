/** What preparing a text takes of memory, which is what the limit of its length stands on. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEMORY_PER_BYTE } from '../../main/engine/data/limits.ts';
import { random, SEED } from '../oracles/random.ts';
import { BIN } from '../cli/cli.ts';

const MB = 1e6;
const SIZES = [20 * MB, 60 * MB] as const;
const folder = mkdtempSync(join(tmpdir(), 'sweeplab-text-memory-'));
const file = (bytes: number): string => join(folder, `${bytes}.txt`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Many documents of a few words: each costs more than its text. */
beforeAll(() => {
  const numbers = random();
  const words = ['cat', 'dog', 'the', 'sun', 'walks', 'blue', 'river', 'and', 'sings', 'a', 'of'];
  const documents = Array.from({ length: 50_000 }, () =>
    Array.from({ length: 4 }, () => words[numbers.integer(0, words.length - 1)]).join(' '),
  ).join('\n\n');
  for (const bytes of SIZES)
    writeFileSync(file(bytes), `${documents}\n\n`.repeat(Math.ceil(bytes / documents.length)).slice(0, bytes));
});

/** Peak bytes of the process that prepares. */
function peak(tokenizer: string, bytes: number): number {
  const tell = "data:text/javascript,process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))";
  const home = join(folder, `${tokenizer}-${bytes}`);
  const args = ['--import', tell, BIN, '--data-dir', home, 'data', 'stats', file(bytes), '--tokenizer.kind', tokenizer];
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  rmSync(home, { recursive: true, force: true });
  return Number(/^peak (\d+)$/mu.exec(stderr)![1]) * 1024;
}

describe(`preparing a text of many short documents (SEED=${SEED})`, () => {
  it.each(['byte', 'gpt2', 'bpe'])(
    'takes no more memory per byte than its limit counts on: %s (would catch a lab that is killed)',
    (tokenizer) => {
      const [small, large] = SIZES.map((bytes) => peak(tokenizer, bytes)) as [number, number];
      const perByte = (large - small) / (SIZES[1] - SIZES[0]);
      console.log(`${tokenizer}: ${perByte.toFixed(1)} bytes of memory per byte of text`);
      expect(perByte).toBeGreaterThan(1);
      expect(perByte).toBeLessThan(MEMORY_PER_BYTE);
    },
    300_000,
  );
});
