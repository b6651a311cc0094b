/** What is said of published losses, against evaluations made up here whose true loss is known. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditMetrics } from '../../../main/lab/probes/metricAudit.ts';
import { readResults, ResultsError } from '../../../main/lab/probes/readResults.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-audit-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TOKENS = 122_500;
const CHARACTERS = 534_260;

/** The log of a loop that scores whole batches only and divides by all characters: its validation losses, first and last. */
function log(name: string, batch: number, context: number, losses: readonly number[]): string {
  const path = join(folder, name);
  const lines = [
    { event: 'hyperparameters_configured', hyperparams: { batch_size: batch, block_size: context, lr: 0.006 } },
    { event: 'dataset_info', vocab_size: 16_000 },
    ...losses.flatMap((loss, step) => [
      { event: 'training_step', step, max_steps: 938, loss: 9 - step },
      { event: 'validation_step', step, max_steps: 938, loss },
    ]),
  ];
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

describe('published losses that leave the tail of a text out', () => {
  it('are told per token: 1.754 and 0.944 per character are 8.17 and 7.70 nats per token, and 1.257 is the best', async () => {
    const files = [
      log('base.jsonl', 64, 128, [2.2, 1.753259]),
      log('sparse.jsonl', 128, 256, [1.9, 1.2567]),
      log('sota.jsonl', 256, 256, [1.3, 0.94398]),
    ];
    const results = (await Promise.all(files.map((file) => readResults(file)))).flatMap((each) => each.results);
    const { results: audited, findings } = auditMetrics(results, { tokens: TOKENS, denominator: CHARACTERS });
    expect(audited.map(({ scored }) => scored)).toEqual([114_688, 98_304, 65_536]);
    expect(audited.map(({ natsPerToken }) => natsPerToken!.toFixed(2))).toEqual(['8.17', '6.83', '7.70']);
    expect(audited.map(({ rankReported }) => rankReported)).toEqual([3, 2, 1]);
    expect(audited.map(({ rankPerToken }) => rankPerToken)).toEqual([3, 1, 2]);
    expect(findings.join('\n')).toContain('53.5 % to 93.6 %');
    expect(findings.join('\n')).toContain('2 of 3 change their rank per token');
  });

  it('give the denominator away before training, whatever it is (would catch a loss that is taken for one per token)', async () => {
    for (let round = 0; round < 50; round++) {
      const [tokens, divided] = [50_000 + Math.floor(Math.random() * 1e6), 1e5 + Math.floor(Math.random() * 1e6)];
      const runs = [8, 32, 64].map((batch) => {
        const scored = Math.floor(tokens / (batch * 64)) * batch * 64;
        const truth = 2 + Math.random() * 5;
        const untrained = (Math.log(16_000) * scored) / divided;
        return {
          name: String(batch),
          batch,
          context: 64,
          vocabulary: 16_000,
          untrained,
          loss: (truth * scored) / divided,
          truth,
        };
      });
      const { results, denominator, denominatorFound } = auditMetrics(runs, { tokens });
      expect(denominatorFound).toBe(true);
      expect(denominator! / divided).toBeCloseTo(1, 9);
      for (const [i, { truth }] of runs.entries()) expect(results[i]!.natsPerToken).toBeCloseTo(truth, 9);
    }
  });

  it('say so where nothing is scored at all', () => {
    const { findings } = auditMetrics([{ name: 'huge', loss: 0, batch: 256, context: 512 }], {
      tokens: TOKENS,
      denominator: 1,
    });
    expect(findings).toContain('huge: scores no token at all, its loss says nothing');
  });
});

describe('a table of results', () => {
  it('is looked at for units and for what a loss is a mean over', async () => {
    const path = join(folder, 'table.csv');
    const rows = [
      ['name', 'val/loss', 'val/perplexity', 'val/bpb'],
      ['bytes', 1.5, Math.exp(1.5), 1.5 / Math.LN2],
      ['bpe', 4.5, Math.exp(4.5), 4.5 / (Math.LN2 * 3)],
      ['bits', 6, 64, 2],
    ];
    writeFileSync(path, rows.map((row) => row.join(',')).join('\n'));
    const { results, findings } = auditMetrics((await readResults(path)).results, {});
    expect(results.map(({ unit }) => unit)).toEqual(['nats', 'nats', 'bits']);
    expect(results[1]!.bytesPerPiece).toBeCloseTo(3, 9);
    expect(findings).toEqual([
      'the results differ in their unit (nats, bits): their losses cannot be compared',
      'a loss is a mean over 1.00 to 4.33 bytes: compare bits per byte, not losses',
    ]);
    const alone = auditMetrics((await readResults(path)).results.slice(0, 1), {});
    expect(alone.findings).toEqual([]);
  });

  it('leave out rows whose loss is no number, and say so (would catch a diverged run that nobody misses)', async () => {
    const path = join(folder, 'some.csv');
    writeFileSync(path, 'name,val_loss\na,NaN\nb,1.5\n,inf\n');
    const { results, leftOut } = await readResults(path);
    expect(results).toEqual([{ name: 'b', loss: 1.5 }]);
    expect(leftOut).toEqual(['a: val_loss is NaN', 'row 3: val_loss is inf']);
  });

  it.each([
    ['missing.csv', undefined, 'missing.csv cannot be read: there is no such file'],
    ['.', undefined, 'cannot be read: it is a folder'],
    ['blank.csv', '\n \n', 'blank.csv is empty; allowed: a CSV table'],
    ['nan.csv', 'name,loss\na,NaN\nb,\n', 'has no result (a: loss is NaN, b: loss is empty)'],
    ['no.csv', 'a,b\n1,2\n', 'has no column with a validation loss; allowed with --column: a, b'],
    ['bad.jsonl', '{"event":"validation_step","loss":1}\n{"event":\n', 'line 2 is not JSON'],
    ['none.jsonl', '{"event":"training_step","loss":1}\n', 'has no validation loss'],
    ['empty.csv', 'val_loss\n', 'has no result'],
  ])('is refused by name where there is nothing to look at: %s', async (name, text, message) => {
    const path = join(folder, name);
    if (text !== undefined) writeFileSync(path, text);
    await expect(readResults(path)).rejects.toThrow(ResultsError);
    await expect(readResults(path)).rejects.toThrow(message);
  });
});
