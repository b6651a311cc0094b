/** What a sparse attention computes, and what can reach what through two layers of it. */
import { keysSeen, sparsePairs } from '../../graph/ops/index.ts';
import type { SparsePattern } from '../../graph/ops/index.ts';
import type { AttentionUse } from './attention.ts';

/** A layer of sparse attention. */
export interface SparseLayer extends Pick<AttentionUse, 'heads' | 'length'> {
  readonly pattern: SparsePattern;
  /** Tokens that are seen beside those of the pattern, at most. */
  readonly chosen?: number;
}

/** Pairs of a token and an earlier one (or itself) that are computed, as a share of all, over the heads of all layers. */
export function densityOf(layers: readonly SparseLayer[]): number {
  let [pairs, all] = [0, 0];
  for (const { pattern, heads, length, chosen } of layers) {
    pairs += sparsePairs(pattern, heads, length, chosen);
    all += (heads * length * (length + 1)) / 2;
  }
  return pairs / all;
}

/** Tokens looked at where a sequence is long: the pairs grow with its square. */
const LOOKED_AT = 256;

/** What any head of a layer lets a token see, remembered. */
function sightOf({ pattern, heads }: SparseLayer): (i: number) => readonly number[] {
  const known = new Map<number, readonly number[]>();
  const kinds = Math.min(heads, pattern.patterns.length * pattern.groups);
  return (i) => {
    const seen = known.get(i) ?? [
      ...new Set(Array.from({ length: kinds }, (_, head) => keysSeen(pattern, head, i)).flat()),
    ];
    known.set(i, seen);
    return seen;
  };
}

/**
 * Share of the pairs (i, j ≤ i) for which layer `upper` lets i see a token that layer `lower` lets see j, so that text travels from j to i in
 * two hops. Of long sequences some tokens i are looked at, evenly spread, the last among them.
 */
export function twoHops(lower: SparseLayer, upper: SparseLayer): number {
  const { length } = lower;
  const step = Math.max(1, Math.floor(length / LOOKED_AT));
  const [below, above] = [sightOf(lower), sightOf(upper)];
  let [reached, all] = [0, 0];
  const mark = new Int32Array(length).fill(-1);
  for (let i = length - 1; i >= 0; i -= step) {
    all += i + 1;
    for (const middle of above(i))
      for (const j of below(middle))
        if (mark[j] !== i) {
          mark[j] = i;
          reached++;
        }
  }
  return reached / all;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

export function densityNote(layers: readonly SparseLayer[]): string {
  return `density ${percent(densityOf(layers))} of the pairs that causal attention computes`;
}

/** Whether every token reaches every earlier one within two hops, for each pair of neighbouring layers. */
export function reachNote(layers: readonly SparseLayer[]): string {
  if (layers.length === 1) return 'one layer: a token reaches only what it sees itself';
  const known = new Map<string, number>();
  let worst = 1;
  for (let layer = 1; layer < layers.length; layer++) {
    const [lower, upper] = [layers[layer - 1]!, layers[layer]!];
    const key = JSON.stringify([lower.pattern, lower.heads, upper.pattern, upper.heads]);
    const share = known.get(key) ?? twoHops(lower, upper);
    known.set(key, share);
    worst = Math.min(worst, share);
  }
  return worst === 1
    ? 'every token reaches every earlier one within two layers'
    : `within two layers a token reaches ${percent(worst)} of those before it`;
}
