/** Looking through the kinds of ranges. */
import { describe, expect, it } from 'vitest';
import type { DraftParameter } from '../../../preload/contract/draft.ts';
import type { SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { distributionsFor } from '../../../preload/shared/sweeps/distributions.ts';
import { distributionFrom } from '../../../renderer/stores/draft/distributions.ts';
import { Origin } from '../../../renderer/stores/draft/origin.ts';

const spec = (name: string): SettingSpec => builtInRegistry().get(name)!;

/** A field with a list, as the editor of ranges sees it. */
function field(name: string, list: readonly SettingValue[]) {
  let parameter: DraftParameter | null = null;
  const origin = new Origin(
    () => (parameter === null ? list : undefined),
    () => parameter,
  );
  return {
    look: (kind: string): void => {
      parameter = distributionFrom(spec(name), kind, origin.values());
      origin.chose();
    },
    type: (change: Partial<DraftParameter>): void => {
      parameter = { ...parameter, ...change };
    },
    back: (): readonly SettingValue[] => origin.values(),
  };
}

describe('looking through the kinds of ranges', () => {
  it.each([
    ['optimizer.lr', [0.001, 0.003, 0.01]],
    ['model.width', [32, 48, 64]],
    ['optimizer.beta2', [0.95]],
  ])('keeps the values of %s through every kind (would catch learning rates 78 times too high)', (name, values) => {
    const kinds = distributionsFor(spec(name)).map(({ kind }) => kind);
    expect(kinds.length).toBeGreaterThan(5);
    const there = field(name, values);
    for (const kind of [...kinds, ...kinds.toReversed()]) {
      there.look(kind);
      expect(there.back(), kind).toEqual(values);
    }
  });
  it('takes what was typed instead', () => {
    const there = field('optimizer.lr', [0.001, 0.003, 0.01]);
    there.look('log_uniform_values');
    there.type({ min: 0.1, max: 0.2 });
    const typed = there.back() as number[];
    expect(typed.every((value) => value >= 0.1 && value <= 0.2)).toBe(true);
    there.look('uniform');
    expect(there.back()).toEqual(typed);
  });
});
