/** The kernel tests of this folder again, under sanitizers and in other orders. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { manifest } from '../../../main/engine/executors/cuda/manifest.ts';
import { buildEmulator, buildPlanted, buildProgram, whyNoEmulator } from './emulator/build.ts';
import { writeLaunch } from './emulator/record.ts';

const why = whyNoEmulator();
const HERE = import.meta.dirname;
/** Tests of kernels: those that run them through the harness. */
const KERNEL_TESTS = readdirSync(join(HERE, 'kernels')).map((name) => join(HERE, 'kernels', name));

/** Cold builds of every family take a minute alone, and ten beside much other work. */
const LIMIT = { timeout: 1_800_000 };

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

const runTests = (env: Readonly<Record<string, string>>, tests: readonly string[] = KERNEL_TESTS): Promise<Ended> =>
  run(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', '--no-file-parallelism', ...tests],
    env,
  );

describe.skipIf(why !== undefined)(`kernels under sanitizers${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-sanitized-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const asan = () => ({
    LD_PRELOAD: `${libraryOf('libasan.so')}:${libraryOf('libubsan.so')}`,
    ASAN_OPTIONS: 'detect_stack_use_after_return=0:detect_leaks=0',
    SWEEPLAB_EMULATOR: 'asan',
  });

  test('touch no memory but their own', LIMIT, async () => {
    await buildEmulator('asan');
    const { code, text } = await runTests(asan());
    expect(text).not.toMatch(/AddressSanitizer|runtime error/);
    expect(code, text).toBe(0);
  });

  // Would catch a launch that reads or writes another value of the same arena, and one that the plan does not name.
  test('touch of an arena what their operations name', LIMIT, async () => {
    await buildEmulator('asan');
    const programs = ['operations.test.ts', 'joined.test.ts'].map((name) => join(HERE, name));
    const { code, text } = await runTests(asan(), programs);
    expect(text).not.toMatch(/AddressSanitizer|runtime error/);
    expect(code, text).toBe(0);
  });

  // The same fence must be able to say no: only it sees a read of the neighbour.
  test.each([
    ['nothing else', 'plain', false],
    ['the value beside its own', 'plain', false],
    ['nothing else', 'asan', false],
    ['the value beside its own', 'asan', true],
  ] as const)('a launch that touches %s, %s, is stopped: %s', LIMIT, async (what, flavour, stopped) => {
    await buildEmulator(flavour);
    const script = join(HERE, 'emulator/neighbour.ts');
    const args = ['--disable-warning=ExperimentalWarning', script, ...(what === 'nothing else' ? [] : ['reads'])];
    const { code, text } = await run(process.execPath, args, flavour === 'asan' ? asan() : {});
    expect(code === 0, text).toBe(!stopped);
    expect(text).toMatch(stopped ? /use-after-poison[^]*norm_row/u : /ran to its end/u);
  });

  let recording: Promise<string> | undefined;
  /** Some launches of every kernel, with the memory that they found. */
  const recorded = (): Promise<string> =>
    (recording ??= (async () => {
      const record = join(folder, 'launches');
      const { code, text } = await runTests({ EMU_RECORD: record });
      expect(code, text).toBe(0);
      return record;
    })());

  // Would catch a missing barrier, blocks that write the same, sums in no order, and a kernel that no test here runs.
  test('give the same bits whatever order their threads and blocks run in', LIMIT, async () => {
    const record = await recorded();
    const { kernels } = await buildEmulator();
    const { code, text } = await run(await buildProgram('replay', 'plain'), [record, kernels, 'orders'], {});
    expect(code, text).toBe(0);
    const launched = new Set(Array.from(text.matchAll(/^kernel (\w+)$/gmu), ([, name]) => name));
    const all = Object.values(manifest()).flatMap((family) => Object.keys(family.kernels));
    expect(all.filter((name) => !launched.has(name))).toEqual([]);
  });

  // The same program must be able to say no.
  test.each([
    ['a sound kernel', 0, 0],
    ['a missing barrier in a reduction', 3, 1],
    ["a store into the next block's row", 9, 1],
  ])('%s, recorded: %i, ends with %i', LIMIT, async (what, bug, ended) => {
    const [rows, n] = [5, 300];
    const record = join(folder, `planted-${bug}`);
    const x = Float32Array.from({ length: rows * n }, (_, i) => Math.sin(i));
    const [from, to] = [
      { address: 0x2000000000, data: x },
      { address: 0x2100000000, data: new Float32Array(rows * n) },
    ];
    const args = Buffer.alloc(32);
    [from, to].forEach(({ address }, i) => args.writeBigUInt64LE(BigInt(address), 8 * i));
    [rows, n, bug].forEach((value, i) => args.writeInt32LE(value, 16 + 4 * i));
    const launch = {
      family: 'planted',
      kernel: 'standardise_rows',
      grid: [rows, 1, 1],
      size: 256,
      shared: 128,
    } as const;
    writeLaunch(record, { ...launch, args, memory: [from, to] });
    const { code, text } = await run(
      await buildProgram('replay', 'plain'),
      [record, await buildPlanted(), 'orders'],
      {},
    );
    expect(code, `${what}: ${text}`).toBe(ended);
    expect(text).toContain('1 launches');
  });

  test('have no races between their threads', LIMIT, async () => {
    const record = await recorded();
    const { kernels } = await buildEmulator('tsan');
    const { code, text } = await run(await buildProgram('replay', 'tsan'), [record, kernels], {});
    expect(text).not.toContain('ThreadSanitizer');
    expect(code, text).toBe(0);
    expect(Number(/(\d+) launches/.exec(text)?.[1])).toBeGreaterThan(0);
  });
});
