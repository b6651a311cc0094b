/** Whole documents packed into rows, so that a row begins with a document and little is padding. */
import type { TokenSplit } from '../dataset.ts';

/** Targets from … to − 1 of the stream, all of one document. */
export type Piece = readonly [from: number, to: number];

/**
 * The rows of the `packed` layout. A document longer than the context is cut into chunks of it; these pieces, the longest first, go each into
 * the fullest row that has room for it (best fit), or into a new one. Every target stands in exactly one row.
 */
export class PackedRows {
  /** Pieces in the order of the stream, then as they were packed: those of row r are #order[#before[r]] … #order[#before[r + 1] − 1]. */
  readonly #from: Float64Array;
  readonly #length: Int32Array;
  readonly #order: Int32Array;
  readonly #before: Int32Array;
  readonly count: number;

  constructor({ offsets }: Pick<TokenSplit, 'offsets'>, context: number) {
    const from: number[] = [];
    const length: number[] = [];
    for (let d = 0; d + 1 < offsets.length; d++)
      for (let at = offsets[d]!; at < offsets[d + 1]!; at += context) {
        from.push(at);
        length.push(Math.min(context, offsets[d + 1]! - at));
      }
    this.#from = Float64Array.from(from);
    this.#length = Int32Array.from(length);
    const row = packBestFit(this.#length, context);
    this.count = row.reduce((most, r) => Math.max(most, r + 1), 0);
    // Counting sort by row: pieces of a row stay in the order of the stream.
    this.#before = new Int32Array(this.count + 1);
    for (const r of row) this.#before[r + 1]!++;
    for (let r = 0; r < this.count; r++) this.#before[r + 1]! += this.#before[r]!;
    const next = this.#before.slice();
    this.#order = new Int32Array(row.length);
    row.forEach((r, piece) => (this.#order[next[r]!++] = piece));
  }

  /** The pieces of row r, in the order of the stream. */
  pieces(row: number): Piece[] {
    const own = this.#order.subarray(this.#before[row], this.#before[row + 1]);
    return Array.from(own, (piece): Piece => {
      const from = this.#from[piece]!;
      return [from, from + this.#length[piece]!];
    });
  }
}

/** The row of each piece. */
function packBestFit(lengths: Int32Array, context: number): Int32Array {
  const row = new Int32Array(lengths.length);
  // Rows by the room that they have left, newest last; a piece takes the least room that is enough.
  const byRoom: number[][] = Array.from({ length: context + 1 }, () => []);
  let rows = 0;
  const longestFirst = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (const piece of longestFirst) {
    const needed = lengths[piece]!;
    let room = needed;
    while (room < context && byRoom[room]!.length === 0) room++;
    const chosen = room < context ? byRoom[room]!.pop()! : rows++;
    row[piece] = chosen;
    byRoom[(room < context ? room : context) - needed]!.push(chosen);
  }
  return row;
}
