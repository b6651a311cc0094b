/** Which tokens are averaged together where a loss is shown by how frequent they are. */
import { NOT_MET, placeOfRank } from '../../../preload/shared/placeKinds.ts';
import type { PreparedData } from './data.ts';

/** Tokens that are counted at most. */
const COUNTED = 2 ** 20;
/** Rows that are read at once. */
const ROWS = 64;

/** Classes of tokens by their rank in the training text: the ten most frequent, those up to the hundredth, … and those that were not met. */
export class FrequencyBins {
  readonly #places = new Map<number, number>();

  constructor(counts: ReadonlyMap<number, number>) {
    const ranked = [...counts].sort(([a, x], [b, y]) => y - x || a - b);
    for (const [rank, [token]] of ranked.entries()) this.#places.set(token, placeOfRank(rank));
  }

  /** Counted in the first epoch of the training data, up to a million tokens: the same whenever a run is continued. */
  static of(data: PreparedData): FrequencyBins {
    const counts = new Map<number, number>();
    const rows = Math.max(1, Math.ceil(Math.min(data.rowsPerEpoch, COUNTED / Math.max(1, data.tokensPerRow))));
    for (let from = 0; from < rows; from += ROWS)
      for (const target of data.rows(from, Math.min(ROWS, rows - from)).targets)
        if (target >= 0) counts.set(target, (counts.get(target) ?? 0) + 1);
    return new FrequencyBins(counts);
  }

  /** The place of a token in metrics by frequency. */
  placeOf(token: number): number {
    return this.#places.get(token) ?? NOT_MET;
  }
}
