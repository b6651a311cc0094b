/** What a precision costs in quality: three seeds on the built-in stories end where those of fp32 do. About ten minutes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prepareData } from '../../main/engine/train/dataset.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { meanOf } from '../../preload/shared/statistics/describe.ts';
import { testConfig } from '../engine/train/helpers.ts';
import { train } from '../engine/train/laboratory.ts';

const SEEDS = [1, 2, 3];
const STEPS = Number(process.env.PRECISION_STEPS ?? 300);

/** Validation loss at the end, the mean over the seeds. */
async function loss(given: Config): Promise<number> {
  const found: number[] = [];
  for (const seed of SEEDS) {
    const folder = await mkdtemp(join(tmpdir(), 'sweeplab-long-'));
    const config = testConfig({
      'data.size': 500_000,
      'model.context': 64,
      'model.depth': 2,
      'model.width': 64,
      'model.heads': 4,
      'model.positions': 'rotary',
      'batch.sequences': 8,
      'optimizer.lr': 0.003,
      'schedule.warmup_steps': 10,
      'eval.every_steps': 0,
      'eval.tokens': 16_384,
      'stop.steps': STEPS,
      seed,
      ...given,
    });
    try {
      const { end } = await train({ config, folder, prepare: prepareData });
      expect(end).toMatchObject({ state: 'finished', reason: expect.stringContaining('stop.steps') as string });
      found.push(end.summary['val/loss']!);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return meanOf(found);
}

/** Of fp32 on each device. */
const references = new Map<string, Promise<number>>();
async function gapOf(given: Config): Promise<number> {
  const device = String(given.device);
  const reference = references.get(device) ?? loss({ device });
  references.set(device, reference);
  const [own, fp32] = [await loss(given), await reference];
  console.log(
    `${JSON.stringify(given)}: ${own.toFixed(4)} nats, fp32 ${fp32.toFixed(4)}: ${((own / fp32 - 1) * 100).toFixed(2)} %`,
  );
  return own / fp32 - 1;
}

const CPU: Config = { device: 'cpu' };

describe('precisions', () => {
  test.each([
    { ...CPU, 'precision.policy': 'bf16' },
    { ...CPU, 'precision.policy': 'bf16', 'precision.gradients': 'bf16', 'batch.micro': 2 },
    { ...CPU, 'precision.policy': 'pure-bf16', 'precision.stochastic_rounding': true },
    { device: 'tfjs-wasm', 'precision.policy': 'fp16' },
  ] as Config[])('%o ends within 0.5 %% of fp32', async (given) => {
    expect(Math.abs(await gapOf(given))).toBeLessThan(0.005);
  });

  test('pure bf16 without rounding by chance loses small updates: its gap is shown, and it learns', async () => {
    expect(await gapOf({ ...CPU, 'precision.policy': 'pure-bf16' })).toBeLessThan(0.25);
  });
});
