/** Reads the `parameters` of a sweep: every distribution of W&B's schema, inferred where the schema infers it. */
import { isMap, isScalar, type YAMLMap } from 'yaml';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { showValue } from '../../../preload/shared/settings/values.ts';
import type { YamlEntry } from '../settings/yamlText.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { above, anyNumber, atLeast, type Field, type SchemaReader, text } from './schema.ts';
import { type Distribution, FIELD_DEFAULTS, FIELDS } from '../../../preload/shared/sweeps/distributions.ts';
import type { Parameter } from './spec.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/u;
const KINDS = Object.keys(FIELDS) as Distribution['kind'][];

const isValue = (value: unknown): value is SettingValue =>
  typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));

const VALUE = 'a number, text, true or false';
const FIELD_TYPES: Readonly<Record<string, Field>> = {
  value: { allowed: VALUE, ok: isValue },
  values: {
    allowed: `a list of at least one value, each ${VALUE}`,
    ok: (value) => Array.isArray(value) && value.length > 0 && value.every(isValue),
  },
  probabilities: {
    allowed: 'a list of numbers at least 0, one for each of values, not all 0',
    ok: (value) =>
      Array.isArray(value) &&
      value.every((p) => typeof p === 'number' && p >= 0 && Number.isFinite(p)) &&
      value.some((p) => (p as number) > 0),
  },
  min: anyNumber,
  max: anyNumber,
  q: above(0),
  mu: anyNumber,
  sigma: atLeast(0),
  a: above(0),
  b: above(0),
  when: text,
};

/** Whether a number was written as an integer: `1`, not `1.0` or `1e0`; the inference of W&B depends on it. */
function isWrittenInteger(entry: YamlEntry | undefined, value: unknown): boolean {
  if (!Number.isSafeInteger(value) || !entry || !isScalar(entry.node)) return false;
  return !/[.e]/iu.test(entry.node.source ?? String(value));
}

/** Flattens nested `parameters:` into dotted names and reads each. Names given twice are refused. */
export function readParameters(reader: SchemaReader, owner: YamlEntry): Parameter[] {
  const found: Parameter[] = [];
  readLevel(reader, owner, '', 'parameters', found);
  return found;
}

function readLevel(reader: SchemaReader, owner: YamlEntry, prefix: string, path: string, found: Parameter[]): void {
  if (!isMap(owner.node) || owner.node.items.length === 0) {
    reader.wrong(owner, path, reader.yaml.value(owner.node), 'at least one parameter as `name: { values: […] }`');
    return;
  }
  for (const entry of reader.yaml.entries(owner.node as YAMLMap)) {
    const name = prefix ? `${prefix}.${entry.key}` : entry.key;
    const at = `parameters.${name}`;
    if (!NAME.test(entry.key)) {
      reader.wrong(entry, at, entry.key, 'a name of letters, digits, _ . and -, starting with a letter or _');
      continue;
    }
    if (!isMap(entry.node)) {
      const value = reader.yaml.value(entry.node);
      const nearest = Array.isArray(value)
        ? `{ values: ${showValue(value)} }`
        : isValue(value)
          ? `{ value: ${showValue(value)} }`
          : undefined;
      reader.wrong(entry, at, value, 'a map, such as { values: [64, 128] }', nearest);
      continue;
    }
    const fields = new Map(reader.yaml.entries(entry.node as YAMLMap).map((field) => [field.key, field]));
    const nested = fields.get('parameters');
    if (nested && fields.size === 1) {
      readLevel(reader, nested, name, at, found);
      continue;
    }
    const twin = found.find((parameter) => parameter.name === name);
    if (twin) {
      reader.wrong(
        entry,
        at,
        reader.yaml.value(entry.node),
        'each parameter once',
        undefined,
        `given before at ${twin.where}`,
        'duplicate',
      );
      continue;
    }
    const distribution = readDistribution(reader, entry, at, fields);
    if (!distribution) continue;
    const when = fields.get('when');
    found.push({
      name,
      distribution,
      where: reader.yaml.where(entry.position),
      ...(when ? { when: String(reader.yaml.value(when.node)) } : {}),
    });
  }
}

/** The distribution meant when none is named, by W&B's rules. */
function infer(
  fields: ReadonlyMap<string, YamlEntry>,
  values: Readonly<Record<string, unknown>>,
): Distribution['kind'] | undefined {
  if (fields.has('value')) return 'constant';
  if (fields.has('values')) return fields.has('probabilities') ? 'categorical_w_probabilities' : 'categorical';
  if (!fields.has('min') || !fields.has('max') || fields.has('q')) return undefined;
  const whole = ['min', 'max'].every((key) => isWrittenInteger(fields.get(key), values[key]));
  return whole ? 'int_uniform' : 'uniform';
}

