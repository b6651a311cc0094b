/** muP at widths that the quick tests have no time for: flat activations, and one learning rate for all of them. About seven minutes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtInCatalog } from '../../main/engine/catalog.ts';
import { modelFamily } from '../../main/engine/nn/models/index.ts';
import { prepareData } from '../../main/engine/train/dataset.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { meanOf } from '../../preload/shared/statistics/describe.ts';
import { firstValuesAt, HEADS, slopes } from '../engine/nn/parametrization/slopes.ts';
import { testConfig } from '../engine/train/helpers.ts';
import { train } from '../engine/train/laboratory.ts';

// Catches a power of the width that is wrong by a little, which two narrow widths cannot tell from chance.
test.each(builtInCatalog.all(modelFamily).map(({ name }) => name))(
  'activations of %s are as large at every width under mup, layer by layer',
  async (kind) => {
    const given = { 'model.kind': kind, 'optimizer.lr': 0.001, ...HEADS[kind] };
    const mup = await slopes({ ...given, 'model.parametrization': 'mup' }, [128, 256, 512]);
    console.log(kind, JSON.stringify(mup));
    for (const [layer, slope] of Object.entries(mup)) expect(Math.abs(slope), `${layer}: ${slope}`).toBeLessThan(0.1);
    const standard = Math.max(...Object.values(await slopes(given, [128, 256, 512])));
    console.log(kind, 'standard, steepest', standard);
    expect(standard).toBeGreaterThan(0.4);
  },
);

const SEEDS = [1, 2, 3];
const BASE = 64;

/** Validation loss after 120 updates on the built-in stories, the mean of three seeds, for each rate. */
async function losses(rates: readonly number[], given: Config): Promise<number[]> {
  const found: number[] = [];
  for (const rate of rates) {
    const seeds: number[] = [];
    for (const seed of SEEDS) seeds.push(await loss({ 'optimizer.lr': rate, seed, ...given }));
    found.push(meanOf(seeds));
  }
  console.log(JSON.stringify(given), rates.map((rate, i) => `${rate}: ${found[i]!.toFixed(3)}`).join(', '));
  return found;
}

async function loss(given: Config): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sweeplab-long-'));
  const config = testConfig({
    device: 'cpu',
    'data.size': 500_000,
    'model.norm': 'rmsnorm',
    'model.context': 32,
    'model.depth': 2,
    'model.heads': 4,
    'batch.sequences': 16,
    'optimizer.beta2': 0.98,
    'schedule.warmup_steps': 10,
    'eval.every_steps': 120,
    'eval.tokens': 8192,
    'stop.steps': 120,
    ...given,
  });
  try {
    const { host } = await train({ config, folder, prepare: prepareData });
    return [...host.series.get('val/loss')!.values()].at(-1)!;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const best = (found: readonly number[]): number => found.indexOf(Math.min(...found));

/** What three seeds leave of chance in a difference of means. */
const NOISE = 0.03;

// Catches a muP whose activations are right and whose learning rate does not transfer, or costs what it saves.
test('under mup one rate is best for widths 64, 128 and 256, wider is better, and 256 beats standard at its own best rate', async () => {
  const rates = [0.002, 0.004, 0.008, 0.016, 0.032];
  const mup = { 'model.parametrization': 'mup', 'model.base_width': BASE };
  const found: number[][] = [];
  for (const width of [64, 128, 256]) found.push(await losses(rates, { ...mup, 'model.width': width }));
  const steps = found.map(best);
  expect(Math.max(...steps) - Math.min(...steps), steps.join()).toBeLessThanOrEqual(1);

  const [narrow, middle, wide] = found.map((each) => Math.min(...each)) as [number, number, number];
  expect(middle).toBeLessThan(narrow + NOISE);
  expect(wide).toBeLessThan(middle + NOISE);

  // Beside the same first values as the base model's, and beside the defaults of the standard parametrisation.
  const same = await losses([0.0005, 0.001, 0.002, 0.004], { 'model.width': 256, ...firstValuesAt(BASE) });
  const usual = await losses([0.0005, 0.001, 0.002], { 'model.width': 256 });
  expect(wide).toBeLessThan(Math.min(...same) + NOISE);
  expect(wide).toBeLessThan(Math.min(...usual) + NOISE);
});
