import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../../main/store/index.ts';
import { TestLab, Watch } from './support.ts';
import type { Script } from './support.ts';

let lab: TestLab;
beforeEach(() => {
  lab = new TestLab();
});
afterEach(() => lab.close());

it('shows no point before it is in the database, and all of them soon (would catch a curve that loses its end in a crash)', async () => {
  const emitted = new Map<number, number>();
  const STEPS = 60;
  const script: Script = async (engine) => {
    engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
    for (let step = 1; step <= STEPS; step++) {
      emitted.set(step, performance.now());
      engine.points('train/loss', step, step, () => 5 / step);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await engine.acknowledged();
    engine.end('finished', 'done', STEPS);
  };
  await lab.open(script);
  const client = lab.client();
  const watch = new Watch(client, 'points');
  // Another connection sees what is committed, and nothing else.
  const reader = openStore(lab.server.lab.store.path, { readOnly: true });
  const early: number[] = [];
  const waited: number[] = [];
  client.subscribe('points', ({ runs }) => {
    for (const { runId, columns } of runs) {
      const stored = new Set(reader.readAll(runId, 'train/loss').step);
      for (const { steps } of columns)
        for (const step of steps) {
          if (!stored.has(step)) early.push(step);
          waited.push(performance.now() - emitted.get(step)!);
        }
    }
  });
  const draft = { recipe: 'quick', settings: { 'data.size': 20_000, 'stop.steps': STEPS } };
  await client.call('sweeps.launch', { draft });
  await watch.until(({ runs }) => runs.some(({ columns }) => columns.some(({ steps }) => steps.includes(STEPS))));
  reader.close();
  expect(early).toEqual([]);
  expect(waited).toHaveLength(STEPS);
  waited.sort((a, b) => a - b);
  console.log(
    `live points: ${waited[STEPS / 2]!.toFixed(0)} ms from the engine to the page in the middle, ${waited.at(-1)!.toFixed(0)} ms at most`,
  );
});
