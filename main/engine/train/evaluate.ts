/**
 * Validation: every token of the fixed rows is scored exactly once, whatever the batch shape. Losses of single tokens are summed in
 * float64, in the order of the rows, so that the batch shape does not even change the order of the sum.
 */
import { ratioError } from '../data/index.ts';
import type { Batch, EvaluationSet } from '../data/index.ts';
import type { LoadedProgram, Session, TypedArray } from '../executors/executor.ts';

export interface EvaluationResult {
  /** Mean nats per scored token. */
  readonly loss: number;
  /** e^loss. */
  readonly perplexity: number;
  /** Bits per byte: nats of all scored tokens ÷ (ln 2 × bytes that they stand for). */
  readonly bpb: number;
  /** Standard errors of both over the units of the text (documents where there are enough); NaN for a single unit. */
  readonly lossError: number;
  readonly bpbError: number;
  /** Share of scored tokens whose most likely continuation is right. */
  readonly accuracy: number;
  /** Scored ÷ all tokens of the validation split. */
  readonly coverage: number;
  readonly scored: number;
  /** Of each text of a mixture: nats per token, and bits per byte. */
  readonly texts: readonly { readonly name: string; readonly loss: number; readonly bpb: number }[];
}

export interface EvaluationOptions {
  readonly session: Session;
  /** Program `evaluate(rows)` for the rows of the set's batches. */
  readonly loaded: LoadedProgram;
  readonly data: EvaluationSet;
  /** Called before each batch with the share done; false ends the evaluation early. */
  readonly onBatch?: (fraction: number) => boolean | Promise<boolean>;
}

/** Undefined when ended early. */
export async function evaluate(options: EvaluationOptions): Promise<EvaluationResult | undefined> {
  const { session, loaded, data } = options;
  let nats = 0;
  let correct = 0;
  let scored = 0;
  const { ends, bytes } = data.units;
  const unitNats = new Float64Array(ends.length);
  let unit = 0;
  const { texts = [] } = data;
  const textNats = new Float64Array(texts.length);
  let text = 0;
  for (let index = 0; index < data.batches; index++) {
    if ((await options.onBatch?.(index / data.batches)) === false) return undefined;
    const batch = data.batch(index);
    const out = await session.run(loaded, inputsOf(batch));
    for (const [i, target] of batch.targets.entries()) {
      if (target < 0) continue;
      if (scored === ends[unit]) unit++;
      if (scored === texts[text]?.end) text++;
      if (texts.length > 0) textNats[text] += out.loss![i]!;
      nats += out.loss![i]!;
      unitNats[unit] += out.loss![i]!;
      correct += out.correct![i]!;
      scored++;
    }
  }
  if (scored !== data.tokens) throw new Error(`evaluation scored ${scored} tokens of ${data.tokens}`);
  const loss = nats / scored;
  return {
    loss,
    perplexity: Math.exp(loss),
    bpb: nats / (Math.LN2 * data.bytes),
    lossError: ratioError(
      unitNats,
      ends.map((end, u) => end - (ends[u - 1] ?? 0)),
    ),
    bpbError: ratioError(unitNats, bytes) / Math.LN2,
    accuracy: correct / scored,
    coverage: data.coverage,
    scored,
    texts: texts.map(({ name, end, bytes: size }, t) => ({
      name,
      loss: textNats[t]! / (end - (texts[t - 1]?.end ?? 0)),
      bpb: textNats[t]! / (Math.LN2 * size),
    })),
  };
}

/** Inputs of a program for this batch. */
export function inputsOf({ inputs, targets, keyMask, starts }: Batch): Record<string, TypedArray> {
  const masks = { ...(keyMask === undefined ? {} : { keyMask }), ...(starts === undefined ? {} : { starts }) };
  return { tokens: inputs, targets, ...masks };
}
