import { expect, it } from 'vitest';
import { evaluationSet } from '../../../main/engine/data/index.ts';
import { byteTokenizer } from '../../../main/engine/data/tokenizers/byte.ts';
import type { LoadedProgram, Session } from '../../../main/engine/executors/executor.ts';
import { evaluate } from '../../../main/engine/train/evaluate.ts';

const EOS = 256;
const tokenizer = { ...byteTokenizer(), padId: EOS };
const random = (n: number) => Math.floor(Math.random() * n);

/** Answers with the loss that a token was given, by its place among all tokens: as inputs come, in the order of the text. */
function sessionOf(losses: readonly number[]): Session {
  let at = 0;
  const run = (_: LoadedProgram, { targets }: { targets: Int32Array }) => ({
    loss: Float64Array.from(targets, (target) => (target < 0 ? 1e9 : losses[at++])),
    correct: Float64Array.from(targets, (target) => (target < 0 ? 1 : 0)),
  });
  return { run } as unknown as Session;
}

it('the standard errors are over documents, whatever the batch shape (would catch a token counted with its neighbour)', async () => {
  for (let trial = 0; trial < 20; trial++) {
    const lengths = Array.from({ length: 20 + random(20) }, () => 1 + random(30));
    const tokens = lengths.flatMap((length) => [...Array.from({ length }, () => random(256)), EOS]);
    const offsets = Float64Array.from(
      [0, ...lengths].map((_, d) => lengths.slice(0, d).reduce((a, b) => a + b + 1, 0)),
    );
    const bytes = lengths.reduce((a, b) => a + b);
    const losses = tokens.map(() => Math.random() * 5);
    const layout = trial % 2 === 0 ? 'stream' : 'documents';
    const data = evaluationSet({ tokens: Uint16Array.from(tokens), offsets, bytes }, tokenizer, {
      layout,
      context: 1 + random(9),
      rows: 1 + random(4),
    });
    const loaded = {} as LoadedProgram;
    const result = (await evaluate({ session: sessionOf(losses), loaded, data }))!;
    const nats = lengths.map((_, d) => losses.slice(offsets[d], offsets[d + 1]).reduce((a, b) => a + b, 0));
    const total = nats.reduce((a, b) => a + b);
    // The definition, written out over documents.
    const error = (sizes: readonly number[]) => {
      const size = sizes.reduce((a, b) => a + b);
      const squares = nats.reduce((sum, own, d) => sum + (own - (total / size) * sizes[d]) ** 2, 0);
      return Math.sqrt((nats.length / (nats.length - 1)) * squares) / size;
    };
    expect(result.loss).toBeCloseTo(total / tokens.length, 12);
    expect(result.lossError).toBeCloseTo(error(lengths.map((length) => length + 1)), 10);
    expect(result.bpbError).toBeCloseTo(error(lengths) / Math.LN2, 10);
  }
});
