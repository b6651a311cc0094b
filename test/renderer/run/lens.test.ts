import { describe, expect, it } from 'vitest';
import type { PlacedPoints } from '../../../preload/contract/metrics.ts';
import { flagsOf } from '../../../renderer/views/run/lens/flags.ts';
import type { LensInput } from '../../../renderer/views/run/lens/flags.ts';
import { tableOf } from '../../../renderer/views/run/lens/places.ts';

/** A value for each layer at each of five steps. */
const layers = (value: (layer: number, step: number) => number, count = 6): PlacedPoints => {
  const step = Float64Array.of(1, 10, 20, 30, 40);
  return {
    layer: Float64Array.from({ length: count }, (_, i) => i),
    head: new Float64Array(count).fill(-1),
    step,
    value: Float64Array.from({ length: count * 5 }, (_, i) => value(Math.floor(i / 5), step[i % 5]!)),
  };
};
const flags = (places: LensInput['places'], rest: Partial<LensInput> = {}) => flagsOf({ places, context: 64, ...rest });
/** Layers of a model at work: each a little longer than the one before. */
const usual = (layer: number, step: number): number => (1 + 0.2 * layer) * (1 + step / 100);

describe('flags of layers', () => {
  it('are none where layers are alike, whatever their size', () => {
    for (const size of [1e-3, 1, 1e3])
      expect(
        flags({
          layer_param_norm: layers((layer, step) => size * usual(layer, step)),
          layer_grad_norm: layers((layer, step) => (size * usual(layer, step)) / (1 + layer)),
          activation_norm: layers((layer, step) => size * 2 ** layer * usual(layer, step)),
          update_to_weight_ratio: layers(() => 1e-3),
          dead_units: layers(() => 0.1),
          saturated_units: layers(() => 0.2),
          attention_logit_capped: layers(() => 0.02),
          attention_entropy: layers(() => 2),
          attention_logit_max: layers(() => 12),
        }),
      ).toEqual([]);
  });

  it('find the one layer that begins 30 times as large, and say which setting to look at', () => {
    const [flag, ...others] = flags({
      layer_param_norm: layers((layer, step) => usual(layer, step) * (layer === 2 ? 30 : 1)),
    });
    expect(flag).toMatchObject({ kind: 'weights', tone: 'bad', layer: 2, step: 1, metric: 'layer_param_norm' });
    expect(flag!.helps).toContain('model.init');
    expect(others).toEqual([]);
  });

  it.each([
    ['vanishing', 'layer_grad_norm', layers((layer) => (layer === 4 ? 1e-4 : 1)), 4, 1],
    ['exploding', 'layer_grad_norm', layers((layer, step) => (layer === 1 && step >= 20 ? 100 : 1)), 1, 20],
    ['activations', 'activation_norm', layers((layer, step) => (layer >= 3 && step >= 10 ? 9 : 1)), 3, 10],
    ['overflow', 'activation_max', layers((layer) => (layer === 5 ? 1e4 : 10)), 5, 1],
    ['dead', 'dead_units', layers((layer, step) => (layer === 0 ? step / 50 : 0)), 0, 30],
    ['saturated', 'saturated_units', layers((layer, step) => (layer === 1 ? step / 50 : 0)), 1, 30],
    ['capped', 'attention_logit_capped', layers((layer, step) => (layer === 4 ? step / 200 : 0)), 4, 20],
    ['entropy', 'attention_entropy', layers((layer, step) => (layer === 3 && step > 20 ? 0.01 : 1.5)), 3, 30],
    ['scores', 'attention_logit_max', layers((layer, step) => (layer === 2 ? 5 * step : 1)), 2, 30],
    ['updates', 'update_to_weight_ratio', layers((layer) => (layer === 2 ? 0.5 : 1e-3)), 2, 1],
  ] as const)('find what is %s, its layer and its first step', (kind, metric, places, layer, step) => {
    const found = flags({ [metric]: places });
    expect(found.map((flag) => [flag.kind, flag.layer, flag.step, flag.metric])).toEqual([[kind, layer, step, metric]]);
    expect(found[0]!.helps).toMatch(/\.$/u);
  });

  it('name the step of a spike, whose batch can be opened, and put what is wrong first', () => {
    const value = Array.from({ length: 200 }, (_, i) => 2 + 0.01 * Math.sin(12.9898 * i) + (i === 149 ? 3 : 0));
    const trainLoss = { step: value.map((_, i) => i + 1), value };
    const places = { attention_entropy: layers(() => 0.01) };
    const found = flags(places, { trainLoss });
    expect(found.map(({ kind }) => kind)).toEqual([...Array.from({ length: 6 }, () => 'entropy'), 'spike']);
    expect(found.at(-1)).toMatchObject({ batch: 150, step: 150 });
  });

  it('say when logits are at the cap of the head, and nothing while single ones are', () => {
    const step = [1, 100, 200];
    expect(flags({}, { logitCapped: { step, value: [0, 0.2, 0.3] } })).toMatchObject([{ kind: 'capped', step: 100 }]);
    expect(flags({}, { logitCapped: { step, value: [0.2, 0.05, 0.01] } })).toEqual([]);
  });

  it('count falls of the loss scale after its first guess', () => {
    const lossScale = { step: [1, 2, 50, 300, 301], value: [65_536, 32_768, 16_384, 16_384, 8192] };
    expect(flags({}, { lossScale })).toMatchObject([{ kind: 'scale', tone: 'info', batch: 301 }]);
  });
});

it('heads are shown each, or as one number of their layer; what was not measured is not counted', () => {
  const points: PlacedPoints = {
    layer: Float64Array.of(0, 0, 1, 1),
    head: Float64Array.of(0, 1, 0, 1),
    step: Float64Array.of(1, 2),
    value: Float64Array.of(1, 2, 3, Number.NaN, 5, 6, 7, 8),
  };
  const values = (heads: 'mean' | 'lowest' | 'highest' | 'each') =>
    tableOf(points, heads).rows.map((row) => [row.layer, row.head, ...row.values]);
  expect(values('mean')).toEqual([
    [0, undefined, 2, 2],
    [1, undefined, 6, 7],
  ]);
  expect(values('lowest')[0]).toEqual([0, undefined, 1, 2]);
  expect(values('highest')[1]).toEqual([1, undefined, 7, 8]);
  expect(values('each')).toHaveLength(4);
});
