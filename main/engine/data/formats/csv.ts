/** CSV and TSV: tables as text, with a header line. The delimiter is that of the format or the setting, never guessed from the rows. */
import type { Documents } from '../corpusBuilder.ts';
import { LIMITS, words } from '../limits.ts';
import { addValue, missingColumn } from './columns.ts';
import { CsvRecords, UnclosedQuote } from './csvRecords.ts';
import type { CsvRecord } from './csvRecords.ts';
import type { Format, FormatInput } from './format.ts';
import { counted } from '../../../../preload/shared/format.ts';

interface Dialect {
  readonly delimiter: string;
  readonly looseQuotes: boolean;
}

const NEWLINE = 10;
/** Rows that are left out may be so many of all (a single one always), else the file is not what its header says. */
const MOST_LEFT_OUT = 0.05;

/** The place of the column in the header. @throws DataError */
function columnIndex(header: readonly string[], input: FormatInput, delimiter: string): number {
  const names = header.includes(input.column) ? header : header.map((name) => name.trim());
  const index = names.indexOf(input.column);
  if (index < 0) {
    const other = [';', '\t', '|', ','].find(
      (each) =>
        each !== delimiter && header.some((name) => name.split(each).some((part) => part.trim() === input.column)),
    );
    const advice = other === undefined ? '' : ` Its header holds ${JSON.stringify(other)}: is that data.delimiter?`;
    throw missingColumn(input, names, undefined, advice);
  }
  if (names.indexOf(input.column, index + 1) >= 0)
    throw missingColumn(
      input,
      names,
      undefined,
      ` It occurs ${counted(names.filter((name) => name === input.column).length, 'time')} in the header.`,
    );
  return index;
}

/** Counts the rows whose fields are not those of the header. */
class Rows {
  readonly #input: FormatInput;
  readonly #documents: Documents;
  readonly #width: number;
  readonly #index: number;
  readonly #delimiter: Buffer;
  count = 0;
  leftOut = 0;
  #firstLeftOut = '';
  #inner = 0;
  #firstInner = '';

  constructor(input: FormatInput, documents: Documents, width: number, index: number, delimiter: string) {
    this.#input = input;
    this.#documents = documents;
    this.#width = width;
    this.#index = index;
    this.#delimiter = Buffer.from(delimiter);
  }

  /** Returns whether more is wanted. */
  add({ fields, line, innerQuote, swallowed, surely, undone }: CsvRecord): boolean {
    const row = ++this.count;
    const where = `row ${row} (line ${line})`;
    if (innerQuote && this.#inner++ === 0) this.#firstInner = where;
    if (surely)
      throw this.#input.error(
        `${where}: a quoted field swallows the next ${swallowed === 1 ? 'row' : `${swallowed} rows`}: a quote is missing, or one too many.`,
        'quotes by RFC 4180: a field that begins with a quote ends with one, quotes inside are doubled; where the field is meant so: JSON lines or Parquet',
      );
    if (swallowed > 0)
      this.#input.warn(
        `${where}: a quoted field holds ${counted(swallowed, 'line that looks like a row', 'lines that look like rows')}: is a quote missing or too many?`,
      );
    if (undone)
      this.#input.note('rows that begin a quoted field which would swallow the next rows, taken line by line', row);
    if (this.#width === 1 && fields.length > 1) return this.#wholeLine(fields, row);
    // Without delimiters nothing tells a text of several lines from two stray quotes around rows.
    if (this.#width === 1 && fields[0]!.includes(NEWLINE))
      this.#input.note('rows of a single column whose quotes hold several lines, each taken as one text', row);
    const extra = fields.slice(this.#width);
    if (extra.some((field) => field.length > 0))
      return this.#leaveOut('rows with more fields than the header', where, row);
    if (fields.length <= this.#index) return this.#leaveOut('rows that end before the column', where, row);
    if (fields.length < this.#width) this.#input.note('rows with fewer fields than the header, taken', row);
    return addValue(fields[this.#index], this.#input, this.#documents, row);
  }

  /** In a table of one column there is nothing that a delimiter could part: the line is the text. */
  #wholeLine(fields: readonly Buffer[], row: number): boolean {
    this.#input.note('rows of a single column with delimiters outside of quotes, taken whole', row);
    const parts = fields.flatMap((field, i) => (i === 0 ? [field] : [this.#delimiter, field]));
    return addValue(Buffer.concat(parts), this.#input, this.#documents, row);
  }

  #leaveOut(what: string, where: string, row: number): boolean {
    if (this.leftOut++ === 0) this.#firstLeftOut = `${where} is the first of the ${what}`;
    this.#input.drop(what, row);
    return true;
  }

  /** @throws DataError when too many rows did not fit the header */
  finish(): void {
    if (this.#inner > 0) {
      const others = this.#inner === 1 ? '' : ` (and ${this.#inner - 1} more)`;
      this.#input.warn(`${this.#firstInner}${others}: a quote closes inside its field; the field is taken as it is.`);
    }
    if (this.leftOut < Math.min(2, this.count) || this.leftOut <= MOST_LEFT_OUT * this.count) return;
    throw this.#input.error(
      `${this.leftOut} of ${counted(this.count, 'row')} ${this.leftOut === 1 ? 'does' : 'do'} not fit the header of ${counted(this.#width, 'field')} (${this.#firstLeftOut}).`,
      'rows with as many fields as the header; a field with the delimiter in it stands in quotes',
    );
  }
}

async function readTable(input: FormatInput, documents: Documents, dialect: Dialect): Promise<void> {
  const delimiter = input.delimiter === '' ? dialect.delimiter : input.delimiter;
  const rules = {
    delimiter: delimiter.charCodeAt(0),
    looseQuotes: dialect.looseQuotes,
    longest: dialect.looseQuotes ? LIMITS.looseQuote : LIMITS.row,
  };
  const records = new CsvRecords(input.text, rules);
  let rows: Rows | undefined;
  try {
    await records.forEach((record) => {
      if (rows !== undefined) return rows.add(record);
      const header = record.fields.map((field) => field.toString('utf8'));
      rows = new Rows(input, documents, header.length, columnIndex(header, input, delimiter), delimiter);
      records.width = header.length;
      return true;
    });
  } catch (error) {
    if (!(error instanceof UnclosedQuote)) throw error;
    throw input.error(
      `row ${rows === undefined ? 0 : rows.count + 1} (line ${error.line}): a quote is opened and not closed (or not within ${words(LIMITS.row)}).`,
      'quotes by RFC 4180: a field that begins with a quote ends with one, quotes inside are doubled',
    );
  }
  rows?.finish();
}

export const csv: Format = {
  name: 'csv',
  title: 'CSV',
  help: 'comma-separated values (RFC 4180) with a header line',
  extensions: ['.csv'],
  reads: 'text',
  read: (input, documents) => readTable(input, documents, { delimiter: ',', looseQuotes: false }),
};

export const tsv: Format = {
  name: 'tsv',
  title: 'TSV',
  help: 'tab-separated values with a header line; a quote that is not closed is text',
  extensions: ['.tsv'],
  reads: 'text',
  read: (input, documents) => readTable(input, documents, { delimiter: '\t', looseQuotes: true }),
};
