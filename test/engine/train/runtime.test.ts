import { describe, expect, test } from 'vitest';
import { BUILT_IN } from '../../../main/engine/kind.ts';
import { EXECUTORS } from '../../../main/engine/executors/index.ts';
import { programsOf } from '../../../main/engine/nn/programs.ts';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { Runtime } from '../../../main/engine/train/runtime.ts';
import { fakeData } from './fakeData.ts';
import { testConfig } from './helpers.ts';

/** A runtime whose gradients are NaN in one step, as the device computes them. */
async function runtimeOf(kind: (typeof EXECUTORS)[number], broken: number) {
  const config = testConfig({ 'batch.micro': 2, 'optimizer.kind': 'adamw' });
  const data = await fakeData()({ config, kinds: BUILT_IN } as never);
  const { vocabularySize, keyMasked } = data;
  const programs = buildTraining({ config, vocabularySize, keyMasked });
  const runtime = new Runtime(await kind.open(), programs, programsOf(config));
  const { session } = runtime;
  const run = session.run.bind(session);
  session.run = (loaded, inputs) =>
    run(loaded, inputs.key?.[2] === broken ? { ...inputs, lossScale: Float32Array.of(NaN) } : inputs);
  runtime.loadAll();
  runtime.initialize(1);
  const step = (s: number) => {
    const hyper = hyperParameters(config, programs, () => 1, { step: s, tokens: 0 });
    return runtime.step(s, 1, [data.rows(4 * s, 2), data.rows(4 * s + 2, 2)], hyper);
  };
  const kept = programs.states.filter(({ category }) => category !== 'gradients');
  const state = () => Promise.all(kept.map(async ({ name }) => [...(await session.read(name))]));
  return { runtime, step, state };
}

describe('a step that cannot be used', () => {
  // Would catch an update that was queued behind it and changes weights that the run has ended with.
  test('leaves the state that it found, also with steps queued behind it', async () => {
    for (const kind of EXECUTORS) {
      const made = await runtimeOf(kind, 2).catch(() => undefined);
      if (made === undefined) continue;
      const { runtime, step, state } = made;
      const before = await Promise.all([step(0), step(1), state()]);
      const [bad, behind, after] = await Promise.all([step(2), step(3), state()]);
      expect([kind.name, bad.gradNorm, Number.isFinite(bad.loss)]).toEqual([kind.name, NaN, true]);
      expect(behind.gradNorm).toBeGreaterThan(0);
      expect(after).toEqual(before[2]);
      expect(before[0].gradNorm).toBeGreaterThan(0);
      runtime.dispose();

      const whole = await runtimeOf(kind, -1);
      await Promise.all([whole.step(0), whole.step(1)]);
      expect(await whole.state()).toEqual(after);
      await whole.step(2);
      expect(await whole.state()).not.toEqual(after);
      whole.runtime.dispose();
    }
  });
});
