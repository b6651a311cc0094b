/** Text that comes through standard input is read as a file is, and is still there when a run goes on. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { bounded } from '../../main/cli/pipedText.ts';
import { sweeplab } from './cli.ts';

const home = mkdtempSync(join(tmpdir(), 'sweeplab-piped-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const lines = Array.from({ length: 60 }, (_, i) => `Line ${i} of a text.`).join('\n\n');

test('compressed UTF-16 from a pipe is the dataset of the file; what was read is told (catches pipes read as bytes)', async () => {
  const input = gzipSync(Buffer.from(`\uFEFF${lines}`, 'utf16le'));
  writeFileSync(join(home, 'lines.txt'), lines);
  const piped = await sweeplab(home, ['data', 'stats', '-', '--json'], { input });
  const file = await sweeplab(home, ['data', 'stats', join(home, 'lines.txt'), '--json']);
  expect(piped.code, piped.stderr).toBe(0);
  const [facts, own] = [piped, file].map(({ stdout }) => JSON.parse(stdout) as { hash: string; reading: unknown });
  expect(facts.hash).toBe(own.hash);
  expect(facts.reading).toMatchObject({
    corpus: { documents: 60, encodings: { 'UTF-16LE': 1 }, compressions: { gzip: 1 } },
  });
  expect(piped.stderr).toMatch(/data\.corpus -: kept as .*piped-[\da-f]{16}/);
}, 60_000);

test('a run trains on it in its own process; the same text is kept once; nothing, or too few bytes, start nothing', async () => {
  const quick = ['--recipe', 'quick', '--model.width', '32', '--model.depth', '1', '--schedule.warmup_steps', '0'];
  for (const corpus of ['-', '/dev/stdin']) {
    const { code, stderr, stdout } = await sweeplab(
      home,
      ['train', ...quick, '--stop.steps', '2', '--data.corpus', corpus],
      {
        input: lines,
      },
    );
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).toMatch(/corpus: read 1 file of .*60 documents/u);
  }
  expect(readdirSync(join(home, 'cache', 'piped')).length).toBe(2);
  const nothing = await sweeplab(home, ['train', ...quick, '--data.corpus', '-'], { input: '' });
  expect([nothing.code, nothing.stderr]).toEqual([
    2,
    expect.stringMatching(/data\.corpus: nothing came through the pipe/),
  ]);
  expect(readdirSync(join(home, 'cache', 'piped')).length).toBe(2);
}, 120_000);

test('what is too long for the machine is refused with what helps: a file of that length would be refused too', async () => {
  const kept: number[] = [];
  async function* pipe(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(900);
    yield Buffer.alloc(200);
  }
  const reading = async (): Promise<void> => {
    for await (const chunk of bounded(pipe(), ({ length }) => kept.push(length), 'data.corpus', 1000)) void chunk;
  };
  await expect(reading()).rejects.toThrow(
    /^data\.corpus: more than 1000 bytes came through the pipe.*up to 10 times.*memory; its beginning: … \| head -c 1000 \|/u,
  );
  expect(kept).toEqual([900]);
});
