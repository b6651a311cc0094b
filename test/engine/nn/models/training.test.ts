/** Every model in a training run from first step to last, as it is launched. */
import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { modelFamily } from '../../../../main/engine/nn/models/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { missingAddon } from '../../executors/cpu/harness.ts';
import { repeated } from '../../../oracles/random.ts';
import { temporaryFolder, testConfig } from '../../train/helpers.ts';
import { train } from '../../train/laboratory.ts';

const MODELS = builtInCatalog.all(modelFamily).map(({ name }) => name);

const RUN: Config = {
  'stop.steps': 30,
  'eval.every_steps': 10,
  'optimizer.lr': 0.01,
  'optimizer.weight_decay': 0,
  'optimizer.lr_scale_embedding': 1,
  'optimizer.lr_scale_head': 1,
  'optimizer.lr_scale_vector': 1,
  'schedule.kind': 'constant',
  'log.sample_tokens': 4,
};

async function losses(config: Config): Promise<number[]> {
  const { end, host } = await train({ config, folder: await temporaryFolder() });
  expect(end.reason).toContain('stop.steps reached');
  expect(host.of('sample').length).toBeGreaterThan(0);
  return [...host.series.get('val/loss')!.values()];
}

describe.skipIf(missingAddon !== undefined)('a run of', () => {
  // Catches a model that only the executor it was written on can train, that learns nothing, or that cannot write text.
  test.each(MODELS)('%s learns and writes alike on cpu and tfjs-wasm, in fp32, bf16 and fp16', async (kind) => {
    const config = (more: Config) => testConfig({ ...RUN, 'model.kind': kind, 'batch.sequences': 8, ...more });
    const native = await losses(config({ device: 'cpu' }));
    // The slow one: the first evaluations, which come before its end.
    const steps = Math.min(30, repeated(10));
    const portable = await losses(config({ device: 'tfjs-wasm', 'precision.recompute': 'block', 'stop.steps': steps }));
    const narrow = await losses(config({ device: 'cpu', 'precision.policy': 'bf16', 'batch.micro': 2 }));
    const scaled = await losses(
      config({ device: 'cpu', 'precision.policy': 'fp16', 'batch.micro': 2, 'stop.steps': 10 }),
    );
    expect(native.at(-1)).toBeLessThan(0.9 * native[0]!);
    portable.forEach((loss, i) => expect(Math.abs(loss / native[i]! - 1)).toBeLessThan(1e-3));
    scaled.forEach((loss, i) => expect(Math.abs(loss / native[i]! - 1)).toBeLessThan(0.01));
    narrow.forEach((loss, i) => expect(Math.abs(loss / native[i]! - 1)).toBeLessThan(0.05));
  });
});
