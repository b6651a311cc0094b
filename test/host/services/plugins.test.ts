/** Plug-ins in the data folder, as the interface uses them: its plans are made in a thread that loads them once more. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DRAFT, TestLab } from './support.ts';

const SOURCE = `export default ({ defineSchedule }) => ({
  name: 'steady',
  kinds: [defineSchedule({ name: 'steady', help: 'stays', needsEnd: false, settings: [], after: () => () => 1 })],
});`;

it('are planned (would catch a plug-in whose own file takes its name)', async () => {
  const lab = new TestLab();
  mkdirSync(join(lab.home, 'plugins'));
  writeFileSync(join(lab.home, 'plugins', 'steady.ts'), SOURCE);
  await lab.open(undefined, { paused: true });
  try {
    const draft = { ...DRAFT, settings: { ...DRAFT.settings, 'schedule.kind': 'steady' } };
    const plan = await lab.client().call('sweeps.plan', { draft });
    expect(plan.problems).toEqual([]);
    expect(plan.settings).toHaveLength(2);
    expect(plan.groups.length).toBeGreaterThan(0);
    const wrong = { ...draft, settings: { ...draft.settings, 'schedule.kind': 'stedy' } };
    const { problems } = await lab.client().call('sweeps.plan', { draft: wrong });
    expect(problems[0]).toMatchObject({ setting: 'schedule.kind', nearest: 'steady' });
  } finally {
    await lab.close();
  }
});
