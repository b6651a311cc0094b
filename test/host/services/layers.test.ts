import { afterEach, beforeEach, expect, it } from 'vitest';
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
