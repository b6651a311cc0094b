/**
 * The one language in which lists of runs are searched: `sweeplab runs ls --where`, the list of the board, the queries of the store.
 *
 *     warm "long run"          words, in the id, name, note, state, reason, tags, or the name of the sweep
 *     depth=4  lr<=1e-3        a setting or a metric by its name or the last part of it, a column by the title that tables show
 *     state:fail  tag:base     `:` is "contains" for text
 *
 * A text is read once into a RunFilter, against the names that there are. The store turns that into SQL (main/store/filter.ts), lists in
 * memory ask `matchesRun`: both give the same answer. What is not there matches no condition, also not `!=`.
 */
import { COMPARISONS } from '../contract/runs.ts';
import type { RunComparison, RunFilter, RunRecord } from '../contract/runs.ts';
import type { SettingSpec, SettingValue } from '../contract/settings.ts';
import type { MetricCatalog } from './metrics.ts';
import { nearestName } from './settings/nearest.ts';
import { secondsOf } from './runTime.ts';
import { parseNumber, readBoolean, unescapeText } from './settings/values.ts';

type ValueKind = 'number' | 'boolean' | 'text' | 'time';

/** Columns of a run by their names, and by the titles under which tables show them. */
export const RUN_COLUMNS: Readonly<Record<string, ValueKind>> = {
  id: 'text',
  name: 'text',
  state: 'text',
  seed: 'number',
  steps: 'number',
  tokens: 'number',
  parameters: 'number',
  attempt: 'number',
  note: 'text',
  endReason: 'text',
  stopCause: 'text',
  origin: 'text',
  sweep: 'text',
  tags: 'text',
  /** Seconds that it trained. */
  time: 'number',
  createdAt: 'time',
  startedAt: 'time',
  endedAt: 'time',
};
const TITLES: Readonly<Record<string, string>> = {
  tag: 'tags',
  reason: 'endReason',
  created: 'createdAt',
  started: 'startedAt',
  ended: 'endedAt',
  duration: 'time',
};

/** Metrics that a condition can name before any run has logged them; of a family there is no telling. */
export const metricNames = ({ specs }: MetricCatalog): string[] =>
  specs.map(({ name }) => name).filter((name) => !name.includes('*'));

/** The names that a condition can mean. */
export interface FilterNames {
  /** Of every setting, with what its values are. */
  readonly settings: ReadonlyMap<string, 'number' | 'boolean' | 'text'>;
  /** Metrics that are known. One with a slash is also taken when it is not. */
  readonly metrics: readonly string[];
}

/** A part of a text that could not be read. */
export interface FilterProblem {
  readonly text: string;
  /** What is wrong, and the nearest that would be right. */
  readonly message: string;
}

export type ParsedFilter = Pick<RunFilter, 'where' | 'words'> & { readonly problems: readonly FilterProblem[] };

/** What a search can say, for the help beside it. */
export const SEARCH_HELP: readonly (readonly [string, string])[] = [
  ['warm long', 'both words in the name, note, tags, state, reason, sweep or id'],
  ['depth=4', 'a setting, by its whole name or the last part'],
  ['lr>1e-3 lr<=3e-3', 'a range; != for anything else'],
  ['bpb<2.5', 'the last value of a metric'],
  ['tag:baseline', 'runs with a tag that contains it; tag="my tag" for exactly this one'],
  ['state:failed', 'queued, running, finished, stopped or failed'],
  ['time>3600 seed=2', 'columns: seed, steps, tokens, time in seconds, created>2026-03-01 …'],
];

/** What the values of a setting are. */
export const valueKindOf = ({ type }: SettingSpec): 'number' | 'boolean' | 'text' =>
  type.kind === 'int' || type.kind === 'float' ? 'number' : type.kind === 'bool' ? 'boolean' : 'text';

