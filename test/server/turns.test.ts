/** What one client sends at once is heard in turns with all others. */
import { expect, it } from 'vitest';
import { inTurns } from '../../main/server/turns.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const text = (n: number): Buffer => Buffer.from(String(n));

function socket() {
  const told: string[] = [];
  const self = {
    OPEN: 1,
    readyState: 1 as 0 | 1 | 2 | 3,
    pause: () => told.push('pause'),
    resume: () => told.push('resume'),
  };
  return { self: self as Parameters<typeof inTurns>[0] & { readyState: 0 | 1 | 2 | 3 }, told };
}

it('hears what takes long a little at a time, in its order, and takes no more meanwhile (would catch one client that stops all)', async () => {
  const { self, told } = socket();
  const heard: number[] = [];
  let clock = 0;
  const hear = inTurns(
    self,
    (data) => {
      heard.push(Number(data.toString()));
      clock += 2;
    },
    () => clock,
  );
  for (let n = 0; n < 7; n++) hear(text(n), true);
  expect([heard, told]).toEqual([[0, 1], ['pause']]);
  await turn();
  expect(heard).toEqual([0, 1, 2, 3]);
  await turn();
  await turn();
  expect([heard, told]).toEqual([
    [0, 1, 2, 3, 4, 5, 6],
    ['pause', 'resume'],
  ]);
  // What a client that is gone has sent is worked on no more.
  for (let n = 7; n < 20; n++) hear(text(n), true);
  self.readyState = 3;
  await turn();
  await turn();
  expect(heard).toHaveLength(8);
});
