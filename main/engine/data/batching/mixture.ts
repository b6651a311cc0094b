/** Batches of a mixture: every row is of one text, and the texts take turns by their shares. */
import { Stream } from '../../random/stream.ts';
import type { Batcher } from './batcher.ts';
import type { Batch } from './layout.ts';
import { positive } from './layout.ts';

export interface MixedBatcher {
  /** Rows of all texts together. */
  readonly rowsPerEpoch: number;
  /** Mean scored tokens of a row. */
  readonly tokensPerRow: number;
  /** Rows first … first + count − 1 of the endless sequence of rows. */
  rows(first: number, count: number): Batch;
  /** How often each text was passed through after so many rows. */
  epochs(rows: number): readonly number[];
}

/** So many rows at a time are dealt out and shuffled: in each such stretch every text has its share, but for less than a row. */
const STRETCH = 1024;

export interface MixedRows {
  readonly batcher: Batcher;
  /** Of the rows; all together are 1. */
  readonly share: number;
}

/**
 * Which text a row is of, and which of its rows, follows from the seed and the number of the row alone. Before a stretch that begins with row n,
 * text t has had ⌊n · (share of texts 0 … t)⌋ − ⌊n · (share of texts 0 … t − 1)⌋ rows.
 */
export function mixedBatcher(texts: readonly MixedRows[], seed: number): MixedBatcher {
  const bounds: number[] = [];
  for (const { share } of texts) bounds.push((bounds.at(-1) ?? 0) + share);
  bounds[bounds.length - 1] = 1;
  const before = (rows: number): readonly number[] =>
    bounds.map((bound, t) => Math.floor(rows * bound) - Math.floor(rows * (bounds[t - 1] ?? 0)));

  /** The texts of the rows of a stretch, the last two that were used. */
  const stretches = new Map<number, Int32Array>();
  const stretchOf = (stretch: number): Int32Array => {
    let order = stretches.get(stretch);
    if (order === undefined) {
      const [had, have] = [before(stretch * STRETCH), before((stretch + 1) * STRETCH)];
      const dealt = have.flatMap((count, t) => Array.from({ length: count - had[t]! }, () => t));
      order = new Stream(seed, 'data/mix', stretch).shuffle(Int32Array.from(dealt));
      if (stretches.size >= 2) stretches.delete(stretches.keys().next().value!);
      stretches.set(stretch, order);
    }
    return order;
  };
  /** Rows of each text among the first `rows`. */
  const had = (rows: number): number[] => {
    const stretch = Math.floor(rows / STRETCH);
    const counts = [...before(stretch * STRETCH)];
    const order = stretchOf(stretch);
    for (let i = 0; i < rows - stretch * STRETCH; i++) counts[order[i]!]!++;
    return counts;
  };

  const rowsPerEpoch = texts.reduce((sum, { batcher }) => sum + batcher.rowsPerEpoch, 0);
  const tokensPerRow = texts.reduce(
    (sum, { batcher, share }) => sum + (share * batcher.tokensPerEpoch) / batcher.rowsPerEpoch,
    0,
  );
  return {
    rowsPerEpoch,
    tokensPerRow,
    rows(first, count) {
      positive('rows', count);
      const begins = had(first);
      const places: number[][] = texts.map(() => []);
      for (let i = 0; i < count; i++) {
        const row = first + i;
        const stretch = Math.floor(row / STRETCH);
        places[stretchOf(stretch)[row - stretch * STRETCH]!]!.push(i);
      }
      const own = texts.map(({ batcher }, t) =>
        places[t]!.length === 0 ? null : batcher.rows(begins[t]!, places[t]!.length),
      );
      return joined(own, places, count);
    },
    epochs: (rows) => had(rows).map((count, t) => count / texts[t]!.batcher.rowsPerEpoch),
  };
}

/** One batch of the rows of several, each at its place. */
function joined(batches: readonly (Batch | null)[], places: readonly (readonly number[])[], rows: number): Batch {
  const first = batches.find((batch) => batch !== null)!;
  const { length } = first;
  const inputs = new Int32Array(rows * length);
  const targets = new Int32Array(rows * length);
  const keyMask = first.keyMask === undefined ? undefined : new Uint8Array(rows * length);
  const starts = first.starts === undefined ? undefined : new Int32Array(rows * length);
  let scored = 0;
  for (const [t, batch] of batches.entries()) {
    if (batch === null) continue;
    scored += batch.scored;
    for (const [from, to] of places[t]!.entries()) {
      const row = <A extends Int32Array | Uint8Array>(array: A): A =>
        array.subarray(from * length, (from + 1) * length) as A;
      inputs.set(row(batch.inputs), to * length);
      targets.set(row(batch.targets), to * length);
      if (batch.keyMask !== undefined) keyMask!.set(row(batch.keyMask), to * length);
      if (batch.starts !== undefined) starts!.set(row(batch.starts), to * length);
    }
  }
  return { rows, length, inputs, targets, keyMask, starts, scored };
}