/** Names as they occur in runs, which may be of any origin, with those that are declared. What the declarations say comes first. */
export function namesOf(
  runs: readonly Pick<RunRecord, 'config' | 'summary'>[],
  declared: Partial<FilterNames> = {},
): FilterNames {
  const settings = new Map<string, 'number' | 'boolean' | 'text'>();
  const metrics = new Set(declared.metrics);
  for (const { config, summary } of runs) {
    for (const [name, value] of Object.entries(config))
      if (!settings.has(name) || typeof value === 'string')
        settings.set(name, typeof value === 'string' ? 'text' : (typeof value as 'number' | 'boolean'));
    for (const name of Object.keys(summary)) metrics.add(name);
  }
  for (const [name, kind] of declared.settings ?? []) settings.set(name, kind);
  return { settings, metrics: [...metrics] };
}

const lastPart = (name: string, separator: string): string => name.slice(name.lastIndexOf(separator) + 1);

type Resolved = { readonly field: string; readonly kind: ValueKind } | { readonly problem: string };

/**
 * What a name means: a column, a setting, a metric, by the whole name or the last part. A setting comes before a metric of the same last
 * name (`lr` is the one that was set, not the one of the last step), but the results of evaluations (`loss`, `bpb`) and plain metrics
 * (`seconds`) before the rule to stop at one.
 */
export function resolveField(name: string, { settings, metrics }: FilterNames): Resolved {
  const column = TITLES[name] ?? name;
  if (Object.hasOwn(RUN_COLUMNS, column)) return { field: column, kind: RUN_COLUMNS[column] };
  const setting = (found: string): Resolved => ({ field: `config.${found}`, kind: settings.get(found) ?? 'text' });
  const metric = (found: string): Resolved => ({ field: `summary.${found}`, kind: 'number' });
  if (name.startsWith('config.') && settings.has(name.slice(7))) return setting(name.slice(7));
  if (name.startsWith('summary.') && name.length > 8) return metric(name.slice(8));
  if (settings.has(name)) return setting(name);
  if (name.includes('/')) return metric(name);
  if (metrics.includes(`val/${name}`)) return metric(`val/${name}`);
  const plain = metrics.includes(name);
  const meant = [...settings.keys()].filter(
    (each) => lastPart(each, '.') === name && !(plain && each.startsWith('stop.')),
  );
  if (meant.length === 1) return setting(meant[0]);
  if (meant.length > 1) return { problem: `${name} can be ${meant.slice(0, -1).join(', ')} or ${meant.at(-1)}` };
  if (plain) return metric(name);
  const measured = metrics.filter((each) => lastPart(each, '/') === name);
  if (measured.length === 1) return metric(measured[0]);
  if (measured.length > 1)
    return { problem: `${name} can be ${measured.slice(0, -1).join(', ')} or ${measured.at(-1)}` };
  const near = nearestName(name, [...Object.keys(RUN_COLUMNS), ...Object.keys(TITLES), ...settings.keys(), ...metrics]);
  return {
    problem: `${name} is no column, setting or metric${near === undefined ? '' : `; nearest: ${near}`}`,
  };
}

/** 2026-03-01, or with a time of day: local. NaN when it is no date. */
function parseTime(text: string): number {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}))?$/u.exec(text.trim());
  if (found === null) return Number.NaN;
  const [year, month, day, hour = 0, minute = 0] = found
    .slice(1)
    .map((part) => (part === undefined ? 0 : Number(part)));
  return new Date(year, month - 1, day, hour, minute).getTime();
}

