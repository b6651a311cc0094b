/** Checks a sweep before any combination is made: first by itself, then against the settings that exist. */
import type { Draft, DraftParameter } from '../../../preload/contract/draft.ts';
import type { Problem, SettingProblem, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import { Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { checkValue, describeType, problem } from '../../../preload/shared/settings/values.ts';
import { type Distribution, infoOf } from '../../../preload/shared/sweeps/distributions.ts';
import { distributionOf } from '../../../preload/shared/sweeps/parameters.ts';
import { quantise, stepsWithin } from '../../../preload/shared/sweeps/quantiles.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { searchFamily, WANDB_METHODS } from '../search/index.ts';
import type { SearchKind } from '../search/search.ts';
import { readEntry } from '../settings/resolve.ts';

const coded = (code: string, found: SettingProblem): Problem => ({ ...found, code });

/** What is wrong with a sweep whatever settings exist: half a distribution, parts that exclude or need one another. */
export function checkDraft(sweep: Draft): Problem[] {
  const problems = Object.entries(sweep.parameters).flatMap(
    ([name, parameter]) => distributionOf(name, parameter).problems ?? [],
  );
  const wrong = (part: string, value: unknown, allowed: string, why?: string): void => {
    problems.push(coded('sweep', problem(part, value, allowed, undefined, why)));
  };
  const { method, metric, metrics, scheduler, earlyTerminate } = sweep;
  if (metrics && metric) wrong('metrics', metrics, 'metric or metrics, not both');
  if (metrics && method !== 'custom')
    wrong('metrics', metrics, 'metrics only with method custom', `method is ${method}`);
  if (scheduler && earlyTerminate) wrong('scheduler', scheduler, 'scheduler or early_terminate, not both');
  for (const key of ['optimizer', 'search_space'] as const)
    if (scheduler?.[key] !== undefined && scheduler.source === undefined)
      wrong('scheduler.source', undefined, 'a path', `scheduler.${key} needs it`);
  if (method === 'bayes' && !metric) {
    const allowed = 'a metric to optimise, such as { name: val/loss, goal: minimize }';
    wrong('metric', undefined, allowed, 'method bayes needs it');
  }
  if (
    earlyTerminate?.min_iter === undefined &&
    (earlyTerminate?.max_iter === undefined || earlyTerminate.s === undefined)
  )
    if (earlyTerminate) wrong('early_terminate', earlyTerminate, 'min_iter, or max_iter with s');
  return problems;
}

/** What can be written but does not run. `methods` are all that there are. */
function checkMethod(
  { method: name, earlyTerminate, runCap, parameters }: Draft,
  methods: readonly SearchKind[],
): Problem[] {
  const problems: Problem[] = [];
  const names = methods.map((each) => each.name);
  const method = methods.find((each) => each.name === name);
  const now = `${names.join(' and ')} run now`;
  if (method === undefined) {
    const known = WANDB_METHODS.includes(name);
    const nearest = known ? methods.find(({ draws }) => draws)?.name : nearestName(name, names);
    const why = known ? `not available yet: ${now}` : undefined;
    problems.push(coded('method', problem('method', name, names.join(' or '), nearest, why)));
  }
  if (earlyTerminate) {
    const why = `not available yet: ${now}, each to its end`;
    const found = problem('early_terminate', earlyTerminate.type, 'no early_terminate', undefined, why);
    problems.push(coded('method', found));
  }
  if (method?.draws === true && runCap === null && Object.keys(parameters).length > 0) {
    const allowed = `an integer at least 1 with method ${name}`;
    const why = `a ${name} sweep has no end of its own`;
    problems.push(coded('run_cap', problem('run_cap', undefined, allowed, 20, why)));
  }
  return problems;
}

/** A parameter with its values read as its setting wants them, and its condition compiled. */
export interface BoundParameter {
  readonly name: string;
  readonly distribution: Distribution;
  readonly when?: Expression;
}

export interface BoundSweep {
  readonly parameters: readonly BoundParameter[];
  /** In the places of the draft; undefined for one that says nothing (yet), or nothing that can be read. */
  readonly constraints: readonly (Expression | undefined)[];
  readonly problems: readonly Problem[];
}

/** Looks up every parameter and expression; the problems name setting, value, what is allowed and the nearest choice. */
export function bindSweep(registry: SettingsRegistry, sweep: Draft): BoundSweep {
  const binder = new Binder(registry, sweep);
  const parameters = Object.entries(sweep.parameters).flatMap(([name, parameter]) => binder.parameter(name, parameter));
  const constraints = sweep.constraints.map((source, i) => binder.expression(source, `constraints.${i}`));
  return { parameters, constraints, problems: binder.problems };
}

class Binder {
  readonly #registry: SettingsRegistry;
  readonly #method: SearchKind | undefined;
  readonly problems: Problem[];

  constructor(registry: SettingsRegistry, sweep: Draft) {
    this.#registry = registry;
    const methods = registry.catalog.all(searchFamily);
    this.#method = methods.find(({ name }) => name === sweep.method);
    this.problems = [...checkDraft(sweep), ...checkMethod(sweep, methods)];
  }

  expression(source: string, what: string): Expression | undefined {
    // One that is about to be typed forbids nothing.
    if (source.trim() === '') return undefined;
    try {
      return new Expression(source, this.#registry);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const allowed = 'an expression over settings, such as model.width % model.heads == 0';
      this.problems.push(coded('expression', problem(what, source, allowed, undefined, error.message)));
      return undefined;
    }
  }

  parameter(name: string, parameter: DraftParameter): BoundParameter[] {
    const { distribution: given } = distributionOf(name, parameter);
    if (given === undefined) return [];
    const spec = this.#registry.get(name);
    if (!spec) {
      const value = 'values' in given ? given.values : given.kind === 'constant' ? given.value : given.kind;
      const entry = readEntry(this.#registry, { name, value, fromText: false });
      if ('problem' in entry) this.problems.push(entry.problem);
      return [];
    }
    const distribution = this.#readValues(name, given);
    this.#checkNumeric(spec, distribution);
    const unfit = this.#method?.check?.(spec, distribution);
    if (unfit !== undefined) this.problems.push(unfit);
    const { when: condition } = parameter;
    const when = condition === undefined ? undefined : this.expression(condition, `parameters.${name}.when`);
    return [{ name, distribution, ...(when ? { when } : {}) }];
  }

  /** Replaces the listed values of a distribution by what its setting reads them as. */
  #readValues(name: string, d: Distribution): Distribution {
    const read = (value: SettingValue): SettingValue => {
      const entry = readEntry(this.#registry, { name, value, fromText: true });
      if ('value' in entry) return entry.value;
      this.problems.push(entry.problem);
      return value;
    };
    if (d.kind === 'constant') return { ...d, value: read(d.value) };
    if ('values' in d) return { ...d, values: d.values.map(read) };
    return d;
  }

  /** Whether a numeric distribution suits the type and the range of a setting. */
  #checkNumeric(spec: SettingSpec, d: Distribution): void {
    const { name, type } = spec;
    const info = infoOf(d.kind);
    if (info === undefined) return;
    const add = (field: string, value: unknown, allowed: string, nearest?: SettingValue, why?: string): void => {
      this.problems.push({ ...coded('distribution', problem(name, value, allowed, nearest, why)), field });
    };
    if (type.kind !== 'int' && type.kind !== 'float') {
      add('distribution', d.kind, `${describeType(type)}, as values: […]`, undefined, 'a distribution of numbers');
      return;
    }
    const whole = info.integers === 'always' || (info.integers === 'with q' && 'q' in d && Number.isInteger(d.q));
    if (type.kind === 'int' && !whole) {
      const allowed = 'int_uniform or a q_ distribution with an integer q';
      add('distribution', d.kind, allowed, wholeForm(d.kind), `${name} is an integer`);
      return;
    }
    if (!('min' in d)) return;
    const { min = -Infinity, max = Infinity } = type;
    // Lists go from min in steps and end before max, which the method looks at itself; draws are multiples of the step.
    const listed = this.#method?.draws === false && 'q' in d;
    const lowest: End = { field: 'min', value: d.min };
    const ends = listed ? { low: lowest, high: lowest } : endsOf(d);
    if (ends === undefined) {
      const most = 'q' in d ? Math.max(Math.abs(d.min), Math.abs(d.max)) : undefined;
      const allowed = `a step with a multiple from min ${d.min} to max ${d.max}`;
      add('q', 'q' in d ? d.q : undefined, allowed, most, 'no multiple of q lies between them');
      return;
    }
    // A bound in steps is rounded to one: the nearest is the next step within.
    const within = (value: number, round: (x: number) => number): number | undefined => {
      const nearest = checkValue(spec, value)?.nearest;
      if (typeof nearest !== 'number') return undefined;
      return 'q' in d ? quantise(round(nearest / d.q) * d.q, d.q) : nearest;
    };
    const { low, high } = ends;
    const allowed = describeType(type);
    if (low.value < min) add(low.field, low.value, allowed, within(low.value, Math.ceil), `the lower end of ${d.kind}`);
    if (high.value > max)
      add(high.field, high.value, allowed, within(high.value, Math.floor), `the upper end of ${d.kind}`);
  }
}

/** The distribution of the same shape that gives integers. */
function wholeForm(kind: Distribution['kind']): Distribution['kind'] {
  if (kind.startsWith('q_')) return kind;
  return kind === 'uniform' ? 'int_uniform' : (infoOf(`q_${kind}`)?.kind ?? 'int_uniform');
}

interface End {
  /** The field that it comes from. */
  readonly field: 'min' | 'max';
  readonly value: number;
}

/** The least and the largest value of a bounded distribution; undefined where no multiple of its step lies within. */
function endsOf(d: Distribution & { readonly min: number; readonly max: number }): { low: End; high: End } | undefined {
  const exponents = infoOf(d.kind)?.exponents === true;
  const inverse = exponents && d.kind === 'inv_log_uniform';
  const end = (field: 'min' | 'max'): End => {
    const bound = inverse ? -d[field] : d[field];
    return { field, value: exponents ? Math.exp(bound) : bound };
  };
  const [low, high] = inverse ? [end('max'), end('min')] : [end('min'), end('max')];
  if (!('q' in d)) return { low, high };
  const steps = stepsWithin(low.value, high.value, d.q);
  return steps && { low: { ...low, value: steps.low }, high: { ...high, value: steps.high } };
}
