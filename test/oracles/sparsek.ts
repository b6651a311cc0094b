/** SparseK from its definition: the threshold by bisection, who is among the k best by counting. */

/** τ with Σ clip(z − τ, 0, 1) = k, or undefined where there are no more than k numbers. The sum falls as τ grows. */
export function thresholdByBisection(z: readonly number[], k: number): number | undefined {
  if (z.length <= k) return undefined;
  const sum = (t: number) => z.reduce((total, x) => total + Math.min(1, Math.max(0, x - t)), 0);
  let [low, high] = [Math.min(...z) - 1, Math.max(...z)];
  for (let n = 0; n < 200; n++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (sum(middle) >= k) low = middle;
    else high = middle;
  }
  return low;
}

/** First position from j on at which j is not among the k largest of the scores from `first` on; z.length where that never happens. */
export function expiryByCounting(z: readonly number[], first: number, j: number, k: number, end: number): number {
  for (let i = j; i < end; i++) {
    let better = 0;
    for (let other = first; other <= i; other++) if (z[other]! > z[j]! || (z[other] === z[j] && other < j)) better++;
    if (better >= k) return i;
  }
  return z.length;
}

/** The two outputs of the operation `sparseSelect` for rows of `length` scores. */
export function sparsekByDefinition(
  scores: ArrayLike<number>,
  length: number,
  k: number,
  starts?: ArrayLike<number>,
): [threshold: Float64Array, expiry: Float64Array] {
  const threshold = new Float64Array(scores.length).fill(-1e30);
  const expiry = new Float64Array(scores.length);
  for (let row = 0; row < scores.length; row += length) {
    const z = Array.from({ length }, (_, i) => scores[row + i]!);
    const start = (i: number) => starts?.[row + i] ?? 0;
    for (let i = 0; i < length; i++) {
      threshold[row + i] = thresholdByBisection(z.slice(start(i), i + 1), k) ?? -1e30;
      let end = i;
      while (end < length && start(end) === start(i)) end++;
      expiry[row + i] = expiryByCounting(z, start(i), i, k, end);
    }
  }
  return [threshold, expiry];
}
