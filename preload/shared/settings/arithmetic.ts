/** Searching the nearest number that keeps a rule. */

/** The number in [min, max] nearest to `from` for which `keeps` holds; of two equally near the larger. */
export function nearestWhere(
  from: number,
  min: number,
  max: number,
  keeps: (candidate: number) => boolean,
): number | undefined {
  for (let distance = 0; distance <= max - min; distance++) {
    const above = from + distance;
    const below = from - distance;
    if (above >= min && above <= max && keeps(above)) return above;
    if (below >= min && below <= max && keeps(below)) return below;
  }
  return undefined;
}

/** The divisors of a positive integer, ascending. */
export function divisors(n: number): number[] {
  const low: number[] = [];
  const high: number[] = [];
  for (let d = 1; d * d <= n; d++) {
    if (n % d !== 0) continue;
    low.push(d);
    if (d * d !== n) high.unshift(n / d);
  }
  return [...low, ...high];
}
