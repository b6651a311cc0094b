/** Sweep files: W&B's sweep schema with Sweeplab's extensions, read with positions and written back. */
import { isMap, isScalar, isSeq, type Node, stringify, type YAMLMap } from 'yaml';
import {
  type Draft,
  DRAFT_FIELDS,
  draftParameter,
  type DraftParameter,
  EMPTY_DRAFT,
} from '../../../preload/contract/draft.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Problem, SettingValue } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { problem, showValue } from '../../../preload/shared/settings/values.ts';
import { methodNames } from '../search/index.ts';
import { flattenEntries } from '../settings/source.ts';
import { type YamlEntry, YamlText } from '../settings/yamlText.ts';
import { checkDraft } from './check.ts';
import { Places } from './places.ts';
import { allowedBy, checkPart, unknownKey } from './schema.ts';

export interface ParsedSweep {
  /** Absent when there are problems. */
  readonly sweep?: Draft;
  readonly problems: readonly Problem[];
  /** Keys used that W&B does not know: this file runs in Sweeplab only. */
  readonly extensions: readonly string[];
  readonly places: Places;
}

/** Reads a sweep file. Never throws for bad input. Settings are not looked up here: see `planSweep`. `methods`: all that it may name. */
export function parseSweep(source: string, label = 'sweep.yaml', methods = methodNames()): ParsedSweep {
  return new Reader(new YamlText(source, label, LIMITS.yamlCharacters), methods).read();
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/u;
const KEYS = DRAFT_FIELDS.map(({ key }) => key);

/** Of more than these nobody reads on. */
const MOST_PROBLEMS = 100;

class Reader {
  readonly #yaml: YamlText;
  readonly #methods: readonly string[];
  readonly #places = new Places();
  readonly #problems: Problem[] = [];

  constructor(yaml: YamlText, methods: readonly string[]) {
    this.#yaml = yaml;
    this.#methods = methods;
  }

  read(): ParsedSweep {
    const { label, root, problems } = this.#yaml;
    const file = { code: 'yaml', setting: label, value: undefined };
    for (const { message, position } of problems)
      this.#problems.push({ ...file, allowed: 'valid YAML', message, where: this.#yaml.where(position) });
    if (root === undefined && problems.length === 0) {
      const allowed = 'a sweep with method and parameters';
      this.#problems.push({ ...file, allowed, message: `the file is empty; allowed: ${allowed}`, where: label });
    }
    if (root === undefined) return this.#answer([]);
    const entries = new Map(this.#yaml.entries(root).map((entry) => [entry.key, entry]));
    const given: Record<string, unknown> = {};
    for (const [key, entry] of entries) {
      const field = DRAFT_FIELDS.find((each) => each.key === key);
      this.#places.add(key, this.#yaml.where(entry.position));
      if (this.#problems.length >= MOST_PROBLEMS) break;
      if (field === undefined) this.#problems.push(unknownKey(key, key, KEYS));
      else given[field.name] = this.#part(field, entry);
    }
    if (!entries.has('method')) {
      this.#places.add('method', this.#yaml.where(this.#yaml.position(root)));
      this.#wrong('method', undefined, oneOf(this.#methods), this.#methods[0], 'it is required');
    }
    const extensions = DRAFT_FIELDS.filter(({ key, extension }) => extension && entries.has(key)).map(({ key }) => key);
    const sweep = { ...EMPTY_DRAFT, ...withoutMissing(given) } as Draft;
    if (Object.values(sweep.parameters).some(({ when }) => when !== undefined)) extensions.push('when');
    if (this.#problems.length === 0) this.#problems.push(...checkDraft(sweep));
    return this.#answer(extensions, sweep);
  }

  #answer(extensions: readonly string[], sweep?: Draft): ParsedSweep {
    const problems = this.#places.locate(this.#problems.slice(0, MOST_PROBLEMS));
    const whole = problems.length === 0 && sweep !== undefined ? { sweep } : {};
    return { ...whole, problems, extensions, places: this.#places };
  }

  #wrong(path: string, value: unknown, allowed: string, nearest?: string, why?: string): void {
    this.#problems.push({ ...problem(path, value, allowed, nearest, why), code: 'sweep' });
  }

  #twice(path: string, value: unknown, what: string, where: string | undefined): void {
    const found = problem(path, value, `each ${what} once`, undefined, `given before at ${this.#places.of(path)}`);
    this.#problems.push({ ...found, code: 'duplicate', ...(where === undefined ? {} : { where }) });
  }

  /** One part of the sweep; undefined where it is wrong. */
  #part({ name, key, schema }: (typeof DRAFT_FIELDS)[number], entry: YamlEntry): unknown {
    const value = this.#yaml.value(entry.node);
    // Their names may be nested or dotted.
    if (isMap(entry.node) && (name === 'parameters' || name === 'settings')) {
      const read = this[name](entry.node as YAMLMap, entry);
      const { length } = Object.keys(read);
      if (length > LIMITS.settings) this.#wrong(key, `${length} settings`, `at most ${LIMITS.settings} settings`);
      return read;
    }
    this.#note(key, entry.node);
    // In a draft `null` is "none"; in a file, a key without a value is a slip.
    if (value === null) {
      this.#wrong(key, value, allowedBy(schema));
      return undefined;
    }
    if (name === 'method' && !this.#methods.includes(value as string)) {
      this.#wrong(key, value, oneOf(this.#methods), nearestName(String(value), this.#methods));
      return undefined;
    }
    const { value: read, problems = [] } = checkPart(schema, key, value);
    this.#problems.push(...problems);
    return read;
  }

  /** Notes where the entries of a part stand. */
  #note(path: string, node: Node | null): void {
    if (isMap(node))
      for (const { key, position, node: inner } of this.#yaml.entries(node as YAMLMap)) {
        this.#places.add(`${path}.${key}`, this.#yaml.where(position));
        this.#note(`${path}.${key}`, inner);
      }
    else if (isSeq(node))
      for (const [i, item] of node.items.entries())
        this.#places.add(`${path}.${i}`, this.#yaml.where(this.#yaml.position(item)));
  }

  /** Settings that all runs share. Values are checked when the sweep is planned. */
  private settings(map: YAMLMap, entry: YamlEntry): Record<string, SettingValue> {
    const found = new Map<string, SettingValue>();
    for (const { name, value, where = this.#yaml.where(entry.position) } of flattenEntries(this.#yaml, map)) {
      const path = `settings.${name}`;
      if (found.has(name)) {
        this.#twice(path, value, 'setting', where);
        continue;
      }
      this.#places.add(path, where);
      // The one name that a record cannot have.
      if (name === '__proto__') this.#wrong(name, value, 'the name of a setting');
      else if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
        found.set(name, value);
      else this.#wrong(path, value, 'a number, text, true or false');
    }
    return Object.fromEntries(found);
  }

  /** Flattens nested `parameters:` into dotted names and reads each. */
  private parameters(map: YAMLMap): Record<string, DraftParameter> {
    const found = new Map<string, DraftParameter>();
    this.#level(map, '', found);
    return Object.fromEntries(found);
  }

  #level(node: Node | null, prefix: string, found: Map<string, DraftParameter>): void {
    if (!isMap(node) || node.items.length === 0) {
      const path = prefix === '' ? 'parameters' : `parameters.${prefix}`;
      this.#wrong(path, this.#yaml.value(node), 'at least one parameter as `name: { values: […] }`');
      return;
    }
    for (const entry of this.#yaml.entries(node as YAMLMap)) {
      const name = prefix ? `${prefix}.${entry.key}` : entry.key;
      const fields = isMap(entry.node) ? this.#yaml.entries(entry.node as YAMLMap) : [];
      if (fields.length === 1 && fields[0].key === 'parameters') {
        this.#places.add(`parameters.${name}`, this.#yaml.where(entry.position));
        this.#level(fields[0].node, name, found);
      } else {
        const read = this.#parameter(name, entry, fields, found);
        if (read !== undefined) found.set(name, read);
      }
    }
  }

  #parameter(
    name: string,
    entry: YamlEntry,
    fields: readonly YamlEntry[],
    found: ReadonlyMap<string, DraftParameter>,
  ): DraftParameter | undefined {
    const path = `parameters.${name}`;
    const value = this.#yaml.value(entry.node);
    const where = this.#yaml.where(entry.position);
    if (found.has(name)) {
      this.#twice(path, value, 'parameter', where);
      return undefined;
    }
    this.#places.add(path, where);
    this.#note(path, entry.node);
    if (!NAME.test(entry.key)) {
      this.#wrong(path, entry.key, 'a name of letters, digits, _ . and -, starting with a letter or _');
      return undefined;
    }
    if (!isMap(entry.node)) {
      this.#wrong(path, value, 'a map, such as { values: [64, 128] }', asMap(value));
      return undefined;
    }
    const nested = fields.find(({ key }) => key === 'parameters');
    if (nested !== undefined) {
      this.#wrong(
        `${path}.parameters`,
        this.#yaml.value(nested.node),
        'parameters alone, or the fields of one parameter',
      );
      return undefined;
    }
    const { value: read, problems = [] } = checkPart(draftParameter, path, value);
    this.#problems.push(...problems);
    return read === undefined ? undefined : asWritten(read, fields);
  }
}

