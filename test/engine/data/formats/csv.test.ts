import { gzipSync } from 'node:zlib';
import Papa from 'papaparse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice, Folder, read } from '../reading/helpers.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

const file = (name: string, content: string) => folder.file(name, content);
const texts = async (name: string, content: string, settings = {}) =>
  (await read(await file(name, content), settings)).texts;

describe('delimiters', () => {
  test('a table of one column is never parted by what its rows hold (catches a delimiter guessed from the rows)', async () => {
    for (const delimiter of ['\t', '|', ';', '\x1e', '\x1f']) {
      const rows = ['one two', `1${delimiter}of${delimiter}two`, `${delimiter}x`, `y${delimiter}`];
      expect(await texts('one.csv', `text\n${rows.join('\n')}\n`), JSON.stringify(delimiter)).toEqual(rows);
      const packed = await folder.file('one.csv.gz', gzipSync(`text\n${rows.join('\n')}\n`));
      expect((await read(packed)).texts).toEqual(rows);
    }
    const { texts: whole, report } = await read(await file('comma.csv', 'text\nHello, world\nx\n"a, b"\n'));
    expect(whole).toEqual(['Hello, world', 'x', 'a, b']);
    expect(report.changed[0]).toMatchObject({ count: 1, what: expect.stringMatching(/single column with delimiters/) });
  });

  test('two stray quotes in a single column are told: they make one text of the rows between them', async () => {
    const { texts: read2, report } = await read(await file('stray.csv', 'text\na\n"b\nc\nd"\ne\n'));
    expect(read2).toEqual(['a', 'b\nc\nd', 'e']);
    expect(report.changed).toEqual([
      expect.objectContaining({
        count: 1,
        what: 'rows of a single column whose quotes hold several lines, each taken as one text',
        first: expect.stringMatching(/stray\.csv, row 2/u),
      }),
    ]);
    expect((await read(await file('plain.csv', 'text\na\n"b"\n'))).report.changed).toEqual([]);
  });

  test('the delimiter is that of the name or the setting; a header with another one says so', async () => {
    expect(await texts('a.tsv', 'x\ttext\n1\ta,b\n')).toEqual(['a,b']);
    expect(await texts('a.csv', 'id;text\n1;a,b\n', { 'data.delimiter': ';' })).toEqual(['a,b']);
    expect(await texts('a.csv', 'id\ttext\n1\ta,b\n', { 'data.delimiter': '\\t' })).toEqual(['a,b']);
    expect(await texts('a.dat', 'id,text\n1,a\n', { 'data.format': 'csv' })).toEqual(['a']);
    expect(await texts('a.dat', 'id\ttext\n1\ta\n', { 'data.format': 'tsv' })).toEqual(['a']);
    await expect(texts('semi.csv', 'id;text\n1;a\n')).rejects.toThrow(
      /data.column is "text" \(no such column in .*semi.csv. Its header holds ";": is that data.delimiter\?/,
    );
    for (const wrong of ['ab', '"', '\\n', 'ß'])
      await expect(texts('a.csv', 'id;text\n1;a\n', { 'data.delimiter': wrong })).rejects.toThrow(/data.delimiter is /);
  });
});

describe('headers', () => {
  test('a missing column is named with those that exist and the nearest; a doubled one is refused', async () => {
    await expect(texts('h.csv', 'id,text,n\n1,a,b\n', { 'data.column': 'txt' })).rejects.toThrow(
      /no such column in .*h.csv\); allowed: one of the columns id, text, n; nearest: text/,
    );
    await expect(texts('d.csv', 'text,id,text\na,1,b\n')).rejects.toThrow(/d.csv. It occurs 2 times in the header/);
    expect(await texts('d.csv', 'x,text,x\na,1,b\n')).toEqual(['1']);
    expect(await texts('n.csv', 'meta.title,text\na,1\n', { 'data.column': 'meta.title' })).toEqual(['a']);
    expect(await texts('s.csv', '\uFEFF id , text \n1,a\n')).toEqual(['a']);
    expect(await texts('q.csv', '"id","te""xt"\n1,a\n', { 'data.column': 'te"xt' })).toEqual(['a']);
    await expect(texts('only.csv', 'id,text\n')).rejects.toThrow(/only.csv" \(holds no text/);
  });
});

describe('rows', () => {
  test('rows that do not fit the header are counted; a column that is there is taken, text is never cut', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i},row ${i},x`);
    rows[10] = '10,cut, in two,x';
    rows[20] = '20';
    rows[30] = '30,short';
    rows[40] = '40,trailing,x,,';
    const { texts: found, report } = await read(await file('ragged.csv', `id,text,n\n${rows.join('\n')}\n\n   \n`));
    expect(found.length).toBe(58);
    expect(found).toContain('short');
    expect(found).toContain('trailing');
    expect(found.some((text) => text.includes('cut'))).toBe(false);
    expect(report.dropped.map(({ what, count, first }) => [what, count, first.slice(-6)])).toEqual([
      ['rows with more fields than the header', 1, 'row 11'],
      ['rows that end before the column', 1, 'row 21'],
    ]);
    expect(report.changed[0]).toMatchObject({ what: 'rows with fewer fields than the header, taken', count: 1 });
    const most = Array.from({ length: 20 }, (_, i) => `${i},a, b`);
    await expect(texts('most.csv', `id,text\n${most.join('\n')}\n`)).rejects.toThrow(
      /20 of 20 rows do not fit the header of 2 fields \(row 1 \(line 2\) is the first of the rows with more fields/,
    );
    const { report: empty } = await read(await file('empty.csv', 'id,text\n1,\n2,a\n3,""\n'));
    expect(empty.dropped).toEqual([
      { what: 'rows whose text is empty', count: 2, first: expect.stringMatching(/row 1$/) },
    ]);
  });
});

describe('quotes', () => {
  const rows = (delimiter: string, quoted: Record<number, string>) =>
    ['id', 'text'].join(delimiter) +
    '\n' +
    Array.from({ length: 24 }, (_, i) => `${i + 1}${delimiter}${quoted[i + 1] ?? `text of row ${i + 1}`}`).join('\n') +
    '\n';

  test('a quote that never closes is text in TSV and an error in CSV that names row and line', async () => {
    const stray = { 7: '"Sky and crow.' };
    const found = await texts('stray.tsv', rows('\t', stray));
    expect(found.length).toBe(24);
    expect(found[6]).toBe('"Sky and crow.');
    await expect(texts('stray.csv', rows(',', stray))).rejects.toThrow(
      /data.corpus is ".*stray.csv" \(row 7 \(line 8\): a quote is opened and not closed/,
    );
    // Behind rows of several lines the line is another than the row.
    const lines = { 3: '"two\nlines"', 7: '"Sky' };
    await expect(texts('stray.csv', rows(',', lines))).rejects.toThrow(/row 7 \(line 9\)/);
  });

  test('a quote that closes inside its field is text; CSV says so', async () => {
    const word = { 7: '"Ran" sky and crow.' };
    expect((await texts('word.tsv', rows('\t', word)))[6]).toBe('"Ran" sky and crow.');
    const { texts: found, report } = await read(await file('word.csv', rows(',', word)));
    expect(found.length).toBe(24);
    expect(found[6]).toBe('"Ran" sky and crow.');
    expect(report.warnings).toEqual([
      expect.stringMatching(/word.csv: row 7 \(line 8\): a quote closes inside its field/),
    ]);
  });

  test('a quoted field that swallows rows is an error in CSV that names the row, and undone in TSV, which is said', async () => {
    for (const end of [8, 15]) {
      const pair = { 7: '"Sky and crow.', [end]: 'the end"' };
      const tsv = await read(await file('pair.tsv', rows('\t', pair)));
      expect(tsv.texts.length).toBe(24);
      expect(tsv.report.changed).toEqual([
        {
          what: 'rows that begin a quoted field which would swallow the next rows, taken line by line',
          count: 1,
          first: expect.stringMatching(/pair.tsv, row 7$/),
        },
      ]);
      await expect(texts('pair.csv', rows(',', pair))).rejects.toThrow(
        end === 8
          ? /pair.csv" \(row 7 \(line 8\): a quoted field swallows the next row: a quote is missing/
          : /pair.csv" \(row 7 \(line 8\): a quoted field swallows the next 8 rows: a quote is missing/,
      );
    }
  });

  test('a quoted field of two lines with a delimiter in the second is one text (catches a TSV of another writer cut into pieces)', async () => {
    const table = (delimiter: string) =>
      `id${delimiter}text\n${Array.from({ length: 24 }, (_, i) => `${i}${delimiter}"line ${i}\nthen${delimiter}more"\n`).join('')}`;
    for (const [name, delimiter] of [
      ['two.tsv', '\t'],
      ['two.csv', ','],
    ] as const) {
      const { texts: found, report } = await read(await file(name, table(delimiter)));
      expect(found, name).toEqual(Array.from({ length: 24 }, (_, i) => `line ${i}\nthen${delimiter}more`));
      expect(report.changed, name).toEqual([]);
    }
  });

  test('lines in a quoted field that only look like rows are text, with a warning (catches tables in texts refused)', async () => {
    // Each line has the delimiters of a row, and begins with a number, but not with the next one.
    const { texts: found, report } = await read(await file('tables.csv', rows(',', { 7: '"x,y\n1,2\n3,4"' })));
    expect(found[6]).toBe('x,y\n1,2\n3,4');
    expect(report.warnings).toEqual([
      expect.stringMatching(/tables.csv: row 7 \(line 8\): a quoted field holds 2 lines that look like rows/),
    ]);
    const honest = { 7: '"a poem, of one\nand two, lines and\nthree"', 9: '"tab\there"' };
    expect((await read(await file('honest.csv', rows(',', honest)))).report.warnings).toEqual([]);
    expect((await texts('honest.tsv', rows('\t', honest)))[8]).toBe('tab\there');
    expect((await texts('honest.tsv', rows('\t', honest)))[6]).toBe('a poem, of one\nand two, lines and\nthree');
  });

  test('texts of several lines in the first column are whole (catches the rest of the row taken for one of theirs)', async () => {
    for (const [name, delimiter] of [
      ['first.tsv', '\t'],
      ['first.csv', ','],
    ])
      for (const width of [2, 5]) {
        const rest = Array.from({ length: width - 1 }, (_, i) => `c${i}`).join(delimiter);
        const { texts: found, report } = await read(
          await file(name, `text${delimiter}${rest}\n"a\nb"${delimiter}${rest}\nc${delimiter}${rest}\n`),
        );
        expect(found).toEqual(['a\nb', 'c']);
        expect([report.warnings, report.changed]).toEqual([[], []]);
      }
  });

  test('quotes inside fields, doubled ones and line breaks of any kind', async () => {
    const quoted = { 1: '5" pipe', 2: '"say ""hi"""', 3: '""', 4: '""""', 5: '"a\r\nb"', 6: '"a\rb"', 7: 'a""b' };
    const expected = ['5" pipe', 'say "hi"', '"', 'a\nb', 'a\nb', 'a""b'];
    for (const [name, delimiter] of [
      ['q.csv', ','],
      ['q.tsv', '\t'],
    ])
      expect((await texts(name, rows(delimiter, quoted))).slice(0, 6)).toEqual(expected);
  });

  test('invalid UTF-8 in a table survives (catches bytes turned into U+FFFD)', async () => {
    const bytes = Buffer.concat([Buffer.from('text,id\n"a'), Buffer.from([0xe9]), Buffer.from('",1\nb,2\n')]);
    const { corpus, report } = await read(await folder.file('bytes.csv', bytes));
    expect([...corpus.bytes.subarray(0, 2)]).toEqual([0x61, 0xe9]);
    expect(report.warnings).toEqual([
      expect.stringMatching(/1 of 19 bytes is no UTF-8 \(first at byte 10\); it stays/),
    ]);
  });
});

test('random tables of another writer come back whole, with both line ends and every delimiter', async () => {
  const dice = new Dice();
  const words = ['a', '', ' ', '"', '""', ',', '\t', ';', '\n', '\n\n', 'ü', '日本', 'x y', "'", '\\', '#', '=1+1'];
  for (let trial = 0; trial < 150; trial++) {
    const width = 1 + dice.below(5);
    const header = dice.list(width, (i) => `c${i}`);
    const table = dice.list(1 + dice.below(30), () =>
      dice.list(width, () => dice.list(dice.below(5), () => dice.of(words)).join('') || 'z'),
    );
    const separator = dice.of([',', ';', '|']);
    const text = Papa.unparse([header, ...table], {
      delimiter: separator,
      newline: dice.of(['\n', '\r\n']),
      quotes: width === 1 || dice.below(2) === 0,
    });
    const column = dice.below(width);
    const label = `seed ${dice.seed}, trial ${trial}: ${JSON.stringify(text)}`;
    const found = await texts('random.csv', text, { 'data.delimiter': separator, 'data.column': `c${column}` }).catch(
      (error: unknown) => {
        throw new Error(label, { cause: error });
      },
    );
    expect(found, label).toEqual(table.map((row) => row[column]));
  }
});
