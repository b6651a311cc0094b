import { expect, it } from 'vitest';
import { Unsaved } from '../../../main/engine/train/unsaved.ts';

it('is said when it begins, when the reason changes, when it is over and at the end (would catch a log of one warning a thousand times)', () => {
  const unsaved = new Unsaved();
  expect([unsaved.saved(), unsaved.ended()]).toEqual([undefined, undefined]);
  expect(unsaved.failed(10, 'full')).toBe(
    'the checkpoint of step 10 could not be saved, training goes on without it: full',
  );
  // The best and the last of one step.
  expect(unsaved.failed(10, 'full')).toBe(undefined);
  for (let step = 20; step < 5000; step += 10) expect(unsaved.failed(step, 'full')).toBe(undefined);
  expect(unsaved.failed(5000, 'read-only')).toContain('step 5000 could not be saved');
  expect(unsaved.saved()).toBe('checkpoints are saved again; those of 500 steps could not be');
  expect(unsaved.saved()).toBe(undefined);
  // What comes later is said anew, also for the same reason.
  expect(unsaved.failed(6000, 'read-only')).toContain('step 6000');
  expect(unsaved.ended()).toBe(undefined);
  for (const step of [7000, 7001, 7002]) unsaved.failed(step, 'full');
  expect(unsaved.ended()).toBe('the checkpoints of 3 steps up to step 7002 could not be saved: full');
});
