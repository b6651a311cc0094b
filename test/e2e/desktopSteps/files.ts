/** Files that leave and enter the desktop app: each dialog, answered in each way. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Papa from 'papaparse';
import { expect, it } from 'vitest';
import type { Desktop } from '../desktop.ts';
import { chart, colouredPixels, go, settled, until } from '../harness.ts';

export function filesSteps(desktop: Desktop): void {
  const folder = join(desktop.home, 'saved');
  mkdirSync(folder);
  let sweep = '';
  const messages = () => desktop.page.getByRole('region', { name: 'Messages' });
  const located = (): Promise<string[]> => desktop.main(() => [...globalThis.desk.located]);
  const exportAs = async (entry: RegExp): Promise<void> => {
    await desktop.page.getByRole('button', { name: 'Export…', exact: true }).click();
    await desktop.page.getByRole('menuitem', { name: entry }).click();
  };
  const chartMenu = async (entry: string): Promise<void> => {
    await chart(desktop.page, 'train/loss').getByRole('button', { name: 'train/loss: view and export' }).click();
    await desktop.page.getByRole('menuitem', { name: entry }).click();
  };
  /** Does it, chooses the place that is offered but for its folder, and waits until it is said to be there. */
  const saved = async (action: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> => {
    await action();
    const { options, modal } = await desktop.question();
    const name = basename(options.defaultPath!);
    expect([modal, options.filters?.[0]?.extensions]).toEqual([true, [name.split('.').at(-1)]]);
    const path = join(folder, name);
    await desktop.choose(path);
    const toast = messages().locator('.toast', { hasText: `Saved ${name}` });
    await toast.waitFor();
    // What is said to be saved is there.
    expect(existsSync(path), path).toBe(true);
    await toast.getByRole('button', { name: 'Show' }).click();
    await until(located, (list) => list.at(-1) === path, 'the file in the file manager');
    await toast.waitFor({ state: 'detached' });
    return { name, bytes: readFileSync(path) };
  };
  /** Some go by themselves meanwhile. */
  const clearMessages = async (): Promise<void> => {
    const close = messages().getByRole('button', { name: 'Close' });
    while ((await close.count()) > 0)
      await close
        .first()
        .click({ timeout: 1000 })
        .catch(() => {});
  };
  const fill = async (setting: string, value: string): Promise<void> =>
    await desktop.page.locator(`[data-setting="${setting}"] input`).first().fill(value);

  it('trains in the window, keeps the computer awake meanwhile, and tells of the end (would catch a curve that needs a server)', async () => {
    const { page } = desktop;
    await go(page, '#/');
    await page.getByRole('button', { name: 'Adapt Quick start' }).click();
    await page.getByRole('button', { name: 'Clear the draft' }).click();
    await fill('optimizer.lr', '0.001, 0.003');
    await fill('stop.steps', '60');
    await fill('model.width', '32');
    const plan = page.getByRole('complementary', { name: 'Plan' });
    await plan.getByText('2 settings').waitFor();
    await settled(page);
    // Nobody looks at the window: what has ended is told by the system.
    await desktop.main(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].blur());
    await plan.getByRole('button', { name: /^Launch/u }).click();
    await page.waitForURL(/#\/board\?sweep=/u);
    sweep = /sweep=([^&]+)/u.exec(await page.evaluate<string>('location.hash'))![1]!;
    const sleepless = (): Promise<number> => desktop.main(() => globalThis.desk.sleepless.length);
    await until(sleepless, (count) => count === 1, 'a computer that stays awake');
    await until(
      () => colouredPixels(page, 'train/loss'),
      (count) => count > 20,
      'a drawn curve',
    );
    await until(sleepless, (count) => count === 0, 'a computer that may sleep again');
    const notified = (): Promise<{ title: string; body: string }[]> =>
      desktop.main(() => globalThis.desk.notified.map(({ title, body }) => ({ title, body })));
    await until(notified, (list) => list.length > 0, 'a notification');
    expect(await notified()).toEqual([{ title: 'Sweeplab', body: expect.stringMatching(/finished/u) }]);
    await go(page, '#/');
    await desktop.main(() => void globalThis.desk.notified[0].emit('click', {} as never));
    await page.waitForURL(new RegExp(`#/sweep/${sweep}`, 'u'));
    await settled(page);
  });

  it('saves pictures, numbers and the sweep where the dialog says (would catch a download that the app cancels)', async () => {
    const { page } = desktop;
    await go(page, `#/board?sweep=${sweep}`);
    await chart(page, 'train/loss').getByRole('img').waitFor();
    const png = await saved(() => chartMenu('PNG picture'));
    expect([png.name, png.bytes.subarray(1, 4).toString()]).toEqual(['train-loss.png', 'PNG']);
    const svg = await saved(() => chartMenu('SVG picture'));
    expect([svg.name, svg.bytes.toString().slice(0, 4)]).toEqual(['train-loss.svg', '<svg']);
    const csv = await saved(() => chartMenu('CSV of what is shown'));
    expect([csv.name, csv.bytes.toString().split(',')[0]]).toEqual(['train-loss.csv', 'line']);
    const figure = await saved(() => chartMenu('Figure bundle for a paper'));
    expect([figure.name, figure.bytes.subarray(0, 2).toString()]).toEqual(['train-loss.zip', 'PK']);
    await go(page, '#/builder?tab=yaml');
    await page.getByRole('textbox', { name: 'Sweep as YAML' }).waitFor();
    const yaml = await saved(() => page.getByRole('button', { name: 'Save', exact: true }).click());
    expect(yaml.name).toMatch(/\.yaml$/u);
    expect(yaml.bytes.toString()).toMatch(/^method: grid$/mu);
    // What arrives is what was drawn, to the byte: no text was made of it on the way.
    expect(png.bytes.readUInt32BE(16)).toBeGreaterThan(300);
    expect(png.bytes.subarray(-8).toString('latin1')).toContain('IEND');
  });

  it('has the lab write what is large, where the dialog says and nowhere else (would catch a page that chooses a path)', async () => {
    const { page } = desktop;
    await go(page, `#/sweep/${sweep}`);
    const table = await saved(() => exportAs(/^This ranking/u));
    expect(table.name).toMatch(/\.csv$/u);
    const points = await saved(() => exportAs(/runs: CSV, one line per point/u));
    const { data } = Papa.parse<Record<string, string>>(points.bytes.toString(), {
      header: true,
      skipEmptyLines: true,
    });
    expect(new Set(data.map(({ metric }) => metric))).toContain('train/loss');
    const report = await saved(() => exportAs(/runs: HTML report/u));
    expect(report.bytes.toString()).toContain('id="ranking"');
    // A page that names a path itself gets nothing written, nor twice what was allowed once.
    const unasked = join(folder, 'unasked.csv');
    await desktop.page.evaluate("void (window.chosen = window.sweeplab.chooseFile({ name: '../once.csv' }))");
    const { options } = await desktop.choose(join(folder, 'once.csv'));
    const documents = await desktop.main(({ app }) => app.getPath('documents'));
    expect(options.defaultPath).toBe(join(documents, 'once.csv'));
    const answers = await desktop.page.evaluate(
      `(async () => {
        const once = await window.chosen;
        const port = await new Promise((resolve) => {
          addEventListener('message', ({ data, ports }) => data.token === 'paths' && resolve(ports[0]));
          window.sweeplab.connect('paths');
        });
        let next = 1;
        const call = (path) => new Promise((resolve) => {
          const id = next++;
          port.addEventListener('message', ({ data }) => data.kind === 'reply' && data.id === id && resolve(data.ok || data.message));
          port.postMessage({ kind: 'request', id, route: 'export.runs', input: { runs: [], path } });
        });
        port.start();
        const all = [await call(${JSON.stringify(unasked)}), await call(once), await call(once)];
        port.close();
        return all;
      })()`,
    );
    expect(answers).toEqual(['Choose where to save the file first.', true, 'Choose where to save the file first.']);
    expect([existsSync(unasked), existsSync(join(folder, 'once.csv'))]).toEqual([false, true]);
    expect(await desktop.page.evaluate("window.sweeplab.showFile('/etc/hostname')")).toBe(false);
  });

  it('says nothing of a dialog that was closed, and what stood in the way of a file (would catch “Saved” over nothing)', async () => {
    const { page } = desktop;
    await go(page, `#/sweep/${sweep}`);
    await exportAs(/^This ranking/u);
    await desktop.choose(null);
    await exportAs(/runs: HTML report/u);
    await desktop.choose(null);
    const missing = join(folder, 'nowhere', 'a.csv');
    for (const entry of [/^This ranking/u, /runs: CSV, one line per point/u]) {
      await exportAs(entry);
      await desktop.choose(missing);
      const toast = messages().locator('.toast', { hasText: /was not (?:saved|written)/u });
      await toast.getByText(/nowhere/u).waitFor();
      await toast.getByRole('button', { name: 'Close' }).click();
      await toast.waitFor({ state: 'detached' });
    }
    expect(
      await messages()
        .locator('.toast', { hasText: /^Saved/u })
        .count(),
    ).toBe(0);
    expect(existsSync(missing)).toBe(false);
    // One that has gone since is not shown in its folder.
    await exportAs(/^This ranking/u);
    const gone = join(folder, 'gone.csv');
    await desktop.choose(gone);
    await messages().getByText('Saved gone.csv').waitFor();
    rmSync(gone);
    await messages().locator('.toast', { hasText: 'Saved gone.csv' }).getByRole('button', { name: 'Show' }).click();
    await messages().getByText('gone.csv is no longer where it was saved').waitFor();
    await clearMessages();
  });

  it('takes files that are chosen and dropped (would catch a window that shows a dropped file in the place of the app)', async () => {
    const { page } = desktop;
    const table = join(folder, 'others.csv');
    writeFileSync(table, 'run,lr,val/loss\na,0.1,1.5\nb,0.2,1.25\n');
    await go(page, '#/');
    await desktop.menu('Lab', 'Import runs…');
    const dialog = page.getByRole('dialog', { name: 'Import runs' });
    const shown = dialog.getByRole('table', { name: 'Runs to import' });
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      dialog.getByRole('button', { name: 'Choose files…' }).click(),
    ]);
    await chooser.setFiles(table);
    await shown.getByText('b', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    // As the system does it: a path comes in over the window.
    const tools = await desktop.context.newCDPSession(page);
    const data = { items: [], files: [table], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'])
      await tools.send('Input.dispatchDragEvent', { type: type as 'drop', x: 700, y: 400, data });
    await shown.getByText('b', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await desktop.main(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].webContents.getURL())).toMatch(
      /^app:/u,
    );
  });

  it('asks before pages have a text read or a program started (would catch a page that reads what it likes)', async () => {
    const { page } = desktop;
    const panel = page.getByRole('region', { name: 'How it is read' });
    const look = async (name: string): Promise<string> => {
      const path = join(folder, name);
      writeFileSync(path, 'The lamp of the harbour turns.\n\n'.repeat(2000));
      await go(page, `#/data?corpus=${encodeURIComponent(path)}`);
      await panel.waitFor();
      return path;
    };
    const read = () => panel.getByRole('button', { name: /^Read/u }).click();
    const refused = await look('diary.txt');
    // It is looked at as soon as it is named.
    const no = await desktop.press('Do not read');
    expect([no.kind, no.modal, no.options.defaultId, no.options.cancelId]).toEqual(['message', true, 0, 0]);
    expect(no.options.detail).toContain(refused);
    await read();
    await panel.getByText(/was not allowed/u).waitFor();
    await go(page, '#/');
    await look('book.txt');
    await desktop.press('Read');
    await read();
    await panel.locator('.figures > div', { hasText: 'Documents' }).locator('.number').getByText(/\d/u).waitFor();

    await go(page, '#/program');
    const program = join(folder, 'program.cjs');
    const made = join(folder, 'made.txt');
    writeFileSync(program, `require('node:fs').writeFileSync(${JSON.stringify(made)}, 'run');`);
    await page
      .getByRole('textbox', { name: 'Sweep file' })
      .fill(
        [
          'method: grid',
          `command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(program)}, "\${args}"]`,
          'parameters: { lr: { values: [0.1] } }',
        ].join('\n'),
      );
    const launch = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Start 1 run…' }).click();
      await page
        .getByRole('dialog', { name: 'Start this program?' })
        .getByRole('button', { name: 'Start 1 run' })
        .click();
    };
    await launch();
    expect((await desktop.press('Do not start')).options.detail).toContain(program);
    await messages()
      .getByText(/was not started/u)
      .first()
      .waitFor();
    expect(existsSync(made)).toBe(false);
    await launch();
    await desktop.press('Start');
    await page.waitForURL(/#\/sweep\//u);
    await until(
      () => existsSync(made),
      (there) => there,
      'what the program writes',
    );
    await clearMessages();
  });
}
