/** Training batches as a pure function of (seed, position): nothing to save, nothing that evaluation could disturb. */
import { Stream } from '../../random/stream.ts';
import type { Dataset, TokenSplit } from '../dataset.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { DocumentRows, DocumentStarts, fillTargets, IGNORE, positive } from './layout.ts';
import type { Batch } from './layout.ts';
import { padsRows } from './modes.ts';
import type { BatchingMode } from './modes.ts';
import { randomOrder } from './order.ts';
import type { Order } from './order.ts';
import { PackedRows } from './packing.ts';
import { windowsOfEpoch } from './rows.ts';
import type { Piece } from './packing.ts';

export interface BatcherOptions {
  readonly mode: BatchingMode;
  /** Targets per row. */
  readonly context: number;
  /** Where a run has longer rows too: theirs. Rows that are shorter come in an order of their own. */
  readonly longest?: number;
  /** The run's seed. */
  readonly seed: number;
  /** Whether batches say where documents begin. */
  readonly documentMask?: boolean;
}

export interface Batcher {
  readonly mode: BatchingMode;
  readonly context: number;
  /** Rows that make one epoch (`random`: targets of an epoch ÷ context, not always whole). */
  readonly rowsPerEpoch: number;
  /** Targets scored in one epoch; `epoch` = targets scored ÷ this, exact. */
  readonly tokensPerEpoch: number;
  /** Rows `first … first + count − 1` of the endless sequence of rows. */
  rows(first: number, count: number): Batch;
  /** Batch of step `step` (from 0) when every step takes `sequences` rows: rows(step × sequences, sequences). */
  batch(step: number, sequences: number): Batch;
  /** Targets scored in rows 0 … rows − 1, without making them; ÷ tokensPerEpoch gives the epoch. */
  scoredBefore(rows: number): number;
}

/** What a row is written to. */
interface Places {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly starts: Int32Array | undefined;
}

/** Rows that hold whole documents, or chunks of one. */
interface PieceRows {
  readonly count: number;
  pieces(row: number): readonly Piece[];
}

function rowsOf(mode: BatchingMode, train: TokenSplit, context: number): PieceRows {
  if (mode === 'packed') return new PackedRows(train, context);
  const rows = new DocumentRows(train, context);
  return { count: rows.count, pieces: (row) => [rows.range(row)] };
}

/** Fills one row with pieces, one behind the other, and pads the rest. */
function fillPieces(
  train: TokenSplit,
  pieces: readonly Piece[],
  context: number,
  row: number,
  { eosId, padId }: Pick<Tokenizer, 'eosId' | 'padId'>,
  places: Places,
  keyMask: Uint8Array,
): void {
  const base = row * context;
  const { inputs, targets, starts } = places;
  let place = 0;
  for (const [from, to] of pieces) {
    starts?.fill(place, base + place, base + place + to - from);
    fillTargets(train.tokens, from, to, base + place, eosId, places);
    place += to - from;
  }
  inputs.fill(padId, base + place, base + context);
  targets.fill(IGNORE, base + place, base + context);
  // Padding sees what the last document sees: something, and nothing that is scored.
  starts?.fill(starts[base + Math.max(0, place - 1)]!, base + place, base + context);
  keyMask.fill(1, base, base + Math.max(1, place));
  keyMask.fill(0, base + Math.max(1, place), base + context);
}

/** The order of one epoch, and where its windows begin. */
interface Epoch {
  readonly order: Order;
  readonly phase: number;
}

/**
 * - `shuffled`: every epoch cuts the stream, seen as a circle (its end and its beginning are both an EOS), into
 *   ⌊N / context⌋ windows from a random phase and takes them in random order, without replacement. The N mod context tokens
 *   left over lie elsewhere in every epoch. A batch may reach over an epoch's end.
 * - `documents`: every epoch takes all rows of the documents layout in random order: all N tokens, exactly once.
 * - `packed`: as `documents`, but a row holds as many whole documents as fit (packing.ts).
 * - `random`: windows begin anywhere on the circle, with replacement; N targets count as an epoch.
 * A stream shorter than the context makes rows of N targets, the rest padded.
 */
