/** From a swept setting as it is written to its distribution: inferred as W&B infers it, defaults filled in, bounds checked. */
import { counted } from '../format.ts';
import type { DraftParameter } from '../../contract/draft.ts';
import type { Problem, SettingValue } from '../../contract/settings.ts';
import { nearestName } from '../settings/nearest.ts';
import { problem } from '../settings/values.ts';
import { type Distribution, FIELD_DEFAULTS, FIELDS, infoOf, WEIGHTED } from './distributions.ts';

export type ReadParameter =
  | { readonly distribution: Distribution; readonly problems?: never }
  | { readonly distribution?: never; readonly problems: readonly Problem[] };

type Kind = Distribution['kind'];
type Fields = Readonly<Record<string, unknown>>;

const KINDS = Object.keys(FIELDS) as Kind[];
/** All that a distribution may have, in the order of its record. */
const ALL = ['value', 'values', 'probabilities', 'min', 'max', 'q', 'mu', 'sigma', 'a', 'b'] as const;

/** Whether a field has a value that it may have, whatever the distribution; what is allowed, and the nearest where there is one. */
interface Rule {
  readonly ok: (value: never) => boolean;
  readonly allowed: string;
  readonly nearest?: number;
}
const above0: Rule = { ok: (value: number) => value > 0, allowed: 'a number above 0' };
const RULES: Readonly<Record<string, Rule>> = {
  values: {
    ok: (values: readonly SettingValue[]) => values.length > 0,
    allowed: 'a list of at least one value, each a number, text, true or false',
  },
  probabilities: {
    ok: (weights: readonly number[]) => weights.every((p) => p >= 0) && weights.some((p) => p > 0),
    allowed: 'a list of numbers at least 0, one for each of values, not all 0',
  },
  q: above0,
  sigma: { ok: (value: number) => value >= 0, allowed: 'a number at least 0', nearest: 0 },
  a: above0,
  b: above0,
};

/** The distribution meant when none is named, by W&B's rules; undefined: none. */
function inferred(parameter: DraftParameter): Kind | undefined {
  const { value, values, probabilities, min, max, q } = parameter;
  if (value !== undefined) return 'constant';
  if (values !== undefined) return probabilities === undefined ? 'categorical' : WEIGHTED;
  if (min === undefined || max === undefined || q !== undefined) return undefined;
  return Number.isSafeInteger(min) && Number.isSafeInteger(max) ? 'int_uniform' : 'uniform';
}

/** The distribution that a parameter names or means, known or not. */
export const kindOf = (parameter: DraftParameter): string => parameter.distribution ?? inferred(parameter) ?? 'uniform';

class Reader {
  readonly #path: string;
  readonly problems: Problem[] = [];

  constructor(name: string) {
    this.#path = `parameters.${name}`;
  }

  /** Adds a problem of a field; of the whole parameter where the field is ''. */
  wrong(field: string, value: unknown, allowed: string, nearest?: SettingValue, why?: string, fix = field): void {
    const path = field === '' ? this.#path : `${this.#path}.${field}`;
    this.problems.push({
      ...problem(path, value, allowed, nearest, why),
      code: 'parameter',
      ...(fix === '' ? {} : { field: fix }),
    });
  }

  kind(parameter: DraftParameter): Kind | undefined {
    const { distribution: named } = parameter;
    const given = named ?? inferred(parameter);
    const kind = KINDS.find((known) => known === given);
    if (kind === undefined && named !== undefined)
      this.wrong('distribution', named, `one of ${KINDS.join(', ')}`, nearestName(named, KINDS));
    else if (kind === undefined)
      this.wrong('', parameter, 'value, values, min and max, or a named distribution with its fields');
    return kind;
  }

