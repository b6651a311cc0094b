/**
 * Rows of JSON lines, or of a JSON list of objects. Objects within objects are parted by a dot: `{ config: { lr: 1 } }` has the column
 * `config.lr`. Where objects say what they tell of (`event`), it stands before their names: the `loss` of a `validation_step` is `val/loss`.
 */
import { parseLooseJson } from '../../../../preload/shared/looseJson.ts';
import { linesOf, textOf } from '../files.ts';
import type { ImportFile } from '../files.ts';
import { parsePython } from '../python.ts';
import { isFields } from '../values.ts';
import type { Cell, Fields } from '../values.ts';
import type { RowSource, RowTaker } from './rows.ts';

export const MOST_COLUMNS = 20_000;
const DEEPEST = 16;
const LONGEST_NAME = 200;
/** Keys that all events have in common. */
const COMMON = /^(?:_?step|global_step|iter(?:ation)?|epoch|_?timestamp|time|ts|seed|run(?:_id|_name)?|max_steps)$/iu;
const NO_METRIC = /^(?:prnt|print|level|logger|message|msg|name|pid|host|hostname|pathname|lineno|module)$/iu;

/** `training_step` → `train`, `validation_step` → `val`; else the event itself. */
function eventPrefix(event: string): string {
  if (/^train/iu.test(event)) return 'train';
  if (/^val/iu.test(event)) return 'val';
  if (/^eval/iu.test(event)) return 'eval';
  if (/^test/iu.test(event)) return 'test';
  return event;
}

export class JsonColumns {
  readonly columns: string[] = [];
  readonly #index = new Map<string, number>();
  #left = 0;

  /** Entries that were left out: too many columns, too deep, too long a name. */
  get left(): number {
    return this.#left;
  }

  cells(object: Fields): Cell[] {
    const cells: Cell[] = [];
    const event = typeof object.event === 'string' ? object.event : undefined;
    for (const [key, value] of Object.entries(object)) {
      if (event !== undefined && (key === 'event' || NO_METRIC.test(key))) continue;
      const name = event === undefined || COMMON.test(key) ? key : `${eventPrefix(event)}/${key}`;
      this.#put(cells, name, value, 0);
    }
    return cells;
  }

  #put(cells: Cell[], name: string, value: unknown, depth: number): void {
    if (isFields(value) && !('_type' in value)) {
      if (depth >= DEEPEST) this.#left++;
      else for (const [key, inner] of Object.entries(value)) this.#put(cells, `${name}.${key}`, inner, depth + 1);
      return;
    }
    const cell = cellOf(value);
    if (cell === undefined) return;
    let at = this.#index.get(name);
    if (at === undefined) {
      if (this.columns.length >= MOST_COLUMNS || name.length > LONGEST_NAME) return void this.#left++;
      at = this.columns.length;
      this.#index.set(name, at);
      this.columns.push(name);
    }
    cells[at] = cell;
  }
}

const cellOf = (value: unknown): Cell =>
  value === null || value === undefined
    ? undefined
    : typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : JSON.stringify(value);

/** @throws SyntaxError for what is neither JSON nor an object of Python */
export function parseLine(text: string): unknown {
  try {
    return parseLooseJson(text);
  } catch (error) {
    if (!text.startsWith('{')) throw error;
    return parsePython(text);
  }
}

function parsedLine(text: string): unknown {
  try {
    return parseLine(text);
  } catch {
    return undefined;
  }
}

function giveRow(columns: JsonColumns, value: unknown, line: number, take: RowTaker): void {
  if (!isFields(value)) return take.bad('rows that are no objects, left out', line);
  const left = columns.left;
  const cells = columns.cells(value);
  if (columns.left > left) take.bad('entries left out: too deep, too many, or too long a name', line);
  take.row({ cells, line });
}

export function jsonLineRows(file: ImportFile): RowSource {
  const columns = new JsonColumns();
  return {
    file,
    columns: columns.columns,
    decimalComma: false,
    each: async (take) => {
      const onLong = (line: number): void => take.bad('lines that are too long, left out', line);
      for await (const { first, lines } of linesOf(textOf(file), onLong)) {
        lines.forEach((text, i) => {
          const trimmed = text.trim();
          if (trimmed === '') return;
          const value = parsedLine(trimmed);
          if (value === undefined) take.bad('lines that are no JSON, left out', first + i);
          else giveRow(columns, value, first + i, take);
        });
        await take.pause();
      }
    },
  };
}

/** Of a list that was read whole. */
export function jsonListRows(file: ImportFile, list: readonly unknown[]): RowSource {
  const columns = new JsonColumns();
  return {
    file,
    columns: columns.columns,
    decimalComma: false,
    each: async (take) => {
      for (const [i, value] of list.entries()) {
        giveRow(columns, value, i + 1, take);
        if (i % 1000 === 999) await take.pause();
      }
    },
  };
}
