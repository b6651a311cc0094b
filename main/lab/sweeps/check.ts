/** Checks a sweep against the settings that exist, before any combination is made. */
import type { Problem, SettingProblem, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import { Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { placed, readEntry } from '../settings/resolve.ts';
import { checkValue, describeType, problem } from '../../../preload/shared/settings/values.ts';
import { gridValues } from './grid.ts';
import { quantise } from '../../../preload/shared/sweeps/quantiles.ts';
import type { Distribution } from '../../../preload/shared/sweeps/distributions.ts';
import type { Parameter, SweepSpec } from './spec.ts';

const AVAILABLE = 'grid and random run now';

/** A parameter with its values read as its setting wants them, and its condition compiled. */
export interface BoundParameter {
  readonly name: string;
  readonly parameter: Parameter;
  readonly when?: Expression;
}

export interface BoundSweep {
  readonly parameters: readonly BoundParameter[];
  readonly constraints: readonly Expression[];
  readonly problems: readonly Problem[];
}

const at = (where: string | undefined, code: string, found: SettingProblem): Problem => placed(found, code, where);

/** Problems of the method itself: what is parsed but does not run. */
export function methodProblems(sweep: SweepSpec): Problem[] {
  const problems: Problem[] = [];
  const { method } = sweep;
  if (method === 'bayes' || method === 'custom')
    problems.push(
      at(undefined, 'method', problem('method', method, `grid or random`, 'random', `not available yet: ${AVAILABLE}`)),
    );
  if (sweep.earlyTerminate) {
    const why = `not available yet: ${AVAILABLE}, each to its end`;
    problems.push(
      at(
        undefined,
        'method',
        problem('early_terminate', sweep.earlyTerminate.type, 'no early_terminate', undefined, why),
      ),
    );
  }
  if (method === 'random' && sweep.runCap === undefined && sweep.parameters.length > 0)
    problems.push(
      at(
        undefined,
        'run_cap',
        problem(
          'run_cap',
          undefined,
          'an integer at least 1 with method random',
          20,
          'a random sweep has no end of its own',
        ),
      ),
    );
  return problems;
}

function readExpression(
  source: string,
  what: string,
  registry: SettingsRegistry,
  problems: Problem[],
  where?: string,
): Expression | undefined {
  try {
    return new Expression(source, registry);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const allowed = 'an expression over settings, such as model.width % model.heads == 0';
    problems.push(at(where, 'expression', problem(what, source, allowed, undefined, error.message)));
    return undefined;
  }
}

/** Replaces the listed values of a distribution by what its setting reads them as. */
function readValues(registry: SettingsRegistry, parameter: Parameter, problems: Problem[]): Distribution {
  const { distribution: d, name, where } = parameter;
  const read = (value: SettingValue): SettingValue => {
    const entry = readEntry(registry, { name, value, fromText: true, ...(where ? { where } : {}) });
    if ('value' in entry) return entry.value;
    problems.push(entry.problem);
    return value;
  };
  if (d.kind === 'constant') return { ...d, value: read(d.value) };
  if (d.kind === 'categorical' || d.kind === 'categorical_w_probabilities') return { ...d, values: d.values.map(read) };
  return d;
}

const INTEGER_FORM: Partial<Record<Distribution['kind'], Distribution['kind']>> = {
  uniform: 'int_uniform',
  log_uniform: 'q_log_uniform',
  log_uniform_values: 'q_log_uniform_values',
  normal: 'q_normal',
  log_normal: 'q_log_normal',
  beta: 'q_beta',
};

/** Whether a numeric distribution suits the type and the range of a setting. */
function checkNumeric(spec: SettingSpec, parameter: Parameter, problems: Problem[]): void {
  const { distribution: d, name, where } = parameter;
  if (d.kind === 'constant' || d.kind === 'categorical' || d.kind === 'categorical_w_probabilities') return;
  const { type } = spec;
  const add = (field: string, value: unknown, allowed: string, nearest?: SettingValue, why?: string): void => {
    problems.push({ ...at(where, 'distribution', problem(name, value, allowed, nearest, why)), field });
  };
  if (type.kind !== 'int' && type.kind !== 'float') {
    add('distribution', d.kind, `${describeType(type)}, as values: […]`, undefined, 'a distribution of numbers');
    return;
  }
  if (type.kind === 'int') {
    const whole = d.kind === 'int_uniform' || ('q' in d && Number.isInteger(d.q));
    if (!whole) {
      const nearest = INTEGER_FORM[d.kind] ?? 'int_uniform';
      add(
        'distribution',
        d.kind,
        'int_uniform or a q_ distribution with an integer q',
        nearest,
        `${name} is an integer`,
      );
      return;
    }
  }
  if (!('min' in d)) return;
  const exponents = d.kind === 'log_uniform' || d.kind === 'q_log_uniform';
  const ends = exponents
    ? [Math.exp(d.min), Math.exp(d.max)]
    : d.kind === 'inv_log_uniform'
      ? [Math.exp(-d.max), Math.exp(-d.min)]
      : [d.min, d.max];
  const [low, high] = 'q' in d ? ends.map((end) => quantise(end, d.q)) : ends;
  const { min = -Infinity, max = Infinity } = type;
  if (low < min) add('min', low, describeType(type), min, `the lower end of ${d.kind}`);
  if (high > max) add('max', high, describeType(type), max, `the upper end of ${d.kind}`);
}

/** Looks up every parameter and expression; the problems name setting, value, what is allowed and the nearest choice. */
export function bindSweep(registry: SettingsRegistry, sweep: SweepSpec): BoundSweep {
  const problems = methodProblems(sweep);
  const parameters = sweep.parameters.flatMap((parameter): BoundParameter[] => {
    const { name, where } = parameter;
    const spec = registry.get(name);
    if (!spec) {
      const entry = readEntry(registry, {
        name,
        value: parameter.distribution.kind,
        fromText: false,
        ...(where ? { where } : {}),
      });
      if ('problem' in entry) problems.push(entry.problem);
      return [];
    }
    const distribution = readValues(registry, parameter, problems);
    checkNumeric(spec, parameter, problems);
    if (sweep.method === 'grid') {
      const values = gridValues(distribution);
      if (!values || values.length === 0) {
        const listed = ['int_uniform', 'q_uniform'].includes(distribution.kind);
        const why = values
          ? 'no value lies between min and max'
          : listed
            ? 'too many values for a grid'
            : `a grid cannot list a ${distribution.kind}`;
        const allowed = 'values: […], int_uniform or q_uniform in a grid, or method: random';
        problems.push(at(where, 'not_in_grid', problem(name, distribution.kind, allowed, undefined, why)));
      } else
        for (const value of typeof values[0] === 'number' && 'min' in distribution ? values : []) {
          const wrong = checkValue(spec, value);
          if (wrong) problems.push(at(where, 'value', wrong));
          if (wrong) break;
        }
    }
    const when =
      parameter.when === undefined
        ? undefined
        : readExpression(parameter.when, `parameters.${name}.when`, registry, problems, where);
    return [{ name, parameter: { ...parameter, distribution }, ...(when ? { when } : {}) }];
  });
  const constraints = sweep.constraints.flatMap((source, i) => {
    const expression = readExpression(source, `constraints.${i}`, registry, problems);
    return expression ? [expression] : [];
  });
  return { parameters, constraints, problems };
}
