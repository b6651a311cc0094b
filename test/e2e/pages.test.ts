/** What pages of sweeps, runs and fits say and do, over known results: verdicts, endings, ranges, menus, ways from run to run. */
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import type { NewRun, RunState } from '../../preload/contract/runs.ts';
import { go, settled, until, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: pages of sweeps, runs and fits (${missing})`);

/** Reads backwards where it is obeyed, and ends in what has no width. */
const TURNED = 'safe\u202Etxt.exe\u200B';
const SEEN = 'safe<U+202E>txt.exe<U+200B>';

const AT = 1_700_000_000_000;
interface Made {
  readonly config: Readonly<Record<string, string | number>>;
  readonly seed: number;
  readonly loss?: number;
  readonly state?: RunState;
  readonly endReason?: string;
}
const runOf = ({ config, seed, loss, state = 'finished', endReason }: Made, color: number): NewRun => ({
  name: `${Object.entries(config)
    .map(([name, value]) => `${name.slice(name.indexOf('.') + 1)} ${value}`)
    .join(' · ')} seed=${seed}`,
  config: { 'data.corpus': 'stories', 'model.head_size': 0, 'model.heads': 4, ...config, seed },
  seed,
  settingKey: JSON.stringify(config),
  state,
  ...(endReason === undefined ? {} : { endReason }),
  color,
  summary: loss === undefined ? {} : { 'val/loss': loss, seconds: 10 },
  environment: { scoredText: 'a'.repeat(32), tokenizer: 'byte-257', validationTokens: 1000 },
  createdAt: AT,
  startedAt: loss === undefined ? null : AT,
  endedAt: loss === undefined ? null : AT + 60_000,
});

describe.skipIf(missing !== undefined)('the pages', () => {
  const visit = useVisit();
  const { home } = visit;
  const sweeps = new Map<string, string>();
  let page: Page;

  beforeAll(async () => {
    const store = openStore(join(home, 'runs.sqlite'));
    const add = (name: string, state: 'finished' | 'stopped', made: readonly Made[]): void => {
      const keys = [...new Set(made.map(({ config }) => JSON.stringify(config)))];
      const runs = made.map((each) => runOf(each, keys.indexOf(JSON.stringify(each.config))));
      sweeps.set(name, store.createSweep({ name, spec: {}, state }, runs).sweep.id);
    };
    const grid = [32, 64].flatMap((width) => [0.001, 0.003, 0.01].map((lr) => ({ width, lr })));
    add(
      'grid',
      'finished',
      grid.flatMap(({ width, lr }, i) =>
        [1, 2].map((seed) => ({
          config: { 'model.width': width, 'optimizer.lr': lr },
          seed,
          loss: 2 + i / 10 + seed / 100,
        })),
      ),
    );
    add(
      'cut short',
      'stopped',
      [1, 2, 3, 4].flatMap((depth) =>
        [1, 2, 3].map((seed): Made => {
          const done = 3 * (depth - 1) + seed <= 5;
          return {
            config: { 'model.depth': depth },
            seed,
            ...(done ? { loss: 3 + depth / 10 } : { state: 'stopped' }),
          };
        }),
      ),
    );
    add('wide apart', 'finished', [
      ...[0.9585, 0.9595].map((loss, i) => ({ config: { 'optimizer.lr': 0.01 }, seed: i + 1, loss })),
      ...[39, 65].map((loss, i) => ({ config: { 'optimizer.lr': 0.1 }, seed: i + 1, loss })),
    ]);
    add(
      TURNED,
      'finished',
      ['out of memory: 31 GiB', 'diverged: train/loss is NaN at step 40', 'out of memory: 33 GiB', undefined].map(
        (endReason, i): Made => ({
          config: { 'data.corpus': i < 2 ? TURNED : 'stories' },
          seed: i % 2,
          ...(endReason === undefined ? { loss: 2 } : { state: 'failed', endReason }),
        }),
      ),
    );
    store.close();
    page = await visit.begin();
  });

  const table = (): Locator => page.getByRole('table', { name: 'Settings by rank' });
  const rows = (): Locator => table().locator('tbody tr');

  it('show runs that wait or were stopped as such, never as failures (would catch "no number" in red, and 12 of 12)', async () => {
    await go(page, `/sweep/${sweeps.get('cut short')}`);
    await rows().first().waitFor();
    const text = (await page.locator('main').innerText()).replaceAll('\u00A0', ' ');
    expect(text).toContain('5 of 12 runs finished, 7 stopped');
    expect(text).not.toContain('NaN');
    expect(await table().innerText()).not.toMatch(/no number|failed/u);
    const verdicts = await rows().evaluateAll((all) =>
      all.map((row) => row.querySelector('[data-verdict]')!.getAttribute('data-verdict')),
    );
    expect(verdicts.filter((each) => each === 'none')).toHaveLength(2);
    expect(await page.locator('[data-verdict="none"] .bad').count()).toBe(0);
    expect(await page.getByRole('progressbar', { name: 'Runs that are done' }).getAttribute('aria-valuenow')).toBe(
      '42',
    );
    await go(page, '/sweeps');
    await page.locator('tbody tr', { hasText: 'cut short' }).getByText('5 of 12').waitFor();
  });

  it('give every reason of failures with its count, and show what a name hides (would catch one reason for all, and U+202E obeyed)', async () => {
    await go(page, `/sweep/${sweeps.get(TURNED)}`);
    await rows().first().waitFor();
    const main = await page.locator('main').innerText();
    expect(main.replaceAll('\u00A0', ' ')).toContain('3 runs failed: 2 out of memory, 1 diverged at step 40');
    for (const view of [`/sweep/${sweeps.get(TURNED)}`, '/sweeps', `/board?sweep=${sweeps.get(TURNED)}`]) {
      await go(page, view);
      await page.getByText(SEEN).first().waitFor({ state: 'attached' });
      const hidden = await page.evaluate<string[]>(`[
        document.title,
        document.body.innerText,
        ...[...document.querySelectorAll('[title], [aria-label]')].flatMap((each) => [each.title, each.ariaLabel ?? '']),
      ].filter((text) => /[\\u202E\\u200B]/u.test(text))`);
      expect(hidden, view).toEqual([]);
    }
    await go(page, `/sweep/${sweeps.get(TURNED)}`);
    expect(await page.title()).toBe(`${SEEN} · Sweeplab`);
  });

  it('mark the part of the builder that is on the screen, and list what has many choices (would catch a wall of 16 buttons)', async () => {
    await go(page, '/builder');
    const marked = (): Promise<string> => page.locator('.questions [aria-current="true"]').innerText();
    const row = page.locator('[data-setting="data.encoding"]');
    await row.waitFor({ state: 'attached' });
    expect(await marked()).toBe('Sweep');
    for (const name of ['Stability', 'Budget', 'Data', 'Sweep']) {
      await page.locator('.questions').getByRole('button', { name, exact: true }).click();
      expect(await until(marked, (now) => now === name, `${name} marked`)).toBe(name);
    }
    const buttons = await page
      .locator('[data-setting]')
      .evaluateAll((all) => all.map((each) => each.querySelectorAll('.option').length));
    expect(Math.max(...buttons)).toBeLessThanOrEqual(5);
    await row.scrollIntoViewIfNeeded();
    await row.getByRole('combobox').selectOption({ index: 1 });
    await row.hover();
    await row.getByRole('button', { name: 'Sweep data.encoding: add a value' }).click();
    await row.getByRole('combobox').selectOption({ index: 2 });
    expect(await row.locator('.chip').count()).toBe(2);
    await row.getByText('swept', { exact: true }).waitFor();
    await row
      .getByRole('button', { name: /^Remove/u })
      .first()
      .click();
    await until(
      () => row.getByText('swept', { exact: true }).count(),
      (count) => count === 0,
      'one value again',
    );
  });

  it('say "undecided" with its numbers where two seeds cannot tell, never "tied"', async () => {
    await go(page, `/sweep/${sweeps.get('wide apart')}`);
    await rows().first().waitFor();
    const text = (await table().innerText()).replaceAll('\u00A0', ' ');
    expect(text).toContain('undecided (N 2)');
    expect(text).not.toContain('tied');
    expect(text).toMatch(/\+5[01] ± \d+/u);
  });

  it('keep what a range of the parallel coordinates keeps in the table, and carry it to the board', async () => {
    await go(page, `/sweep/${sweeps.get('grid')}`);
    const chart = page.getByRole('img', { name: /^Parallel coordinates/u });
    await chart.scrollIntoViewIfNeeded();
    await chart.locator('canvas').first().waitFor();
    const box = (await chart.boundingBox())!;
    // Along the first axis (width), around its lower end: 32 and not 64.
    await page.mouse.move(box.x + 56, box.y + box.height - 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 56, box.y + box.height - 20, { steps: 6 });
    await page.mouse.up();
    await page.getByText('3 of 6 settings').waitFor();
    expect(await rows().count()).toBe(3);
    expect(await table().locator('tbody').innerText()).not.toContain('64');
    await page.getByRole('button', { name: 'Show on the board' }).first().click();
    await page.locator('[data-row]').first().waitFor();
    await until(
      () => page.locator('[data-count]').innerText(),
      (said) => said.includes('6 drawn'),
      'six of the twelve runs drawn',
    );
    await go(page, `/sweep/${sweeps.get('grid')}`);
    await until(
      () => rows().count(),
      (count) => count === 6,
      'all settings again',
    );
  });

  it('tell of a setting that is clicked seed by seed, and lead from run to run (would catch rows that do nothing)', async () => {
    await go(page, `/sweep/${sweeps.get('grid')}`);
    await rows().nth(1).click();
    const detail = page.getByRole('region', { name: 'The chosen setting' });
    await detail.getByRole('link', { name: 'seed 2' }).waitFor();
    expect(await detail.getByRole('link').allInnerTexts()).toEqual(['seed 1', 'seed 2']);
    expect((await detail.innerText()).replaceAll('\u00A0', ' ')).toContain('From the best: optimizer.lr 0.001 → 0.003');
    await detail.getByRole('link', { name: 'seed 1' }).click();
    await page.getByText('3 of 12').waitFor();
    expect(await page.locator('[data-seeds]').innerText()).toMatch(/^1\s+2$/u);
    await page.keyboard.press('j');
    await page.getByText('4 of 12').waitFor();
    await page.keyboard.press('k');
    await page.getByText('3 of 12').waitFor();
    await page.keyboard.press('k');
    await page.getByText('2 of 12').waitFor();
    await page.getByRole('tab', { name: 'Configuration' }).click();
    // No head size was given: 32 / 4.
    await page.getByText('auto → 8').waitFor();
  });

  it('have one stop of the Tab key in the run list, and a menu on each row', async () => {
    await go(page, `/board?sweep=${sweeps.get('grid')}&board=${encodeURIComponent('{}')}`);
    await page.locator('[data-row]').nth(2).waitFor();
    expect(await page.locator('[data-row][tabindex="0"]').count()).toBe(1);
    expect(await page.locator('[data-row] button:not([tabindex="-1"])').count()).toBe(0);
    await page.locator('[data-row][tabindex="0"]').focus();
    await page.keyboard.press('End');
    const focused = (): Promise<string> => page.evaluate('document.activeElement.innerText');
    await until(focused, (text) => text.includes('64') && text.includes('0.01'), 'the last row');
    await page.locator('[data-row]').nth(1).click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Only optimizer.lr=0.003' }).click();
    await until(
      () => page.locator('[data-count]').innerText(),
      (said) => said.startsWith('4 of 12'),
      'the runs with this learning rate',
    );
  });

  it('judge a swept draft by its worst, with device and what-ifs in the address (would catch the first of the list)', async () => {
    await go(page, '/builder');
    const editor = (setting: string): Locator => page.locator(`[data-setting="${setting}"] input`).first();
    await editor('model.depth').fill('1, 6, 2');
    await page
      .getByRole('complementary', { name: 'Plan' })
      .getByText('3 settings × 1 seed')
      .or(page.getByText('3 runs'))
      .first()
      .waitFor();
    await go(page, '/fit?from=draft&gpu=RTX%204090');
    const picker = page.getByRole('combobox', { name: 'Setting of the sweep that is judged' });
    await picker.waitFor();
    expect(await picker.locator('option').allInnerTexts()).toEqual([
      expect.stringMatching(/^depth=6: /u),
      expect.stringMatching(/^depth=2: /u),
      expect.stringMatching(/^depth=1: /u),
    ]);
    await page.getByText('worst of 3').waitFor();
    const depth = page.locator('#whatif-model\\.depth');
    expect(await depth.getAttribute('aria-valuetext')).toBe('6');
    await picker.selectOption({ index: 2 });
    await until(
      () => depth.getAttribute('aria-valuetext'),
      (value) => value === '1',
      'the setting that was chosen',
    );
    await page.getByRole('button', { name: /^block/u }).click();
    await page.waitForURL(/if=/u);
    await page.reload();
    await settled(page);
    await until(
      () => depth.getAttribute('aria-valuetext'),
      (value) => value === '1',
      'the same setting after a reload',
    );
    await page.getByText(/What if: RTX 4090/u).waitFor();
    expect(await page.getByRole('button', { name: /^block/u }).getAttribute('aria-pressed')).toBe('true');
    // A link to another device, while the page is open.
    await page.evaluate('location.hash = location.hash.replace("4090", "3090")');
    await page.getByText(/What if: RTX 3090/u).waitFor();
  });

  it('of a deleted sweep say so, and bring it back (would catch "0 runs, nothing here yet")', async () => {
    const address = `/sweep/${sweeps.get('cut short')}`;
    await go(page, address);
    await page.getByRole('button', { name: 'Actions of this sweep' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.waitForURL(/#\/sweeps$/u);
    await go(page, address);
    await page.getByText('This sweep was deleted').waitFor();
    await page.getByRole('button', { name: 'Restore' }).click();
    await rows().first().waitFor();
  });

  describe('that import runs', () => {
    const TABLE = ['run,seed,step,train/loss,width', 'a,1,0,4,8', 'a,1,10,3,8', 'b,2,0,5,8', 'b,2,x,4,8'].join('\n');
    const dialog = (): Locator => page.getByRole('dialog', { name: 'Import runs' });
    const imported = (): number => {
      const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
      const count = store.countRuns({ where: [{ field: 'origin', op: '=', value: 'import' }], deleted: 'any' });
      store.close();
      return count;
    };
    const summary = (): Locator => dialog().getByRole('status').first();
    const said = (words: RegExp): Promise<string> =>
      until(
        () => summary().innerText(),
        (text) => words.test(text),
        `${words}`,
      );

    it('show what will be before they write it, and lead to it (would catch a dialog that writes at once)', async () => {
      await go(page, '/board');
      await page.keyboard.press('Control+k');
      await page.keyboard.type('import runs');
      await page.keyboard.press('Enter');
      await dialog().getByText('What is read').waitFor();
      await dialog()
        .getByLabel('Files to import')
        .setInputFiles({ name: 'table.csv', mimeType: 'text/csv', buffer: Buffer.from(TABLE) });
      expect(await said(/runs/u)).toMatch(/2\sruns: 2\snew/u);
      await dialog().getByText('rows whose step is no finite number').waitFor();
      await dialog().getByText('5 columns').click();
      await dialog().getByLabel('What width is').selectOption('metric');
      // It is understood anew.
      await dialog()
        .getByRole('row', { name: /train\/loss, width/u })
        .first()
        .waitFor();
      expect(imported()).toBe(0);
      // What is next has the focus.
      await page.keyboard.press('Enter');
      await dialog().getByRole('button', { name: 'Show them' }).waitFor();
      await page.keyboard.press('Enter');
      await page.waitForURL(/#\/sweep\//u);
      await page.getByText('table').first().waitFor();
    });

    it('update from what is pasted and dropped, and refuse a path that is not open, in words', async () => {
      await go(page, '/sweeps');
      await page.getByRole('button', { name: 'Import…' }).click();
      await dialog().getByText('What is read').waitFor();
      await dialog().getByLabel('Or a path on the machine of the lab').fill('/etc/hosts');
      await page.keyboard.press('Enter');
      await dialog().getByText('which pages may not read').waitFor();
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
      // As a browser makes them: neither a mouse nor a clipboard is needed.
      await page.evaluate(`{
        const data = new DataTransfer();
        data.setData('text/plain', ${JSON.stringify(TABLE.replaceAll(/^[ab],\d/gmu, 'pasted,1'))});
        window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, cancelable: true }));
      }`);
      expect(await said(/run/u)).toMatch(/1\srun: 1\snew/u);
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
      await page.evaluate(`{
        const data = new DataTransfer();
        data.items.add(new File([${JSON.stringify(TABLE.replace('a,1,10,3', 'a,1,10,2'))}], 'table.csv'));
        for (const type of ['dragover', 'drop'])
          window.dispatchEvent(new DragEvent(type, { dataTransfer: data, cancelable: true, bubbles: true }));
      }`);
      expect(await said(/runs/u)).toMatch(/2\sruns: 2\supdated/u);
      await dialog().getByRole('button', { name: 'Import 2 runs' }).click();
      await dialog().getByRole('button', { name: 'Import more' }).click();
      await dialog().getByText('What is read').waitFor();
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
    });
  });
});
