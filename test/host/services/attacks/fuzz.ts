/** Rounds of malformed calls against one lab; a short number of them in every run of the tests, many in the long ones. */
import { expect } from 'vitest';
import { routes } from '../../../../preload/contract/api.ts';
import { ERROR_CODES } from '../../../../preload/contract/rpc.ts';
import type { Random } from '../../../oracles/random.ts';
import type { TestLab } from '../support.ts';
import { damaged, oddValue, oddYaml } from './shapes.ts';
import { wireOf } from './wire.ts';

/** Turns browsers out, or computes for long by design. */
const LEFT_OUT = new Set([
  'app.doctor',
  'setup.machine',
  'setup.fetch',
  'sampling.generate',
  'checks.run',
  'devices.list',
  'fit.gpus',
  'queue.resume',
]);
const ROUTES = Object.keys(routes).filter((name) => !LEFT_OUT.has(name));
const draft = {
  recipe: 'quick',
  parameters: { 'model.depth': { values: [1, 2] } },
  settings: { 'stop.steps': 50 },
  seeds: [1, 2],
  constraints: ['model.depth < 3'],
  metric: { name: 'val/loss' },
};
/** Of the right shape. */
const GOOD: Readonly<Record<string, unknown>> = {
  'sweeps.plan': { draft, budget: 1, prices: { kilowatts: 1 } },
  'sweeps.launch': { draft: { ...draft, constraints: ['model.depth < 0'] } },
  'sweeps.toYaml': { draft },
  'settings.check': { values: { 'model.depth': 2, 'optimizer.lr': 0.1 }, recipe: 'quick' },
  'runs.list': {
    filter: {
      ids: ['a'],
      state: ['queued'],
      where: [{ field: 'seed', op: '=', value: 1 }],
      search: 'a b',
      order: { field: 'name' },
      limit: 3,
      offset: 1,
    },
  },
  'views.set': { key: 'fuzz', value: { a: [1] } },
  'runs.batch': { id: 'a', step: 1 },
  'series.places': { run: 'a', metric: 'layer_grad_norm', maxPoints: 100 },
  'series.read': { runs: ['a'], metric: 'train/loss', from: 0, to: 5, maxPoints: 100 },
  'runs.events': { id: 'a', after: 1, kinds: ['log'], limit: 5 },
  'import.files': { id: 'a', files: [{ path: 'a/b.csv', size: 3 }] },
  'import.send': { id: 'a', parts: [{ file: 0, at: 0, bytes: new Uint8Array(3) }] },
  'import.preview': { id: 'a', paths: ['a.csv'], format: 'csv', roles: { loss: 'metric' }, sweep: 'a', asNew: true },
  'export.runs': { runs: ['a'], format: 'csv-long', metrics: ['val/loss'] },
};

/** @throws what vitest says, with the seed and the call */
export async function fuzz(lab: TestLab, random: Random, seed: number, rounds: number): Promise<void> {
  const call = wireOf(lab);
  for (let round = 0; round < rounds; round++) {
    const route = random.pick(ROUTES);
    const good = GOOD[route] ?? { id: 'a' };
    const input =
      route === 'sweeps.fromYaml'
        ? { yaml: oddYaml(random) }
        : random() < 0.3
          ? oddValue(random)
          : damaged(good, random);
    const answer = await call(route, input);
    const what = `seed ${seed}, round ${round}: ${route} ${JSON.stringify(input)?.slice(0, 500)}`;
    if (!answer.ok) {
      expect(ERROR_CODES, what).toContain(answer.code);
      expect(answer.code, `${what}: ${answer.message}`).not.toBe('internal');
      expect(answer.message.length, what).toBeLessThan(20_000);
    }
    expect(answer.cpu, what).toBeLessThan(500);
  }
  // It still knows what it knew.
  expect(await call('app.info', {})).toMatchObject({ ok: true });
  expect(await call('sweeps.plan', { draft })).toMatchObject({ ok: true, value: { problems: [], runs: 4 } });
}
