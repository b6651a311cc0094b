/** How a file of one's own is read, as a person finds out in the Data view: what is wrong, the setting that mends it, what was taken. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { go, until, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: reading files in a real browser (${missing})`);

const WORDS = ['lantern', 'harbour', 'gull', 'keeper', 'storm', 'rope', 'quay'];
/** Row `i`: as many words as its number asks for, each its own. */
const line = (i: number): string => WORDS.map((word, j) => `${word}${i + j}`).join(' ');
const ROWS = Array.from({ length: 40 }, (_, i) => line(i));
const BYTES = ROWS.reduce((sum, row) => sum + row.length, 0);

describe.skipIf(missing !== undefined)('reading files in the Data view', () => {
  const visit = useVisit();
  const { home } = visit;
  let page: Page;

  const panel = () => page.getByRole('region', { name: 'How it is read' });
  const open = async (name: string): Promise<void> => {
    await go(page, '#/board');
    await go(page, `#/data?corpus=${encodeURIComponent(join(home, 'texts', name))}`);
    await panel().waitFor();
  };
  const read = () => panel().getByRole('button', { name: /^Read/u }).click();
  const figure = (title: string) => panel().locator('.figures > div', { hasText: title }).locator('.number');

  beforeAll(async () => {
    const folder = join(home, 'texts');
    mkdirSync(folder);
    writeFileSync(join(folder, 'pairs.csv'), `id\ttext\n${ROWS.map((row, i) => `${i}\t${row}`).join('\n')}\n`);
    writeFileSync(
      join(folder, 'two.csv'),
      `source,target\n${ROWS.map((row, i) => `"short ${i}","${row}"`).join('\n')}\n`,
    );
    writeFileSync(
      join(folder, 'wide.txt'),
      Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(ROWS.join('\n\n'), 'utf16le')]),
    );
    writeFileSync(join(folder, 'bare.txt'), Buffer.from(ROWS.join('\n\n'), 'utf16le'));
    // 39 good rows and one with a field too many.
    writeFileSync(
      join(folder, 'ragged.csv'),
      `text,n\n${ROWS.map((row, i) => `${row},${i}${i === 7 ? ',more' : ''}`).join('\n')}\n`,
    );
    page = await visit.begin();
  });

  it('says what a TSV named .csv lacks, and reads it with the delimiter that it names (would catch a guess, or a file read as one column)', async () => {
    await open('pairs.csv');
    await read();
    await panel()
      .getByRole('alert')
      .getByText(/data\.column.*text.*no such column.*"\\t": is that data\.delimiter\?/u)
      .waitFor();
    await panel().getByRole('textbox', { name: 'Delimiter' }).fill('\\t');
    // What was said of the other reading is gone.
    await panel().getByRole('alert').waitFor({ state: 'detached' });
    await read();
    await figure('Documents').getByText('40').waitFor();
    expect(await figure('Files').innerText()).toBe('1');
    expect(await figure('Warnings').innerText()).toBe('0');
  });

  it('reads the column that is asked for, of a CSV with two of text (would catch the first one taken)', async () => {
    await open('two.csv');
    await read();
    await panel()
      .getByRole('alert')
      .getByText(/source.*target/u)
      .waitFor();
    await panel().getByRole('textbox', { name: 'Column' }).fill('target');
    await read();
    await figure('Documents').getByText('40').waitFor();
    const words = await panel().locator('.figures > div', { hasText: 'Documents' }).innerText();
    expect(words).toContain(`${(BYTES / 1000).toPrecision(3)}\u00A0kB of text`);
  });

  it('decodes UTF-16 by its mark, and by the setting where there is none (would catch text trained on as bytes with zeros)', async () => {
    await open('wide.txt');
    await read();
    await figure('Documents').getByText('40').waitFor();
    expect(await panel().locator('.figures > div', { hasText: 'Files' }).innerText()).toMatch(/utf-16/iu);
    await open('bare.txt');
    await read();
    await panel()
      .getByRole('alert')
      .getByText(/UTF-16/u)
      .waitFor();
    await panel().getByRole('combobox', { name: 'Encoding' }).selectOption('utf-16le');
    await read();
    await figure('Documents').getByText('40').waitFor();
    const words = await panel().locator('.figures > div', { hasText: 'Documents' }).innerText();
    expect(words).toContain(`${(BYTES / 1000).toPrecision(3)}\u00A0kB of text`);
  });

  it('tells what was left out of a table (would catch rows that vanish silently)', async () => {
    await open('ragged.csv');
    await read();
    await figure('Documents').getByText('39').waitFor();
    await panel().getByText('dropped', { exact: true }).waitFor();
    await expect(panel().innerText()).resolves.toMatch(/1 .*row/u);
  });

  it('hands the reading on to what is compared and painted below (would catch a panel that only reports)', async () => {
    await open('two.csv');
    await panel().getByRole('textbox', { name: 'Column' }).fill('target');
    const row = page.locator('tr', { hasText: /^Bytes/u });
    await row.getByRole('button').click();
    // Bytes and one end of document each, less what is held out.
    await row.locator('td, th').nth(1).getByText(/\d/u).waitFor();
    await page.getByRole('button', { name: /^Text from/u }).click();
    await until(
      () => page.getByRole('textbox', { name: 'Text', exact: true }).inputValue(),
      (text) => /^lantern\d+ harbour/mu.test(text),
      'text of the column that was chosen',
    );
  });
});
