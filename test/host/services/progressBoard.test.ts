import { expect, test } from 'vitest';
import { ProgressBoard } from '../../../main/host/services/progressBoard.ts';
import type { QueueEvent } from '../../../main/lab/queue/queue.ts';

test('training has one name, whoever says so (catches a step that blinks with a word)', () => {
  const board = new ProgressBoard();
  const say = (message: object) => board.take({ type: 'engine', runId: 'a', message } as unknown as QueueEvent);
  board.take({ type: 'started', run: { id: 'a', steps: 0, tokens: 0 } } as unknown as QueueEvent);
  const progress = { type: 'progress', step: 10, plannedSteps: 20, tokens: 5, fraction: 0.5, eta: 1 };
  expect(say(progress)).toMatchObject({ phase: 'training', step: 10 });
  expect(say({ type: 'phase', name: 'evaluate', fraction: 0.2 })).toMatchObject({ phase: 'evaluate', step: 10 });
  expect(say({ type: 'phase', name: 'train' })).toMatchObject({ phase: 'training', step: 10 });
});
