import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadNative } from '../../main/engine/native/addon.ts';
import { ENGINE_ENTRY } from '../../main/host/engineProcess.ts';
import { json, start } from '../cli/cli.ts';

const MIB = 2 ** 20;
const skipped = loadNative().reason ?? (process.platform === 'linux' ? undefined : 'reads /proc, which Linux has');
if (skipped !== undefined) console.warn(`SKIPPED: memory of engine processes: ${skipped}`);

/** Most memory that the engine which is a child of `parent` has held so far, in bytes; undefined when there is none. */
function peakOfEngine(parent: number): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/u.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (Number(/^PPid:\s+(\d+)/mu.exec(status)?.[1]) !== parent) continue;
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(ENGINE_ENTRY)) continue;
      const peak = /^VmHWM:\s+(\d+) kB/mu.exec(status)?.[1];
      if (peak !== undefined) return Number(peak) * 1024;
    } catch {
      // It ended between the listing and the look.
    }
  }
  return undefined;
}

async function peakWhileTraining(args: readonly string[]): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-memory-'));
  try {
    const running = start(home, ['train', ...args]);
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, peakOfEngine(running.child.pid!) ?? 0)), 10);
    const { code, stderr } = await running.done.finally(() => clearInterval(watch));
    expect(code, stderr).toBe(0);
    return peak;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Small and large state, arena and data; with evaluations and checkpoints on the way. */
const CASES: Readonly<Record<string, string>> = {
  quick: '--recipe quick --stop.steps 60',
  'stories-small': '--recipe stories-small --stop.steps 6 --eval.every_steps 3',
  'stories-small, bf16, recomputed':
    '--recipe stories-small --stop.steps 6 --eval.every_steps 3 --precision.policy bf16 --precision.recompute block',
  'pure-bf16, whose state is read in 16 bits for checkpoints':
    '--recipe quick --stop.steps 6 --eval.every_steps 3 --eval.tokens 1024 --model.width 768 --model.depth 8 --model.heads 8 ' +
    '--batch.sequences 1 --precision.policy pure-bf16',
  'byte pairs':
    '--recipe quick --stop.steps 6 --eval.every_steps 3 --eval.tokens 8192 --model.context 128 --model.width 512 ' +
    '--model.depth 6 --model.heads 8 --tokenizer.kind bpe --tokenizer.vocabulary 2048 --batch.sequences 16',
  'vocabulary of GPT-2':
    '--recipe quick --stop.steps 4 --eval.every_steps 2 --eval.tokens 4096 --model.width 384 --model.depth 6 ' +
    '--model.heads 6 --tokenizer.kind gpt2 --batch.sequences 16',
};

describe.skipIf(skipped !== undefined)('memory of an engine process', () => {
  // Catches a prediction that leaves out what a process really holds: tokenizers, data, copies for checkpoints, the runtime.
  test.each(Object.entries(CASES))('%s: peak within 5 % or 64 MiB of the prediction', async (name, args) => {
    const common = [
      ...args.split(' '),
      '--device',
      'cpu',
      '--schedule.warmup_steps',
      '0',
      '--schedule.warmup_tokens',
      '0',
    ];
    const home = mkdtempSync(join(tmpdir(), 'sweeplab-memory-'));
    const { plan } = await json<{ plan: { totalBytes: number } }>(home, ['fit', ...common]);
    rmSync(home, { recursive: true, force: true });
    const peak = await peakWhileTraining(common);
    console.log(`${name}: peak ${(peak / MIB).toFixed(0)} MiB, predicted ${(plan.totalBytes / MIB).toFixed(0)} MiB`);
    expect(Math.abs(peak - plan.totalBytes)).toBeLessThan(Math.max(0.05 * plan.totalBytes, 64 * MIB));
  });
});
