/** What a trend shows before anyone chooses. */
import type { Config } from '../../contract/settings.ts';
import { valuesOf } from '../../shared/results/groups.ts';

/** More lines than this are told apart by nobody. */
const MOST_LINES = 10;

export interface Axes {
  readonly x: string;
  /** Empty for none. */
  readonly lines: string;
}

/**
 * Along x the number with the most values, as a drawn learning rate: each of its values as a line would be a legend and no picture. Lines
 * are those of the setting with the fewest.
 *
 * @param settings that differ, at least one
 */
export function usualAxes(settings: readonly string[], runs: readonly { readonly config: Config }[]): Axes {
  const counted = settings.map((name) => {
    const values = valuesOf(runs, name);
    return { name, count: values.length, numeric: values.every((value) => typeof value === 'number') };
  });
  const most = (all: typeof counted): typeof counted => all.toSorted((a, b) => b.count - a.count);
  const x = (most(counted.filter(({ numeric }) => numeric))[0] ?? counted[0])?.name ?? '';
  const others = counted.filter(({ name, count }) => name !== x && count <= MOST_LINES);
  return { x, lines: others.toSorted((a, b) => a.count - b.count)[0]?.name ?? '' };
}
