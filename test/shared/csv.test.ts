import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { csvLine, csvTable, numberCell, textCell } from '../../preload/shared/csv.ts';

describe('cells', () => {
  it.each([0.1 + 0.2, 1e-310, -0, 1 / 3, 123456789012345680000, Number.MAX_VALUE, NaN, Infinity, -Infinity])(
    'a number reads back as the same bits: %s',
    (value) => expect(Number(numberCell(value))).toBe(value),
  );

  it('text that a spreadsheet would calculate is made harmless, unless exact (would catch formula injection by a run name)', () => {
    for (const text of ['=1+1', '+x', '-x', '@x', '\tx', '\rx']) {
      expect(textCell(text, false)).toBe(`'${text}`);
      expect(textCell(text, true)).toBe(text);
    }
    expect(textCell('a=b', false)).toBe('a=b');
  });

  it('separators, quotes and line breaks survive', () => {
    const cells = ['a,b', 'say "x"', 'two\nlines', '', ' space '];
    expect(Papa.parse(csvLine(cells)).data[0]).toEqual(cells);
  });
});

it('a table reads back as it was, with names of columns that need quotes (would catch a second writer that loses −0)', () => {
  const rows = [
    ['a "b", c', 1, -0, true],
    ['=1+1', Number.NaN, -Infinity, undefined],
    ['', 1e-310, 0.1 + 0.2, false],
  ];
  const { data } = Papa.parse<string[]>(csvTable(['a,b', 'x', 'y', 'z'], rows), { skipEmptyLines: true });
  expect(data).toEqual([
    ['a,b', 'x', 'y', 'z'],
    ['a "b", c', '1', '-0', 'true'],
    ["'=1+1", 'NaN', '-Infinity', ''],
    ['', '1e-310', '0.30000000000000004', 'false'],
  ]);
  expect(csvTable(['a'], [])).toBe('a\n');
});
