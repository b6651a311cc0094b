/**
 * The whole app as a person meets it, whatever shows it (appHosts/): real pages, real training of tiny models. The steps build on each other as
 * a first visit does; the lab's folder is new.
 */
import { AxeBuilder } from '@axe-core/playwright';
import Papa from 'papaparse';
import { readdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AppHost } from './appHosts/host.ts';
import { PATIENCE, chart, colouredPixels, go, settled, until } from './harness.ts';

/** @param missing why it cannot be tried here */
export function describeApp(host: AppHost, missing: string | undefined): void {
  if (missing !== undefined) console.warn(`SKIPPED: the app in ${host.name} (${missing})`);

  describe.skipIf(missing !== undefined)(
    `the app in ${host.name}${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    () => {
      let page: Page;
      /** The sweep that the builder launches, and the run whose engine is killed. */
      let sweep = '';
      let killed = '';

      const titleBar = () => page.getByRole('banner');
      const editor = (setting: string) => page.locator(`[data-setting="${setting}"] input`).first();
      const plan = () => page.getByRole('complementary', { name: 'Plan' });
      const launch = () => plan().getByRole('button', { name: /^Launch/u });
      const clearDraft = () => page.getByRole('button', { name: 'Clear the draft' }).click();
      const exportAs = async (entry: RegExp): Promise<void> => {
        await page.getByRole('button', { name: 'Export…', exact: true }).click();
        await page.getByRole('menuitem', { name: entry }).click();
      };
      const pageAddress = () => page.evaluate<string>('location.hash');
      const groupBy = (of: Page) =>
        of
          .getByRole('toolbar')
          .locator('label', { hasText: /^\s*group/u })
          .locator('select');

      beforeAll(async () => {
        page = await host.begin();
      });
      afterEach(() => expect(host.complaints.take(), 'what the browser complained about').toEqual([]));
      afterAll(() => host.end());

      it('goes from nothing to a live curve in two clicks (would catch a first visit that leads nowhere)', async () => {
        await page.getByRole('button', { name: 'Run Quick start' }).click();
        await page.waitForURL(/#\/board\?sweep=/u);
        // A window of the desktop app takes training with it, a page does not.
        await page
          .getByText(
            host.opensWindows ? 'Training goes on when this page closes' : 'Training goes on while Sweeplab is open',
          )
          .waitFor();
        await chart(page, 'train/loss').getByRole('img').waitFor();
        await until(
          () => colouredPixels(page, 'train/loss'),
          (count) => count > 50,
          'a drawn curve',
        );
        const drawn = await colouredPixels(page, 'train/loss');
        // A first sweep shows what a sweep is: settings with their seeds.
        sweep = /sweep=([^&]+)/u.exec(await pageAddress())![1]!;
        // The same page, not read again, gets to the end of the runs: evaluations appear, nothing trains any more.
        await chart(page, 'val/loss').getByRole('img').waitFor();
        await titleBar()
          .getByText(/running/u)
          .waitFor({ state: 'detached', timeout: 3 * PATIENCE });
        await expect(chart(page, 'train/loss').getByRole('img').getAttribute('aria-label')).resolves.toMatch(
          /^train\/loss against step: 4 lines, from \d/u,
        );
        expect(await colouredPixels(page, 'train/loss')).toBeGreaterThanOrEqual(drawn / 2);
      });

      it('says what is wrong with a setting, and launches nothing meanwhile (would catch problems that are swallowed)', async () => {
        await go(page, '#/');
        await page.getByRole('button', { name: 'Adapt Quick start' }).click();
        // What Run trains is what Adapt shows.
        await plan().getByText('4 settings × 2 seeds').waitFor();
        await clearDraft();
        await editor('optimizer.lr').fill('0.001, 0.003');
        await editor('stop.steps').fill('400');
        await page.getByRole('textbox', { name: 'Seeds', exact: true }).fill('2');
        await plan().getByText('2 settings × 2 seeds').waitFor();
        await expect(plan().innerText()).resolves.toMatch(/^4\sruns/u);

        await editor('batch.sequences').fill('0');
        const row = page.locator('[data-setting="batch.sequences"]');
        await row.getByText('0; allowed: an integer from 1').waitFor();
        await page.locator('#launch-why').getByText('The problem above stands in the way').waitFor();
        expect(await launch().getAttribute('aria-disabled')).toBe('true');
        expect(await launch().getAttribute('title')).toContain('batch.sequences is 0; allowed: an integer from 1');
        await launch().click({ force: true });
        expect(await pageAddress()).toMatch(/^#\/builder/u);

        // The nearest choice that it offers is taken by a click.
        await row.getByRole('button', { name: 'Use 1', exact: true }).click();
        await launch().getByText('Launch 4 runs').waitFor();
        expect(await editor('batch.sequences').inputValue()).toBe('1');
        await editor('batch.sequences').fill('8');
        await settled(page);
        expect(await launch().getAttribute('aria-disabled')).toBeNull();
      });

      it('asks before a key launches anything, and says how many (would catch runs started by a stray Ctrl+Enter)', async () => {
        await page.keyboard.press('Control+Enter');
        const dialog = page.getByRole('dialog', { name: /^Launch/u });
        await dialog.getByText('2 settings × 2 seeds').waitFor();
        // Pressed again and again it still waits for an answer.
        await page.keyboard.press('Control+Enter');
        await dialog.getByRole('button', { name: 'Launch 4 runs' }).waitFor();
        expect(await pageAddress()).toMatch(/^#\/builder/u);
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
      });

      it('survives the death of an engine: it is said, and the queue goes on (would catch a queue that stops with a run)', async () => {
        await launch().click();
        await page.waitForURL(/#\/board\?sweep=/u);
        sweep = /sweep=([^&]+)/u.exec(await pageAddress())![1]!;
        await until(
          () => colouredPixels(page, 'train/loss'),
          (count) => count > 20,
          'a curve of the sweep',
        );
        const [run, pid] = await until(
          () => [...host.engines()][0],
          (engine) => engine !== undefined,
          'an engine',
        ).then((engine) => engine!);
        killed = run;
        process.kill(pid, 'SIGKILL');

        await go(page, `#/run/${killed}`);
        await page
          .getByRole('alert')
          .getByText(/It failed: .*(?:SIGKILL|killed)/u)
          .waitFor();
        // Typing a note is typing: no letter of it is a shortcut, and nothing is launched by its end.
        await page.getByRole('button', { name: 'Add a note' }).click();
        await page.keyboard.type('baseline candidate');
        await page.keyboard.press('Control+Enter');
        await page.getByRole('button', { name: 'baseline candidate' }).waitFor();
        expect(await pageAddress()).toContain(killed);
        await go(page, `#/sweep/${sweep}`);
        await page.getByText(/1\srun failed: /u).waitFor();
        await page.getByText(/3 of 4\sruns finished, 1 failed · /u).waitFor();
        await titleBar()
          .getByText(/running/u)
          .waitFor({ state: 'detached' });
        // A run that died says nothing about its setting, though it had been evaluated: one setting has both seeds, the other one.
        const settings = page.getByRole('table', { name: 'Settings by rank' }).locator('tbody tr');
        const counts = await settings.allInnerTexts();
        expect(counts).toHaveLength(2);
        expect(counts.filter((each) => /failed/iu.test(each))).toHaveLength(1);
        expect(counts.filter((each) => /1\sof\s2/u.test(each))).toHaveLength(1);
        expect(await settings.getByTitle(/1\sof\s2\s\(1\sfailed\)/u).count()).toBe(1);
      });

      /** Another browser that looks at the same lab, without anything of the first. */
      let second: Page | undefined;
      const rows = (of: Page) => of.getByRole('list', { name: 'Runs' }).getByRole('listitem').allInnerTexts();
      const failed = (of: Page) => of.getByRole('list', { name: 'Runs' }).getByRole('img', { name: 'failed' });

      it('keeps the layout over a reload (would catch state that lives in one page)', async () => {
        await go(page, `#/board?sweep=${sweep}`);
        await page.getByRole('checkbox', { name: 'log y' }).check();
        await groupBy(page).selectOption('none');
        await page.waitForURL(/groupBy.*none/u);
        const address = page.url();
        await page.reload();
        await settled(page);
        expect(page.url()).toBe(address);
        expect(await page.getByRole('checkbox', { name: 'log y' }).isChecked()).toBe(true);
        expect(await groupBy(page).inputValue()).toBe('none');
        await until(
          () => rows(page),
          (list) => list.length === 4,
          'four runs in the list',
        );
      });

      it.skipIf(!host.opensWindows)(
        'lets another browser in, which shows the same (would catch a layout that others do not have)',
        async () => {
          const mine = await rows(page);
          await page.keyboard.press('Control+k');
          await page.getByRole('combobox', { name: 'Command, run or sweep' }).waitFor();
          await page.keyboard.type('connect another browser');
          await page.keyboard.press('Enter');
          const invitation = page.getByRole('dialog', { name: 'Connect another browser' });
          const invited = await until(
            () => invitation.getByLabel('Address', { exact: true }).innerText(),
            (text) => text.startsWith('http'),
            'an address for another browser',
          );
          await page.keyboard.press('Escape');
          await invitation.waitFor({ state: 'detached' });
          second = await host.newPage();
          await second.goto(invited);
          await second.getByRole('banner').waitFor();
          await go(second, `#/board?sweep=${sweep}`);
          await settled(second);
          await until(
            () => rows(second!),
            (list) => list.join() === mine.join(),
            'the same runs in the second browser',
          );
          await until(
            () => groupBy(second!).inputValue(),
            (value) => value === 'none',
            'the saved layout',
          );
          await failed(second).waitFor();
        },
      );

      it('trains again what failed, and whoever looks on sees it (would catch a page that has to ask)', async () => {
        await go(page, `#/sweep/${sweep}`);
        await page.getByRole('button', { name: 'Retry', exact: true }).click();
        // What the first browser began, the second one shows without being asked.
        if (second !== undefined) await failed(second).waitFor({ state: 'detached' });
        await page.getByText(/1\srun failed: /u).waitFor({ state: 'detached' });
        if (second === undefined) await go(page, `#/board?sweep=${sweep}`);
        await until(
          () => rows(second ?? page),
          (list) => list.length === 4 && list.every((row) => /\d\.\d{2}/u.test(row)),
          'numbers of four runs',
        );
        for (const each of second === undefined ? [page] : [second, page])
          await until(
            () => each.getByRole('banner').innerText(),
            (text) => !text.includes('running'),
            'the end of the run',
          );
        await second?.context().close();
      });

      it('exports the table that it shows (would catch an export that is of other rows, or rounded)', async () => {
        await go(page, `#/sweep/${sweep}`);
        await page.getByText(/4\sruns · /u).waitFor();
        const table = page.getByRole('table', { name: 'Settings by rank' });
        const shown = await table.locator('tbody tr').evaluateAll((rows) =>
          rows.map((row) => ({
            rank: row.querySelector('.rank')!.textContent.trim(),
            lr: row.children[1]!.textContent.trim(),
            exact: row.querySelector('b[title^="mean"]')!.getAttribute('title')!,
            n: row.children[4]!.textContent.trim(),
          })),
        );
        const { name, bytes } = await host.saved(() => exportAs(/^This ranking/u));
        expect(name).toMatch(/\.csv$/u);
        const { data, errors } = Papa.parse<Record<string, string>>(bytes.toString(), {
          header: true,
          skipEmptyLines: true,
        });
        expect(errors).toEqual([]);
        expect(data).toHaveLength(2);
        expect(
          data.map((row) => ({
            rank: row['rank'],
            lr: row['optimizer.lr'],
            exact: `mean ${row['val/bpb mean']}, sd ${row['sd (n-1)']}, min ${row['min']}, max ${row['max']}`,
            n: row['N'],
          })),
        ).toEqual(shown);
        expect(shown.map(({ n }) => n)).toEqual(['2', '2']);
      });

      it('hands every point of the runs over, in each format of the lab (would catch a wall without a door)', async () => {
        await go(page, `#/sweep/${sweep}`);
        const table = await host.saved(() => exportAs(/^4 runs: CSV, one line per point/u));
        // What a browser keeps among its downloads says when it was made.
        expect(table.name).toMatch(host.opensWindows ? /-\d{4}-\d\d-\d\d\.csv$/u : /\.csv$/u);
        const { data } = Papa.parse<Record<string, string>>(table.bytes.toString(), {
          header: true,
          skipEmptyLines: true,
        });
        expect(new Set(data.map(({ run }) => run)).size).toBe(4);
        expect(new Set(data.map(({ metric }) => metric))).toContain('train/loss');
        // A format that is a folder comes packed; a report opens by itself.
        const packed = await host.saved(() => exportAs(/^4 runs: W&B/u));
        expect(packed.name).toMatch(/\.zip$/u);
        const archive = packed.bytes.toString('latin1');
        expect(archive.slice(0, 2)).toBe('PK');
        expect(new Set(archive.match(/offline-run-\d+_\d+-\w+\/run-\w+\.wandb/gu)).size).toBe(4);
        const told = await host.saved(() => exportAs(/^4 runs: HTML report/u));
        expect(told.name).toMatch(/\.html$/u);
        const alone = await host.newPage();
        await alone.setContent(told.bytes.toString());
        expect(await alone.locator('figure:visible svg:visible').count()).toBeGreaterThan(2);
        expect(await alone.locator('#ranking tbody tr').count()).toBe(2);
        await alone.context().close();
        // On the board: those in the list.
        await go(page, `#/board?sweep=${sweep}`);
        await page.getByRole('button', { name: 'Export 4 runs…' }).click();
        const wide = await host.saved(() => page.getByRole('menuitem', { name: /one row per run/u }).click());
        const lines = wide.bytes.toString().trimEnd().split('\n');
        expect([lines.length, lines[0].split(',').length]).toEqual([5, 29]);
      });

      it('saves pictures, numbers and the sweep itself as files (would catch a menu whose entries save nothing)', async () => {
        await go(page, `#/board?sweep=${sweep}`);
        const menu = async (name: string): Promise<void> => {
          await chart(page, 'val/loss').getByRole('button', { name: 'val/loss: view and export' }).click();
          await page.getByRole('menuitem', { name }).click();
        };
        const png = await host.saved(() => menu('PNG picture'));
        expect([png.name, png.bytes.subarray(1, 4).toString()]).toEqual(['val-loss.png', 'PNG']);
        const printed = await host.saved(() => menu('PNG for one column'));
        expect([printed.name, printed.bytes.readUInt32BE(16)]).toEqual(['val-loss-85mm.png', 1004]);
        const svg = await host.saved(() => menu('SVG picture'));
        expect([svg.name, svg.bytes.toString().slice(0, 4)]).toEqual(['val-loss.svg', '<svg']);
        // Its font goes with it: elsewhere texts would have other widths.
        expect(svg.bytes.toString()).toMatch(
          /<style>@font-face\{font-family:'Inter Variable';.*data:font\/woff2;base64,/u,
        );
        const bundle = await host.saved(() => menu('Figure bundle for a paper'));
        expect([bundle.name, bundle.bytes.subarray(0, 2).toString()]).toEqual(['val-loss.zip', 'PK']);
        for (const name of ['85mm.svg', '85mm.pdf', '178mm.svg', '178mm.pdf', 'csv', 'py'])
          expect(bundle.bytes.toString('latin1')).toMatch(new RegExp(`val-loss[-.]${name.replace('.', '\\.')}`, 'u'));
        const csv = await host.saved(() => menu('CSV of what is shown'));
        expect([csv.name, csv.bytes.toString().split(',')[0]]).toEqual(['val-loss.csv', 'line']);
        await go(page, '#/builder?tab=yaml');
        await page.getByRole('textbox', { name: 'Sweep as YAML' }).waitFor();
        const yaml = await host.saved(() => page.getByRole('button', { name: 'Save', exact: true }).click());
        expect(yaml.name).toMatch(/\.yaml$/u);
        expect(yaml.bytes.toString()).toMatch(/^method: grid$/mu);
      });

      it.skipIf(!host.opensWindows)(
        'saves through the desktop’s dialog where there is one, and says what that answered (would catch a download that the desktop cancels)',
        async () => {
          await go(page, `#/sweep/${sweep}`);
          const messages = page.getByRole('region', { name: 'Messages' });
          // As the preload script exposes it; the connection stands already.
          await page.evaluate(`window.saved = [];
        window.answers = [{ path: '/home/a/table.csv' }, null, { problem: 'There is no room left.' }];
        window.sweeplab = {
          saveFile: (choice, bytes) => (window.saved.push([choice.name, bytes.length]), Promise.resolve(window.answers.shift())),
        };`);
          await exportAs(/^This ranking/u);
          const told = messages.locator('.toast', { hasText: 'Saved table.csv' });
          await told.getByRole('button', { name: 'Close' }).click();
          await exportAs(/^This ranking/u);
          await exportAs(/^This ranking/u);
          await messages.getByText(/\.csv was not saved: There is no room left\./u).waitFor();
          expect(await told.count()).toBe(0);
          const saved = await page.evaluate<[string, number][]>('window.saved');
          expect(saved).toHaveLength(3);
          for (const [name, bytes] of saved) expect([name.endsWith('.csv'), bytes > 100]).toEqual([true, true]);
          await page.evaluate('delete window.sweeplab');
          await messages.locator('.toast', { hasText: 'was not saved' }).getByRole('button', { name: 'Close' }).click();
        },
      );

      it('is led by the keyboard (would catch keys that are taken by something else)', async () => {
        await go(page, '#/');
        await page.keyboard.press('Control+k');
        const box = page.getByRole('combobox', { name: 'Command, run or sweep' });
        await box.waitFor();
        await page.keyboard.type('go to data');
        await page.keyboard.press('Enter');
        await page.waitForURL(/#\/data/u);
        await box.waitFor({ state: 'detached' });
        await settled(page);

        await page.keyboard.press('?');
        const keys = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
        await keys.getByText('All commands').waitFor();
        await page.keyboard.press('Escape');
        await keys.waitFor({ state: 'detached' });

        await page.keyboard.press('g');
        await page.keyboard.press('w');
        await page.waitForURL(/#\/sweeps/u);
        await settled(page);
        await page.keyboard.press('/');
        await until(
          () => page.evaluate('document.activeElement?.getAttribute("aria-label")'),
          (label) => label === 'Search sweeps',
          'the search field has the focus',
        );
        await page.keyboard.type('no such sweep');
        await page.getByText('No sweep matches.').waitFor();
      });

      /** Each tab of a sweep is a folder. */
      const tabs = readdirSync(new URL('../../renderer/views/sweep/tabs', import.meta.url), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name);
      /** Addresses of every view, and of every tab that shows something else. */
      const views: readonly string[] = [
        '#/',
        '#/builder',
        '#/builder?tab=yaml',
        '#/fit',
        '#/board?sweep=SWEEP',
        '#/sweeps',
        '#/queue',
        ...tabs.map((tab) => `#/sweep/SWEEP?tab=${tab}`),
        ...['charts', 'config', 'log', 'samples', 'checkpoints', 'system'].map((tab) => `#/run/RUN?tab=${tab}`),
        '#/data',
        '#/settings',
        '#/program',
        '#/help',
        '#/help/sweeps',
      ];
      it.each(views)('is accessible at %s, in light and dark', async (address) => {
        await go(page, address.replace('SWEEP', sweep).replace('RUN', killed));
        // What the fit check says of them is part of the cards.
        await until(
          () => page.locator('.unchecked').count(),
          (count) => count === 0,
          'recipes that are checked',
        );
        const found: string[] = [];
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await settled(page);
          // Only what is wrong is described, and in the page itself: a page without frames needs no second one to gather what was found.
          const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode();
          // What the theme changes is colour: the other rules hold in both or in neither.
          if (colorScheme === 'dark') axe.withRules(['color-contrast', 'link-in-text-block']);
          const { violations } = await axe.analyze();
          for (const { id, nodes } of violations)
            for (const { target, failureSummary } of nodes)
              found.push(`${colorScheme}, ${id}: ${target.join(' ')} ${failureSummary}`);
        }
        await page.emulateMedia({ colorScheme: 'light' });
        expect(found).toEqual([]);
      });

      it('heals when the lab comes back after a crash (would catch a page that must be loaded again, and lost runs)', async () => {
        await go(page, '#/');
        await page.getByRole('button', { name: 'Adapt Quick start' }).click();
        await plan().getByText('4 settings × 2 seeds').waitFor();
        await clearDraft();
        await editor('stop.steps').fill('1500');
        await launch().getByText('Launch 1 run').waitFor();
        await settled(page);
        await launch().click();
        await page.waitForURL(/#\/board\?sweep=/u);
        const mine = /sweep=([^&]+)/u.exec(await pageAddress())![1]!;
        await until(
          () => colouredPixels(page, 'val/loss'),
          (count) => count > 20,
          'an evaluation of the run',
        );
        const [run] = [...host.engines().keys()];
        expect(run, 'a run in training').toBeDefined();

        await host.crash(async () => {
          await titleBar().getByText('Connection lost, trying again').waitFor();
          // What was read stays in sight.
          expect(await colouredPixels(page, 'val/loss')).toBeGreaterThan(20);
        });
        // Nobody opens the new address: the browser is known, the page is not touched.
        await titleBar().getByText('Connection lost, trying again').waitFor({ state: 'detached' });
        expect(await pageAddress()).toContain(mine);
        // It goes on by itself from its last checkpoint, to its end.
        await go(page, `#/run/${run}`);
        await until(
          () => page.getByRole('main').innerText(),
          (text) => /finished/u.test(text) && /1,?500/u.test(text),
          'the interrupted run at its end',
          3 * PATIENCE,
        );
        await expect(page.getByRole('main').innerText()).resolves.toMatch(/2\sattempts/u);
        await go(page, `#/sweep/${sweep}`);
        await page.getByText(/4\sruns · /u).waitFor();
      });
    },
  );
}
