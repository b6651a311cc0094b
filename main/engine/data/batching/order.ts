/** The random order in which an epoch takes its rows. */
import type { Stream } from '../../random/stream.ts';

/** The row that stands at a place of the order: every row stands at one. */
export type Order = (place: number) => number;

/** Orders of more rows are computed place by place: a list of those of ten billion tokens fills a memory. */
const LISTED = 2 ** 22;

/** A random order of the rows 0 … rows − 1, drawn from the stream. */
export function randomOrder(random: Stream, rows: number, listed = LISTED): Order {
  if (rows > listed) return permutation(random, rows);
  const order = random.shuffle(Int32Array.from({ length: rows }, (_, i) => i));
  return (place) => order[place]!;
}

const ROUNDS = 8;

/**
 * A permutation that is never written down: a Feistel network over the smallest square of a power of two that holds all rows; what falls outside
 * of them is put through it again until it falls inside (cycle walking; Black and Rogaway 2002).
 */
function permutation(random: Stream, rows: number): Order {
  let half = 1;
  while (2 ** (2 * half) < rows) half++;
  const side = 2 ** half;
  const keys = Uint32Array.from({ length: ROUNDS }, () => random.nextUint32());
  const once = (value: number): number => {
    let left = Math.floor(value / side);
    let right = value % side;
    for (const key of keys) [left, right] = [right, left ^ (mixed(right, key) & (side - 1))];
    return left * side + right;
  };
  return (place) => {
    let row = once(place);
    while (row >= rows) row = once(row);
    return row;
  };
}

/** The finalizer of MurmurHash3 over a value and a key. */
function mixed(value: number, key: number): number {
  let hash = value ^ key;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ key;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
