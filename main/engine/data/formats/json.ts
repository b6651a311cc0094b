/**
 * JSON files: a list of objects or strings, several values one after another (JSON lines under another name), or one object that holds
 * lists or columns. Lists of any length are read value by value.
 */
import { counted } from '../../../../preload/shared/format.ts';
import type { Documents } from '../corpusBuilder.ts';
import { LIMITS, words } from '../limits.ts';
import { ByteWindow } from './byteWindow.ts';
import { addValue, columnsOf, missingColumn, valueAt } from './columns.ts';
import type { Format, FormatInput } from './format.ts';
import { addJsonRow } from './jsonRow.ts';
import { ValueScanner, skipSpace } from './jsonScanner.ts';
import { jsonReason, parseJson } from './jsonValue.ts';

const ALLOWED = 'a list of objects, one object a line, or an object that holds a list';
const COMMA = 44;
const LIST = 0x5b;
const LIST_END = 0x5d;

/** The values of a file as they are written, and whether they stand in a list. */
class Values {
  readonly #input: FormatInput;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #window = new ByteWindow();
  readonly #scanner = new ValueScanner();
  #ended = false;
  inList = false;
  count = 0;

  constructor(input: FormatInput) {
    this.#input = input;
    this.#chunks = input.text[Symbol.asyncIterator]();
  }

  /** The next value, null at the end. */
  async next(): Promise<string | null> {
    let byte = await this.#peek();
    if (this.count === 0 && byte === LIST) {
      this.inList = true;
      this.#window.drop(1);
      byte = await this.#peek();
    } else if (this.count > 0 && this.inList) {
      if (byte !== COMMA && byte !== LIST_END) throw this.#broken('a comma is missing', byte < 0);
      if (byte === COMMA) {
        this.#window.drop(1);
        byte = await this.#peek();
        if (byte === LIST_END) throw this.#broken('a comma too many', false);
      }
    }
    if (this.inList && byte === LIST_END) {
      this.#window.drop(1);
      if ((await this.#peek()) >= 0) throw this.#broken('something follows the list', false);
      return null;
    }
    if (byte < 0) {
      if (this.inList) throw this.#broken('', true);
      return null;
    }
    this.count++;
    return this.#value();
  }

  /** Whether anything but white space is left. */
  async more(): Promise<boolean> {
    return (await this.#peek()) >= 0;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #value(): Promise<string> {
    for (;;) {
      const { bytes } = this.#window;
      const end = this.#scanner.end(bytes, this.#ended);
      if (end >= 0) {
        const text = bytes.toString('utf8', 0, end);
        this.#window.drop(end);
        return text;
      }
      if (bytes.length > LIMITS.row)
        throw this.#input.error(`value ${this.count} is longer than ${words(LIMITS.row)}.`, ALLOWED);
      await this.#fill();
    }
  }

  /** The next byte that is no white space, −1 at the end. */
  async #peek(): Promise<number> {
    for (;;) {
      const { bytes } = this.#window;
      const at = skipSpace(bytes, 0);
      const next = at < bytes.length ? bytes[at] : -1;
      this.#window.drop(at);
      if (next >= 0 || this.#ended) return next;
      await this.#fill();
    }
  }

  async #fill(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done === true) this.#ended = true;
    else this.#window.append(value);
  }

  #broken(what: string, cut: boolean): Error {
    const why = cut ? 'it ends too early: is it complete?' : `${what} after value ${this.count}`;
    return this.#input.error(`not a JSON file (${why}).`, ALLOWED);
  }
}

function parse(text: string, row: number, input: FormatInput): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw input.error(`not a JSON file (value ${row}: ${jsonReason(error)}).`, ALLOWED);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** The rows of a list, or of an object whose keys are row numbers (as pandas writes tables). */
function rowsOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isRecord(value)) return null;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^\d+$/.test(key)) ? Object.values(value) : null;
}

/**
 * An object at the top: its only list of objects (or the one that the column's first name tells) holds the rows; or the column
 * itself is a list of texts. An object with the text itself is one row.
 */
function readObject(
  value: Readonly<Record<string, unknown>>,
  json: string,
  input: FormatInput,
  documents: Documents,
): void {
  const { column } = input;
  const own = valueAt(value, column);
  const texts = rowsOf(own);
  if (texts !== null) {
    texts.every((text, i) => addValue(text, input, documents, i + 1));
    return;
  }
  if (own !== undefined) {
    addJsonRow(value, json, input, documents, 1, true);
    return;
  }
  const indexed = rowsOf(value);
  if (indexed !== null) {
    indexed.every((row, i) => addJsonRow(row, JSON.stringify(row), input, documents, i + 1, i === 0));
    return;
  }
  const lists = Object.entries(value).filter(([, list]) => Array.isArray(list) && list.some(isRecord)) as [
    string,
    unknown[],
  ][];
  const named = lists.find(([name]) => column.startsWith(`${name}.`));
  if (named === undefined && lists.length !== 1) {
    if (lists.length === 0) throw missingColumn(input, columnsOf(value));
    const columns = lists.flatMap(([name, list]) => columnsOf(list.find(isRecord)).map((inner) => `${name}.${inner}`));
    throw missingColumn(input, columns, undefined, ` It holds ${counted(lists.length, 'list')}.`);
  }
  const [name, rows] = named ?? lists[0];
  const inner = named === undefined ? column : column.slice(name.length + 1);
  const rowInput = { ...input, column: inner };
  rows.every((row, i) => addJsonRow(row, JSON.stringify(row), rowInput, documents, i + 1, i === 0));
}

async function read(input: FormatInput, documents: Documents): Promise<void> {
  const values = new Values(input);
  try {
    for (let first = true; ; first = false) {
      const text = await values.next();
      if (text === null) break;
      const value = parse(text, values.count, input);
      if (first && !values.inList && isRecord(value) && !(await values.more())) {
        readObject(value, text, input, documents);
        return;
      }
      if (!addJsonRow(value, text, input, documents, values.count, first)) return;
    }
  } finally {
    await values.close();
  }
}

export const json: Format = {
  name: 'json',
  title: 'JSON',
  help: 'one list of objects, or an object that holds it; data.column names the field with the text',
  extensions: ['.json'],
  reads: 'text',
  read,
};
