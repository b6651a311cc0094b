/** The part of y that holds what can be compared: lines that go their usual way, however steeply they begin, and not what diverged. */
import { extentOf } from './extent.ts';
import type { Extent } from './extent.ts';
import { withoutFar } from './far.ts';
import { samplesOf, sorted } from './samples.ts';
import type { Weighted } from './samples.ts';

/**
 * On which side of a metric values may lie that say only that something went wrong. `above`: losses and norms, of which lower is better;
 * `below`: what is better the higher it is; `far`: nothing is known of it, and only what is a million times the rest is taken for that.
 */
export type Outlying = 'above' | 'below' | 'far';

const FAR = 1e6;
/** The part of all values that lies closest together: diverged runs, be they three of four, never do. */
const DENSEST = 0.25;
const FEWEST = 3;
/** So many times its own width around the densest part there is still ordinary data: six widths of a normal distribution are ± 4 sd. */
const AROUND = 6;
/** How far the frame follows what is beyond the bulk, as a share of its height. */
const BEYOND = 0.75;
/** Values are left out only where a frame of all of them would be so many times as high. */
const FLATTENED = 3;
/** So many times as high as the bulk a frame becomes for what a few lines do… */
const FEW_LINES = 30;
/** …and for what a quarter of them do; what is further away has no height left to show it. */
const MANY_LINES = 1000;
const MANY = 0.25;
/** So many times as high for spikes from which lines come back, where they are more than the odd one. */
const SPIKES = 10;
const ODD = 0.02;

/**
 * The values that a frame should hold so that lines can be told apart; what lies beyond it is drawn to the edge. Undefined when it should
 * hold all values. Each line weighs the same, however many points it has, but for those that leave the rest for good, as diverged runs do:
 * they have no part in it. What is better than the beginning is never left out, and the beginning of lines that come down to the bulk
 * neither, but for a few that begin very far from all others.
 *
 * @param lines their y, in the part of x that is shown
 * @param timed whether values stand in the order in which they were logged, so that lines have a beginning
 */
export function bulkOf(
  lines: readonly ArrayLike<number>[],
  log: boolean,
  outlying: Outlying,
  timed = true,
): Extent | undefined {
  if (outlying === 'far') return withoutFar(lines, log, FAR);
  const all = extentOf(lines, { log });
  const sign = outlying === 'above' ? 1 : -1;
  // Of values that increase with their badness, so that one rule serves both sides.
  const samples = samplesOf(lines, log).map((own) => (sign > 0 ? own : own.map((v) => -v)));
  const { values, weights } = sorted(samples);
  if (all === undefined || values.length <= FEWEST) return undefined;
  // Of all values: one among thousands is what a frame has to be kept from.
  const measured = (v: number): number => sign * (log ? Math.log(v) : v);
  const [best, worst] = [measured(all.min), measured(all.max)].sort((a, b) => a - b);
  const dense = densest(values, weights, log);
  const width = Math.max(dense.max - dense.min, spacing(dense, log));
  const bulk: Bulk = { best, ordinary: dense.max + AROUND * width, height: dense.max + AROUND * width - best };
  if (timed) {
    const staying = lines.filter((line) => !escapes(line, measured, bulk));
    // What went up and down on its way out is not how high the others are.
    if (staying.length < lines.length && extentOf(staying, { log }) !== undefined)
      return frameBy(staying, lines, log, outlying);
  }
  const most = Math.max(
    atMost({ values, weights }, bulk.ordinary, 1 - ODD),
    beginnings(samples, bulk, timed),
    spikes(samples, bulk),
    beside(samples, bulk),
  );
  const edge = most + BEYOND * Math.max(most - best, width);
  if (worst - best <= FLATTENED * (edge - best)) return undefined;
  const cut = log ? Math.exp(sign * edge) : sign * edge;
  return extentOf(lines, { log, ...(sign > 0 ? { to: cut } : { from: cut }) });
}

/** What the frame is found by; better values are lower. */
interface Bulk {
  readonly best: number;
  /** Up to here values are as most are. */
  readonly ordinary: number;
  /** From the best to there. */
  readonly height: number;
}

/**
 * What a frame should hold of all lines where it is found by `some` of them: as bad as those become, and the best of all. Undefined when it
 * should hold all values.
 */
