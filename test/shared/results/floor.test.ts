/** What is said of the entropy of a text. */
import { expect, it } from 'vitest';
import { commonFloor, floorWords } from '../../../preload/shared/results/floor.ts';
import type { Ranking } from '../../../preload/shared/results/rank.ts';
import { floorNote } from '../../../preload/shared/results/words.ts';

const run = (bpb: number, error: number | null) => ({
  summary: { 'val/bpb': bpb },
  environment: { validationTokens: 10, entropyFloor: 0.38812, entropyFloorError: error },
});
const rankingOf = (...runs: ReturnType<typeof run>[]): Ranking =>
  ({ metric: 'val/bpb', rows: [{ counted: runs }], best: { counted: runs } }) as unknown as Ranking;

it('is said with its error, and on average (would catch a floor that no model can beat)', () => {
  expect(floorNote(rankingOf(run(2, 0.0079), run(2.1, 0.0079)))).toEqual([
    'The entropy of this text is 0.3881 ± 0.0079 bits/byte: no model does better on average; the best setting is 1.66 above it.',
  ]);
  // Ranked by something else, bits per byte are named: an accuracy is not 1.66 above an entropy.
  expect(floorNote({ ...rankingOf(run(2, null)), metric: 'val/accuracy' })[0]).toContain(
    '; val/bpb of the best setting is 1.61 above it.',
  );
});

it('has no error where none is known, or runs differ in it', () => {
  const alone = '0.3881 bits/byte: no model does better on average';
  for (const errors of [
    [null, null],
    [0.0079, 0.0081],
  ])
    expect(floorNote(rankingOf(...errors.map((error) => run(2, error))))[0]).toContain(`is ${alone}; `);
  expect(floorWords(0.38812, undefined)).toBe(alone);
});

it('is that of the runs that have begun, and none where two differ (would catch a floor that goes while a run waits)', () => {
  const begun = [run(2, null), run(2.1, null)];
  const waiting = { summary: {}, environment: {} };
  expect(commonFloor([...begun, waiting], 'val/bpb')).toBe(0.38812);
  expect(commonFloor([waiting], 'val/bpb')).toBeUndefined();
  const elsewhere = { summary: {}, environment: { validationTokens: 10, entropyFloor: 0.4 } };
  expect(commonFloor([...begun, elsewhere], 'val/bpb')).toBeUndefined();
  // Scored on text of which nobody knows the entropy: the line would be said of that text, too.
  const unknown = { summary: {}, environment: { validationTokens: 10 } };
  expect(commonFloor([...begun, unknown], 'val/bpb')).toBeUndefined();
});
