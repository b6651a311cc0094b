import { describe, expect, test } from 'vitest';
import { layerSizes, parseLayers } from '../../../../main/engine/nn/models/gptLayers.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import { builtInRegistry, resolveConfig } from '../../../../main/lab/settings/index.ts';
import { parseSweep, planSweep } from '../../../../main/lab/sweeps/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { modelConfig } from './oracle.ts';

const registry = builtInRegistry();
const built = (given: Config) =>
  buildTraining({ config: modelConfig({ 'model.context': 8, ...given }), vocabularySize: 23, keyMasked: false });

describe('gpt', () => {
  test('has layers of their own where model.per_layer says so, later entries first', () => {
    const config = modelConfig({ 'model.width': 24, 'model.per_layer': '0-2: heads=2 ; 1: heads=3, mlp_width=10' });
    const sizes = [0, 1, 2, 3].map((layer) => layerSizes(config, layer));
    expect(sizes.map(({ heads, mlpWidth }) => [heads, mlpWidth])).toEqual([
      [2, 96],
      [3, 10],
      [2, 96],
      [4, 96],
    ]);
  });

  test('has as many parameters as its experts need (catches experts that share weights, or a router too many)', () => {
    const [d, f, e] = [16, 20, 5];
    const common: Config = { 'model.depth': 1, 'model.width': d, 'model.mlp_width': f, 'model.mlp': 'swiglu' };
    const plain = built(common).parameterCount;
    expect(built({ ...common, 'model.experts': e }).parameterCount - plain).toBe((e - 1) * 3 * d * f + e * d);
  });

  // Catches operations that are counted as if all experts were computed for all tokens.
  test('counts the operations of the experts that a token is given to', () => {
    const [d, f, e, active] = [16, 20, 5, 2];
    const common: Config = { 'model.depth': 1, 'model.width': d, 'model.mlp_width': f };
    const plain = built(common).flopsPerToken;
    expect(built({ ...common, 'model.experts': e }).flopsPerToken - plain).toBe(6 * ((active - 1) * 2 * d * f + e * d));
  });

  test.each([
    ['xavier', Math.sqrt(2 / (12 + 36))],
    ['kaiming', Math.sqrt(2 / 12)],
    ['normal', 0.02],
  ])('starts as model.init %s says', (init, std) => {
    const { parameters } = built({ 'model.width': 12, 'model.mlp_ratio': 3, 'model.heads': 2, 'model.init': init });
    const up = parameters.find(({ name }) => name === 'block.0.mlp.up.weight')!;
    expect(up.initial).toEqual({ kind: 'normal', std });
  });

  test('starts uniform within one over the root of the width, and embeddings as they are told', () => {
    const { parameters } = built({ 'model.width': 16, 'model.init': 'uniform', 'model.embedding_std': 0.5 });
    const initial = (name: string) => parameters.find((each) => each.name === name)!.initial;
    expect(initial('block.0.mlp.up.weight')).toEqual({ kind: 'uniform', limit: 1 / 4 });
    expect(initial('embedding.weight')).toEqual({ kind: 'normal', std: 0.5 });
  });

  test.each([
    [{ 'model.experts': '4', 'model.experts_active': '6' }, 'model.experts_active', 4, 'at most model.experts 4'],
    [{ 'model.attention_width': '50' }, 'model.attention_width', 52, '50 % 4 = 2'],
    [{ 'model.attention_width': '50', 'model.head_size': '8' }, 'model.attention_width', 32, '4 × 8 = 32'],
    [{ 'model.depth': '2', 'model.widths': '30' }, 'model.widths', '32', '30 % 4 = 2'],
    [{ 'model.widths': '64', 'model.depth': '4' }, 'model.depth', 2, '1 + 1 = 2'],
    [{ 'model.per_layer': '0: hads=2' }, 'model.per_layer', '0: heads=2', 'heads, kv_heads'],
    [{ 'model.per_layer': '3-1: heads=2' }, 'model.per_layer', '1-3: heads=2', 'from a lower to a higher'],
    [{ 'model.per_layer': '0: heads=0' }, 'model.per_layer', '0: heads=1', 'heads: an integer'],
    [
      { 'model.parametrization': 'mup', 'model.embedding_scale': 'true' },
      'model.embedding_scale',
      false,
      'grows with the width',
    ],
  ])('refuses %o with the nearest choice (catches a crash when the run starts)', (given, setting, nearest, part) => {
    const { problems } = resolveConfig({ registry, overrides: given });
    expect(problems.map((problem) => [problem.setting, problem.nearest])).toEqual([[setting, nearest]]);
    expect(problems[0]!.message).toContain(part);
    expect(resolveConfig({ registry, overrides: { ...given, [setting]: String(nearest) } }).problems).toEqual([]);
  });

  test.each([
    [{ 'model.per_layer': '4: heads=2' }, 'layers from 0 to 3'],
    [{ 'model.per_layer': '1: heads=3' }, 'in layer 1'],
    [{ 'model.per_layer': 'heads=3' }, 'layers and their settings'],
  ])('says what is wrong with %o', (given, part) => {
    const { problems } = resolveConfig({ registry, overrides: given });
    expect(problems.map(({ message }) => message).join()).toContain(part);
  });

  test('reads layers with commas, spaces and no ends', () => {
    const { entries } = parseLayers(' 0 - 1 : mlp=relu,heads=2;; 2: qk_norm=yes ; ') as ReturnType<
      typeof parseLayers
    > & {
      entries: unknown;
    };
    expect(entries).toEqual([
      { first: 0, last: 1, values: { 'model.mlp': 'relu', 'model.heads': 2 } },
      { first: 2, last: 2, values: { 'model.qk_norm': true } },
    ]);
  });

  test('is one run where settings give the same layers', () => {
    const planned = (parameters: string) =>
      planSweep({ registry, sweep: parseSweep(`method: grid\nparameters: { ${parameters} }`).sweep! }).runs.length;
    expect(planned('model.attention_width: { values: [0, 128, 64] }')).toBe(2);
    expect(planned("model.per_layer: { values: ['', '0: heads=4', '0: heads=2'] }")).toBe(2);
    expect(planned('model.experts: { value: 1 }, model.experts_active: { values: [1, 2] }')).toBe(1);
  });
});
