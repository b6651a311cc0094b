/** Which tokens are averaged together where a loss is shown by position or by frequency. */
import type { PreparedData } from './data.ts';

/** Of a target by its place in the row, from 0: how many tokens it is predicted from. 1, 2, 3-4, 5-8, … */
export function positionBin(place: number): string {
  const seen = place + 1;
  if (seen <= 2) return String(seen);
  const to = 2 ** Math.ceil(Math.log2(seen));
  return `${to / 2 + 1}-${to}`;
}

/** Tokens that are counted at most. */
const COUNTED = 2 ** 20;
/** Rows that are read at once. */
const ROWS = 64;
const EDGES = [10, 100, 1000, 10_000, 100_000];

/** Bins by the rank of a token in the training text: the ten most frequent, those up to the hundredth, … and those that were not met. */
export class FrequencyBins {
  readonly #bins = new Map<number, string>();

  constructor(counts: ReadonlyMap<number, number>) {
    const ranked = [...counts].sort(([a, x], [b, y]) => y - x || a - b);
    for (const [rank, [token]] of ranked.entries()) {
      const edge = EDGES.findIndex((each) => rank < each);
      const from = (EDGES[edge - 1] ?? (edge < 0 ? EDGES.at(-1)! : 0)) + 1;
      this.#bins.set(token, edge < 0 ? `${from}-` : `${from}-${EDGES[edge]}`);
    }
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

  binOf(token: number): string {
    return this.#bins.get(token) ?? 'unseen';
  }
}
