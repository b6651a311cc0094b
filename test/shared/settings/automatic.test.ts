import { describe, expect, it } from 'vitest';
import { deriveModel } from '../../../main/engine/nn/models/gpt.dimensions.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { automatic } from '../../../preload/shared/settings/automatic.ts';

const registry = builtInRegistry();
const seed = Math.floor(Math.random() * 2 ** 31);
let state = seed;
const whole = (from: number, to: number): number => {
  state = (state * 48271 + 11) % 2147483647;
  return from + (state % (to - from + 1));
};

describe('what 0 stands for', () => {
  it(`is what trains (seed ${seed}; would catch "auto" that names another size than the model has)`, () => {
    for (let i = 0; i < 300; i++) {
      const heads = whole(1, 12);
      const config = {
        ...registry.defaults,
        'model.heads': heads,
        'model.width': heads * whole(1, 40),
        'model.mlp_ratio': whole(0, 1) === 0 ? whole(1, 8) : 8 / 3 + whole(0, 100) / 37,
        'model.context': whole(1, 500),
      };
      const { headSize, kvHeads, mlpWidth } = deriveModel(config);
      const of = (name: string): number | undefined => automatic(registry.get(name)!, config);
      const where = JSON.stringify(config);
      expect(of('model.head_size'), where).toBe(headSize);
      expect(of('model.kv_heads'), where).toBe(kvHeads);
      expect(of('model.mlp_width'), where).toBe(mlpWidth);
      expect(of('model.window'), where).toBe(config['model.context']);
    }
  });
  it('follows from others that are automatic too, and says nothing of a value that was given', () => {
    const config = { ...registry.defaults, 'batch.sequences': 24, 'batch.micro': 8 };
    expect(automatic(registry.get('eval.batch')!, config)).toBe(8);
    expect(automatic(registry.get('eval.batch')!, { ...config, 'batch.micro': 0 })).toBe(24);
    expect(automatic(registry.get('batch.micro')!, config)).toBeUndefined();
    // Here 0 is a value like any other: no clipping, no limit.
    expect(automatic(registry.get('stop.loss')!, { ...config, 'stop.loss': 0 })).toBeUndefined();
  });
  it('is unsaid where it cannot be told: a division by zero, a setting that an old run did not have', () => {
    const spec = registry.get('model.head_size')!;
    expect(automatic(spec, { 'model.head_size': 0, 'model.width': 64, 'model.heads': 0 })).toBeUndefined();
    expect(automatic(spec, { 'model.head_size': 0 })).toBeUndefined();
  });
  it('is checked where it is declared: every name in it is a setting', () => {
    const declared = registry.specs.filter(({ auto }) => auto !== undefined);
    expect(declared.length).toBeGreaterThanOrEqual(6);
    for (const spec of declared) expect(automatic(spec, registry.defaults), spec.name).toBeGreaterThan(0);
  });
});
