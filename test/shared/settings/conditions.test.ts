import { describe, expect, it } from 'vitest';
import { Catalog } from '../../../main/engine/catalog.ts';
import { DeclarationError, SettingsRegistry } from '../../../main/lab/settings/index.ts';
import type { Config, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import { conditionOf, holds, mayHold } from '../../../preload/shared/settings/conditions.ts';
import { Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { random, SEED } from '../../oracles/random.ts';

const registry = builtInRegistry();
const { defaults } = registry;
/** As a form knows a configuration: each setting with its values. */
const one =
  (config: Config) =>
  (name: string): readonly SettingValue[] => [config[name]];

describe('the form and the lab', () => {
  it.each(['model.depth && model.bias', 'optimizer.kind < "b"'])(
    'agree that `%s` has no value, which counts as true (a second evaluator said false to one and true to the other)',
    (source) => {
      const condition = new Expression(source, registry);
      expect(() => condition.test(defaults)).toThrow(ExpressionError);
      expect(holds(condition, defaults)).toBe(true);
      expect(mayHold(conditionOf(source)!, one(defaults))).toBe(true);
    },
  );

  it('agree for every `when` of every setting at the defaults (catches a setting hidden wrongly)', () => {
    for (const { name, when } of registry.specs)
      if (when !== undefined)
        expect(mayHold(conditionOf(when)!, one(defaults)), name).toBe(registry.applies(name, defaults));
  });

  it('holds where one of the swept values makes it hold, and where a distribution might', () => {
    const momentum = conditionOf(registry.get('optimizer.momentum')!.when!)!;
    const kinds = (values: readonly string[] | undefined) => (name: string) =>
      name === 'optimizer.kind' ? values : [defaults[name]];
    expect(mayHold(momentum, kinds(['adamw']))).toBe(false);
    expect(mayHold(momentum, kinds(['adamw', 'sgd']))).toBe(true);
    expect(mayHold(momentum, kinds(undefined))).toBe(true);
  });

  it('counts what cannot be read as true, so that nothing disappears', () => {
    expect(conditionOf('model.depth ==')).toBeNull();
    expect(mayHold(conditionOf('no.such == 1')!, () => [])).toBe(false);
  });
});

// Random expressions, each with an evaluation of its own: strict types, short circuits, no value for what is not a number.
const rng = random();
const NONE = Symbol('no value');
type Made = { readonly text: string; readonly level: number; readonly run: (config: Config) => SettingValue };
const noValue = (): never => {
  throw NONE;
};
const number = (value: SettingValue): number => (typeof value === 'number' ? value : noValue());
const truth = (value: SettingValue): boolean => (typeof value === 'boolean' ? value : noValue());
const finite = (value: number): number => (Number.isFinite(value) ? value : noValue());
const equal = (a: SettingValue, b: SettingValue): boolean => (typeof a === typeof b ? a === b : noValue());

const BINARY: readonly (readonly [string, number, (a: () => SettingValue, b: () => SettingValue) => SettingValue])[] = [
  ['||', 1, (a, b) => truth(a()) || truth(b())],
  ['or', 1, (a, b) => truth(a()) || truth(b())],
  ['&&', 2, (a, b) => truth(a()) && truth(b())],
  ['and', 2, (a, b) => truth(a()) && truth(b())],
  ['==', 6, (a, b) => equal(a(), b())],
  ['!=', 6, (a, b) => !equal(a(), b())],
  ['<', 7, (a, b) => number(a()) < number(b())],
  ['>=', 7, (a, b) => number(a()) >= number(b())],
  ['+', 9, (a, b) => finite(number(a()) + number(b()))],
  ['-', 9, (a, b) => finite(number(a()) - number(b()))],
  ['*', 10, (a, b) => finite(number(a()) * number(b()))],
  ['/', 10, (a, b) => finite(number(a()) / number(b()))],
  ['%', 10, (a, b) => finite(number(a()) % number(b()))],
];
const NAMES = {
  'n.a': [0, 1, 2, 3],
  'n.b': [-1, 0, 4],
  't.x': ['p', 'q'],
  't.y': ['', 'p'],
  'b.u': [true, false],
} as const;

function make(depth: number): Made {
  const kind = depth === 0 ? rng.integer(0, 1) : rng.integer(0, 9);
  if (kind === 0) {
    const value = rng.pick<SettingValue>([0, 1, 2, 2.5, 'p', 'q', '', true, false]);
    return { text: typeof value === 'string' ? JSON.stringify(value) : String(value), level: 99, run: () => value };
  }
  if (kind === 1) {
    const name = rng.pick(Object.keys(NAMES));
    return { text: name, level: 99, run: (config) => config[name] };
  }
  if (kind === 2) {
    const operand = make(depth - 1);
    const not = rng() < 0.7;
    const text = `${not ? '!' : '-'}(${operand.text})`;
    return { text, level: 99, run: (config) => (not ? !truth(operand.run(config)) : -number(operand.run(config))) };
  }
  if (kind === 3) {
    const [value, ...items] = Array.from({ length: rng.integer(1, 4) }, () => make(depth - 1));
    const text = `(${value.text}) in [${items.map((item) => item.text).join(', ')}]`;
    return {
      text,
      level: 7,
      run: (config) => {
        const wanted = value.run(config);
        return items.some((item) => equal(wanted, item.run(config)));
      },
    };
  }
  if (kind === 4) {
    const [test, yes, no] = Array.from({ length: 3 }, () => make(depth - 1));
    const text = `(${test.text}) ? (${yes.text}) : (${no.text})`;
    return { text, level: 0, run: (config) => (truth(test.run(config)) ? yes.run(config) : no.run(config)) };
  }
  if (kind === 5) {
    const args = [make(depth - 1), make(depth - 1)];
    const max = rng() < 0.5;
    return {
      text: `${max ? 'max' : 'min'}(${args.map(({ text }) => text).join(', ')})`,
      level: 99,
      run: (config) => {
        const values = args.map((arg) => number(arg.run(config)));
        return max ? Math.max(...values) : Math.min(...values);
      },
    };
  }
  const [operator, level, run] = rng.pick(BINARY);
  const [left, right] = [make(depth - 1), make(depth - 1)];
  // Only the brackets that are needed: precedence is tested too.
  const text = [
    left.level >= level ? left.text : `(${left.text})`,
    operator,
    right.level > level ? right.text : `(${right.text})`,
  ].join(' ');
  return {
    text,
    level,
    run: (config) =>
      run(
        () => left.run(config),
        () => right.run(config),
      ),
  };
}

/** True, false, or true where there is no value. */
function expected(made: Made, config: Config): boolean {
  try {
    const value = made.run(config);
    return typeof value === 'boolean' ? value : true;
  } catch (error) {
    if (error === NONE) return true;
    throw error;
  }
}

describe(`random expressions (SWEEPLAB_TEST_SEED=${SEED})`, () => {
  const spec = (name: string, value: SettingValue, when?: string): SettingSpec => ({
    name,
    type:
      typeof value === 'number' ? { kind: 'float' } : typeof value === 'string' ? { kind: 'string' } : { kind: 'bool' },
    default: value,
    help: 'for the test',
    question: 'capacity',
    ...(when === undefined ? {} : { when }),
  });
  const own = Object.entries(NAMES).map(([name, values]) => spec(name, values[0]));
  const draw = (): Config =>
    Object.fromEntries(Object.entries(NAMES).map(([name, values]) => [name, rng.pick<SettingValue>(values)]));

  it('mean the same in the form, in the lab and by the definition of the language (property; catches a second semantics)', () => {
    let declared = 0;
    let refused = 0;
    const answers = { true: 0, false: 0 };
    for (let i = 0; i < 800; i++) {
      const made = make(rng.integer(1, 4));
      const condition = conditionOf(made.text);
      if (condition === null) throw new Error(`not read: ${made.text}`);
      let lab: SettingsRegistry | undefined;
      try {
        lab = new SettingsRegistry(new Catalog([], [{ settings: [...own, spec('z.z', 0, made.text)] }]));
        declared++;
      } catch (error) {
        if (!(error instanceof DeclarationError)) throw error;
        refused++;
      }
      for (let j = 0; j < 4; j++) {
        const config = draw();
        const wanted = expected(made, config);
        answers[`${wanted}`]++;
        expect(mayHold(condition, one(config)), `${made.text} at ${JSON.stringify(config)}`).toBe(wanted);
        if (lab !== undefined) expect(lab.applies('z.z', { ...config, 'z.z': 0 }), made.text).toBe(wanted);
        // A reason can be asked for whatever the expression is.
        expect(condition.explain(config)).toContain(made.text);
      }
    }
    // Seventy of the rarest, give or take eight.
    expect(Math.min(declared, refused, answers.true, answers.false)).toBeGreaterThan(20);
  });

  it('may hold in a sweep exactly where they hold for one of its combinations (property; catches a setting hidden that matters)', () => {
    let never = 0;
    for (let i = 0; i < 400; i++) {
      const made = make(rng.integer(1, 3));
      const swept = Object.fromEntries(
        Object.entries(NAMES).map(([name, values]) => [name, values.filter(() => rng() < 0.5)]),
      ) as Record<string, readonly SettingValue[]>;
      for (const [name, values] of Object.entries(NAMES)) if (swept[name].length === 0) swept[name] = [values[0]];
      let any = false;
      const each = (names: readonly string[], config: Config): void => {
        const [name, ...rest] = names;
        if (name === undefined) any ||= expected(made, config);
        else for (const value of swept[name]) each(rest, { ...config, [name]: value });
      };
      each(Object.keys(NAMES), {});
      if (!any) never++;
      expect(
        mayHold(conditionOf(made.text)!, (name) => swept[name]),
        made.text,
      ).toBe(any);
    }
    expect(never).toBeGreaterThan(3);
  });
});
