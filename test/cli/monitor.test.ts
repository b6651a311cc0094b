import { expect, it } from 'vitest';
import { RunMonitor } from '../../main/cli/progress/monitor.ts';
import type { EngineMessage } from '../../preload/contract/engine.ts';
import type { RunRecord } from '../../preload/contract/runs.ts';

const column = (metric: string, points: Readonly<Record<number, number>>) => ({
  metric,
  steps: Float64Array.from(Object.keys(points), Number),
  values: Float64Array.from(Object.values(points)),
});

const metrics = (...columns: ReturnType<typeof column>[]): EngineMessage =>
  ({ type: 'metrics', columns }) as unknown as EngineMessage;

it('an evaluation shows the training loss of its own step or one before, however many steps came with it (catches the loss of a later step)', () => {
  const monitor = new RunMonitor({ summary: {}, steps: 0 } as unknown as RunRecord);
  expect(monitor.receive(metrics(column('train/loss', { 1: 5.5, 2: 5.4 }), column('val/loss', { 0: 6 })))).toBe(true);
  expect(monitor.trainLossThere).toBeUndefined();
  expect(monitor.receive(metrics(column('train/loss', { 3: 5.3 })))).toBe(false);
  expect(monitor.receive(metrics(column('val/loss', { 3: 5.1 })))).toBe(true);
  expect(monitor.trainLossThere).toBe(5.3);
  expect(monitor.receive(metrics(column('val/loss', { 5: 5 }), column('train/loss', { 4: 5.2, 5: 5.1, 6: 4.9 })))).toBe(
    true,
  );
  expect(monitor.trainLossThere).toBe(5.1);
  // The latest loss is that of step 6, after the evaluation.
  expect(monitor.receive(metrics(column('val/loss', { 5.5: 5 })))).toBe(true);
  expect(monitor.trainLossThere).toBeUndefined();
});
