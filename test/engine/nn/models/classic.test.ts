import { expect, test } from 'vitest';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import { builtInRegistry, resolveConfig } from '../../../../main/lab/settings/index.ts';
import { modelConfig } from './oracle.ts';

const programs = (given = {}) =>
  buildTraining({
    config: modelConfig({ 'model.kind': 'classic', ...given }),
    vocabularySize: 50257,
    keyMasked: false,
  });

test('classic has the published size (catches tables that are untied, or a bias)', () => {
  const { parameterCount, parameters } = programs();
  expect(parameterCount).toBe(30_823_302);
  const [d, l, f] = [15, 3, 20];
  const small = { 'model.width': d, 'model.depth': l, 'model.heads': 5, 'model.mlp_width': f, 'model.tied': false };
  expect(programs(small).parameterCount).toBe(2 * 50304 * d + l * (4 * d * d + 3 * d * f + 2 * d + 1) + d);
  const std = (name: string) => (parameters.find((each) => each.name === name)!.initial as { std: number }).std;
  expect([std('embedding.weight'), std('block.2.mlp.up.weight')]).toEqual([0.02, 0.02]);
  expect(std('block.5.attention.output.weight')).toBeCloseTo(0.02 / Math.sqrt(12), 12);
  expect(std('block.0.mlp.down.weight')).toBeCloseTo(0.02 / Math.sqrt(12), 12);
});

test('classic refuses heads that do not divide its width, with the nearest (catches a crash when the run starts)', () => {
  const overrides = { 'model.kind': 'classic', 'model.width': '100', 'model.heads': '3' };
  const { problems } = resolveConfig({ registry: builtInRegistry(), overrides });
  expect(problems.map(({ setting, nearest }) => [setting, nearest])).toEqual([['model.heads', 4]]);
  expect(problems[0]!.message).toContain('100 % 3 = 1');
  expect(problems[0]!.message).toContain('model.width 99');
});
