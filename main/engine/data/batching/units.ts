/**
 * Into what a scored text falls apart when one asks how much its score is luck: another text of the same source would have had other
 * documents. Tokens of one document are alike, so documents are what was drawn.
 */

export type ScoredUnit = 'document' | 'piece' | 'token';

export interface ScoredUnits {
  readonly unit: ScoredUnit;
  /** Unit u is the scored tokens ends[u − 1] … ends[u]. */
  readonly ends: Float64Array;
}

/** With fewer units their spread is hardly known. */
const LEAST = 20;

/**
 * The units of the first `end` tokens of a split: documents, the last one perhaps in part. A text of fewer than 20 of them is cut into
 * pieces of `context` tokens, and one too short for that into its tokens.
 *
 * @param offsets as in TokenSplit: document d begins at offsets[d]
 */
export function scoredUnits(offsets: ArrayLike<number>, end: number, context: number): ScoredUnits {
  const documents: number[] = [];
  const pieces: number[] = [];
  for (let d = 0; d + 1 < offsets.length && offsets[d] < end; d++) {
    const last = Math.min(end, offsets[d + 1]);
    documents.push(last);
    for (let piece = offsets[d] + context; piece < last; piece += context) pieces.push(piece);
    pieces.push(last);
  }
  if (documents.length >= LEAST) return { unit: 'document', ends: Float64Array.from(documents) };
  if (pieces.length >= LEAST) return { unit: 'piece', ends: Float64Array.from(pieces) };
  return { unit: 'token', ends: Float64Array.from({ length: end }, (_, i) => i + 1) };
}

/**
 * Standard error of the ratio Σ amounts ÷ Σ sizes, where units were drawn whole (ratio estimator, Cochran 1977, section 2.11). NaN for
 * fewer than two units.
 */
export function ratioError(amounts: ArrayLike<number>, sizes: ArrayLike<number>): number {
  const n = amounts.length;
  let amount = 0;
  let size = 0;
  for (let u = 0; u < n; u++) {
    amount += amounts[u];
    size += sizes[u];
  }
  let squares = 0;
  for (let u = 0; u < n; u++) squares += (amounts[u] - (amount / size) * sizes[u]) ** 2;
  return n < 2 ? Number.NaN : Math.sqrt((n / (n - 1)) * squares) / size;
}