  /** The fields that a distribution takes, with what one left out is. */
  fields(parameter: DraftParameter, kind: Kind): Fields {
    const given: Fields = parameter;
    const takes = FIELDS[kind];
    const found: Record<string, unknown> = {};
    for (const field of ALL) {
      const value = given[field];
      const rule = RULES[field];
      if (value !== undefined && !takes.includes(field))
        this.wrong(field, value, `${takes.join(', ')} for the distribution ${kind}`);
      else if (value !== undefined && rule !== undefined && !rule.ok(value as never))
        this.wrong(field, value, rule.allowed, rule.nearest);
      else if (value !== undefined) found[field] = value;
      else if (takes.includes(field) && Object.hasOwn(FIELD_DEFAULTS, field)) found[field] = FIELD_DEFAULTS[field];
      else if (takes.includes(field))
        this.wrong(field, undefined, rule?.allowed ?? 'a number', undefined, `${kind} needs it`);
    }
    return found;
  }

  bounds(d: Distribution): void {
    if (d.kind === WEIGHTED && d.values.length !== d.probabilities.length) {
      const why = `${counted(d.values.length, 'value')}, ${counted(d.probabilities.length, 'probability', 'probabilities')}`;
      this.wrong('probabilities', d.probabilities, 'as many as values', undefined, why);
    }
    if (!('min' in d)) return;
    if (d.min > d.max) this.wrong('min', d.min, `at most max ${d.max}`, d.max);
    if (d.kind === 'int_uniform')
      for (const field of ['min', 'max'] as const)
        if (!Number.isSafeInteger(d[field]))
          this.wrong(field, d[field], 'an integer for int_uniform', Math.round(d[field]));
    if (d.kind.endsWith('_values') && d.min <= 0)
      this.wrong('min', d.min, `above 0 for ${d.kind}`, undefined, 'its logarithm is taken');
    if (infoOf(d.kind)?.exponents === true) this.logTrap(d);
  }

  /**
   * The natural-log trap: bounds such as 0.0001 and 0.1 are learning rates, not exponents. Both bounds within (0, 1] would
   * give values between 1 and e only, which the `_values` form can say too, so they are refused; so are bounds beyond any use.
   */
  private logTrap({ kind, min, max }: Distribution & { readonly min: number; readonly max: number }): void {
    const sign = kind === 'inv_log_uniform' ? -1 : 1;
    if (min <= 0 || (max > 1 && max <= LARGEST_EXPONENT)) return;
    const [low, high] = [Math.exp(sign * min), Math.exp(sign * max)]
      .sort((x, y) => x - y)
      .map((x) => Number(x.toPrecision(4)));
    const other = `${kind}_values`;
    const allowed = `natural logarithms of the values for ${kind}, or the same bounds with ${other}`;
    const why = `these bounds mean values from e^${sign * min} to e^${sign * max}, that is ${low} to ${high}`;
    this.wrong('min', min, allowed, other, why, 'distribution');
  }
}

/** A natural logarithm above this means values beyond 10^10: a bound of 64 or 1000 is a value, not an exponent. */
const LARGEST_EXPONENT = 25;

/** The distribution of a swept setting, or everything that is wrong with it: `parameters.NAME.min is 3; allowed: at most max 1`. */
export function distributionOf(name: string, parameter: DraftParameter): ReadParameter {
  const reader = new Reader(name);
  const kind = reader.kind(parameter);
  if (kind === undefined) return { problems: reader.problems };
  const fields = reader.fields(parameter, kind);
  if (reader.problems.length > 0) return { problems: reader.problems };
  const distribution = { kind, ...fields } as unknown as Distribution;
  reader.bounds(distribution);
  return reader.problems.length > 0 ? { problems: reader.problems } : { distribution };
}

/** The other way: a distribution as a parameter. What its fields imply is not named. */
export function parameterOf(distribution: Distribution): DraftParameter {
  const { kind, ...fields } = distribution;
  const implied = kind === 'constant' || kind === 'categorical' || kind === WEIGHTED;
  return { ...(implied ? {} : { distribution: kind }), ...fields };
}
