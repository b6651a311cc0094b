/** Prepared data is not deleted under a run that reads it. */
import { describe, expect, it } from 'vitest';
import { readerOf } from '../../../main/lab/datasets/inUse.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';

type Told = Pick<RunRecord, 'id' | 'name' | 'state' | 'origin' | 'environment'>;
const run = (change: Partial<Told>): Told => ({
  id: 'a',
  name: 'a',
  state: 'running',
  origin: 'sweeplab',
  environment: {},
  ...change,
});

describe('prepared data is in use', () => {
  it('by a run that trains on it, or that has only begun (would catch data that vanishes while an engine reads it)', () => {
    expect(readerOf([run({ environment: { dataset: 'x' } })], 'x')?.id).toBe('a');
    expect(readerOf([run({})], 'x')?.id).toBe('a');
  });
  it('by no other', () => {
    const others = [
      run({ environment: { dataset: 'y' } }),
      run({ state: 'finished', environment: { dataset: 'x' } }),
      run({ state: 'queued', environment: { dataset: 'x' } }),
      run({ origin: 'wandb' }),
    ];
    expect(readerOf(others, 'x')).toBeUndefined();
  });
});
