/** Evaluation windows: fixed, and every token of the split is a target exactly once, whatever the batch shape. */
import type { TokenSplit } from '../dataset.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { DocumentRows, DocumentStarts, fillRow, positive } from './layout.ts';
import type { Batch } from './layout.ts';
import { scoredUnits } from './units.ts';
import type { ScoredUnits } from './units.ts';

/** Tokens whose bytes are counted at a time. */
const AT_ONCE = 1 << 20;

export interface EvaluationOptions {
  /** `stream`: consecutive windows; `documents`: each row holds (a chunk of) one document, as in training by documents. */
  readonly layout: 'stream' | 'documents';
  /** Targets per row. */
  readonly context: number;
  /** Rows per batch; the last batch is filled up with rows that score nothing. */
  readonly rows: number;
  /** Score the first so many tokens only; 0 = all. */
  readonly limit?: number;
  /** Whether batches say where documents begin. */
  readonly documentMask?: boolean;
}

export interface EvaluationSet {
  readonly batches: number;
  /** Targets scored over all batches. */
  readonly tokens: number;
  /** Bytes that the scored tokens stand for (EOS: 0); the denominator of bits per byte. */
  readonly bytes: number;
  /** Scored ÷ all tokens of the split. */
  readonly coverage: number;
  /** What the scored text consists of, for its uncertainty, with the bytes of each. Targets are in the order of the text. */
  readonly units: ScoredUnits & { readonly bytes: Float64Array };
  batch(index: number): Batch;
  /** The texts of a mixture, in the order of the targets. */
  readonly texts?: readonly ScoredText[];
}

/** One text of a mixture. */
export interface ScoredText {
  readonly name: string;
  /** Its last target is the one before. */
  readonly end: number;
  /** Bytes that its targets stand for. */
  readonly bytes: number;
}

/** Lays out a split for evaluation. The first token of all is predicted from an EOS, so that coverage reaches 1. */
export function evaluationSet(
  split: TokenSplit,
  tokenizer: Pick<Tokenizer, 'eosId' | 'padId' | 'tokenBytes'>,
  options: EvaluationOptions,
): EvaluationSet {
  const context = positive('context', options.context);
  const rows = positive('rows', options.rows);
  const { eosId, padId, tokenBytes } = tokenizer;
  const total = split.tokens.length;
  if (total === 0) throw new RangeError('the split holds no tokens');
  const limit = options.limit ?? 0;
  const end = limit > 0 ? Math.min(limit, total) : total;
  const documents = options.layout === 'documents' ? new DocumentRows(split, context) : null;
  let rowCount = Math.ceil(end / context);
  if (documents !== null) {
    // Rows are in the order of the stream: those that begin before the end.
    let low = 0;
    let high = documents.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (documents.range(middle)[0] < end) low = middle + 1;
      else high = middle;
    }
    rowCount = low;
  }
  const begins = options.documentMask === true ? new DocumentStarts(split) : null;
  const units = scoredUnits(split.offsets, end, context);
  const unitBytes = new Float64Array(units.ends.length);
  let bytes = 0;
  let u = 0;
  for (let from = 0; from < end; from += AT_ONCE) {
    const ids = split.tokens.subarray(from, Math.min(end, from + AT_ONCE));
    for (let i = 0; i < ids.length; i++) {
      if (from + i === units.ends[u]) u++;
      bytes += tokenBytes[ids[i]];
      unitBytes[u] += tokenBytes[ids[i]];
    }
  }
  const batches = Math.ceil(rowCount / rows);
  return {
    batches,
    tokens: end,
    bytes,
    coverage: end / total,
    units: { ...units, bytes: unitBytes },
    batch(index) {
      if (!Number.isInteger(index) || index < 0 || index >= batches)
        throw new RangeError(`batch ${index} is outside 0 … ${batches - 1}`);
      const inputs = new Int32Array(rows * context);
      const targets = new Int32Array(rows * context);
      const keyMask = documents === null ? undefined : new Uint8Array(rows * context);
      const starts = begins === null ? undefined : new Int32Array(rows * context);
      let scored = 0;
      for (let r = 0; r < rows; r++) {
        const row = index * rows + r;
        let from = 0;
        let to = 0;
        if (row < rowCount) {
          [from, to] = documents?.range(row) ?? [row * context, (row + 1) * context];
          to = Math.min(to, end);
        }
        fillRow(split, from, to, context, r, eosId, padId, inputs, targets, keyMask);
        begins?.fill(from, Math.max(0, to - from), 0, r * context, starts!);
        // Padding sees what the last document sees: something, and nothing that is scored.
        const used = r * context + Math.max(0, to - from);
        starts?.fill(to > from ? starts[used - 1]! : 0, used, (r + 1) * context);
        scored += to - from;
      }
      return { rows, length: context, inputs, targets, keyMask, starts, scored };
    },
  };
}
