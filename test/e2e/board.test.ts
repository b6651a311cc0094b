/** What the charts of a board show, as a person sees it: after scrolling, searching, pointing, zooming and smoothing. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import type { NewRun } from '../../preload/contract/runs.ts';
import { chart, colouredPixels, go, settled, until, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: the charts of a board (${missing})`);

const LRS = [0.001, 0.003, 0.01];
const EVALUATED = Float64Array.of(0, 50, 100, 150, 200);
/** Falls from 5 to an end of its own; the best of lr 0.001, seed 1 is at step 150. */
const losses = (lr: number, seed: number): Float64Array => {
  const end = 2 + LRS.indexOf(lr) + 0.01 * seed;
  return Float64Array.of(5, end + 1, end + 0.5, lr === 0.001 ? end - 0.125 : end + 0.2, end);
};
const OTHERS = ['train/loss', 'train/accuracy', 'grad/norm', 'system/memory', 'tokens_per_second', 'lr'];

describe.skipIf(missing !== undefined)('the charts of a board', () => {
  const visit = useVisit();
  const { home } = visit;
  let page: Page;
  let sweep: string;

  beforeAll(async () => {
    const store = openStore(join(home, 'runs.sqlite'));
    const runs = LRS.flatMap((lr, color) =>
      [1, 2].map((seed): NewRun => ({
        name: `lr=${lr} seed=${seed}`,
        config: { 'data.corpus': 'stories', 'optimizer.lr': lr, 'stop.loss': 0, seed },
        seed,
        settingKey: String(lr),
        state: 'finished',
        color,
        // The last learning rate of a schedule that has decayed: a metric with the name of a setting.
        summary: {
          'val/loss': losses(lr, seed)[4]!,
          lr: 1e-6,
          ...Object.fromEntries(OTHERS.map((name) => [name, 1])),
          ...(seed === 1 ? { 'custom/once': 1 } : {}),
        },
        environment: { scoredText: 'a'.repeat(32), tokenizer: 'byte-257', validationTokens: 1000 },
        createdAt: 1_700_000_000_000,
        startedAt: 1_700_000_000_000,
        endedAt: 1_700_000_060_000,
      })),
    );
    const created = store.createSweep({ name: 'three rates', spec: {}, state: 'finished' }, runs);
    sweep = created.sweep.id;
    const steps = Float64Array.from({ length: 200 }, (_, i) => i + 1);
    for (const run of created.runs)
      await store.appendMetrics(run.id, [
        { metric: 'val/loss', steps: EVALUATED, values: losses(run.config['optimizer.lr'] as number, run.seed) },
        ...(run.seed === 1 ? [{ metric: 'custom/once', steps: Float64Array.of(50), values: Float64Array.of(1) }] : []),
        ...OTHERS.map((metric) => ({ metric, steps, values: steps.map((step) => 1 + run.seed + Math.sin(step)) })),
      ]);
    store.close();
    page = await visit.begin();
  });

  const drawn = (metric: string): Promise<number> =>
    chart(page, metric)
      .locator('.host')
      .first()
      .evaluate((host: unknown) => Number((host as { dataset: { drawn?: string } }).dataset.drawn ?? 0));
  /** A fresh look at the board, with all charts that can be seen drawn. */
  async function open(query = ''): Promise<void> {
    await settled(page);
    await go(page, '/start');
    await go(page, `/board?sweep=${sweep}${query}`);
    await until(
      () => drawn('val/loss'),
      (lines) => lines > 0,
      'curves of val/loss',
    );
    await page.locator('[data-row]').first().waitFor();
  }
  async function reset(): Promise<void> {
    await page.getByRole('button', { name: 'Hidden charts, reset' }).click();
    await page.getByRole('menuitem', { name: 'Reset the layout' }).click();
  }
  const scroll = (to: number): Promise<void> =>
    page
      .locator('.scroll:has(.charts)')
      .evaluate((element: unknown, y) => (element as { scrollTo(x: number, y: number): void }).scrollTo(0, y), to);
  async function pointAt(metric: string, across: number, down = 0.5): Promise<void> {
    const box = (await chart(page, metric).locator('canvas.overlay').boundingBox())!;
    await page.mouse.move(box.x + across * box.width, box.y + down * box.height);
  }
  const tip = (): Promise<string> => page.locator('[data-tip]').innerText();

  it('off screen draw what was hidden meanwhile when they come back (would catch charts that keep their old state)', async () => {
    await open();
    const last = 'system/memory';
    await chart(page, last).scrollIntoViewIfNeeded();
    await until(
      () => drawn(last),
      (lines) => lines === 3,
      'all three groups',
    );
    await scroll(0);
    await page
      .locator('[data-row]')
      .first()
      .locator('.eye')
      .click({ modifiers: ['Shift'] });
    await until(
      () => drawn('val/loss'),
      (lines) => lines === 1,
      'one group of val/loss',
    );
    await chart(page, last).scrollIntoViewIfNeeded();
    await until(
      () => drawn(last),
      (lines) => lines === 1,
      'one group of the chart below',
    );
    await scroll(0);
    await reset();
    await until(
      () => drawn('val/loss'),
      (lines) => lines === 3,
      'all groups again',
    );
  });

  it('are those of the runs that the search finds: a setting comes before a metric of its name, and val/loss before stop.loss', async () => {
    await open();
    const search = page.getByRole('searchbox', { name: /Search runs/u });
    for (const [text, runs, groups] of [
      ['lr=0.003', 2, 1],
      ['lr>1e-3', 4, 2],
      ['loss<3', 2, 1],
    ] as const) {
      await search.fill(text);
      await until(
        () => page.locator('[data-count]').innerText(),
        (said) => said.startsWith(`${runs} of 6`),
        `${runs} runs for ${text}`,
      );
      await until(
        () => drawn('val/loss'),
        (lines) => lines === groups,
        `${groups} lines for ${text}`,
      );
      expect(await page.locator('[data-narrowed]').innerText()).toContain(`${runs} of 6 runs`);
    }
    await search.fill('lr=77');
    await until(
      () => drawn('val/loss'),
      (lines) => lines === 0,
      'no line where no run matches',
    );
    expect(await page.locator('[data-narrowed]').innerText()).toContain('None of 6 runs');
    await page.getByRole('button', { name: 'Draw all' }).click();
    await until(
      () => drawn('val/loss'),
      (lines) => lines === 3,
      'all groups again',
    );
  });

  it('say what was measured beside the pointer: nothing of it is cut off, and no x is named at which there was no value', async () => {
    await open();
    for (const across of [0.2, 0.37, 0.53, 0.71, 0.9]) {
      await pointAt('val/loss', across, 0.4);
      await page.locator('[data-tip]').waitFor();
      expect(await tip()).toMatch(/^step (0|50|100|150|200)\n/u);
      const box = (await page.locator('[data-tip]').boundingBox())!;
      expect([box.x >= 0, box.y >= 0, box.x + box.width <= 1440, box.y + box.height <= 900]).toEqual([
        true,
        true,
        true,
        true,
      ]);
      // Nothing lies over it: at each of its corners it is what can be seen.
      const seen = await page.evaluate(`(() => {
        const tip = document.querySelector('[data-tip]');
        tip.style.pointerEvents = 'auto';
        const { left, top, right, bottom } = tip.getBoundingClientRect();
        const corners = [[left + 8, top + 8], [right - 8, top + 8], [left + 8, bottom - 8], [right - 8, bottom - 8]];
        const seen = corners.map(([x, y]) => tip.contains(document.elementFromPoint(x, y)));
        tip.style.pointerEvents = '';
        return seen;
      })()`);
      expect(seen).toEqual([true, true, true, true]);
    }
  });

  it('name the last and the best value that were logged, whatever is smoothed or shown; a zoom stands in the address', async () => {
    await open();
    await page.locator('[data-row]').first().hover();
    const head = (): Promise<string> => chart(page, 'val/loss').locator('[data-reading]').innerText();
    // The means of seeds 1 and 2: 2.015 at the end, 1.890 at step 150.
    const right = (text: string): boolean => /last 2\.015 · best 1\.890/u.test(text);
    await until(head, right, 'values as logged');
    await open('&zoom=40,120,step');
    await page.locator('[data-row]').first().hover();
    await until(head, right, 'the same while zoomed');
    expect(await page.getByRole('button', { name: 'Whole range' }).isVisible()).toBe(true);
    await page.getByRole('slider', { name: /Smoothing: weight/u }).fill('90');
    await page.locator('[data-row]').first().hover();
    await until(head, right, 'the same while smoothed');
    await reset();
    await page.getByRole('button', { name: 'Whole range' }).click();
    await until(
      () => page.evaluate<string>('location.hash'),
      (hash) => !hash.includes('zoom'),
      'no zoom in the address',
    );
    const box = (await chart(page, 'val/loss').locator('canvas.overlay').boundingBox())!;
    await page.mouse.move(box.x + 0.4 * box.width, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.7 * box.width, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await until(
      () => page.evaluate<string>('location.hash'),
      (hash) => /zoom=\d/u.test(hash),
      'the zoom in the address',
    );
  });

  it('without points in the part that is shown say so, invent no numbers, and lead back', async () => {
    await settled(page);
    await go(page, '/start');
    await go(page, `/board?sweep=${sweep}&zoom=5000,6000,step`);
    const empty = chart(page, 'val/loss').locator('[data-empty]');
    await empty.waitFor();
    await until(
      () => empty.innerText(),
      (text) => /^No points between step 5,000 and 6,000\s+Whole range$/u.test(text),
      'words instead of curves',
    );
    expect(await chart(page, 'val/loss').getByRole('img').getAttribute('aria-label')).toContain(
      '3 lines, none of them in the frame',
    );
    await empty.getByRole('button', { name: 'Whole range' }).click();
    await empty.waitFor({ state: 'detached' });
    expect(await drawn('val/loss')).toBe(3);
  });

  it('are left out where no drawn run has logged their metric, and said', async () => {
    await open();
    const search = page.getByRole('searchbox', { name: /Search runs/u });
    await search.fill('seed=2');
    const words = page.locator('[data-left-out]');
    await words.waitFor();
    expect(await words.innerText()).toBe('No run that is drawn has logged custom/once.');
    expect(await chart(page, 'custom/once').count()).toBe(0);
    await search.fill('');
    await chart(page, 'custom/once').waitFor();
    expect(await words.count()).toBe(0);
  });

  it('can be read by keys', async () => {
    await open();
    await chart(page, 'val/loss').getByRole('img').focus();
    await page.keyboard.press('ArrowLeft');
    expect(await tip()).toMatch(/^step 200\n/u);
    await page.keyboard.press('ArrowLeft');
    expect(await tip()).toMatch(/^step 150\n/u);
    await page.keyboard.press('Escape');
    expect(await page.locator('[data-tip]').count()).toBe(0);
    expect(await colouredPixels(page, 'val/loss')).toBeGreaterThan(50);
  });
});
