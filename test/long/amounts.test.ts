/** A million of anything at every place of every call; `npm test` tries one in twenty. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendAmounts } from '../host/services/attacks/amounts.ts';
import { finishing, TestLab } from '../host/services/support.ts';

const lab = new TestLab();
beforeAll(() => lab.open(finishing, { paused: true }));
afterAll(() => lab.close());

it('every amount at every place gets a typed answer at no cost to others (would catch a field without a bound)', async () => {
  const before = process.memoryUsage.rss();
  const tried = await sendAmounts(lab, () => true);
  expect(tried.length).toBeGreaterThan(5000);
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  console.log(tried.slice(0, 12), `${tried.length} calls, ${grown.toFixed(0)} MiB more`);
  expect(grown).toBeLessThan(1500);
});
