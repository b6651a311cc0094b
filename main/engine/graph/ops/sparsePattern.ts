/**
 * The patterns of Sparse Transformers (Child et al. 2019), as their published code means them. A query i sees of the keys j ≤ i, with
 * blocks of L tokens:
 *
 *   all      every one
 *   local    the last L, itself included
 *   strided  every L-th, counted back from itself: (i − j) mod L = 0
 *   fixed    those of its own block, ⌊j/L⌋ = ⌊i/L⌋, and of every block c summary columns: of group v those with
 *            L − (v + 1)·c ≤ j mod L < L − v·c, counted from the block's end
 */

export const PATTERNS = ['all', 'local', 'strided', 'fixed'] as const;
export type Pattern = (typeof PATTERNS)[number];

export interface SparsePattern {
  /** Of the heads in turn. */
  readonly patterns: readonly Pattern[];
  /** L, in tokens. */
  readonly block: number;
  /** c, summary columns of a head and block, for fixed. */
  readonly summary: number;
  /** V: the heads of a pattern take V groups of columns in turn. */
  readonly groups: number;
}

export const patternOf = ({ patterns }: SparsePattern, head: number): Pattern => patterns[head % patterns.length]!;

/** Group v of summary columns that a head takes. */
const groupOf = ({ patterns, groups }: SparsePattern, head: number): number =>
  Math.floor(head / patterns.length) % groups;

/** Places of a block that all later tokens see with pattern `fixed`: from, and to without. */
export function summaryColumns(pattern: SparsePattern, head: number): [from: number, to: number] {
  const { block, summary } = pattern;
  const v = groupOf(pattern, head);
  return [block - (v + 1) * summary, block - v * summary];
}

/** How many keys query i of a head sees, itself included. */
export function seenKeys(pattern: SparsePattern, head: number, i: number): number {
  const { block, summary } = pattern;
  const kind = patternOf(pattern, head);
  if (kind === 'local') return Math.min(i + 1, block);
  if (kind === 'strided') return Math.floor(i / block) + 1;
  if (kind === 'fixed') return (i % block) + 1 + Math.floor(i / block) * summary;
  return i + 1;
}

/** The keys themselves, in order. */
export function keysSeen(pattern: SparsePattern, head: number, i: number): number[] {
  const { block } = pattern;
  const kind = patternOf(pattern, head);
  const [from, to] = summaryColumns(pattern, head);
  const sees = (j: number): boolean => {
    if (kind === 'local') return i - j < block;
    if (kind === 'strided') return (i - j) % block === 0;
    if (kind === 'all') return true;
    const column = j % block;
    return Math.floor(j / block) === Math.floor(i / block) || (column >= from && column < to);
  };
  return Array.from({ length: i + 1 }, (_, j) => j).filter(sees);
}

/** Σ over the heads of what `of` says of the queries of one; heads of a pattern are alike. */
function overHeads(pattern: SparsePattern, heads: number, of: (head: number) => number): number {
  const known = new Map<Pattern, number>();
  let sum = 0;
  for (let head = 0; head < heads; head++) {
    const kind = patternOf(pattern, head);
    const own = known.get(kind) ?? of(head);
    known.set(kind, own);
    sum += own;
  }
  return sum;
}

/** Pairs of a query and a key that count, of all heads, for one sequence; at most `chosen` keys of each query are added to the pattern. */
export function sparsePairs(pattern: SparsePattern, heads: number, length: number, chosen = 0): number {
  return overHeads(pattern, heads, (head) => {
    let pairs = 0;
    for (let i = 0; i < length; i++) pairs += Math.min(i + 1, seenKeys(pattern, head, i) + chosen);
    return pairs;
  });
}

/** The most keys that a query of a head sees, summed over the heads: what counting operations without the causal half goes by. */
export function mostKeys(pattern: SparsePattern, heads: number, length: number, chosen = 0): number {
  return overHeads(pattern, heads, (head) => {
    let most = 0;
    for (let i = 0; i < length; i++) most = Math.max(most, seenKeys(pattern, head, i));
    return Math.min(length, most + chosen);
  });
}