/** The value of a condition, or what is wrong with it. `quoted` text is never a number. */
function readValue(raw: string, kind: ValueKind, op: string): { value: SettingValue } | { problem: string } {
  const quoted = /^"(.*)"$|^'(.*)'$/su.exec(raw);
  const text = quoted?.[1] ?? quoted?.[2] ?? raw;
  if (text === '' && quoted === null) return { problem: 'a value is missing' };
  if (kind === 'text') {
    if (op.startsWith('<') || op.startsWith('>')) return { problem: `${op} needs numbers, and this is text` };
    return { value: unescapeText(text) };
  }
  if (kind === 'boolean') {
    const value = readBoolean(text);
    return value === undefined ? { problem: `${JSON.stringify(text)} is neither true nor false` } : { value };
  }
  const time = kind === 'time' ? parseTime(text) : Number.NaN;
  const value = Number.isNaN(time) ? parseNumber(text) : time;
  if (!Number.isNaN(value)) return { value };
  return {
    problem: `${JSON.stringify(text)} is no number${kind === 'time' ? ', and no date such as 2026-03-01' : ''}`,
  };
}

type ReadCondition = RunComparison | { readonly problem: string };

function readCondition(name: string, sign: string, raw: string, names: FilterNames): ReadCondition {
  const resolved = resolveField(name, names);
  if ('problem' in resolved) return resolved;
  const op = (sign === '==' ? '=' : sign) as RunComparison['op'];
  // Numbers contain nothing: `seed:2` is `seed=2`.
  const contains = op === ':' && resolved.kind !== 'text' ? '=' : op;
  const read = readValue(raw, resolved.kind, op);
  if ('problem' in read) return { problem: `${name}${sign}: ${read.problem}` };
  return { field: resolved.field, op: contains, value: read.value };
}

const SIGNS = '<=|>=|!=|==|=|<|>|:';
const CONDITION = new RegExp(String.raw`^\s*([^\s=!<>:"']+)\s*(${SIGNS})\s*(.*?)\s*$`, 'su');

/** One condition, whose value reaches to the end of the text: `data.corpus=my file.txt`. */
export function parseCondition(text: string, names: FilterNames): RunComparison | FilterProblem {
  const found = CONDITION.exec(text);
  if (found === null)
    return {
      text,
      message: `"${text}" is not a condition; write a field, one of ${COMPARISONS.join(' ')}, and a value`,
    };
  const [, name, sign, raw] = found;
  const read = readCondition(name, sign, raw, names);
  return 'problem' in read ? { text, message: read.problem } : read;
}

const QUOTED = String.raw`"[^"]*"|'[^']*'`;
const TERM = new RegExp(String.raw`([^\s=!<>:"']+)\s*(${SIGNS})\s*(${QUOTED}|[^\s"'=<>]+)|(${QUOTED})|(\S+)`, 'gu');

/** A whole search: words and conditions, of which all must hold. Parts that cannot be read are left out and told. */
export function parseSearch(text: string, names: FilterNames): ParsedFilter {
  const where: RunComparison[] = [];
  const words: string[] = [];
  const problems: FilterProblem[] = [];
  for (const [term, name, sign, raw, quoted, word] of text.matchAll(TERM)) {
    if (name === undefined) {
      const plain = quoted?.slice(1, -1) ?? word;
      // Somebody is still typing.
      const open = quoted === undefined ? new RegExp(String.raw`^[^\s=!<>:]+(${SIGNS})$`, 'u').exec(plain) : null;
      if (open !== null) problems.push({ text: term, message: `${plain}: a value is missing` });
      else if (plain !== '') words.push(plain);
      continue;
    }
    const read = readCondition(name, sign, raw, names);
    if (!('problem' in read)) where.push(read);
    // An address or a time of day is no condition.
    else if (sign === ':' && 'problem' in resolveField(name, names)) words.push(term);
    else problems.push({ text: term, message: read.problem });
  }
  return { where, words, problems };
}

/** A condition as it is typed: `tag="my tag"`. */
export const termOf = (field: string, sign: string, value: string): string =>
  /[\s"'=<>:!]/u.test(value) ? `${field}${sign}"${value.replaceAll('"', '')}"` : `${field}${sign}${value}`;

const termsOf = (search: string): string[] => [...search.matchAll(TERM)].map(([term]) => term);

export const hasTerm = (search: string, term: string): boolean => termsOf(search).includes(term);

/** A search with one more term, or without it. */
export function toggleTerm(search: string, term: string): string {
  const terms = termsOf(search);
  return (terms.includes(term) ? terms.filter((each) => each !== term) : [...terms, term]).join(' ');
}

/** Case does not matter for the letters of English, as in SQLite. */
const fold = (text: string): string => text.replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());

