/** Checks maps of a YAML file against small tables of keys, with positions and did-you-mean. */
import { isMap, type YAMLMap } from 'yaml';
import type { Problem } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import type { YamlEntry, YamlText } from '../settings/yamlText.ts';

export interface Field {
  /** What is allowed, in words. */
  readonly allowed: string;
  readonly ok: (value: unknown) => boolean;
  /** For choices: the nearest is suggested. */
  readonly choices?: readonly string[];
  readonly nearest?: (value: unknown) => number | undefined;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

export const text: Field = { allowed: 'text', ok: (value) => typeof value === 'string' };
export const anyNumber: Field = { allowed: 'a number', ok: isNumber };
export const flag: Field = { allowed: 'true or false', ok: (value) => typeof value === 'boolean' };
export const list: Field = { allowed: 'a list', ok: Array.isArray };
export const anyMap: Field = {
  allowed: '`name: value` lines',
  ok: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

export const choice = (...choices: string[]): Field => ({
  allowed: `one of ${choices.join(', ')}`,
  ok: (value) => (typeof value === 'string' || typeof value === 'boolean') && choices.includes(String(value)),
  choices,
});

export const integer = (min: number): Field => ({
  allowed: `an integer at least ${min}`,
  ok: (value) => Number.isSafeInteger(value) && (value as number) >= min,
  nearest: (value) => (isNumber(value) ? Math.max(min, Math.round(value)) : undefined),
});

export const above = (min: number): Field => ({
  allowed: `a number above ${min}`,
  ok: (value) => isNumber(value) && value > min,
});

export const atLeast = (min: number): Field => ({
  allowed: `a number at least ${min}`,
  ok: (value) => isNumber(value) && value >= min,
  nearest: (value) => (isNumber(value) ? min : undefined),
});

/** Collects what is wrong with one file. */
export class SchemaReader {
  readonly yaml: YamlText;
  readonly problems: Problem[] = [];

  constructor(yaml: YamlText) {
    this.yaml = yaml;
  }

  /** Adds a problem at a key. */
  wrong(
    entry: YamlEntry,
    path: string,
    value: unknown,
    allowed: string,
    nearest?: string | number,
    why?: string,
    code = 'sweep',
    field?: string,
  ): void {
    const found = problem(path, value, allowed, nearest, why);
    const where = this.yaml.where(entry.position);
    this.problems.push({ ...found, code, where, ...(field === undefined ? {} : { field }) });
  }

  unknownKey(entry: YamlEntry, path: string, known: readonly string[]): void {
    const near = nearestName(entry.key, known);
    const allowed = `one of ${known.join(', ')}`;
    const hint = near ? `; did you mean ${near}?` : '';
    this.problems.push({
      ...problem(path, entry.key, allowed, near, 'it is not a key of the sweep schema'),
      code: 'sweep',
      where: this.yaml.where(entry.position),
      message: `${path} is not a key of the sweep schema; allowed: ${allowed}${hint}`,
    });
  }

  /** True when the value of a key is as its field says; otherwise the problem is added. */
  check(entry: YamlEntry, path: string, field: Field): boolean {
    const value = this.yaml.value(entry.node);
    if (field.ok(value)) return true;
    const nearest =
      field.choices && value !== null ? nearestName(String(value), field.choices) : field.nearest?.(value);
    this.wrong(entry, path, value, field.allowed, nearest);
    return false;
  }

  /** Reads a map by a table; unknown keys, wrong values and missing required keys are added as problems. */
  object(
    owner: YamlEntry,
    path: string,
    table: Readonly<Record<string, Field>>,
    required: readonly string[],
  ): Record<string, unknown> | undefined {
    if (!isMap(owner.node)) {
      this.wrong(owner, path, this.yaml.value(owner.node), '`name: value` lines');
      return undefined;
    }
    const before = this.problems.length;
    const entries = this.yaml.entries(owner.node as YAMLMap);
    const result: Record<string, unknown> = {};
    for (const entry of entries) {
      const field = Object.hasOwn(table, entry.key) ? table[entry.key] : undefined;
      if (!field) this.unknownKey(entry, `${path}.${entry.key}`, Object.keys(table));
      else if (this.check(entry, `${path}.${entry.key}`, field)) result[entry.key] = this.yaml.value(entry.node);
    }
    for (const key of required) {
      if (!entries.some((entry) => entry.key === key))
        this.wrong(owner, `${path}.${key}`, undefined, table[key].allowed, undefined, 'it is required');
    }
    return this.problems.length === before ? result : undefined;
  }
}
