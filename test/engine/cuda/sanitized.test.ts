/** The kernel tests of this folder again, under sanitizers. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildEmulator, buildProgram, whyNoEmulator } from './emulator/build.ts';

const why = whyNoEmulator();
const HERE = import.meta.dirname;
/** Tests of kernels: those that run them through the harness. */
const KERNEL_TESTS = readdirSync(join(HERE, 'kernels')).map((name) => join(HERE, 'kernels', name));

const libraryOf = (name: string): string =>
  execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
}

const runTests = (env: Readonly<Record<string, string>>): Promise<Ended> =>
  run(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/vitest.config.ts',
      '--no-file-parallelism',
      ...KERNEL_TESTS,
    ],
    env,
  );

describe.skipIf(why !== undefined)(`kernels under sanitizers${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-sanitized-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('touch no memory but their own', { timeout: 600_000 }, async () => {
    await buildEmulator('asan');
    const { code, text } = await runTests({
      LD_PRELOAD: `${libraryOf('libasan.so')}:${libraryOf('libubsan.so')}`,
      ASAN_OPTIONS: 'detect_stack_use_after_return=0:detect_leaks=0',
      SWEEPLAB_EMULATOR: 'asan',
    });
    expect(text).not.toMatch(/AddressSanitizer|runtime error/);
    expect(code, text).toBe(0);
  });

  test('have no races between their threads', { timeout: 600_000 }, async () => {
    const record = join(folder, 'launches');
    const recorded = await runTests({ EMU_RECORD: record });
    expect(recorded.code, recorded.text).toBe(0);
    const { kernels } = await buildEmulator('tsan');
    const { code, text } = await run(await buildProgram('replay', 'tsan'), [record, kernels], {});
    expect(text).not.toContain('ThreadSanitizer');
    expect(code, text).toBe(0);
    expect(Number(/(\d+) launches/.exec(text)?.[1])).toBeGreaterThan(0);
  });
});
