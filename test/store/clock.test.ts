import { expect, it } from 'vitest';
import { newRun, newStore } from './support.ts';

it('a clock that was set back gives no run a negative length (would catch nonsense in lists and exports)', () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  const { startedAt } = store.claimNext({ runId: id })!;
  store.setRunStates([id], 'failed', { reason: 'x', at: startedAt! - 3_600_000 });
  expect(store.getRun(id)!.endedAt).toBe(startedAt);
  // Where it goes forward, its end is when it ended.
  const other = store.createRun(newRun());
  const { startedAt: begun } = store.claimNext({ runId: other.id })!;
  store.setRunStates([other.id], 'failed', { reason: 'x', at: begun! + 5000 });
  expect(store.getRun(other.id)!.endedAt).toBe(begun! + 5000);
});
