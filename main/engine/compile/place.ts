/** Offsets for buffers with known lifetimes in one arena. */

export interface Interval {
  readonly bytes: number;
  /** First and last instant, both included. */
  readonly start: number;
  readonly end: number;
  /** Where it must lie; anywhere unless given. Such intervals must fit beside each other. */
  readonly at?: number | undefined;
}

/**
 * Greedy by size (Pisarchyk & Lee 2020): the largest buffer first, each into the smallest gap between those already placed that
 * overlap it in time and are large enough, else at the end; those with a fixed place before all others. Deterministic. Returns one offset per interval and the arena's size.
 */
export function placeBuffers(intervals: readonly Interval[]): { offsets: number[]; total: number } {
  const order = intervals.map((_, i) => i).sort((a, b) => intervals[b]!.bytes - intervals[a]!.bytes || a - b);
  const isFixed = (i: number): boolean => intervals[i]!.at !== undefined;
  const offsets = Array.from({ length: intervals.length }, () => 0);
  // Kept sorted by offset, so that one pass finds the gaps.
  const placed: { interval: Interval; offset: number }[] = [];
  let total = 0;
  for (const index of [...order.filter(isFixed), ...order.filter((i) => !isFixed(i))]) {
    const interval = intervals[index]!;
    let best = -1;
    let bestGap = Infinity;
    let free = 0;
    for (const other of placed) {
      if (other.interval.start > interval.end || other.interval.end < interval.start) continue;
      const gap = other.offset - free;
      if (gap >= interval.bytes && gap < bestGap) {
        best = free;
        bestGap = gap;
      }
      free = Math.max(free, other.offset + other.interval.bytes);
    }
    const offset = interval.at ?? (best === -1 ? free : best);
    offsets[index] = offset;
    total = Math.max(total, offset + interval.bytes);
    let low = 0;
    let high = placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (placed[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    placed.splice(low, 0, { interval, offset });
  }
  return { offsets, total };
}