const oneOf = (names: readonly string[]): string => `one of ${names.join(', ')}`;

/** A bare value or list as the map that was meant. */
function asMap(value: unknown): string | undefined {
  if (Array.isArray(value)) return `{ values: ${showValue(value)} }`;
  return ['number', 'string', 'boolean'].includes(typeof value) ? `{ value: ${showValue(value)} }` : undefined;
}

/** The inference of W&B depends on how a number is written: `1` is an integer, `1.0` and `1e0` are not. */
function asWritten(parameter: DraftParameter, fields: readonly YamlEntry[]): DraftParameter {
  const { distribution, min, max } = parameter;
  if (distribution !== undefined || min === undefined || max === undefined) return parameter;
  const real = fields.some(
    ({ key, node }) => (key === 'min' || key === 'max') && isScalar(node) && /[.e]/iu.test(node.source ?? ''),
  );
  return real ? { ...parameter, distribution: 'uniform' } : parameter;
}

const withoutMissing = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

/** Writes a sweep as YAML that `parseSweep` reads back equal. Without extensions W&B reads it too. */
export function sweepToYaml(sweep: Draft): string {
  const whole = DRAFT_FIELDS.filter(
    ({ name, always }) => always || JSON.stringify(sweep[name]) !== JSON.stringify(EMPTY_DRAFT[name]),
  ).map(({ name, key }) => [key, sweep[name]] as const);
  return stringify(Object.fromEntries(whole), { lineWidth: 0 });
}
