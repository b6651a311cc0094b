/**
 * A small random forest for regression (Breiman 2001): bootstrap samples, a random third of the features (at least two) at each split, grown
 * until leaves have `leaf` rows. Used only to ask which settings matter; see importance.ts.
 */
import { seededRandom } from './random.ts';

type Node = { readonly value: number } | { readonly feature: number; readonly at: number; low: Node; high: Node };

interface Tree {
  readonly root: Node;
  /** Rows that the bootstrap sample left out. */
  readonly outOfBag: readonly number[];
}

export interface Forest {
  readonly trees: readonly Tree[];
}

export interface ForestOptions {
  readonly trees?: number;
  readonly leaf?: number;
  readonly seed?: number;
}

/** Columns are features, one number per row. */
export function growForest(
  columns: readonly (readonly number[])[],
  target: readonly number[],
  options: ForestOptions = {},
): Forest {
  const { trees = 100, leaf = 2, seed = 1 } = options;
  const random = seededRandom(seed);
  const n = target.length;
  const tried = Math.min(columns.length, Math.max(2, Math.ceil(columns.length / 3)));
  const grown: Tree[] = [];
  for (let t = 0; t < trees; t++) {
    const sample = Array.from({ length: n }, () => Math.floor(random() * n));
    const inBag = new Set(sample);
    const outOfBag = target.map((_, i) => i).filter((i) => !inBag.has(i));
    grown.push({ root: grow(columns, target, sample, { tried, leaf, random }), outOfBag });
  }
  return { trees: grown };
}

interface Growing {
  readonly tried: number;
  readonly leaf: number;
  readonly random: () => number;
}

function grow(
  columns: readonly (readonly number[])[],
  target: readonly number[],
  rows: readonly number[],
  how: Growing,
): Node {
  const mean = rows.reduce((sum, i) => sum + target[i], 0) / rows.length;
  if (rows.length < 2 * how.leaf || rows.every((i) => target[i] === target[rows[0]])) return { value: mean };
  const candidates = columns.map((_, f) => f);
  for (let i = candidates.length - 1; i > 0; i--) {
    const j = Math.floor(how.random() * (i + 1));
    [candidates[i], candidates[j]] = [candidates[j], candidates[i]];
  }
  // Features beyond the random third are only tried while none of the earlier ones can split at all.
  let best: Split | undefined;
  for (const [k, feature] of candidates.entries()) {
    if (k >= how.tried && best !== undefined) break;
    const split = bestSplit(columns[feature], target, rows, feature, how.leaf);
    if (split !== undefined && (best === undefined || split.gain > best.gain)) best = split;
  }
  if (best === undefined) return { value: mean };
  const { feature, at } = best;
  const low = rows.filter((i) => columns[feature][i] <= at);
  const high = rows.filter((i) => columns[feature][i] > at);
  return { feature, at, low: grow(columns, target, low, how), high: grow(columns, target, high, how) };
}

interface Split {
  readonly feature: number;
  readonly at: number;
  readonly gain: number;
}

/** The split with the smallest squared error: the largest nL·meanL² + nH·meanH². */
function bestSplit(
  column: readonly number[],
  target: readonly number[],
  rows: readonly number[],
  feature: number,
  leaf: number,
): Split | undefined {
  const sorted = [...rows].sort((a, b) => column[a] - column[b]);
  const total = rows.reduce((sum, i) => sum + target[i], 0);
  const n = rows.length;
  let low = 0;
  let best: Split | undefined;
  for (let i = 0; i < n - 1; i++) {
    low += target[sorted[i]];
    const a = column[sorted[i]];
    const b = column[sorted[i + 1]];
    if (a === b || i + 1 < leaf || n - i - 1 < leaf) continue;
    const gain = low ** 2 / (i + 1) + (total - low) ** 2 / (n - i - 1);
    if (best === undefined || gain > best.gain) best = { feature, at: (a + b) / 2, gain };
  }
  return best;
}

/** One tree's answer for a row; `swap` gives the value of one feature from elsewhere. */
export function predict(
  root: Node,
  columns: readonly (readonly number[])[],
  row: number,
  swap?: { readonly feature: number; readonly from: number },
): number {
  let node = root;
  while ('feature' in node) {
    const source = swap !== undefined && swap.feature === node.feature ? swap.from : row;
    node = columns[node.feature][source] <= node.at ? node.low : node.high;
  }
  return node.value;
}