export function frameBy(
  some: readonly ArrayLike<number>[],
  lines: readonly ArrayLike<number>[],
  log: boolean,
  outlying: 'above' | 'below',
): Extent | undefined {
  const [own, all] = [bulkOf(some, log, outlying) ?? extentOf(some, { log }), extentOf(lines, { log })];
  if (own === undefined || all === undefined) return undefined;
  const found = outlying === 'above' ? { min: all.min, max: own.max } : { min: own.min, max: all.max };
  return found.min <= all.min && found.max >= all.max ? undefined : found;
}

/** Whether a line ends beyond the bulk, and far worse than it began. */
function escapes(line: ArrayLike<number>, measured: (v: number) => number, { ordinary, height }: Bulk): boolean {
  let first = 0;
  while (first < line.length && !Number.isFinite(measured(line[first]))) first++;
  let last = line.length - 1;
  while (last > first && !Number.isFinite(measured(line[last]))) last--;
  const end = measured(line[last]);
  return last > first && end > ordinary && end - measured(line[first]) > FEW_LINES * height;
}

/** Index of the last value with which a line is in the bulk; −1 for one that never is. */
const lastInside = (line: Float64Array, { ordinary }: Bulk): number => line.findLastIndex((v) => v <= ordinary);

/** The highest beginning of the lines that come down to the bulk: of a quarter of them wherever it is, of fewer where it is not far away. */
function beginnings(samples: readonly Float64Array[], bulk: Bulk, timed: boolean): number {
  if (!timed) return -Infinity;
  const starts = samples
    .filter((line) => lastInside(line, bulk) >= 0)
    .map(([first]) => first)
    .sort((a, b) => a - b);
  const common = starts[Math.floor((1 - MANY) * (starts.length - 1))] ?? -Infinity;
  return Math.max(common, starts.findLast((v) => v - bulk.best <= FEW_LINES * bulk.height) ?? -Infinity);
}

/** How high the spikes are from which lines come back into the bulk, but for the odd one. */
function spikes(samples: readonly Float64Array[], bulk: Bulk): number {
  const before = samples.map((line) => line.subarray(0, lastInside(line, bulk) + 1)).filter(({ length }) => length > 0);
  return atMost(sorted(before), bulk.best + SPIKES * bulk.height, 1 - ODD);
}

/** How high the lines are that lie beside the bulk all the time and do not get worse and worse, where a quarter of the lines do. */
function beside(samples: readonly Float64Array[], bulk: Bulk): number {
  const steady = samples.filter((line) => {
    const later = line.slice(Math.floor(line.length / 2)).sort();
    const level = later[Math.floor(later.length / 2)];
    return (
      lastInside(line, bulk) < 0 &&
      level - line[0] <= FEW_LINES * bulk.height &&
      level - bulk.best <= MANY_LINES * bulk.height
    );
  });
  if (steady.length < MANY * samples.length) return -Infinity;
  return atMost(sorted(steady), bulk.best + MANY_LINES * bulk.height, 1 - ODD);
}

/** A quantile of those values that are no more than `limit`; −∞ of none. */
function atMost({ values, weights }: Weighted, limit: number, share: number): number {
  let count = 0;
  let total = 0;
  for (; count < values.length && values[count] <= limit; count++) total += weights[count];
  let held = 0;
  for (let i = 0; i < count; i++) {
    held += weights[i];
    if (held >= share * total - 1e-9) return values[i];
  }
  return -Infinity;
}

/** Values that agree to a thousandth have a width too: noise in the last digits is no reason to leave out the rest. */
const spacing = ({ min, max }: Extent, log: boolean): number =>
  log ? 0.05 : 0.02 * Math.max(Math.abs(min), Math.abs(max));

/**
 * The narrowest interval that holds a quarter of the weight, and three values: fewer say nothing of how far they spread. Of several without
 * width that of the smallest values: what diverged may stand still, too.
 */
function densest(values: Float64Array, weights: Float64Array, log: boolean): Extent {
  const widthOf = (range: Extent): number => Math.max(range.max - range.min, spacing(range, log));
  const wanted = DENSEST * weights.reduce((sum, weight) => sum + weight, 0) - 1e-9;
  let best = { min: values[0], max: values[values.length - 1] };
  let held = 0;
  let to = 0;
  for (let from = 0; from < values.length; from++) {
    while ((held < wanted || to - from < FEWEST) && to < values.length) held += weights[to++];
    if (held < wanted || to - from < FEWEST) break;
    const range = { min: values[from], max: values[to - 1] };
    if (widthOf(range) < widthOf(best)) best = range;
    held -= weights[from];
  }
  return best;
}
