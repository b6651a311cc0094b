import { describe, expect, it } from 'vitest';
import type { Output } from '../../main/cli/output.ts';
import { renderTable, WIDEST } from '../../main/cli/table.ts';

const CODES = { bold: 1, green: 32 } as Readonly<Record<string, number>>;
const plain = { style: (_style: string, text: string) => text } as unknown as Output;
const coloured = {
  style: (style: string, text: string) => `\u001B[${CODES[style]}m${text}\u001B[0m`,
} as unknown as Output;
const columns = [{ title: 'name' }, { title: 'val/loss', align: 'right' }, { title: 'state' }] as const;

describe('tables of the command line', () => {
  it('line their columns up, numbers to the right (would catch a column that moves with its content)', () => {
    const text = renderTable(plain, columns, [
      ['a', '2.5', 'finished'],
      ['a longer name', '1,234.56', ''],
    ]);
    expect(text.split('\n')).toEqual([
      'name           val/loss  state',
      'a                   2.5  finished',
      'a longer name  1,234.56',
    ]);
  });

  it('count wide characters twice, accents once and colours not at all (would catch text measured in code units)', () => {
    const rows = [
      ['日本', '1', 'x'],
      ['e\u0301', '2', 'y'],
      ['🦜', '3', 'z'],
    ];
    expect(renderTable(plain, columns, rows).split('\n').slice(1)).toEqual([
      '日本         1  x',
      'e\u0301            2  y',
      '🦜           3  z',
    ]);
    // oxlint-disable-next-line no-control-regex -- these are the codes
    const bare = renderTable(coloured, columns, rows, 1).replaceAll(/\u001B\[\d+m/gu, '');
    expect(bare).toBe(renderTable(plain, columns, rows));
  });

  it('highlight one row, line by line', () => {
    const text = renderTable(
      coloured,
      [{ title: 'a' }, { title: 'b' }],
      [
        ['1', 'x\ny'],
        ['2', 'z'],
      ],
      0,
    );
    expect(text.split('\n')).toEqual([
      '\u001B[1ma\u001B[0m  \u001B[1mb\u001B[0m',
      '\u001B[32m1\u001B[0m  \u001B[32mx\u001B[0m',
      '   \u001B[32my\u001B[0m',
      '2  z',
    ]);
  });

  it('stand without rows', () => {
    expect(renderTable(plain, columns, [])).toBe('name  val/loss  state');
  });

  it('keep texts from anywhere on their row and narrow, their end in sight (would catch a name that breaks or widens every row)', () => {
    const free = [{ title: 'id' }, { title: 'name', free: true }, { title: 'state' }] as const;
    const rows = [
      ['1', 'two\nlines\tand \u001B[31mred', 'failed'],
      ['2', `${'x'.repeat(300)} seed=3`, 'finished'],
      ['3', `${'日'.repeat(150)}本`, 'queued'],
    ];
    expect(renderTable(plain, free, rows).split('\n')).toEqual([
      `id  name${' '.repeat(WIDEST - 4)}  state`,
      `1   two␊lines␉and ␛[31mred${' '.repeat(WIDEST - 22)}  failed`,
      `2   ${'x'.repeat(WIDEST - 21)}…${'x'.repeat(13)} seed=3  finished`,
      // Each is two wide: 19 of 39 columns, and 10 of 20.
      `3   ${'日'.repeat(19)}…${'日'.repeat(9)}本   queued`,
    ]);
  });
});