export function batcher(dataset: Pick<Dataset, 'train' | 'tokenizer'>, options: BatcherOptions): Batcher {
  const { mode, seed } = options;
  const context = positive('context', options.context);
  const { train, tokenizer } = dataset;
  const { eosId, padId } = tokenizer;
  const { tokens } = train;
  const n = tokens.length;
  if (n === 0) throw new RangeError('the training split holds no tokens');
  const width = Math.min(context, n);
  const documents = padsRows(mode) ? rowsOf(mode, train, context) : null;
  const begins = options.documentMask === true ? new DocumentStarts(train) : null;
  const rowsPerEpoch = documents?.count ?? windowsOfEpoch(mode === 'shuffled' ? mode : 'random', n, context);
  const tokensPerEpoch = mode === 'shuffled' ? rowsPerEpoch * width : n;

  const stream = `data/order/${mode}${context === (options.longest ?? context) ? '' : `/${context}`}`;
  // The last epochs used; a batch needs two at most, a resumed run recomputes them.
  const epochs = new Map<number, Epoch>();
  const epochOf = (epoch: number): Epoch => {
    let found = epochs.get(epoch);
    if (found === undefined) {
      const random = new Stream(seed, stream, epoch);
      const phase = random.int(n);
      const order = randomOrder(random, rowsPerEpoch);
      found = { order, phase };
      if (epochs.size >= 2) epochs.delete(epochs.keys().next().value!);
      epochs.set(epoch, found);
    }
    return found;
  };

  const windows = new Stream(seed, stream);
  const fillWindow = (start: number, row: number, places: Places) => {
    const base = row * context;
    const { inputs, targets, starts } = places;
    // A window may reach over the end of the stream to its beginning.
    const head = Math.min(width, n - start);
    fillTargets(tokens, start, start + head, base, eosId, places);
    fillTargets(tokens, 0, width - head, base + head, eosId, places);
    inputs.fill(padId, base + width, base + context);
    targets.fill(IGNORE, base + width, base + context);
    if (begins === null) return;
    begins.fill(start, head, 0, base, starts!);
    if (head < width) begins.fill(0, width - head, head, base, starts!);
    starts!.fill(starts![base + width - 1]!, base + width, base + context);
  };

  const rows = (first: number, count: number): Batch => {
    if (!Number.isSafeInteger(first) || first < 0) throw new RangeError(`row ${first} is not an integer ≥ 0`);
    positive('rows', count);
    const inputs = new Int32Array(count * context);
    const targets = new Int32Array(count * context);
    const keyMask = documents === null ? undefined : new Uint8Array(count * context);
    const starts = begins === null ? undefined : new Int32Array(count * context);
    const places: Places = { inputs, targets, starts };
    let scored = count * width;
    if (documents !== null) scored = 0;
    for (let r = 0; r < count; r++) {
      const row = first + r;
      if (mode === 'random') {
        // Always two words per row, so that any row can be found; the bias is below n · 2^−53.
        windows.position = row * 2;
        const bits = (windows.nextUint32() >>> 11) * 2 ** 32 + windows.nextUint32();
        fillWindow(Math.floor((bits / 2 ** 53) * n), r, places);
        continue;
      }
      const epoch = Math.floor(row / rowsPerEpoch);
      const { order, phase } = epochOf(epoch);
      const chosen = order(row - epoch * rowsPerEpoch);
      if (documents === null) fillWindow((phase + chosen * width) % n, r, places);
      else {
        const pieces = documents.pieces(chosen);
        fillPieces(train, pieces, context, r, tokenizer, places, keyMask!);
        for (const [from, to] of pieces) scored += to - from;
      }
    }
    return { rows: count, length: context, inputs, targets, keyMask, starts, scored };
  };

  const scoredBefore = (count: number): number => {
    if (documents === null) return count * width;
    const whole = Math.floor(count / rowsPerEpoch);
    let scored = whole * tokensPerEpoch;
    const { order } = epochOf(whole);
    for (let i = 0; i < count - whole * rowsPerEpoch; i++) {
      for (const [from, to] of documents.pieces(order(i))) scored += to - from;
    }
    return scored;
  };

  return {
    mode,
    context,
    rowsPerEpoch,
    tokensPerEpoch,
    rows,
    batch: (step, sequences) => rows(step * positive('sequences', sequences), sequences),
    scoredBefore,
  };
}
