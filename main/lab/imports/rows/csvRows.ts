/** Rows of CSV and TSV, split by the reader of training text; what its rules do not allow is told, and the rest is read. */
import { CsvRecords, UnclosedQuote } from '../../../engine/data/formats/csvRecords.ts';
import type { CsvRecord } from '../../../engine/data/formats/csvRecords.ts';
import { counted } from '../../../../preload/shared/format.ts';
import { ImportError } from '../errors.ts';
import { textOf } from '../files.ts';
import type { ImportFile } from '../files.ts';
import { numberOf } from '../values.ts';
import type { Cell } from '../values.ts';
import { distinct } from './rows.ts';
import type { RowSource, RowTaker } from './rows.ts';

const DELIMITERS = [',', ';', '\t', '|'] as const;
const MOST_COLUMNS = 20_000;
/** Bytes of a quoted field. */
const LONGEST_FIELD = 64 << 20;
/** Writers put it before text that a spreadsheet would calculate. */
const GUARDED = /^'(?=[=+\-@\t\r])/u;

/** Places of a character outside of quotes. */
function countOutside(line: string, character: string): number {
  let count = 0;
  let quoted = false;
  for (const each of line) {
    if (each === '"') quoted = !quoted;
    else if (each === character && !quoted) count++;
  }
  return count;
}

/** The one that parts the names, by the first line. */
export function delimiterOf(text: string): string {
  const [line = ''] = text.split('\n').filter((each) => each.trim() !== '' && !each.startsWith('#'));
  const counts = DELIMITERS.map((each) => countOutside(line, each));
  const most = Math.max(...counts);
  return most === 0 ? ',' : DELIMITERS[counts.indexOf(most)]!;
}

/** Names of the first line. */
export function headerOf(text: string): string[] {
  const delimiter = delimiterOf(text);
  const [line = ''] = text.split('\n').filter((each) => each.trim() !== '' && !each.startsWith('#'));
  const names: string[] = [];
  let name = '';
  let quoted = false;
  for (const each of line) {
    if (each === '"') quoted = !quoted;
    else if (each === delimiter && !quoted) {
      names.push(name.trim());
      name = '';
    } else name += each;
  }
  return [...names, name.replace(/\r$/u, '').trim()];
}

const cellOf = (field: Buffer): Cell => {
  const text = field.toString('utf8');
  return text === '' ? undefined : text.replace(GUARDED, '');
};

interface Shape {
  readonly delimiter: string;
  readonly columns: readonly string[];
  /** As they stand there. */
  readonly header: readonly string[];
  readonly hasHeader: boolean;
  readonly repeated: readonly string[];
}

/** @throws ImportError for a file without a row */
export async function csvRows(file: ImportFile): Promise<RowSource> {
  const { delimiter, columns, header, hasHeader, repeated } = await shapeOf(file);
  return {
    file,
    columns,
    decimalComma: delimiter === ';',
    each: async (take) => {
      if (repeated.length > 0)
        take.bad(`names of columns that stand there more than once (${repeated.slice(0, 3).join(', ')}), numbered`, 1);
      let seenHeader = !hasHeader;
      await records(file, delimiter, take, (fields, line) => {
        const cells = fields.map(cellOf);
        const isHeader =
          hasHeader && header.length === cells.length && header.every((name, i) => (cells[i] ?? '') === name);
        if (isHeader && seenHeader) take.begins(line);
        if (isHeader || !seenHeader) {
          seenHeader = true;
          return true;
        }
        if (cells.length > columns.length)
          take.bad('rows with more cells than the header; what is too much is left out', line);
        else if (cells.length < columns.length)
          take.bad('rows with fewer cells than the header, taken as they are', line);
        take.row({ cells: cells.length > columns.length ? cells.slice(0, columns.length) : cells, line });
        return true;
      });
    },
  };
}

async function shapeOf(file: ImportFile): Promise<Shape> {
  const delimiter = delimiterOf((await file.head()).toString('utf8').replace(/^\uFEFF/u, ''));
  let header: string[] | undefined;
  await records(file, delimiter, undefined, (fields) => {
    header = fields.map((field) => field.toString('utf8').replace(GUARDED, ''));
    return false;
  });
  if (header === undefined) throw new ImportError(`${file.path} holds no row`);
  if (header.length > MOST_COLUMNS)
    throw new ImportError(`${file.path} has ${counted(header.length, 'column')}; allowed: at most ${MOST_COLUMNS}`);
  const hasHeader = !header.every((name) => numberOf(name) !== undefined);
  const { names, repeated } = distinct(hasHeader ? header : header.map(() => ''));
  return { delimiter, columns: names, header, hasHeader, repeated };
}

/** Gives the records until `each` says false; lines before the first that begin with # are none. */
async function records(
  file: ImportFile,
  delimiter: string,
  take: Pick<RowTaker, 'bad' | 'pause'> | undefined,
  each: (fields: readonly Buffer[], line: number) => boolean,
): Promise<void> {
  const paced = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of textOf(file)) {
      yield chunk;
      // All records of the chunk before have been given.
      await take?.pause();
    }
  };
  const rules = { delimiter: delimiter.charCodeAt(0), looseQuotes: false, longest: LONGEST_FIELD };
  const reader = new CsvRecords(paced(), rules);
  let begun = false;
  try {
    await reader.forEach((record: CsvRecord) => {
      const { fields, line } = record;
      if (!begun && fields[0]?.[0] === 35) return true;
      if (!begun) reader.width = fields.length;
      begun = true;
      if (record.swallowed > 0) take?.bad('rows with a quoted field that seems to hold further rows', line);
      if (record.innerQuote) take?.bad('rows with a quote that closes inside its field, taken as they are', line);
      return each(fields, line);
    });
  } catch (error) {
    if (!(error instanceof UnclosedQuote)) throw error;
    if (!begun) throw new ImportError(`${file.path}: ${error.message}`);
    take?.bad('quotes that are not closed: what follows is left out', error.line);
  }
}
