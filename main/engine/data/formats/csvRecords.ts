/**
 * Splits CSV and TSV into records (RFC 4180), on bytes. A field is quoted when it begins with a quote and its closing quote is
 * followed by a delimiter or a line end; any other quote is text.
 */
import { ByteWindow } from './byteWindow.ts';

const QUOTE = 34;
const NEWLINE = 10;

export interface CsvRecord {
  /** The fields without their quotes; valid until the next record. */
  readonly fields: readonly Buffer[];
  /** Line of the file on which it begins, from 1. */
  readonly line: number;
  /** A quote that closes inside its field: the field was taken as it is. */
  readonly innerQuote: boolean;
  /** Lines inside quoted fields that hold as many delimiters as a row does: likely rows that a stray quote swallowed. */
  readonly swallowed: number;
  /** The first fields of these lines go on from that of the record (7, 8, 9): they are rows. */
  readonly surely: boolean;
  /** Such a field was taken apart again, line by line (loose quotes). */
  readonly undone: boolean;
}

export interface CsvRules {
  readonly delimiter: number;
  /** Quotes that are never closed are text, as are those that swallow rows (TSV); else they are an error (CSV). */
  readonly looseQuotes: boolean;
  /** A quoted field may be so long; with loose quotes what is longer is text. */
  readonly longest: number;
}

/** A quote that is opened on this line and not closed. */
export class UnclosedQuote extends Error {
  readonly line: number;

  constructor(line: number) {
    super(`line ${line}: a quote is opened and not closed`);
    this.line = line;
  }
}

interface Quoted {
  /** Place of the closing quote. */
  readonly close: number;
  /** Doubled quotes inside. */
  readonly doubled: boolean;
}

interface RowsInside {
  readonly count: number;
  readonly surely: boolean;
}

const NO_ROWS: RowsInside = { count: 0, surely: false };

/** Finds the closing quote of the field whose opening one is before `from`; null when none comes. −1: more bytes are needed. */
function closingQuote(bytes: Buffer, from: number, last: boolean): Quoted | null | -1 {
  let doubled = false;
  for (let quote = bytes.indexOf(QUOTE, from); quote >= 0; quote = bytes.indexOf(QUOTE, quote + 2)) {
    if (quote + 1 === bytes.length && !last) return -1;
    if (bytes[quote + 1] !== QUOTE) return { close: quote, doubled };
    doubled = true;
  }
  return last ? null : -1;
}

/** Whether the names of rows go on from each other: 7, 8, 9; or all of one long pattern, as dates and identifiers are. */
function goOn(names: readonly string[]): boolean {
  if (names.every((name) => /^\d{1,15}$/.test(name)))
    return names.every((name, i) => i === 0 || Number(name) === Number(names[i - 1]) + 1);
  const pattern = (name: string) => name.replace(/\d/g, '0').replace(/[a-f]/gi, 'a');
  return names[0].length >= 8 && /\d/.test(names[0]) && names.every((name) => pattern(name) === pattern(names[0]));
}

function undouble(field: Buffer): Buffer {
  const out = Buffer.allocUnsafe(field.length);
  let to = 0;
  let from = 0;
  for (let quote = field.indexOf(QUOTE); quote >= 0; quote = field.indexOf(QUOTE, from)) {
    to += field.copy(out, to, from, quote + 1);
    from = quote + 2;
  }
  to += field.copy(out, to, from);
  return out.subarray(0, to);
}

function count(bytes: Buffer, byte: number): number {
  let found = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) found++;
  return found;
}

/** Reads the records of one file. */
export class CsvRecords {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #rules: CsvRules;
  readonly #window = new ByteWindow();
  #ended = false;
  #line = 1;
  /** Bytes to wait for before the open record is looked at again: twice as many, so that no record is read over and over. */
  #needed = 0;
  /** Fields of the header; 0 until it is known. */
  width = 0;

