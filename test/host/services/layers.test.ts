import { afterEach, beforeEach, expect, it } from 'vitest';
import { batchPlan } from '../../../main/engine/batch/plan.ts';
import type { TrainingPrograms } from '../../../main/engine/nn/training.ts';
import { StepBatches } from '../../../main/engine/train/batches.ts';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { temporaryFolder } from '../../engine/train/helpers.ts';
import { DRAFT, TestLab, Watch } from './support.ts';
import type { Script } from './support.ts';

let lab: TestLab;
beforeEach(() => {
  lab = new TestLab();
});
afterEach(() => lab.close());

it('tells what was measured of layers, and the batch of a step as text (would catch another batch than was trained on)', async () => {
  const script: Script = (engine) => {
    engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
    for (const layer of [0, 1]) engine.points(`layer_grad_norm[${layer}]`, 1, 2, (step) => 10 * layer + step);
    engine.points('train/loss', 1, 6, () => 2);
    engine.emit({
      type: 'end',
      state: 'finished',
      reason: 'stop.steps reached (6 steps)',
      steps: 6,
      tokens: 60,
      summary: {},
    });
  };
  await lab.open(script);
  const client = lab.client();
  const sweeps = new Watch(client, 'sweeps');
  const { runIds } = await client.call('sweeps.launch', { draft: DRAFT });
  await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
  const id = runIds[0]!;
  const { layer, head, step, value } = await client.call('series.places', { run: id, metric: 'layer_grad_norm' });
  expect([[...layer], [...head], [...step], [...value]]).toEqual([
    [0, 1],
    [-1, -1],
    [1, 2],
    [1, 2, 11, 12],
  ]);
  const { run } = await client.call('runs.get', { id });
  // Lists have one number: that of the largest layer.
  expect(run.summary['layer_grad_norm']).toBe(12);
  expect(Object.keys(run.summary).filter((name) => name.includes('['))).toEqual([]);

  const config = builtInCatalog.complete(run.config);
  const data = await prepareData({ config, cache: await temporaryFolder() });
  const sequences = config['batch.sequences'] as number;
  const batch = await client.call('runs.batch', { id, step: 3 });
  expect(batch.sequences).toBe(sequences);
  const wanted = data.rows(2 * sequences, 1);
  expect(batch.rows[0]).toBe(data.decode(wanted.inputs));
  await expect(client.call('runs.batch', { id: 'none', step: 3 })).rejects.toThrow('There is no run none');
});

it('tells the batch of a step where batches grow by length, size and the gradient (would catch the batch of another step)', async () => {
  const settings = {
    'batch.kind': 'listed',
    'batch.schedule': '2 3@4',
    'batch.length': 'doubling',
    'batch.length_start': 8,
    'batch.length_every_steps': 2,
    'batch.accumulation': 'gradient_norm',
    'data.size': 20_000,
    'model.context': 32,
    'stop.steps': 6,
    'log.every_steps': 2,
  };
  const config = builtInCatalog.complete({ ...settings });
  const data = await prepareData({ config, cache: await temporaryFolder() });
  const programs = { flopsPerTokenAt: () => 1, parameterCount: 1000 } as unknown as TrainingPrograms;
  const batches = new StepBatches(batchPlan(config), data, programs, config.seed as number);
  let place = batches.first;
  let tokens = 0;
  const taken = Array.from({ length: 6 }, (_, step) => {
    // As many batches in a step as gradients have asked for.
    const batch = batches.take({ step, tokens }, place, 1 + 0.6 * step);
    [place, tokens] = [batch.after, tokens + batch.tokens];
    return batch;
  });
  expect(new Set(taken.map(({ length }) => length)).size).toBe(3);
  const script: Script = (engine) => {
    engine.emit({ type: 'begin', step: 0, keepUpTo: -1 });
    taken.forEach(({ length, sequences, epochs }, i) => {
      if (i % 2 === 0) return;
      engine.points('batch/length', i + 1, i + 1, () => length);
      engine.points('batch/sequences', i + 1, i + 1, () => sequences);
      engine.points('epoch', i + 1, i + 1, () => epochs);
    });
    engine.emit({ type: 'end', state: 'finished', reason: 'all', steps: 6, tokens, summary: {} });
  };
  await lab.open(script);
  const client = lab.client();
  const sweeps = new Watch(client, 'sweeps');
  const { runIds } = await client.call('sweeps.launch', { draft: { recipe: null, settings, parameters: {} } });
  await sweeps.until((event) => event.sweeps.some(({ state }) => state === 'finished'));
  const id = runIds[0]!;
  expect(builtInCatalog.complete((await client.call('runs.get', { id })).run.config)).toEqual(config);
  for (const step of [2, 4, 6]) {
    const { sequences, micros, length } = taken[step - 1]!;
    const batch = await client.call('runs.batch', { id, step });
    const inputs = micros.flatMap((micro) => [...micro.inputs]);
    expect(batch).toEqual({
      sequences,
      rows: Array.from({ length: Math.min(16, sequences) }, (_, row) =>
        data.decode(Int32Array.from(inputs.slice(row * length, (row + 1) * length))),
      ),
    });
  }
  await expect(client.call('runs.batch', { id, step: 3 })).rejects.toThrow(
    /step 3 was not recorded: log.every_steps is 2/u,
  );
});