/** What the store knows beside the run. */
export interface RunContext {
  readonly sweepName?: (sweepId: string) => string | undefined;
}

type FieldValues = readonly (SettingValue | null | undefined)[];

/** The value of a field; several where one is enough. */
function valuesOf(run: RunRecord, field: string, { sweepName }: RunContext): FieldValues {
  switch (field) {
    case 'tags':
      return run.tags;
    case 'sweep':
      return run.sweepId === null ? [] : [run.sweepId, sweepName?.(run.sweepId)];
    case 'time':
      return [secondsOf(run)];
  }
  if (Object.hasOwn(RUN_COLUMNS, field)) return [run[field as 'name' | 'steps']];
  if (field.startsWith('summary.')) return [run.summary[field.slice(8)]];
  if (field.startsWith('config.')) return [run.config[field.slice(7)]];
  // As they were written before: a metric has a slash.
  return [field.includes('/') ? run.summary[field] : run.config[field]];
}

/** Whether a value that is there is as wanted; values of different types are different, and in no order. */
function holds(value: SettingValue, op: RunComparison['op'], wanted: SettingValue): boolean {
  if (typeof value === 'string') {
    const [a, b] = [fold(value), fold(String(wanted))];
    return op === '=' ? a === b : op === '!=' ? a !== b : op === ':' && a.includes(b);
  }
  if (typeof value !== typeof wanted) return op === '!=';
  switch (op) {
    case '=':
    case ':':
      return value === wanted;
    case '!=':
      return value !== wanted;
  }
  if (typeof value !== 'number' || typeof wanted !== 'number') return false;
  return op === '<' ? value < wanted : op === '<=' ? value <= wanted : op === '>' ? value > wanted : value >= wanted;
}

function satisfies(run: RunRecord, { field, op, value }: RunComparison, context: RunContext): boolean {
  const there = valuesOf(run, field, context).filter((each) => each !== null && each !== undefined);
  // Of several values, "not this one" means none of them.
  return op === '!='
    ? there.length > 0 && there.every((each) => holds(each, op, value))
    : there.some((each) => holds(each, op, value));
}

const hasWord = (run: RunRecord, word: string, { sweepName }: RunContext): boolean =>
  [
    run.id,
    run.name,
    run.note,
    run.state,
    run.endReason,
    run.sweepId === null ? null : sweepName?.(run.sweepId),
    ...run.tags,
  ].some((text) => text != null && fold(text).includes(fold(word)));

/** The words of a filter: those of its search text, and those that were read from one. */
export const wordsOf = ({ search = '', words = [] }: Pick<RunFilter, 'search' | 'words'>): string[] => [
  ...search.split(/\s+/u).filter(Boolean),
  ...words,
];

/** Whether a run is one of those that the store would answer with, but for order and number. */
export function matchesRun(run: RunRecord, filter: RunFilter, context: RunContext = {}): boolean {
  const deleted = filter.deleted ?? 'no';
  return (
    (deleted === 'any' || (deleted === 'only') === (run.deletedAt !== null)) &&
    (filter.ids === undefined || filter.ids.includes(run.id)) &&
    (filter.state === undefined || [filter.state].flat().includes(run.state)) &&
    (filter.sweepId === undefined || filter.sweepId === run.sweepId) &&
    (filter.settingKey === undefined || filter.settingKey === run.settingKey) &&
    (filter.tags ?? []).every((tag) => run.tags.includes(tag)) &&
    (filter.where ?? []).every((comparison) => satisfies(run, comparison, context)) &&
    wordsOf(filter).every((word) => hasWord(run, word, context))
  );
}