function readDistribution(
  reader: SchemaReader,
  owner: YamlEntry,
  path: string,
  fields: ReadonlyMap<string, YamlEntry>,
): Distribution | undefined {
  const before = reader.problems.length;
  const values: Record<string, unknown> = {};
  for (const [key, entry] of fields) {
    if (key === 'distribution') continue;
    const field = Object.hasOwn(FIELD_TYPES, key) ? FIELD_TYPES[key] : undefined;
    if (key === 'parameters')
      reader.wrong(
        entry,
        `${path}.parameters`,
        reader.yaml.value(entry.node),
        'parameters alone, or the fields of one parameter',
      );
    else if (!field)
      reader.unknownKey(entry, `${path}.${key}`, ['distribution', 'parameters', ...Object.keys(FIELD_TYPES)]);
    else if (reader.check(entry, `${path}.${key}`, field)) values[key] = reader.yaml.value(entry.node);
  }
  const named = fields.get('distribution');
  const given = named ? reader.yaml.value(named.node) : infer(fields, values);
  const kind = KINDS.find((known) => known === given);
  if (!kind) {
    if (named)
      reader.wrong(
        named,
        `${path}.distribution`,
        given,
        `one of ${KINDS.join(', ')}`,
        nearestName(String(given), KINDS),
      );
    else if (reader.problems.length === before)
      reader.wrong(
        owner,
        path,
        reader.yaml.value(owner.node),
        'value, values, min and max, or a named distribution with its fields',
      );
    return undefined;
  }
  const takes = FIELDS[kind];
  for (const [key, entry] of fields) {
    if (key === 'distribution' || key === 'when' || takes.includes(key) || !Object.hasOwn(FIELD_TYPES, key)) continue;
    reader.wrong(
      entry,
      `${path}.${key}`,
      reader.yaml.value(entry.node),
      `${takes.join(', ')} for the distribution ${kind}`,
    );
  }
  for (const key of takes) {
    if (fields.has(key)) continue;
    if (Object.hasOwn(FIELD_DEFAULTS, key)) values[key] = FIELD_DEFAULTS[key];
    else reader.wrong(owner, `${path}.${key}`, undefined, FIELD_TYPES[key].allowed, undefined, `${kind} needs it`);
  }
  if (reader.problems.length > before) return undefined;
  const picked = Object.fromEntries(takes.map((key) => [key, values[key]]));
  const distribution = { kind, ...picked } as unknown as Distribution;
  checkBounds(reader, owner, path, fields, distribution);
  return reader.problems.length > before ? undefined : distribution;
}

function checkBounds(
  reader: SchemaReader,
  owner: YamlEntry,
  path: string,
  fields: ReadonlyMap<string, YamlEntry>,
  d: Distribution,
): void {
  if (d.kind === 'categorical_w_probabilities' && d.values.length !== d.probabilities.length) {
    const why = `${d.values.length} values, ${d.probabilities.length} probabilities`;
    reader.wrong(
      fields.get('probabilities') ?? owner,
      `${path}.probabilities`,
      d.probabilities,
      'as many as values',
      undefined,
      why,
    );
  }
  if (!('min' in d)) return;
  const min = fields.get('min') ?? owner;
  if (d.min > d.max) reader.wrong(min, `${path}.min`, d.min, `at most max ${d.max}`, d.max);
  if (d.kind === 'int_uniform') {
    for (const key of ['min', 'max'] as const)
      if (!Number.isSafeInteger(d[key]))
        reader.wrong(
          fields.get(key) ?? owner,
          `${path}.${key}`,
          d[key],
          'an integer for int_uniform',
          Math.round(d[key]),
        );
  }
  if (d.kind.endsWith('_values') && d.min <= 0)
    reader.wrong(min, `${path}.min`, d.min, `above 0 for ${d.kind}`, undefined, 'its logarithm is taken');
  if (['log_uniform', 'q_log_uniform', 'inv_log_uniform'].includes(d.kind)) checkLogTrap(reader, min, path, d);
}

/** A natural logarithm above this means values beyond 10^10: a bound of 64 or 1000 is a value, not an exponent. */
const LARGEST_EXPONENT = 25;

/**
 * The natural-log trap: bounds such as 0.0001 and 0.1 are learning rates, not exponents. Both bounds within (0, 1] would
 * give values between 1 and e only, which the `_values` form can say too, so they are refused; so are bounds beyond any use.
 */
function checkLogTrap(
  reader: SchemaReader,
  entry: YamlEntry,
  path: string,
  d: Distribution & { min: number; max: number },
): void {
  const sign = d.kind === 'inv_log_uniform' ? -1 : 1;
  if (d.min <= 0 || (d.max > 1 && d.max <= LARGEST_EXPONENT)) return;
  const [low, high] = [Math.exp(sign * d.min), Math.exp(sign * d.max)]
    .sort((x, y) => x - y)
    .map((x) => Number(x.toPrecision(4)));
  reader.wrong(
    entry,
    `${path}.min`,
    d.min,
    `natural logarithms of the values for ${d.kind}`,
    `distribution: ${d.kind}_values with the same bounds`,
    `these bounds mean values from e^${sign * d.min} to e^${sign * d.max}, that is ${low} to ${high}`,
  );
}
