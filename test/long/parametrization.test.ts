/** muP at widths that the quick tests have no time for: flat activations, and one learning rate for all of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtInCatalog } from '../../main/engine/catalog.ts';
import { modelFamily } from '../../main/engine/nn/models/index.ts';
import { prepareData } from '../../main/engine/train/dataset.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { slopes } from '../engine/nn/parametrization/slopes.ts';
import { testConfig } from '../engine/train/helpers.ts';
import { train } from '../engine/train/laboratory.ts';

const HEADS: Readonly<Record<string, Config>> = {
  'depth-dial': { 'model.head_size': 16 },
  classic: { 'model.heads': 4 },
};

/** What begins with random numbers that muP lets shrink: the logits, the scores of attention, and gates beside them. */
const MAY_SHRINK = /logits|query|gate|attention\.output/u;

// Catches a power of the width that is wrong by a little, which two narrow widths cannot tell from chance.
test.each(builtInCatalog.all(modelFamily).map(({ name }) => name))(
  'activations of %s are as large at every width under mup, layer by layer',
  async (kind) => {
    const given = { 'model.kind': kind, 'optimizer.lr': 0.001, ...HEADS[kind] };
    const mup = await slopes({ ...given, 'model.parametrization': 'mup' }, [128, 256, 512]);
    for (const [layer, slope] of Object.entries(mup)) {
      expect(slope, layer).toBeLessThan(0.1);
      expect(slope, layer).toBeGreaterThan(MAY_SHRINK.test(layer) ? -0.3 : -0.1);
    }
    const standard = await slopes(given, [128, 256, 512]);
    expect(Math.max(...Object.values(standard))).toBeGreaterThan(0.5);
  },
);

const RATES = [0.00025, 0.0005, 0.001, 0.002, 0.004];

/** Which of the rates ends with the lowest validation loss. */
async function bestRate(width: number): Promise<number> {
  const losses: number[] = [];
  for (const rate of RATES) {
    const folder = await mkdtemp(join(tmpdir(), 'sweeplab-long-'));
    const config = testConfig({
      device: 'cpu',
      'data.size': 500_000,
      'model.parametrization': 'mup',
      'model.base_width': 64,
      'model.norm': 'rmsnorm',
      'model.context': 32,
      'model.depth': 2,
      'model.width': width,
      'model.heads': 4,
      'batch.sequences': 16,
      'optimizer.beta2': 0.98,
      'schedule.warmup_steps': 10,
      'eval.every_steps': 120,
      'eval.tokens': 8192,
      'stop.steps': 120,
      'optimizer.lr': rate,
    });
    const { host } = await train({ config, folder, prepare: prepareData });
    losses.push([...host.series.get('val/loss')!.values()].at(-1)!);
    await rm(folder, { recursive: true, force: true });
  }
  return losses.indexOf(Math.min(...losses));
}

// Catches a muP whose activations are right and whose learning rate does not transfer.
test('the best learning rate of widths 64, 128 and 256 lies within one step of the grid under mup', async () => {
  const best = [];
  for (const width of [64, 128, 256]) best.push(await bestRate(width));
  expect(Math.max(...best) - Math.min(...best), best.join()).toBeLessThanOrEqual(1);
});
