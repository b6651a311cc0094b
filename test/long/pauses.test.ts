/** How long others wait while a page sends the worst that it may, and a run trains. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wireOf } from '../host/services/attacks/wire.ts';
import { TestLab, Watch } from '../host/services/support.ts';

const lab = new TestLab();
beforeAll(() => lab.open(undefined));
afterAll(() => lab.close());

const keys = (length: number, value: unknown): object =>
  Object.fromEntries(Array.from({ length }, (_, i) => [`model.depht${i}`, value]));
let nested: unknown = 1;
for (let i = 0; i < 2000; i++) nested = [nested];
const values = Array.from({ length: 9999 }, (_, i) => 1e-4 + i * 1e-7);
const WORST: readonly (readonly [route: string, input: unknown])[] = [
  ['sweeps.fromYaml', { yaml: Array.from({ length: 12_000 }, (_, i) => `k${i}: 1`).join('\n') }],
  ['sweeps.fromYaml', { yaml: '['.repeat(400_000) }],
  ['sweeps.fromYaml', { yaml: ']'.repeat(900_000) }],
  ['sweeps.toYaml', { draft: { parameters: { 'optimizer.lr': { values } } } }],
  ['sweeps.plan', { draft: { parameters: { 'optimizer.lr': { values }, 'model.depth': { values: [1, 2] } } } }],
  ['sweeps.plan', { draft: { seeds: 10_000, parameters: { 'model.depth': { values: [1, 2] } } } }],
  ['settings.check', { values: keys(500, 1) }],
  ['settings.check', { values: keys(20_000, 1) }],
  ['views.set', { key: 'a', value: nested }],
  ['views.set', { key: 'b', value: 'x'.repeat(1_000_000) }],
  ['runs.list', { filter: { ids: values.map(String), search: '%_ '.repeat(15) } }],
  ['data.tokens', { values: { 'data.size': 20_000 }, text: 'x'.repeat(200_000) }],
  ['nothing.here', nested],
];

it('nobody waits for more than 200 ms of computing on the serving thread', async () => {
  const client = lab.client();
  const progress = new Watch(client, 'points');
  await client.call('sweeps.launch', { draft: { recipe: 'quick', settings: { 'stop.steps': 100_000 } } });
  await progress.until(({ runs }) => runs.length > 0);
  const call = wireOf(lab);
  for (const [route, input] of WORST) {
    const done = new AbortController();
    const begun = performance.now();
    const answer = call(route, input).finally(() => done.abort());
    let longest = 0;
    while (!done.signal.aborted) {
      const before = process.threadCpuUsage();
      await new Promise((resolve) => setImmediate(resolve));
      await client.call('queue.get', {});
      const { user, system } = process.threadCpuUsage(before);
      longest = Math.max(longest, (user + system) / 1000);
    }
    const { ok } = await answer;
    const took = performance.now() - begun;
    console.log(
      `${route}: ${ok ? 'answered' : 'refused'} after ${took.toFixed(0)} ms, others waited for ${longest.toFixed(0)} ms of computing at most`,
    );
    expect([route, longest < 200]).toEqual([route, true]);
  }
});
