/** Turns a RunFilter into SQL. Values are always bound, never part of the text. `matchesRun` of preload/shared answers the same. */
import type { SQLInputValue } from 'node:sqlite';
import { LIMITS } from '../../preload/contract/limits.ts';
import { COMPARISONS } from '../../preload/contract/runs.ts';
import type { RunComparison, RunFilter } from '../../preload/contract/runs.ts';
import { wordsOf } from '../../preload/shared/runFilter.ts';
import { StoreError } from './errors.ts';
import { IS_UNFINISHED } from './unfinished.ts';

/** Columns of runs by their names in a comparison or an order. Together with those below: RUN_COLUMNS of preload/shared/runFilter.ts. */
const COLUMNS: Readonly<Record<string, string>> = {
  id: 'runs.id',
  name: 'runs.name',
  state: 'runs.state',
  seed: 'runs.seed',
  steps: 'runs.steps',
  tokens: 'runs.tokens',
  parameters: 'runs.parameters',
  attempt: 'runs.attempt',
  note: 'runs.note',
  endReason: 'runs.end_reason',
  stopCause: 'runs.stop_cause',
  origin: 'runs.origin',
  // `secondsOf` of preload/shared/runTime.ts.
  time: `CASE WHEN coalesce(runs.started_at, runs.session_at) IS NOT NULL
    THEN (runs.trained + coalesce(max(0, CAST(unixepoch('subsec') * 1000 AS INTEGER) - runs.session_at), 0)) / 1000.0 END`,
  createdAt: 'runs.created_at',
  startedAt: 'runs.started_at',
  endedAt: 'runs.ended_at',
};

interface Sql {
  readonly sql: string;
  readonly bound: readonly SQLInputValue[];
}

export interface FilterSql {
  /** Everything from `WHERE` on. */
  readonly tail: string;
  readonly values: SQLInputValue[];
}

export function filterSql(filter: RunFilter): FilterSql {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...bound: readonly SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  const deleted = filter.deleted ?? 'no';
  if (deleted !== 'any') add(`runs.deleted_at IS ${deleted === 'no' ? '' : 'NOT '}NULL`);
  // What is being filled is in no bin that anybody may see, or empty.
  if (deleted !== 'no') add(`runs.key NOT IN (SELECT run FROM outside WHERE run IS NOT NULL AND ${IS_UNFINISHED})`);
  // One JSON array instead of many parameters: their number is limited.
  if (filter.ids) add('runs.id IN (SELECT value FROM json_each(?))', JSON.stringify(filter.ids));
  if (filter.state !== undefined) {
    add('runs.state IN (SELECT value FROM json_each(?))', JSON.stringify([filter.state].flat()));
  }
  if (filter.sweepId !== undefined) add('sweeps.id = ?', filter.sweepId);
  if (filter.settingKey !== undefined) add('runs.setting_key = ?', filter.settingKey);
  for (const tag of filter.tags ?? []) add('runs.key IN (SELECT run FROM tags WHERE tag = ?)', tag);
  for (const comparison of filter.where ?? []) {
    const { sql, bound } = comparisonSql(comparison);
    add(sql, ...bound);
  }
  const words = wordsOf(filter);
  // Each is looked for in every text of every run.
  if (words.length > LIMITS.searchWords)
    throw new StoreError('invalid', `the search has ${words.length} words; allowed: at most ${LIMITS.searchWords}`);
  for (const word of words) {
    const like = likeOf(word);
    const columns = ['runs.id', 'runs.name', 'runs.note', 'runs.state', 'runs.end_reason', 'sweeps.name'];
    const texts = columns.map((column) => `${column} LIKE ? ESCAPE '\\'`);
    add(
      `(${texts.join(' OR ')} OR runs.key IN (SELECT run FROM tags WHERE tag LIKE ? ESCAPE '\\'))`,
      ...columns.map(() => like),
      like,
    );
  }
  let tail = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const direction = filter.order?.descending ? 'DESC' : 'ASC';
  if (filter.order) {
    const { sql, bound } = orderSql(filter.order.field);
    tail += ` ORDER BY ${sql} ${direction} NULLS LAST, runs.key ${direction}`;
    values.push(...bound);
  } else tail += ' ORDER BY runs.key';
  tail += ' LIMIT ? OFFSET ?';
  values.push(limit('limit', filter.limit ?? -1, -1), limit('offset', filter.offset ?? 0, 0));
  return { tail, values };
}

function limit(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new StoreError('invalid', `${name} is ${value}; it must be a whole number from 0 on`);
}

/** Text anywhere in a text; wildcards are letters like others. */
const likeOf = (text: string): string => `%${text.replaceAll(/[\\%_]/gu, String.raw`\$&`)}%`;

