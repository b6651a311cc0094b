import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../main/engine/executors/cpu/index.ts';
import { loadNative } from '../../main/engine/native/addon.ts';
import { sizeOf } from '../../main/engine/graph/value.ts';
import { hyperParameters } from '../../main/engine/optim/hyper.ts';
import { json } from '../cli/cli.ts';
import { programsOf, variantConfig, VOCABULARY } from '../engine/nn/variants.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const missing = loadNative().reason;
if (missing !== undefined) console.warn(`SKIPPED: long tests of the native executor: ${missing}`);
const homes: string[] = [];
afterAll(() => homes.forEach((home) => rmSync(home, { recursive: true, force: true })));

function home(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-native-'));
  homes.push(folder);
  return folder;
}

interface Trained {
  readonly state: string;
  readonly summary: Record<string, number>;
}

/** Trains through the command line; a number of `--json` output per metric of the summary. */
async function train(args: readonly string[]): Promise<Trained> {
  const result = await json<Trained | { run: Trained }>(home(), ['train', ...args]);
  return 'run' in result ? result.run : result;
}

describe.skipIf(missing !== undefined)('native executor, long', () => {
  // Catches memory that grows with steps, in the addon or around it.
  test('10,000 steps leave memory as it was', async () => {
    const config = variantConfig({ 'optimizer.lr': 1e-3, 'optimizer.weight_decay': 0 });
    const programs = programsOf();
    const { native } = loadNative();
    const session = openCpuExecutor({ threads: 2 }).open(programs.states);
    const [accumulate, update] = [session.load(programs.accumulate(2, true)), session.load(programs.update())];
    for (const { name, shape } of programs.parameters) session.write(name, new Float32Array(sizeOf(shape)).fill(0.01));
    const scalar = (value: number) => Float32Array.of(value);
    const tokens = Int32Array.from({ length: 14 }, (_, i) => i % VOCABULARY);
    const steps = async (count: number) => {
      for (let i = 0; i < count; i++) {
        await session.run(accumulate, { tokens, targets: tokens, key: new Int32Array(4), lossScale: scalar(1 / 14) });
        const { inputs } = hyperParameters(config, programs, () => 0.1, { step: i, tokens: 0 });
        await session.run(update, { ...inputs, gradientScale: scalar(1) });
      }
    };
    await steps(1000);
    const before = { resident: process.memoryUsage().rss, addon: native!.memory().allocated };
    await steps(10_000);
    const after = { resident: process.memoryUsage().rss, addon: native!.memory().allocated };
    console.log(`resident ${before.resident} → ${after.resident} bytes over 10,000 steps`);
    expect(after.addon).toBe(before.addon);
    expect(after.resident - before.resident).toBeLessThan(32 * 2 ** 20);
    session.dispose();
  });

  // Catches an executor that trains differently: not only single operations, the whole loop.
  test('fp32 training curves of the native executor and TensorFlow.js agree', async () => {
    const common = ['--recipe', 'quick', '--stop.steps', '120', '--eval.every_steps', '40'];
    const [native, portable] = [
      await train([...common, '--device', 'cpu']),
      await train([...common, '--device', 'tfjs-wasm']),
    ];
    console.log(`val/loss: native ${native.summary['val/loss']}, tfjs-wasm ${portable.summary['val/loss']}`);
    expect(Math.abs(native.summary['val/loss']! / portable.summary['val/loss']! - 1)).toBeLessThan(1e-3);
    expect(Math.abs(native.summary['train/loss']! / portable.summary['train/loss']! - 1)).toBeLessThan(1e-3);
  });

  // Catches a 16-bit path that trains, but worse. Long enough that the curves are flat: where they are steep, any difference shows large.
  test('bf16 ends within 0.5 % of fp32 on stories, in the mean of three seeds', async () => {
    const ends = { fp32: 0, bf16: 0 };
    for (const seed of ['1', '2', '3']) {
      for (const policy of ['fp32', 'bf16'] as const) {
        const flags = ['--recipe', 'quick', '--device', 'cpu', '--stop.steps', '3000', '--eval.every_steps', '0'];
        const { summary } = await train([...flags, '--seed', seed, '--precision.policy', policy]);
        ends[policy] += summary['val/loss']! / 3;
      }
    }
    console.log(`val/loss, mean of 3 seeds: fp32 ${ends.fp32}, bf16 ${ends.bf16}`);
    expect(Math.abs(ends.bf16 / ends.fp32 - 1)).toBeLessThan(0.005);
  });

  // Catches reads and writes outside of arrays, and undefined behaviour, in every kernel at every level that runs here.
  test('the kernel tests pass under the address and undefined-behaviour sanitizers', () => {
    const copy = join(home(), 'native');
    cpSync(join(root, 'main/engine/native'), copy, { recursive: true, filter: (source) => !source.endsWith('/build') });
    const gyp = createRequire(join(root, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
    const headers = readdirSync(join(root, 'node_modules')).find(
      (name) => /^node-(linux|darwin|bin)/u.test(name) && existsSync(join(root, 'node_modules', name, 'include')),
    );
    expect(headers, 'a Node package with headers').toBeDefined();
    const build = spawnSync(
      process.execPath,
      [
        gyp,
        'rebuild',
        '-C',
        copy,
        `--nodedir=${join(root, 'node_modules', headers!)}`,
        '-j',
        '2',
        '--',
        '-Dsanitize=1',
      ],
      { encoding: 'utf8' },
    );
    expect(build.status, build.stderr.slice(-2000)).toBe(0);
    const library = (name: string) =>
      spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
    const result = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--config',
        'test/vitest.config.ts',
        'test/engine/native',
        'test/engine/executors/cpu/operations',
      ],
      {
        cwd: root,
        encoding: 'utf8',
        env: {
          ...process.env,
          LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
          ASAN_OPTIONS: 'detect_leaks=0',
          UBSAN_OPTIONS: 'halt_on_error=1',
          SWEEPLAB_ADDON: join(copy, 'build/Release/sweeplab.node'),
        },
      },
    );
    const said = `${result.stdout}\n${result.stderr}`;
    expect(said).not.toMatch(/ERROR: AddressSanitizer|runtime error:/u);
    expect(result.status, said.slice(-3000)).toBe(0);
    console.log(
      said
        .split('\n')
        .filter((line) => /Tests|Test Files/u.test(line))
        .join('\n'),
    );
  });
});
