/** How far two results of the same updates lie apart. */
import type { Config } from '../../../preload/contract/settings.ts';

/** Of an array's elements so many may have been decided by a rounding: about one in 10⁵ is, of a hundred to a thousand. */
const DECIDED = 4;

/**
 * Whether an update goes one way or the other by the sign of a number, which may be nothing but a rounding: the sign itself, or a decay
 * where step and weight agree.
 */
export const decidesBySign = (config: Config): boolean =>
  config['optimizer.kind'] === 'lion' ||
  config['optimizer.kind'] === 'signs' ||
  (config['optimizer.kind'] === 'muon' && config['optimizer.cautious_decay'] === true);

/** The largest difference; of an update that decides by a sign, without the elements in which a rounding may have decided. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>, bySign: boolean): number {
  const all = Float64Array.from(a, (value, i) => Math.abs(value - b[i]!)).toSorted();
  const worst = all.at(-1)!;
  return bySign && all.length > 10 * DECIDED && !Number.isNaN(worst) ? all.at(-1 - DECIDED)! : worst;
}
