import { expect, it } from 'vitest';
import { newStore } from '../../store/support.ts';
import { exportedRun, expectSame } from './exportedRun.ts';
import { listening, recorded, replay } from './listening.ts';

it('takes back what was exported, equal to the bit, however often it is sent (recorded from wandb sync; would catch a round trip that loses or doubles)', async () => {
  const here = newStore();
  const sent = await exportedRun(here);
  const lab = await listening();
  for (let times = 0; times < 2; times++) {
    const replies = await replay(lab, recorded('sync'));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    const runs = lab.store.listRuns();
    expect(runs).toHaveLength(1);
    expectSame(lab.store, runs[0]!, here, sent);
  }
});
