/**
 * What a precision costs in quality: three seeds on the built-in stories end where those of fp32 do.
 *
 * Runs that differ in a rounding part ways, in whatever precision: at a learning rate of 0.003 single ends scatter by half a percent to one, and
 * the mean of three says nothing about half of one. At 0.001, falling to zero, they scatter by a quarter of a percent, the mean over the seeds by an
 * eighth. So each run is compared with fp32 of the same seed on the same text, no text comes twice, and the mean over the seeds counts.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadNative } from '../../main/engine/native/addon.ts';
import { prepareData } from '../../main/engine/train/dataset.ts';
import { builtInRegistry, resolveConfig } from '../../main/lab/settings/index.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { meanOf } from '../../preload/shared/statistics/describe.ts';
import { train } from '../engine/train/laboratory.ts';

const SEEDS = [1, 2, 3];
const MOST = 0.005;
const registry = builtInRegistry();

const RUN: Config = {
  device: 'cpu',
  'data.corpus': 'stories',
  'data.size': 2_000_000,
  'model.context': 64,
  'model.depth': 2,
  'model.width': 64,
  'model.heads': 4,
  'model.positions': 'rotary',
  'batch.sequences': 8,
  'optimizer.lr': 0.001,
  'schedule.kind': 'linear',
  'schedule.warmup_steps': 50,
  'schedule.final': 0,
  'eval.every_steps': 0,
  'eval.tokens': 16_384,
  'stop.steps': Number(process.env.PRECISION_STEPS ?? 1200),
};

/** Validation loss at the end of a run; what `auto` comes to is not trained twice. */
const known = new Map<string, number>();
async function lossOf(given: Config): Promise<number> {
  const { config, problems } = resolveConfig({ registry, overrides: { ...RUN, ...given } });
  expect(problems).toEqual([]);
  const key = JSON.stringify(config);
  const loss = known.get(key) ?? (await trained(config));
  known.set(key, loss);
  return loss;
}

async function trained(config: Config): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sweeplab-long-'));
  try {
    const { end } = await train({ config, folder, prepare: prepareData });
    expect(end).toMatchObject({ state: 'finished', reason: expect.stringContaining('stop.steps') as string });
    return end.summary['val/loss']!;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** By how much a precision ends above fp32, as a fraction: the mean over the seeds, each against its own. */
async function gapOf(what: string, given: Config): Promise<number> {
  const fp32: number[] = [];
  const gaps: number[] = [];
  for (const seed of SEEDS) {
    const reference = await lossOf({ seed });
    fp32.push(reference);
    gaps.push((await lossOf({ ...given, seed })) / reference - 1);
  }
  const percent = (x: number) => `${x < 0 ? '−' : '+'}${Math.abs(100 * x).toFixed(2)} %`;
  console.log(`${what}: ${percent(meanOf(gaps))} of ${meanOf(fp32).toFixed(4)} nats (${gaps.map(percent).join(', ')})`);
  return meanOf(gaps);
}

describe.skipIf(loadNative().native === undefined)('precisions', () => {
  test.each([
    { 'precision.policy': 'auto' },
    { 'precision.policy': 'bf16' },
    { 'precision.policy': 'bf16', 'precision.gradients': 'bf16', 'batch.micro': 2 },
    { 'precision.policy': 'fp16' },
    { 'precision.policy': 'pure-bf16', 'precision.stochastic_rounding': true },
  ] as Config[])('%o ends within half a percent of fp32', async (given) => {
    expect(Math.abs(await gapOf(JSON.stringify(given), given))).toBeLessThan(MOST);
  });

  test('pure bf16 without rounding by chance loses small updates: its gap is shown, and it learns', async () => {
    expect(await gapOf('pure-bf16 without rounding by chance', { 'precision.policy': 'pure-bf16' })).toBeLessThan(0.25);
  });
});
