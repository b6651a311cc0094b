/** The grid method: every combination, in W&B's order. */
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';

/** Sorted by name (code points, as Python does), which fixes the order of a grid. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/**
 * The values of a distribution in a grid, without repeats: int_uniform includes max, q_uniform excludes it (as numpy's
 * arange does). Undefined for distributions that have no grid, or too many values for one.
 */
export function gridValues(d: Distribution): readonly SettingValue[] | undefined {
  switch (d.kind) {
    case 'constant':
      return [d.value];
    case 'categorical':
      return [...new Set(d.values)];
    case 'int_uniform':
      return d.max - d.min >= LIMITS.combinations
        ? undefined
        : Array.from({ length: d.max - d.min + 1 }, (_, i) => d.min + i);
    case 'q_uniform': {
      const length = Math.max(0, Math.ceil((d.max - d.min) / d.q - 1e-9));
      if (length > LIMITS.combinations) return undefined;
      const values = Array.from({ length }, (_, i) => Number((d.min + i * d.q).toPrecision(15)));
      return [...new Set(values)];
    }
    default:
      return undefined;
  }
}

/** All combinations, the last column fastest. */
export function* product(columns: readonly (readonly SettingValue[])[]): Generator<SettingValue[]> {
  if (columns.some((column) => column.length === 0)) return;
  const at = columns.map(() => 0);
  for (;;) {
    yield columns.map((column, i) => column[at[i]]);
    let place = columns.length - 1;
    while (place >= 0 && ++at[place] === columns[place].length) at[place--] = 0;
    if (place < 0) return;
  }
}
