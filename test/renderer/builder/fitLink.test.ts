import { describe, expect, it } from 'vitest';
import { choiceFrom, overridesFrom, overridesText } from '../../../renderer/views/fit/model/link.ts';
import { chosenOf, variantsOf } from '../../../renderer/views/fit/model/variants.ts';

describe('the address of a fit', () => {
  it('gives back what was asked (would catch a reload that judges this CPU instead of the card)', () => {
    const asked = { 'model.depth': 8, 'precision.policy': 'bf16', 'model.tied': false };
    expect(overridesFrom(overridesText(asked))).toEqual(asked);
    expect(overridesText({})).toBe('');
    expect(choiceFrom({ gpu: 'RTX 4090' })).toEqual({ gpu: 'RTX 4090' });
    expect(choiceFrom({ device: 'cpu', gpu: '' })).toEqual({ device: 'cpu' });
    expect(choiceFrom({})).toEqual({});
  });
  it.each(['', 'x', '[1]', 'null', '{"model.depth":{"a":1}}', '{"__proto__":1,"a":2}'])(
    'takes nothing from %j',
    (text) => expect(overridesFrom(text)).toEqual({}),
  );
});

describe('the settings of a swept draft', () => {
  const setting = (width: number) => ({ key: `k${width}`, label: `width ${width}`, values: { 'model.width': width } });
  const group = (labels: string[], bytes: number, fit: 'fits' | 'does not fit') => ({ labels, bytes, fit }) as never;
  const plan = {
    settings: [32, 64, 128, 256].map(setting),
    groups: [group(['width 128'], 900, 'does not fit'), group(['width 32', 'width 64'], 100, 'fits')],
  };
  it('are judged by the largest, not the first (would catch "Fits" for a sweep that does not)', () => {
    const variants = variantsOf(plan);
    expect(variants.map(({ label }) => label)).toEqual(['width 128', 'width 32', 'width 64']);
    expect(chosenOf(variants, '')).toMatchObject({ values: { 'model.width': 128 }, fit: 'does not fit' });
  });
  it('can be looked at one by one; an address of a setting that is gone shows the largest', () => {
    expect(chosenOf(variantsOf(plan), 'k64')?.label).toBe('width 64');
    expect(chosenOf(variantsOf(plan), 'k512')?.label).toBe('width 128');
    expect(chosenOf([], 'k64')).toBeUndefined();
  });
});
