/** The guide's examples of plug-ins, just as they stand there, as a person meets them: chosen in the builder, trained, charted, exported. */
import Papa from 'papaparse';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { sweeplab } from '../cli/cli.ts';
import { PATIENCE, chart, go, settled, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: plug-ins in a real browser (${missing})`);

const GUIDE = new URL('../../resources/guide/examples.md', import.meta.url);
const EXAMPLES = [...readFileSync(GUIDE, 'utf8').matchAll(/```ts\n\/\/ (\w+\.ts)\n([\s\S]*?)```/gu)];

describe.skipIf(missing !== undefined)('plug-ins in the interface', () => {
  const visit = useVisit();
  const { home } = visit;
  let page: Page;

  const row = (setting: string): Locator => page.locator(`[data-setting="${setting}"]`);
  const value = (setting: string): Locator => row(setting).locator('input').first();
  /** Few choices are buttons, many a list. */
  const choose = async (setting: string, option: string): Promise<void> => {
    await row(setting).waitFor();
    const list = row(setting).getByRole('combobox');
    if ((await list.count()) > 0) await list.selectOption(option);
    else await row(setting).getByRole('button', { name: option, exact: true }).click();
  };
  const plan = (): Locator => page.getByRole('complementary', { name: 'Plan' });
  /** Of the runs that are launched. */
  const launch = async (runs: number): Promise<string> => {
    await plan()
      .getByRole('button', { name: `Launch ${runs} runs` })
      .click();
    await page.waitForURL(/#\/board\?sweep=/u);
    return /sweep=([^&]+)/u.exec(await page.evaluate<string>('location.hash'))![1]!;
  };
  const saved = async (action: () => Promise<void>): Promise<{ name: string; text: string }> => {
    const [download] = await Promise.all([page.waitForEvent('download'), action()]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
  };
  const exportAs = async (entry: RegExp): Promise<void> => {
    await page.getByRole('button', { name: 'Export…', exact: true }).click();
    await page.getByRole('menuitem', { name: entry }).click();
  };
  /** A builder with a model that trains in a moment. */
  const draft = async (): Promise<void> => {
    await go(page, '#/builder');
    const clear = page.getByRole('button', { name: 'Clear the draft' });
    if (await clear.isEnabled()) await clear.click();
    const tiny = {
      'data.size': 20_000,
      'model.width': 16,
      'model.context': 16,
      'batch.sequences': 2,
      'stop.steps': 4,
      'eval.every_steps': 2,
    };
    for (const [setting, number] of Object.entries(tiny)) await value(setting).fill(String(number));
  };

  beforeAll(async () => {
    mkdirSync(join(home, 'plugins'));
    for (const [, file, source] of EXAMPLES) writeFileSync(join(home, 'plugins', file!), source!);
    page = await visit.begin();
  });

  it('an attention, an optimizer and a schedule are chosen, with their settings, help and rules (would catch a kind that only a file can name)', async () => {
    expect(EXAMPLES.map(([, file]) => file)).toEqual(
      expect.arrayContaining([
        'ngram.ts',
        'alternating.ts',
        'signum.ts',
        'plateau.ts',
        'compression.ts',
        'jsonLines.ts',
      ]),
    );
    await draft();
    // What has no effect is not in the way.
    await row('attention.full_every').waitFor({ state: 'hidden' });
    await choose('attention.kind', 'alternating');
    await row('attention.full_every').getByText('Every so many layers one sees the whole context.').waitFor();
    await choose('optimizer.kind', 'signum');
    await choose('schedule.kind', 'plateau');
    await row('schedule.fall').getByText('Share of the way after the warm-up over which plateau falls.').waitFor();
    // What is not allowed is said beside the setting, with the nearest choice.
    await value('attention.full_every').fill('0');
    await row('attention.full_every').getByText('0; allowed: an integer at least 1').waitFor();
    await row('attention.full_every').getByRole('button', { name: 'Use 1', exact: true }).click();
    await value('schedule.fall').fill('0.5');
    await value('model.window').fill('8');
    await value('attention.full_every').fill('1, 2');
    await page.getByRole('textbox', { name: 'Seeds', exact: true }).fill('1');
    await plan().getByText('2 settings').waitFor();
    await expect(plan().innerText()).resolves.toMatch(/fit/u);
  });

  let sweep = '';
  it('train as a sweep that is ranked by a metric of one’s own (would catch a metric that only training knows)', async () => {
    await page.getByRole('combobox', { name: 'Metric to rank by' }).selectOption('val/compression');
    expect(await page.getByRole('combobox', { name: 'Which is better' }).inputValue()).toBe('maximize');
    sweep = await launch(2);
    await chart(page, 'val/compression').getByRole('img').waitFor();
    await page
      .getByRole('banner')
      .getByText(/running/u)
      .waitFor({ state: 'detached', timeout: 3 * PATIENCE });
    await go(page, `#/sweep/${sweep}`);
    await page.getByText(/2\sruns · /u).waitFor();
    const table = page.getByRole('table', { name: 'Settings by rank' });
    expect(await table.locator('tbody tr').count()).toBe(2);
    await expect(table.innerText()).resolves.toContain('val/compression');
  });

  it('are columns of the table for a spreadsheet, and a format of one’s own is in the menu (would catch an export of the built-in ones alone)', async () => {
    await go(page, `#/sweep/${sweep}`);
    const { text } = await saved(() => exportAs(/one line per point/u));
    const { data } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
    expect([...new Set(data.map((each) => each['attention.full_every']))].toSorted()).toEqual(['1', '2']);
    expect(new Set(data.map(({ metric }) => metric))).toContain('val/compression');
    for (const each of data)
      expect(each).toMatchObject({
        'attention.kind': 'alternating',
        'optimizer.kind': 'signum',
        'schedule.fall': '0.5',
      });
    const own = await saved(() => exportAs(/JSON, one line per run/u));
    expect(own.name).toMatch(/\.jsonl$/u);
    const lines = own.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { curves: Record<string, number[]> });
    expect(lines).toHaveLength(2);
    for (const { curves } of lines) expect(curves['val/compression']).not.toHaveLength(0);
  });

  it('a model brings its settings, is planned by itself, and leaves out what it does not read (would catch a plan of the usual model)', async () => {
    await draft();
    await choose('model.kind', 'ngram');
    await row('model.ngram').getByText('Tokens that the n-gram model sees, the current one included.').waitFor();
    await row('model.depth').waitFor({ state: 'hidden' });
    await value('model.ngram').fill('17');
    await row('model.ngram')
      .getByText(/17; allowed: an integer from 1 to 16/u)
      .waitFor();
    await value('model.ngram').fill('1, 4');
    await plan().getByText('2 settings').waitFor();
    await settled(page);
    const ngram = await launch(2);
    await page
      .getByRole('banner')
      .getByText(/running/u)
      .waitFor({ state: 'detached', timeout: 3 * PATIENCE });
    const { stdout } = await sweeplab(home, ['runs', 'ls', '--json', '--sweep', ngram]);
    const runs = JSON.parse(stdout) as { state: string; parameters: number; settings: Record<string, number> }[];
    expect(runs.map(({ state }) => state)).toEqual(['finished', 'finished']);
    const parameters = new Map(runs.map((each) => [each.settings['model.ngram'], each.parameters]));
    // A matrix of 16 × 16 for each token that is seen.
    expect(parameters.get(4)! - parameters.get(1)!).toBe(3 * 16 * 16);
  });
});
