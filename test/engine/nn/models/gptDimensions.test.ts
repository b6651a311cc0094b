import { describe, expect, it } from 'vitest';
import { deriveModel, roundMlpWidth } from '../../../../main/engine/nn/models/gpt.dimensions.ts';
import { builtInRegistry } from '../../../../main/lab/settings/index.ts';

const { defaults } = builtInRegistry();

describe('deriveModel', () => {
  it('fills every 0 from its rule (catches a 0 that reaches the model as a size)', () => {
    expect(deriveModel({ ...defaults, 'model.width': 96, 'model.heads': 6, 'model.context': 32 })).toEqual({
      depth: 4,
      width: 96,
      heads: 6,
      kvHeads: 6,
      groupSize: 1,
      headSize: 16,
      attentionWidth: 96,
      kvWidth: 96,
      mlpWidth: 384,
      mlpGated: false,
      context: 32,
    });
  });

  it('keeps what is given, even where width would not divide (catches a head size overridden by width / heads)', () => {
    const d = deriveModel({
      ...defaults,
      'model.width': 100,
      'model.heads': 6,
      'model.kv_heads': 2,
      'model.head_size': 24,
      'model.mlp': 'swiglu',
      'model.mlp_width': 77,
    });
    expect(d).toMatchObject({ headSize: 24, attentionWidth: 144, kvWidth: 48, groupSize: 3, mlpWidth: 77 });
    expect(d.mlpGated).toBe(true);
  });

  it('never rounds heads silently (catches width 100 with 3 heads becoming 99)', () => {
    expect(() => deriveModel({ ...defaults, 'model.width': 100, 'model.heads': 3 })).toThrow('100 % 3 = 1');
    expect(() => deriveModel({ ...defaults, 'model.heads': 4, 'model.kv_heads': 3 })).toThrow('4 % 3 = 1');
  });
});

describe('roundMlpWidth', () => {
  it.each([
    [4, 33, 132],
    [8 / 3, 384, 1024],
    [2.6666666667, 384, 1024],
    [3.3333333333, 30, 100],
    [8 / 3, 128, 344],
    [2.5, 3, 8],
    [0.01, 100, 1],
  ])('%f × %i → %i (catches rounding of whole products, or rows that are not aligned)', (ratio, width, rounded) => {
    expect(roundMlpWidth(ratio, width)).toBe(rounded);
  });

  it('refuses an MLP without a channel (catches a width of 0)', () => {
    expect(() => roundMlpWidth(0.001, 100)).toThrow(RangeError);
  });
});
