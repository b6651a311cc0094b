/** Turns a RunFilter into SQL. Values are always bound, never part of the text. */

import type { SQLInputValue } from 'node:sqlite';
import { COMPARISONS } from '../../preload/contract/runs.ts';
import type { RunComparison, RunFilter } from '../../preload/contract/runs.ts';
import { StoreError } from './errors.ts';

/** Fields of a comparison or an order that are columns. */
const COLUMNS: Readonly<Record<string, string>> = {
  id: 'runs.id',
  name: 'runs.name',
  state: 'runs.state',
  seed: 'runs.seed',
  steps: 'runs.steps',
  tokens: 'runs.tokens',
  parameters: 'runs.parameters',
  attempt: 'runs.attempt',
  endReason: 'runs.end_reason',
  stopCause: 'runs.stop_cause',
  origin: 'runs.origin',
  createdAt: 'runs.created_at',
  startedAt: 'runs.started_at',
  endedAt: 'runs.ended_at',
};

export interface FilterSql {
  /** Everything from `WHERE` on. */
  readonly tail: string;
  readonly values: SQLInputValue[];
}

export function filterSql(filter: RunFilter): FilterSql {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...bound: SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  const deleted = filter.deleted ?? 'no';
  if (deleted !== 'any') add(`runs.deleted_at IS ${deleted === 'no' ? '' : 'NOT '}NULL`);
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
  for (const word of (filter.search ?? '').split(/\s+/).filter(Boolean)) {
    const like = `%${word.replace(/[\\%_]/g, '\\$&')}%`;
    const columns = ['runs.id', 'runs.name', 'runs.note', 'sweeps.name'];
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
    const { sql, bound } = fieldSql(filter.order.field);
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

function fieldSql(field: string): { sql: string; bound: SQLInputValue[] } {
  const column = Object.hasOwn(COLUMNS, field) ? COLUMNS[field] : undefined;
  if (column) return { sql: column, bound: [] };
  const summary = field.startsWith('summary.') || field.includes('/');
  const name = field.replace(/^summary\./, '');
  if (name === '' || name.includes('"')) {
    throw new StoreError('invalid', `"${field}" is neither a column, nor a setting, nor a metric`);
  }
  return { sql: `json_extract(runs.${summary ? 'summary' : 'config'}, ?)`, bound: [`$."${name}"`] };
}

function comparisonSql({ field, op, value }: RunComparison): { sql: string; bound: SQLInputValue[] } {
  if (!COMPARISONS.includes(op)) {
    throw new StoreError('invalid', `"${String(op)}" is not a comparison; use ${COMPARISONS.join(' ')}`);
  }
  const { sql, bound } = fieldSql(field);
  // SQLite's JSON functions return true and false as 1 and 0.
  const comparable = typeof value === 'boolean' ? Number(value) : value;
  return { sql: `${sql} ${op} ?`, bound: [...bound, comparable] };
}

/**
 * Reads `model.depth=4`, `val/loss < 2.3`, `name != "a b"`: a field, a comparison, and a value that is a number,
 * `true` or `false`, or else text (in quotes when it looks like one of those).
 */
export function parseComparison(text: string): RunComparison {
  const match = /^\s*([^\s=!<>]+)\s*(!=|<=|>=|==|=|<|>)\s*(.*?)\s*$/s.exec(text);
  if (!match) {
    throw new StoreError(
      'invalid',
      `"${text}" is not a condition; write a field, one of ${COMPARISONS.join(' ')}, and a value`,
    );
  }
  const [, field, sign, raw] = match;
  const op = (sign === '==' ? '=' : sign) as RunComparison['op'];
  const quoted = /^"(.*)"$|^'(.*)'$/s.exec(raw);
  if (quoted) return { field, op, value: quoted[1] ?? quoted[2] };
  if (raw === 'true' || raw === 'false') return { field, op, value: raw === 'true' };
  return { field, op, value: raw !== '' && Number.isFinite(Number(raw)) ? Number(raw) : raw };
}
