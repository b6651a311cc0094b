/**
 * How a metric series lies in the database.
 *
 * Points are numbered 0, 1, 2, … in the order of their steps.
 *
 *   level 0   blocks of exactly 1,024 points: block i holds points 1,024·i … 1,024·i + 1,023
 *   level ℓ   blocks of exactly 64 buckets; a bucket sums up 16^ℓ neighbouring points (mean, min, max, non-finite count)
 *   tail      the points after the last full level-0 block, at most 1,023, in a few small rows
 *
 * Blocks exist as soon as all their points do and never change; only truncation (before a resumed run rewrites its last
 * steps) removes them. Adding one point therefore writes one tail row, whatever the length of the series, and reading N
 * points of a long series touches about N/64 … N/4 blocks' worth of data instead of all of it.
 *
 * Arrays are little-endian. Steps that are evenly spaced are not stored at all (first and stride tell them); values
 * that are exact in 32 bits, as the losses of a training engine are, take 32 bits. Nothing is rounded.
 */

import { endianness } from 'node:os';

/** Points of a level-0 block. */
export const BLOCK_POINTS = 1024;
/** Buckets of a block of level ≥ 1. */
export const BLOCK_BUCKETS = 64;
/** Buckets (or points) of one level that make one bucket of the next. */
export const FANOUT = 16;
/** Levels that fit into a key; the blocks of the last one span 2^30 points, the most a series can have. */
export const MAX_LEVEL = 6;

const INDEX_RANGE = 2 ** 20;
const LEVEL_RANGE = 2 ** 3;

if (endianness() !== 'LE') throw new Error('Sweeplab stores little-endian arrays and does not run on this machine');

/** Points per bucket of a level; 1 for level 0. */
export function unitOf(level: number): number {
  return FANOUT ** level;
}

/** Points that one block of a level spans. */
export function spanOf(level: number): number {
  return level === 0 ? BLOCK_POINTS : BLOCK_BUCKETS * unitOf(level);
}

/** Key of a block: series, level and index in one integer below 2^53. */
export function blockKey(series: number, level: number, index: number): number {
  return (series * LEVEL_RANGE + level) * INDEX_RANGE + index;
}

/** The keys of all blocks of a series lie in [first, last]. */
export function blockKeys(series: number): { first: number; last: number } {
  return { first: blockKey(series, 0, 0), last: blockKey(series + 1, 0, 0) - 1 };
}
