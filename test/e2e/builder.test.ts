/**
 * The builder: what it says of a draft that is refused, where its messages stand, and its checks before a long run, short trainings whose
 * progress, words and pictures are shown beside their buttons.
 */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { colouredPixelsOf, until, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: the builder (${missing})`);

describe.skipIf(missing !== undefined)('the builder', () => {
  const visit = useVisit();
  let page: Page;

  const plan = () => page.getByRole('complementary', { name: 'Plan' });
  const dialog = () => page.getByRole('dialog', { name: 'Checks before a long run' });
  const check = (name: string) => dialog().locator(`[data-check="${name}"]`);
  async function draft(settings: Readonly<Record<string, number>>): Promise<void> {
    for (const [name, value] of Object.entries(settings))
      await page.locator(`[data-setting="${name}"] input`).first().fill(String(value));
  }
  const openChecks = () => page.getByRole('button', { name: 'Check before a long run…' }).click();

  beforeAll(async () => {
    page = await visit.begin();
    await page.getByRole('button', { name: 'Adapt Quick start' }).click();
    await plan().getByText('4 settings × 2 seeds').waitFor();
    await page.getByRole('button', { name: 'Clear the draft' }).click();
    await plan().getByText('one setting, one seed').waitFor();
  });

  it('tells once in the plan why a draft is refused (would catch a problem beside the combination that it dropped)', async () => {
    await draft({ 'model.width': 80, 'model.heads': 7 });
    await plan().getByText('80 % 7 = 3').first().waitFor();
    expect((await plan().innerText()).match(/80 % 7 = 3/gu)).toHaveLength(1);
    expect(await plan().getByText('dropped').count()).toBe(0);
    await plan()
      .getByRole('button', { name: /model\.heads\s*=\s*8$/u })
      .click();
    await plan().getByText('one setting, one seed').waitFor();
  });

  it('lets no message cover Launch (would catch a click on Undo that was meant to train)', async () => {
    await page.setViewportSize({ width: 900, height: 900 });
    // The message stays as long as this looks at it.
    await page.evaluate(`{
      const usual = globalThis.setTimeout;
      globalThis.again = () => (globalThis.setTimeout = usual);
      globalThis.setTimeout = (run, after, ...rest) => (after >= 6000 ? 0 : usual(run, after, ...rest));
    }`);
    await page.getByRole('button', { name: 'Clear the draft' }).click();
    const message = page.locator('.toast', { hasText: 'The draft was cleared' });
    await message.waitFor();
    await page.locator('.planbar').getByRole('button', { name: '1 run' }).click();
    const launch = plan().getByRole('button', { name: 'Launch 1 run' });
    await launch.waitFor();
    await until(
      async () => [await message.boundingBox(), await launch.boundingBox()],
      ([above, below]) => above !== null && below !== null && above!.y + above!.height <= below!.y,
      'a message above Launch',
    );
    await page.evaluate('again()');
    await message.getByRole('button', { name: 'Close' }).click();
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it('shows how far a check is, and ends it without an answer (would catch one that holds the device for minutes)', async () => {
    // Slow enough on any machine to be met while it trains.
    await draft({ 'model.depth': 4, 'model.width': 256, 'batch.sequences': 24 });
    await openChecks();
    const noise = check('noise-scale');
    await noise.getByRole('button', { name: 'Run: Noise scale' }).click();
    await noise.getByRole('progressbar', { name: 'Progress of Noise scale' }).waitFor();
    await noise.getByText(/^step \d+ of 100, loss \d\.\d{3}/u).waitFor();
    // One at a time.
    expect(
      await check('overfit').getByRole('button', { name: 'Run: Overfit one batch' }).getAttribute('aria-disabled'),
    ).toBe('true');
    await noise.getByRole('button', { name: 'Cancel' }).click();
    await noise.getByRole('button', { name: 'Run: Noise scale' }).waitFor();
    await noise.getByRole('progressbar').waitFor({ state: 'detached' });
    expect(await noise.getByRole('status').count()).toBe(0);
    expect(await noise.getByRole('alert').count()).toBe(0);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  it('says in words and a picture what a check found, and goes on where more steps may tell (would catch a button that runs as many again)', async () => {
    // Too slow a rate for the usual 500 steps, and fast enough for four times as many.
    await draft({ 'model.depth': 1, 'model.width': 32, 'batch.sequences': 2, 'optimizer.lr': 0.0003 });
    await openChecks();
    const overfit = check('overfit');
    await overfit.getByRole('button', { name: 'Run: Overfit one batch' }).click();
    const answer = overfit.getByRole('status');
    await answer.getByText('Not learned in 500 updates: the loss still falls; it may need more steps.').waitFor();
    await answer.getByRole('img', { name: 'look at this' }).waitFor();
    await answer.getByRole('button', { name: 'Run 2,000 steps' }).click();
    await answer.getByText(/^Learned: loss 0\.\d{4} after [\d,]+ updates/u).waitFor();
    await answer.getByRole('img', { name: 'fine' }).waitFor();
    expect(await answer.getByRole('button').count()).toBe(0);
    const picture = answer.getByRole('img', { name: 'Loss of one batch' });
    await until(
      () => colouredPixelsOf(picture.locator('canvas').first()),
      (count) => count > 50,
      'a drawn curve',
    );
  });

  it('forgets what a check said of another draft (would catch an answer of settings that are no longer there)', async () => {
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await draft({ 'optimizer.lr': 0.001 });
    await openChecks();
    await check('overfit').getByRole('button', { name: 'Run: Overfit one batch' }).waitFor();
    expect(await check('overfit').getByRole('status').count()).toBe(0);
  });
});