  constructor(chunks: AsyncIterable<Buffer>, rules: CsvRules) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#rules = rules;
  }

  /** Gives the records to `each` one by one, until it returns false. Blank lines are none. */
  async forEach(each: (record: CsvRecord) => boolean): Promise<void> {
    try {
      for (;;) {
        const { bytes } = this.#window;
        let at = 0;
        for (;;) {
          const next = this.#record(bytes, at, each);
          if (next === null) return;
          if (next < 0) break;
          at = next;
        }
        this.#window.drop(at);
        if (this.#ended) return;
        await this.#fill();
      }
    } finally {
      await this.#chunks.return?.();
    }
  }

  async #fill(): Promise<void> {
    do {
      const { value, done } = await this.#chunks.next();
      if (done === true) this.#ended = true;
      else this.#window.append(value);
    } while (!this.#ended && this.#window.length < this.#needed);
  }

  /** Takes the record at `at`. Returns where the next one begins, −1 when more bytes are needed, null to stop. */
  #record(bytes: Buffer, at: number, each: (record: CsvRecord) => boolean): number | null {
    if (at >= bytes.length) return -1;
    const lineEnd = bytes.indexOf(NEWLINE, at);
    if (lineEnd < 0 && !this.#ended) return this.#grown(bytes.length - at);
    const end = lineEnd < 0 ? bytes.length : lineEnd;
    const line = this.#line;
    if (this.#isBlank(bytes, at, end)) {
      this.#line++;
      return end + 1;
    }
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0 || quote >= end) {
      this.#line++;
      const plain = { innerQuote: false, swallowed: 0, surely: false, undone: false };
      return each({ fields: this.#split(bytes, at, end), line, ...plain }) ? end + 1 : null;
    }
    return this.#quotedRecord(bytes, at, each);
  }

  #split(bytes: Buffer, at: number, end: number): Buffer[] {
    const { delimiter } = this.#rules;
    const fields: Buffer[] = [];
    let begin = at;
    for (let i = at; i < end; i++)
      if (bytes[i] === delimiter) {
        fields.push(bytes.subarray(begin, i));
        begin = i + 1;
      }
    fields.push(bytes.subarray(begin, end));
    return fields;
  }

  #quotedRecord(bytes: Buffer, start: number, each: (record: CsvRecord) => boolean): number | null {
    const { delimiter, looseQuotes, longest } = this.#rules;
    const fields: Buffer[] = [];
    let innerQuote = false;
    let swallowed = 0;
    let surely = false;
    let undone = false;
    let lines = 1;
    const give = (next: number) => {
      this.#line += lines;
      return each({ fields, line: this.#line - lines, innerQuote, swallowed, surely, undone }) ? next : null;
    };
    for (let at = start; ;) {
      if (bytes[at] === QUOTE) {
        let found = closingQuote(bytes, at + 1, this.#ended);
        if (found === -1 && looseQuotes && bytes.length - start > longest) found = null;
        if (found === -1) return this.#grown(bytes.length - start, this.#line + lines - 1);
        if (found === null && !looseQuotes) throw new UnclosedQuote(this.#line + lines - 1);
        const after = found === null ? undefined : bytes[found.close + 1];
        const closes = after === delimiter || after === NEWLINE || after === undefined;
        const inside = found !== null && closes ? this.#rowsIn(bytes, at + 1, found.close, fields) : NO_ROWS;
        const rows = inside.count;
        undone ||= looseQuotes && rows > 0;
        if (found !== null && closes && !(looseQuotes && rows > 0)) {
          const field = bytes.subarray(at + 1, found.close);
          fields.push(found.doubled ? undouble(field) : field);
          swallowed += rows;
          surely ||= inside.surely;
          lines += count(field, NEWLINE);
          at = found.close + 2;
          if (after === delimiter) continue;
          return give(at);
        }
        innerQuote ||= found !== null && !closes && !looseQuotes;
      }
      // Text up to the next delimiter or line end, whatever quotes it holds.
      let end = at;
      while (end < bytes.length && bytes[end] !== delimiter && bytes[end] !== NEWLINE) end++;
      if (end === bytes.length && !this.#ended) return this.#grown(bytes.length - start, this.#line);
      fields.push(bytes.subarray(at, end));
      at = end + 1;
      if (bytes[end] === delimiter) continue;
      return give(at);
    }
  }

  /**
   * Lines of a quoted field (but its first) that look like rows: all of them hold the delimiters of a row. One is enough in wide
   * tables, and where the first fields of the lines go on from that of the row; else a single such line may be meant, as writers quote it.
   */
  #rowsIn(bytes: Buffer, from: number, close: number, before: readonly Buffer[]): RowsInside {
    const { delimiter } = this.#rules;
    if (this.width < 2) return NO_ROWS;
    const names = before.length === 0 ? [] : [before[0].toString('latin1')];
    let rows = 0;
    const enough = (): RowsInside => {
      const surely = names.length > 1 && goOn(names);
      return rows >= (this.width > 3 || surely ? 1 : 2) ? { count: rows, surely } : NO_ROWS;
    };
    for (let begin = bytes.indexOf(NEWLINE, from) + 1; begin > 0 && begin <= close;) {
      const next = bytes.indexOf(NEWLINE, begin);
      const end = next < 0 ? bytes.length : next;
      const line = bytes.subarray(begin, end);
      if (count(line, delimiter) !== this.width - 1) return NO_ROWS;
      // The last line goes on behind the quote with the record's other fields: a row of its own has those that stand before as well.
      if (end > close && count(bytes.subarray(begin, close), delimiter) === 0)
        return before.length > 0 ? NO_ROWS : enough();
      if (names.length > 0) names.push(line.toString('latin1', 0, line.indexOf(delimiter)));
      rows++;
      begin = end + 1;
    }
    return enough();
  }

  /** A line of nothing, or of nothing but spaces (and tabs, where they part no fields). */
  #isBlank(bytes: Buffer, at: number, end: number): boolean {
    for (let i = at; i < end; i++) {
      const byte = bytes[i];
      if (byte === this.#rules.delimiter || (byte !== 32 && byte !== 9)) return false;
    }
    return true;
  }

  /** More bytes are needed: not beyond the longest field. */
  #grown(length: number, line = this.#line): -1 {
    if (length > this.#rules.longest) throw new UnclosedQuote(line);
    this.#needed = Math.min(2 * length, this.#rules.longest + 1);
    return -1;
  }
}
