import { describe, expect, it } from 'vitest';
import type { RunEvent, RunRecord } from '../../../preload/contract/runs.ts';
import { eventLines, merged, stepLines, trainedFrom } from '../../../renderer/views/run/logLines.ts';

const series = (step: number[], value: number[], x?: number[]) => ({
  step: Float64Array.from(step),
  value: Float64Array.from(value),
  ...(x === undefined ? {} : { x: Float64Array.from(x) }),
});
const event = (seq: number, at: number, message: string): RunEvent => ({
  seq,
  runId: 'r',
  at,
  kind: 'state',
  message,
  data: null,
});

describe('the log of a run', () => {
  it('says what was measured between its events (would catch a log of three lines for a run of an hour)', () => {
    const steps = stepLines(
      [
        ['val/loss', series([0, 50, 100], [5.5, 3.25, 2.5], [0, 10, 20])],
        ['val/bpb', series([50, 100], [4.125, 3.125])],
      ],
      1000,
    );
    const lines = merged(
      eventLines([event(1, 500, 'running'), event(2, 12_000, 'paused'), event(3, 30_000, 'end')]),
      steps,
    );
    expect(lines.map(({ message }) => message)).toEqual([
      'running',
      'step 0: val/loss 5.500',
      'step 50: val/loss 3.250 · val/bpb 4.125',
      'paused',
      'step 100: val/loss 2.500 · val/bpb 3.125',
      'end',
    ]);
    expect(lines[2].when.replaceAll('\u00A0', ' ')).toBe('+10 s');
  });
  it('puts steps behind what was said before the first of them (would catch a loss before the device is chosen)', () => {
    const run = { startedAt: 1000, createdAt: 500, endedAt: 9000, attempt: 1, summary: { seconds: 2 } };
    const from = (more: object): number => trainedFrom({ ...run, ...more } as RunRecord);
    expect(from({})).toBe(6999);
    for (const [more, at] of [
      [{ endedAt: null }, 1000],
      [{ attempt: 2 }, 1000],
      [{ summary: {} }, 1000],
      [{ summary: { seconds: 60 } }, 1000],
      [{ startedAt: null, endedAt: null }, 500],
    ] as const)
      expect(from(more)).toBe(at);
  });
  it('of a run that was never evaluated has its training loss; of one without points its events alone', () => {
    const training = ['train/loss', series([1, 2], [6.5, 5.25])] as const;
    expect(stepLines([['val/loss', series([], [])], training], 0).map(({ message }) => message)).toEqual([
      'step 1: train/loss 6.500',
      'step 2: train/loss 5.250',
    ]);
    expect(stepLines([], 0)).toEqual([]);
  });
  it('keeps every line once, and says no NaN time', () => {
    const steps = stepLines([['val/loss', series([1, 2, 3], [1, Number.NaN, 3], [Number.NaN, 1, 2])]], 0);
    expect(merged([], steps).map(({ key }) => key)).toEqual(['step 1', 'step 2', 'step 3']);
    expect(steps[0].when).toBe('');
    expect(new Set(merged(eventLines([event(1, 0, 'a')]), steps).map(({ key }) => key)).size).toBe(4);
  });
});
