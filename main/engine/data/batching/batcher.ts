/** Training batches as a pure function of (seed, position): nothing to save, nothing that evaluation could disturb. */
import { Stream } from '../../random/stream.ts';
import type { Dataset } from '../dataset.ts';
import { DocumentRows, IGNORE, fillRow, positive } from './layout.ts';
import type { Batch } from './layout.ts';

export type BatchingMode = 'random' | 'shuffled' | 'documents';

export interface BatcherOptions {
  readonly mode: BatchingMode;
  /** Targets per row. */
  readonly context: number;
  /** The run's seed. */
  readonly seed: number;
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

/** The order of one epoch, and where its windows begin. */
interface Epoch {
  readonly order: Int32Array;
  readonly phase: number;
}

/**
 * - `shuffled`: every epoch cuts the stream, seen as a circle (its end and its beginning are both an EOS), into
 *   ⌊N / context⌋ windows from a random phase and takes them in random order, without replacement. The N mod context tokens
 *   left over lie elsewhere in every epoch. A batch may reach over an epoch's end.
 * - `documents`: every epoch takes all rows of the documents layout in random order: all N tokens, exactly once.
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
  const documents = mode === 'documents' ? new DocumentRows(train, context) : null;
  const rowsPerEpoch = documents?.count ?? (mode === 'shuffled' ? Math.floor(n / width) : n / width);
  const tokensPerEpoch = mode === 'shuffled' ? rowsPerEpoch * width : n;

  // The last epochs used; a batch needs two at most, a resumed run recomputes them.
  const epochs = new Map<number, Epoch>();
  const epochOf = (epoch: number): Epoch => {
    let found = epochs.get(epoch);
    if (found === undefined) {
      const random = new Stream(seed, `data/order/${mode}`, epoch);
      const phase = random.int(n);
      const order = random.shuffle(Int32Array.from({ length: rowsPerEpoch }, (_, i) => i));
      found = { order, phase };
      if (epochs.size >= 2) epochs.delete(epochs.keys().next().value!);
      epochs.set(epoch, found);
    }
    return found;
  };

  const windows = new Stream(seed, 'data/order/random');
  const fillWindow = (start: number, row: number, inputs: Int32Array, targets: Int32Array) => {
    const base = row * context;
    for (let i = 0, at = start; i < width; i++) {
      inputs[base + i] = at === 0 ? eosId : tokens[at - 1];
      targets[base + i] = tokens[at];
      at = at + 1 === n ? 0 : at + 1;
    }
    inputs.fill(padId, base + width, base + context);
    targets.fill(IGNORE, base + width, base + context);
  };

  const rows = (first: number, count: number): Batch => {
    if (!Number.isSafeInteger(first) || first < 0) throw new RangeError(`row ${first} is not an integer ≥ 0`);
    positive('rows', count);
    const inputs = new Int32Array(count * context);
    const targets = new Int32Array(count * context);
    const keyMask = documents === null ? undefined : new Uint8Array(count * context);
    let scored = count * width;
    if (documents !== null) scored = 0;
    for (let r = 0; r < count; r++) {
      const row = first + r;
      if (mode === 'random') {
        // Always two words per row, so that any row can be found; the bias is below n · 2^−53.
        windows.position = row * 2;
        const bits = (windows.nextUint32() >>> 11) * 2 ** 32 + windows.nextUint32();
        fillWindow(Math.floor((bits / 2 ** 53) * n), r, inputs, targets);
        continue;
      }
      const epoch = Math.floor(row / rowsPerEpoch);
      const { order, phase } = epochOf(epoch);
      const chosen = order[row - epoch * rowsPerEpoch];
      if (documents === null) fillWindow((phase + chosen * width) % n, r, inputs, targets);
      else {
        const [from, to] = documents.range(chosen);
        fillRow(train, from, to, context, r, eosId, padId, inputs, targets, keyMask);
        scored += to - from;
      }
    }
    return { rows: count, length: context, inputs, targets, keyMask, scored };
  };

  const scoredBefore = (count: number): number => {
    if (documents === null) return count * width;
    const whole = Math.floor(count / rowsPerEpoch);
    let scored = whole * tokensPerEpoch;
    const { order } = epochOf(whole);
    for (let i = 0; i < count - whole * rowsPerEpoch; i++) {
      const [from, to] = documents.range(order[i]);
      scored += to - from;
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
