/** Holding out documents for validation. A document is never split, so no text is ever on both sides. */
import type { Corpus } from './corpus.ts';
import { characterBoundary, documentCount, selectDocuments } from './corpus.ts';
import { DataError } from './errors.ts';
import { Stream } from '../random/stream.ts';
import { letGo } from './documentSizes.ts';
import type { Sizes } from './documentSizes.ts';

export interface Split {
  readonly train: Corpus;
  readonly validation: Corpus;
}

const NEWLINE = 10;

/** Where a text of one document is to be cut, and how far from there a line's end is near. */
export function cutPlace(bytes: number, fraction: number): { readonly wanted: number; readonly slack: number } {
  return {
    wanted: Math.round(bytes * (1 - fraction)),
    slack: Math.max(1, Math.floor((bytes * fraction) / 4)),
  };
}

/** A corpus of one document is cut once, near the wanted place: after a line's end if one is near, else between characters. */
function cutOnce(corpus: Corpus, fraction: number): Split {
  const { bytes } = corpus;
  const { wanted, slack } = cutPlace(bytes.length, fraction);
  let cut = -1;
  for (let distance = 0; distance <= slack && cut < 0; distance++) {
    for (const at of [wanted - distance, wanted + distance])
      if (at > 0 && at < bytes.length && bytes[at - 1] === NEWLINE) cut = at;
  }
  if (cut < 0) cut = characterBoundary(bytes, Math.min(bytes.length - 1, Math.max(1, wanted)));
  if (cut <= 0 || cut >= bytes.length)
    throw new DataError(
      'data.validation',
      fraction,
      'the corpus is too short to hold anything out.',
      'a longer corpus',
    );
  const piece = (from: number, to: number): Corpus => ({
    bytes: bytes.subarray(from, to),
    offsets: Float64Array.of(0, to - from),
    bits: null,
  });
  return { train: piece(0, cut), validation: piece(cut, bytes.length) };
}

/** @throws DataError for a share that holds nothing out, or too much */
export function checkShare(fraction: number): void {
  if (fraction > 0 && fraction <= 0.5) return;
  throw new DataError('data.validation', fraction, 'there would be no validation text.', 'above 0, at most 0.5', 0.05);
}

/**
 * Which documents are held out: whole ones whose bytes come as near as possible to `fraction` of the text, in a random order that depends
 * on `seed` alone, or from the end. Neither side is empty. Of at least two.
 */
export function heldOut(sizes: Sizes, fraction: number, how: 'random' | 'last', seed: number): Uint8Array<ArrayBuffer> {
  const { length: n } = sizes;
  const size = (d: number): number => sizes.at(d);
  let total = 0;
  for (let d = 0; d < n; d++) total += size(d);
  const target = total * fraction;
  const order = Int32Array.from({ length: n }, (_, i) => n - 1 - i);
  if (how === 'random') new Stream(seed, 'data/holdout').shuffle(order.reverse());
  const held = new Uint8Array(n);
  let sum = 0;
  let count = 0;
  for (const d of order) {
    const closer = Math.abs(sum + size(d) - target) < Math.abs(sum - target);
    if (closer) {
      held[d] = 1;
      sum += size(d);
      count++;
    } else if (how === 'last' || sum >= target) break;
  }
  if (count === 0) {
    // Every document is more than twice what was wanted: the least of them (or the last one) is nearest.
    let nearest = how === 'last' ? n - 1 : 0;
    if (how === 'random') for (let d = 1; d < n; d++) if (size(d) < size(nearest)) nearest = d;
    held[nearest] = 1;
  }
  letGo(order);
  return held;
}

/** Holds out as {@link heldOut} says. Both sides keep the corpus' order and neither is empty. */
export function holdOut(corpus: Corpus, fraction: number, how: 'random' | 'last', seed: number): Split {
  checkShare(fraction);
  const n = documentCount(corpus);
  if (n === 0 || corpus.bytes.length === 0)
    throw new DataError('data.corpus', '', 'the corpus is empty.', 'a corpus with text');
  if (n === 1) return cutOnce(corpus, fraction);
  const { offsets } = corpus;
  const held = heldOut({ length: n, at: (d) => offsets[d + 1] - offsets[d] }, fraction, how, seed);
  const side = (which: number) => Int32Array.from(held.keys()).filter((d) => held[d] === which);
  return { train: selectDocuments(corpus, side(0)), validation: selectDocuments(corpus, side(1)) };
}