/** A setting or a metric: a value of a JSON column. */
function jsonPath(field: string): { readonly column: string; readonly path: string } {
  const metric = field.startsWith('summary.') || (!field.startsWith('config.') && field.includes('/'));
  const name = field.replace(/^(summary|config)\./u, '');
  if (name === '' || name.includes('"'))
    throw new StoreError('invalid', `"${field}" is neither a column, nor a setting, nor a metric`);
  return { column: metric ? 'runs.summary' : 'runs.config', path: `$."${name}"` };
}

function orderSql(field: string): Sql {
  if (Object.hasOwn(COLUMNS, field)) return { sql: COLUMNS[field], bound: [] };
  if (field === 'sweep') return { sql: 'sweeps.name', bound: [] };
  if (field === 'tags')
    return {
      sql: '(SELECT group_concat(tag) FROM (SELECT tag FROM tags WHERE run = runs.key ORDER BY tag))',
      bound: [],
    };
  const { column, path } = jsonPath(field);
  return { sql: `json_extract(${column}, ?)`, bound: [path] };
}

function comparisonSql(comparison: RunComparison): Sql {
  const { field, op } = comparison;
  if (!COMPARISONS.includes(op)) {
    throw new StoreError('invalid', `"${String(op)}" is not a comparison; use ${COMPARISONS.join(' ')}`);
  }
  if (field === 'tags') return tagsSql(comparison);
  if (field === 'sweep') return sweepSql(comparison);
  if (Object.hasOwn(COLUMNS, field)) {
    const column = COLUMNS[field];
    // Columns hold one type each, so it is that of the value that is there.
    const text = textSql(column, comparison);
    const number = numberSql(column, comparison);
    return {
      sql: `CASE typeof(${column}) WHEN 'text' THEN ${text.sql} WHEN 'null' THEN 0 ELSE ${number.sql} END`,
      bound: [...text.bound, ...number.bound],
    };
  }
  return jsonSql(comparison);
}

/** Values of settings and metrics have the type that they have in JSON, which is compared with that of the value. */
function jsonSql(comparison: RunComparison): Sql {
  const { column, path } = jsonPath(comparison.field);
  const extract = `json_extract(${column}, ?)`;
  const text = textSql(extract, comparison);
  const number = numberSql(extract, comparison);
  const truth = (there: boolean): string => {
    const { op, value } = comparison;
    const same = value === there;
    return (op === '!=' ? !same : (op === '=' || op === ':') && same) ? '1' : '0';
  };
  return {
    sql: `CASE json_type(${column}, ?) WHEN 'text' THEN ${text.sql} WHEN 'integer' THEN ${number.sql} WHEN 'real' THEN ${number.sql}
      WHEN 'true' THEN ${truth(true)} WHEN 'false' THEN ${truth(false)} ELSE 0 END`,
    bound: [path, ...withPath(text, path), ...withPath(number, path), ...withPath(number, path)],
  };
}

/** The path stands before the value wherever the expression that holds it does. */
const withPath = ({ sql, bound }: Sql, path: string): SQLInputValue[] => (sql.includes('?') ? [path, ...bound] : []);

function textSql(expression: string, { op, value }: RunComparison): Sql {
  const wanted = String(value);
  if (op === '=' || op === '!=') return { sql: `${expression} ${op} ? COLLATE NOCASE`, bound: [wanted] };
  // Text has no order that both sides of the wire would agree on.
  return op === ':' ? { sql: `${expression} LIKE ? ESCAPE '\\'`, bound: [likeOf(wanted)] } : { sql: '0', bound: [] };
}

function numberSql(expression: string, { op, value }: RunComparison): Sql {
  if (typeof value !== 'number') return { sql: op === '!=' ? '1' : '0', bound: [] };
  return { sql: `${expression} ${op === ':' ? '=' : op} ?`, bound: [value] };
}

function tagsSql(comparison: RunComparison): Sql {
  const any = textSql('tag', { ...comparison, op: comparison.op === '!=' ? '=' : comparison.op });
  const with_ = `EXISTS (SELECT 1 FROM tags WHERE run = runs.key AND ${any.sql})`;
  const sql = comparison.op === '!=' ? `(NOT ${with_} AND EXISTS (SELECT 1 FROM tags WHERE run = runs.key))` : with_;
  return { sql, bound: any.bound };
}

/** By its name or its id. */
function sweepSql(comparison: RunComparison): Sql {
  const parts = ['sweeps.id', 'sweeps.name'].map((column) => textSql(column, comparison));
  const both = parts.map(({ sql }) => sql).join(comparison.op === '!=' ? ' AND ' : ' OR ');
  return { sql: `(sweeps.id IS NOT NULL AND (${both}))`, bound: parts.flatMap(({ bound }) => bound) };
}
