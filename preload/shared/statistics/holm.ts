/** Many comparisons at once: the more there are, the more of them look different by chance. */

export interface Judged {
  /** p-value corrected for the number of comparisons, ≤ 1. Compare with the level wanted. */
  readonly adjusted: number;
  readonly rejected: boolean;
  /** Level at which this comparison was tested in the end: an interval of 1 − `alpha` leaves out 0 exactly where it was rejected. */
  readonly alpha: number;
}

/**
 * Holm's step-down correction (Holm 1979): the smallest p is tested at level / m, the next at level / (m − 1) …, until one fails; then all
 * that are left fail. Keeps the chance of even one false "different" below `level`. Values that are no number are no comparison: they are
 * left out of m, and stay undefined.
 */
export function holm(pValues: readonly number[], level = 0.05): (Judged | undefined)[] {
  const order = pValues.map((_, i) => i).filter((i) => !Number.isNaN(pValues[i]));
  order.sort((a, b) => pValues[a] - pValues[b]);
  const m = order.length;
  const judged: (Judged | undefined)[] = pValues.map(() => undefined);
  let adjusted = 0;
  let stoppedAt: number | undefined;
  order.forEach((i, place) => {
    adjusted = Math.min(1, Math.max(adjusted, (m - place) * pValues[i]));
    if (stoppedAt === undefined && adjusted >= level) stoppedAt = place;
    judged[i] = { adjusted, rejected: stoppedAt === undefined, alpha: level / (m - (stoppedAt ?? place)) };
  });
  return judged;
}
