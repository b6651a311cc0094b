/** What Start says of a machine on which nobody has trained yet. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: what Start says of a machine (${missing})`);

describe.skipIf(missing !== undefined)('a first start', () => {
  const visit = useVisit();
  let page: Page;
  beforeAll(async () => {
    page = await visit.begin();
  });

  it('says what trains here, what is missing and where there is room (would catch a check-up that nobody sees)', async () => {
    const panel = page.getByRole('region', { name: 'This machine' });
    await panel.waitFor();
    const said = await panel.innerText();
    for (const name of ['Native kernels', 'GPU', 'Data folder', 'Disk']) expect(said).toContain(name);
    expect(said).toContain(visit.home);
  });

  it('leads to the guide and to all checks', async () => {
    await page.getByRole('link', { name: 'Training on a GPU' }).click();
    await page.getByRole('heading', { name: 'What the card must be' }).waitFor();
  });
});
