/**
 * Many runs as one table, column by column. Runs of a sweep share nearly all of their 80 settings: as records, 2,000 runs are 6 MB of
 * mostly the same words; as a table, what is the same for all is written once.
 */
import type { RunRecord } from './runs.ts';

/** One field of all rows. */
interface Column {
  /** Rows that have the field, where not all do. */
  readonly rows?: readonly number[];
  /** What all of these rows hold … */
  readonly same?: unknown;
  /** … or what each of them holds. */
  readonly values?: readonly unknown[];
}
export type Table = readonly (readonly [name: string, column: Column])[];

/** Fields that are records themselves, with fields of their own. */
const NESTED = ['config', 'summary', 'environment'] as const;

export interface RunTable {
  readonly count: number;
  readonly fields: Table;
  readonly nested: Readonly<Record<(typeof NESTED)[number], Table>>;
}

type Fields = Readonly<Record<string, unknown>>;

/** A column as it is found. Most are the same for all rows and lack none: of these nothing is kept but the first value and how many there are. */
interface Growing {
  readonly name: string;
  readonly first: unknown;
  length: number;
  /** From the first value on that is another. */
  values: unknown[] | undefined;
  /** From the first row on that lacks the field. */
  rows: number[] | undefined;
}

function add(column: Growing, row: number, value: unknown): void {
  const { length } = column;
  if (column.rows === undefined && row !== length) column.rows = Array.from({ length }, (_, i) => i);
  // Lists, such as tags, are never the same one.
  if (column.values === undefined && !(Object.is(value, column.first) && (typeof value !== 'object' || value === null)))
    column.values = Array.from({ length }, () => column.first);
  column.rows?.push(row);
  column.values?.push(value);
  column.length = length + 1;
}

function pack(records: readonly Fields[]): Table {
  const found = new Map<string, Growing>();
  const columnOf = (name: string, first: unknown): Growing => {
    const column = found.get(name) ?? { name, first, length: 0, values: undefined, rows: undefined };
    found.set(name, column);
    return column;
  };
  // Most records have the fields of the one before, so that nothing needs to be looked up by its name.
  let columns: (Growing | undefined)[] = [];
  let before: readonly string[] = [];
  records.forEach((record, row) => {
    const names = Object.keys(record);
    if (names.length !== before.length || names.some((name, i) => name !== before[i])) {
      before = names;
      columns = names.map((name) => found.get(name));
    }
    for (let i = 0; i < names.length; i++) {
      const value = record[names[i]];
      if (value !== undefined) add((columns[i] ??= columnOf(names[i], value)), row, value);
    }
  });
  return [...found.values()].map(({ name, first, length, values, rows }) => {
    const held: Column = {
      ...(rows === undefined && length === records.length ? {} : { rows: rows ?? Array.from({ length }, (_, i) => i) }),
      ...(values === undefined ? { same: first } : { values }),
    };
    return [name, held] as const;
  });
}

function unpack(table: Table, count: number): Record<string, unknown>[] {
  // What is the same for all is copied at once.
  const shared = Object.fromEntries(
    table.flatMap(([name, { rows, values, same }]) =>
      rows === undefined && values === undefined ? [[name, same]] : [],
    ),
  );
  const records = Array.from({ length: count }, (): Record<string, unknown> => ({ ...shared }));
  for (const [name, { rows, same, values }] of table) {
    if (rows === undefined && values === undefined) continue;
    const length = rows?.length ?? count;
    for (let i = 0; i < length; i++) records[rows?.[i] ?? i][name] = values === undefined ? same : values[i];
  }
  return records;
}

export function packRuns(runs: readonly RunRecord[]): RunTable {
  return {
    count: runs.length,
    fields: pack(runs.map(({ config: _config, summary: _summary, environment: _environment, ...fields }) => fields)),
    nested: {
      config: pack(runs.map(({ config }) => config)),
      summary: pack(runs.map(({ summary }) => summary)),
      environment: pack(runs.map(({ environment }) => environment)),
    },
  };
}

/** The runs as they were packed; the order of fields may be another. */
export function unpackRuns({ count, fields, nested }: RunTable): RunRecord[] {
  const records = unpack(fields, count);
  for (const name of NESTED) {
    const own = unpack(nested[name], count);
    for (let row = 0; row < count; row++) records[row][name] = own[row];
  }
  return records as unknown as RunRecord[];
}
