import { afterEach, beforeEach, expect, it } from 'vitest';
import { DRAFT, finishing, TestLab, Watch } from './support.ts';

let lab: TestLab;
beforeEach(() => {
  lab = new TestLab();
});
afterEach(() => lab.close());

it('checks the first run of a draft in a process of its own, and says why it cannot (would catch a check of other settings)', async () => {
  await lab.open(finishing);
  const client = lab.client();
  const small = { ...DRAFT, settings: { 'model.depth': 1, 'model.width': 16, 'model.heads': 2, 'stop.steps': 9 } };
  const watch = new Watch(client, 'checks');
  const found = await client.call('checks.run', { draft: small, check: 'preflight' });
  expect(watch.events.map(({ check }) => check)).toContain('preflight');
  expect([found.ok, found.plot, found.lines[0]]).toEqual([true, null, expect.stringContaining('went well')]);
  expect(found.lines.join(' ')).toMatch(/\b9\s+steps/u);
  const alone = { ...small, settings: { ...small.settings, 'batch.sequences': 1, 'batch.micro': 0 } };
  await expect(client.call('checks.run', { draft: alone, check: 'noise-scale' })).rejects.toThrow(
    'batch.sequences is 1',
  );
  await expect(
    client.call('checks.run', { draft: { ...small, constraints: ['model.depth > 9'] }, check: 'overfit' }),
  ).rejects.toThrow('no run that could be checked');
});
