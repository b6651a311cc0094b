/**
 * How a token stream is laid out in rows of `context` targets. Everything is counted in targets: target t is predicted from
 * what stands before it, and the first token of the stream from an EOS, so that every token can be scored exactly once.
 */
import type { Tokens, TokenSplit } from '../dataset.ts';

/** Ignored by the loss. */
export const IGNORE = -1;

export interface Batch {
  readonly rows: number;
  /** Tokens of each row, padding included. */
  readonly length: number;
  /** Tokens read, [rows × length], row-major. Padding holds the PAD id. */
  readonly inputs: Int32Array;
  /** Token to predict at each place, −1 = not scored. Same shape. */
  readonly targets: Int32Array;
  /**
   * `documents` layout only: 1 where a key may be attended to, 0 at padding. Same shape. The first key of a row is always 1,
   * so that even a row without targets has something to attend to.
   */
  readonly keyMask?: Uint8Array;
  /** Where the document of each place begins in its row, for attention that stays within it. Same shape. Never falls along a row. */
  readonly starts?: Int32Array;
  /** Targets that are not −1. */
  readonly scored: number;
}

/** Writes the targets tokens[from … to), and what each is predicted from, at `at` of both. */
export function fillTargets(
  tokens: Tokens,
  from: number,
  to: number,
  at: number,
  eosId: number,
  { inputs, targets }: Pick<Batch, 'inputs' | 'targets'>,
): void {
  if (to <= from) return;
  const before = from === 0 ? 0 : 1;
  const ids = tokens.subarray(from - before, to);
  if (before === 0) inputs[at] = eosId;
  inputs.set(ids.subarray(0, ids.length - 1), at + 1 - before);
  targets.set(ids.subarray(before), at);
}

/** Fills one row with the targets tokens[from … to) (to − from ≤ context) and pads the rest. */
export function fillRow(
  split: TokenSplit,
  from: number,
  to: number,
  context: number,
  row: number,
  eosId: number,
  padId: number,
  inputs: Int32Array,
  targets: Int32Array,
  keyMask?: Uint8Array,
): void {
  const base = row * context;
  const length = to - from;
  fillTargets(split.tokens, from, to, base, eosId, { inputs, targets });
  inputs.fill(padId, base + length, base + context);
  targets.fill(IGNORE, base + length, base + context);
  const visible = Math.max(1, length);
  keyMask?.fill(1, base, base + visible);
  keyMask?.fill(0, base + visible, base + context);
}

/**
 * The rows of the `documents` layout: one document per row, or its consecutive chunks of `context` targets when it is longer.
 * The last target of a document is its EOS; its first is predicted from the EOS of the one before.
 */
export class DocumentRows {
  readonly #split: Pick<TokenSplit, 'offsets'>;
  readonly #context: number;
  /** Rows before document d. */
  readonly #before: Float64Array;
  readonly count: number;

  constructor(split: Pick<TokenSplit, 'offsets'>, context: number) {
    this.#split = split;
    this.#context = context;
    const documents = split.offsets.length - 1;
    this.#before = new Float64Array(documents + 1);
    for (let d = 0; d < documents; d++)
      this.#before[d + 1] = this.#before[d] + Math.ceil((split.offsets[d + 1] - split.offsets[d]) / context);
    this.count = this.#before[documents];
  }

  /** First and last-plus-one target of row r. */
  range(row: number): [from: number, to: number] {
    let low = 0;
    let high = this.#before.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#before[middle] <= row) low = middle;
      else high = middle;
    }
    const { offsets } = this.#split;
    const from = offsets[low] + (row - this.#before[low]) * this.#context;
    return [from, Math.min(offsets[low + 1], from + this.#context)];
  }
}

/**
 * Where documents begin in a row whose places stand for the targets from … (a piece each, of stream order within), in places of the row. Target
 * t is predicted from what stands before it, so the EOS before a document belongs to the document.
 */
export class DocumentStarts {
  readonly #offsets: ArrayLike<number>;

  constructor({ offsets }: Pick<TokenSplit, 'offsets'>) {
    this.#offsets = offsets;
  }

  /** Fills starts[base + place …] for `count` targets from `from` on, of which the first stands at `place` of its row. */
  fill(from: number, count: number, place: number, base: number, starts: Int32Array): void {
    let low = 0;
    let high = this.#offsets.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! <= from) low = middle;
      else high = middle;
    }
    let begin = place;
    for (let i = 0; i < count; i++) {
      while (low + 2 < this.#offsets.length && this.#offsets[low + 1]! <= from + i) {
        low++;
        begin = place + i;
      }
      starts[base + place + i] = begin;
    }
  }
}

/** A positive integer, or an error that names it. */
export function positive(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be an integer ≥ 1, not ${value}`);
  return value;
}
