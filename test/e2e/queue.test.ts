/** The queue as a person orders it: in the page, for the command line too, over restarts, and in the order in which runs really begin. */
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadWorkshop } from '../../main/host/lab.ts';
import { openStore } from '../../main/store/index.ts';
import type { NewRun } from '../../preload/contract/runs.ts';
import { inside } from '../cli/inside.ts';
import { PATIENCE, newContext, newHome, removeHome, settled, startLab, until, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: the queue in a real browser (${missing})`);

/** Trains in a moment, on text that is made in one. */
const TINY = {
  'data.corpus': 'stories',
  'data.size': 20_000,
  'tokenizer.kind': 'byte',
  'model.depth': 1,
  'model.width': 16,
  'model.heads': 1,
  'model.context': 16,
  'batch.sequences': 2,
  'stop.steps': 3,
};

/** Sweeps of so many runs, by name, in a paused queue; a run by itself behind the first. @returns names of all, in their order */
async function fill(home: string, sweeps: Readonly<Record<string, number>>): Promise<string[]> {
  const { registry } = await loadWorkshop({ home });
  const store = openStore(join(home, 'runs.sqlite'));
  store.setQueueSwitches({ paused: true, places: 1 });
  const run = (name: string, seed: number): NewRun => ({
    name,
    seed,
    settingKey: name,
    config: { ...registry.defaults, ...TINY, seed },
  });
  const names: string[] = [];
  for (const [name, count] of Object.entries(sweeps)) {
    const runs = Array.from({ length: count }, (_, i) => run(`${name} ${i + 1}`, i + 1));
    store.createSweep({ name: `sweep ${name}`, spec: {} }, runs);
    names.push(...runs.map((each) => each.name));
    if (names.length === count) names.push(store.createRun(run('alone', 1)).name);
  }
  store.close();
  return names;
}

interface Listed {
  readonly waiting: readonly { readonly name: string }[];
}

describe.skipIf(missing !== undefined)('the queue', () => {
  const visit = useVisit();
  const { home } = visit;
  const crowd = newHome();
  let order: string[];
  let page: Page;

  const list = (): Locator => page.getByRole('list', { name: 'Runs that wait' });
  const row = (name: string): Locator =>
    list()
      .getByRole('listitem')
      .filter({ has: page.getByRole('link', { name, exact: true }) });
  /** Names of the runs in the page, heads left out; all are in sight. */
  const shown = (): Promise<string[]> => list().locator('a[href^="#/run/"]').allInnerTexts();
  const byCommand = async (): Promise<string[]> => {
    const { stdout } = await inside(home, ['queue', 'ls', '--json']);
    return (JSON.parse(stdout) as Listed).waiting.map(({ name }) => name);
  };
  const expectOrder = (expected: readonly string[]): Promise<unknown> =>
    until(shown, (names) => names.join() === expected.join(), `the order ${expected.join(', ')}`);
  /** The page has this order, and so has the command line, in another process than the lab. */
  const expectEverywhere = async (expected: readonly string[]): Promise<void> => {
    await expectOrder(expected);
    expect(await byCommand()).toEqual(expected);
  };
  const menu = async (name: string, entry: string): Promise<void> => {
    await row(name)
      .first()
      .getByRole('button', { name: /^Actions of/u })
      .click();
    await page.getByRole('menuitem', { name: entry }).click();
  };
  const said = (): Promise<string> => page.locator('main [role="status"]').innerText();

  beforeAll(async () => {
    order = await fill(home, { a: 3, b: 2, c: 2 });
    page = await visit.begin();
  });
  afterAll(() => removeHome(crowd));

  it('is found from the title bar, and lists what waits in its order (would catch a list of another order)', async () => {
    await page.getByRole('banner').getByRole('link', { name: 'queue paused' }).click();
    await page.waitForURL(/#\/queue$/u);
    await settled(page);
    expect(order).toEqual(['a 1', 'a 2', 'a 3', 'alone', 'b 1', 'b 2', 'c 1', 'c 2']);
    await expectEverywhere(order);
    await page.getByText('Paused: no further run begins.').waitFor();
    await page.getByText('8 wait', { exact: true }).waitFor();
  });

  it('is ordered by dragging a run, or a whole sweep (would catch a row that lands beside its place)', async () => {
    const drag = async (from: Locator, to: Locator, edge: 'above' | 'below'): Promise<void> => {
      const [start, end] = [(await from.boundingBox())!, (await to.boundingBox())!];
      await page.mouse.move(start.x + 20, start.y + start.height / 2);
      await page.mouse.down();
      await page.mouse.move(end.x + 20, end.y + end.height / 2, { steps: 6 });
      await page.mouse.move(end.x + 20, end.y + (edge === 'above' ? 2 : end.height - 2), { steps: 2 });
      // The mark is drawn where it would land, before it is let go.
      await list().locator('.target').waitFor();
      await page.mouse.up();
    };
    await drag(row('c 2'), row('a 2'), 'above');
    await expectOrder(['a 1', 'c 2', 'a 2', 'a 3', 'alone', 'b 1', 'b 2', 'c 1']);
    await drag(row('sweep b').first(), row('a 1'), 'above');
    await expectEverywhere(['b 1', 'b 2', 'a 1', 'c 2', 'a 2', 'a 3', 'alone', 'c 1']);
    await page.locator('.toast', { hasText: 'Moved 2 runs of sweep b' }).getByRole('button', { name: 'Undo' }).click();
    await until(shown, (names) => names[0] === 'a 1', 'the sweep back in its place');
  });

  it('is ordered by keys, which are said to those who do not see it (would catch a list that only a mouse can order)', async () => {
    await expectOrder(['a 1', 'c 2', 'a 2', 'a 3', 'alone', 'b 1', 'b 2', 'c 1']);
    await row('alone').focus();
    await page.keyboard.press('Alt+Home');
    await until(said, (text) => text === 'alone: now turn 1 of 8', 'what was done');
    // It keeps the focus: the next key moves it on.
    await until(
      () => page.evaluate<string>('document.activeElement?.innerText ?? ""'),
      (text) => text.includes('alone'),
      'the focus on the moved run',
    );
    await page.keyboard.press('Alt+ArrowDown');
    await until(said, (text) => text === 'alone: now turn 2 of 8', 'one place down');
    await expectOrder(['a 1', 'alone', 'c 2', 'a 2', 'a 3', 'b 1', 'b 2', 'c 1']);
    await page.keyboard.press('Alt+End');
    await expectOrder(['a 1', 'c 2', 'a 2', 'a 3', 'b 1', 'b 2', 'c 1', 'alone']);
    await page.keyboard.press('Alt+ArrowUp');
    await expectOrder(['a 1', 'c 2', 'a 2', 'a 3', 'b 1', 'b 2', 'alone', 'c 1']);
    // All runs of a sweep that stand apart.
    await menu('c 1', 'All 2 runs of the sweep to the front');
    await expectEverywhere(['c 2', 'c 1', 'a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'alone']);
  });

  it('takes a limit for a sweep, a number for all, and no run that was cancelled (would catch switches that do nothing)', async () => {
    await row('sweep a').first().getByRole('button', { name: 'Limit of sweep a: none' }).click();
    await page.getByRole('spinbutton', { name: 'At most at a time' }).fill('1');
    await page.keyboard.press('Enter');
    await row('sweep a').first().getByText('≤ 1 at a time').waitFor();
    const { stdout } = await inside(home, ['queue', 'ls']);
    expect(stdout).toContain('sweep a (at most 1 at a time)');
    await page.getByRole('spinbutton', { name: 'Runs at a time' }).fill('2');
    await page.keyboard.press('Enter');
    await row('b 2').focus();
    await page.keyboard.press('Delete');
    await expectOrder(['c 2', 'c 1', 'a 1', 'a 2', 'a 3', 'b 1', 'alone']);
    // Back in its place, not behind all.
    await page.locator('.toast', { hasText: 'b 2 will not train' }).getByRole('button', { name: 'Resume' }).click();
    await expectOrder(['c 2', 'c 1', 'a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'alone']);
  });

  it('is the same after the lab was killed, and runs begin in that order (would catch an order that is only a picture)', async () => {
    const expected = ['c 2', 'c 1', 'a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'alone'];
    await visit.complaints.expecting(/WebSocket|ERR_CONNECTION_REFUSED/u, async () => {
      await visit.lab.kill();
      await page.getByText('Connection lost, trying again').waitFor();
      visit.lab = await startLab(home, visit.lab.port);
      await page.getByText('Connection lost, trying again').waitFor({ state: 'detached' });
    });
    await expectEverywhere(expected);
    expect(await page.getByRole('spinbutton', { name: 'Runs at a time' }).inputValue()).toBe('2');
    await row('sweep a').first().getByText('≤ 1 at a time').waitFor();
    // One at a time, so that there is one order.
    await page.getByRole('spinbutton', { name: 'Runs at a time' }).fill('1');
    await page.keyboard.press('Enter');
    await page.getByRole('main').getByRole('button', { name: 'Resume' }).click();
    await page.getByText('The queue is empty').waitFor({ timeout: 3 * PATIENCE });
    const { stdout } = await inside(home, ['runs', 'ls', '--json', '--limit', '100']);
    const runs = JSON.parse(stdout) as { name: string; state: string; startedAt: string }[];
    expect(runs.map(({ state }) => state)).toEqual(expected.map(() => 'finished'));
    expect(runs.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt)).map(({ name }) => name)).toEqual(expected);
    await page.getByRole('main').getByRole('button', { name: 'New sweep' }).waitFor();
  });

  it('of 10,000 runs is in sight at once, and ordered as quickly (would catch a list that draws every row)', async () => {
    await fill(crowd, { many: 9_900, few: 100 });
    const other = await startLab(crowd);
    const context = await newContext(visit.browser, visit.complaints);
    const full = await context.newPage();
    try {
      await full.goto(other.url);
      await full.getByRole('banner').waitFor();
      await full.evaluate("location.hash = '#/queue'");
      const waiting = full.getByRole('list', { name: 'Runs that wait' });
      await full.getByRole('heading', { name: /^Waiting: 10,001/u }).waitFor();
      // Long sweeps are folded: three rows. Open, only those in sight are drawn.
      expect(await waiting.getByRole('listitem').count()).toBe(3);
      await full.getByRole('button', { name: 'Unfold all' }).click();
      await waiting.getByRole('link', { name: 'many 1', exact: true }).waitFor();
      expect(await waiting.getByRole('listitem').count()).toBeLessThan(80);
      await waiting.getByRole('listitem').first().focus();
      await full.keyboard.press('End');
      await waiting.getByRole('link', { name: 'few 100', exact: true }).waitFor();
      await full.keyboard.press('Alt+Home');
      await until(
        () => full.locator('main [role="status"]').innerText(),
        (text) => text === 'few 100: now turn 1 of 10,001',
        'the last run in front',
      );
      await waiting.getByRole('link', { name: 'few 100', exact: true }).waitFor();
      // The whole sweep, in two messages' worth.
      await waiting
        .getByRole('listitem')
        .nth(1)
        .getByRole('button', { name: /^Actions of sweep many, turn 2–9,901/u })
        .click();
      await full.getByRole('menuitem', { name: 'To the end' }).click();
      await until(
        () => full.locator('main [role="status"]').innerText(),
        (text) => text === '9,900\u00A0runs of sweep many: now turn 102 of 10,001',
        'the large sweep behind all',
      );
    } finally {
      await context.close();
      await other.stop();
    }
  });
});
