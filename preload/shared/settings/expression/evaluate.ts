/** Compiles a parsed expression into a function of a configuration. Types are strict: no value ever turns into another. */
import type { Config, SettingValue } from '../../../contract/settings.ts';
import { type BinaryOperator, ExpressionError, type Node } from './parse.ts';

export type Evaluator = (config: Config) => SettingValue;

/** Functions of numbers: how many arguments they take, and what they do. */
export const FUNCTIONS: Readonly<
  Record<string, { readonly arity: number | 'any'; readonly run: (...n: number[]) => number }>
> = {
  min: { arity: 'any', run: Math.min },
  max: { arity: 'any', run: Math.max },
  abs: { arity: 1, run: Math.abs },
  log2: { arity: 1, run: Math.log2 },
  sqrt: { arity: 1, run: Math.sqrt },
  floor: { arity: 1, run: Math.floor },
  round: { arity: 1, run: Math.round },
  ceil: { arity: 1, run: Math.ceil },
};

const ARITHMETIC: Partial<Record<BinaryOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
};

const ORDER: Partial<Record<BinaryOperator, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** A value as it is written in an expression: text in quotes. */
export function show(value: SettingValue): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function typeName(value: SettingValue): string {
  return typeof value === 'number' ? 'a number' : typeof value === 'string' ? 'text' : 'true or false';
}

/** Turns the tree into closures; evaluation errors (types, undefined numbers) throw ExpressionError. */
export function compile(node: Node, source: string): Evaluator {
  const fail = (at: Node, detail: string): never => {
    throw new ExpressionError(source, at.start, detail);
  };
  const text = (at: Node): string => source.slice(at.start, at.end);

  const typed = <T extends SettingValue>(at: Node, type: string, wanted: string): ((config: Config) => T) => {
    const run = build(at);
    return (config) => {
      const value = run(config);
      if (typeof value !== type)
        fail(at, `${wanted} is needed, but \`${text(at)}\` is ${typeName(value)} (${show(value)})`);
      return value as T;
    };
  };
  const numeric = (at: Node): ((config: Config) => number) => typed<number>(at, 'number', 'a number');
  const logical = (at: Node): ((config: Config) => boolean) => typed<boolean>(at, 'boolean', 'true or false');

  const equal = (at: Node, left: SettingValue, right: SettingValue): boolean => {
    if (typeof left !== typeof right)
      fail(at, `${typeName(left)} (${show(left)}) cannot be compared with ${typeName(right)} (${show(right)})`);
    return left === right;
  };

  const binary = (at: Node & { kind: 'binary' }): Evaluator => {
    const { operator } = at;
    const calculate = ARITHMETIC[operator];
    if (calculate) {
      const left = numeric(at.left);
      const right = numeric(at.right);
      return (config) => {
        const a = left(config);
        const b = right(config);
        const result = calculate(a, b);
        if (!Number.isFinite(result)) fail(at, `${a} ${operator} ${b} is not a number`);
        return result;
      };
    }
    const order = ORDER[operator];
    if (order) {
      const left = numeric(at.left);
      const right = numeric(at.right);
      return (config) => order(left(config), right(config));
    }
    if (operator === '&&' || operator === '||') {
      const left = logical(at.left);
      const right = logical(at.right);
      return operator === '&&' ? (config) => left(config) && right(config) : (config) => left(config) || right(config);
    }
    const left = build(at.left);
    if (operator === 'in') {
      if (at.right.kind !== 'list') return fail(at.right, '`in` needs a list on its right, such as ["sgd", "rmsprop"]');
      const items = at.right.items.map(build);
      return (config) => {
        const value = left(config);
        return items.some((item) => equal(at, value, item(config)));
      };
    }
    const right = build(at.right);
    return operator === '=='
      ? (config) => equal(at, left(config), right(config))
      : (config) => !equal(at, left(config), right(config));
  };

  const call = (at: Node & { kind: 'call' }): Evaluator => {
    const found = Object.hasOwn(FUNCTIONS, at.name) ? FUNCTIONS[at.name] : undefined;
    if (!found) return fail(at, `there is no function ${at.name}; known: ${Object.keys(FUNCTIONS).join(', ')}`);
    if (found.arity === 'any' ? at.args.length === 0 : at.args.length !== found.arity)
      return fail(
        at,
        `${at.name} takes ${found.arity === 'any' ? 'at least 1' : found.arity} number, not ${at.args.length}`,
      );
    const args = at.args.map(numeric);
    return (config) => {
      const values = args.map((arg) => arg(config));
      const result = found.run(...values);
      if (!Number.isFinite(result)) fail(at, `${at.name}(${values.join(', ')}) is not a number`);
      return result;
    };
  };

  const build = (at: Node): Evaluator => {
    switch (at.kind) {
      case 'literal': {
        const { value } = at;
        return () => value;
      }
      case 'name': {
        const { name } = at;
        return (config) => {
          const value = Object.hasOwn(config, name) ? config[name] : undefined;
          return value === undefined ? fail(at, `there is no setting ${name}`) : value;
        };
      }
      case 'unary': {
        if (at.operator === '!') {
          const operand = logical(at.operand);
          return (config) => !operand(config);
        }
        const operand = numeric(at.operand);
        return (config) => -operand(config);
      }
      case 'binary':
        return binary(at);
      case 'conditional': {
        const test = logical(at.test);
        const yes = build(at.yes);
        const no = build(at.no);
        return (config) => (test(config) ? yes(config) : no(config));
      }
      case 'list':
        return fail(at, 'a list can only stand on the right of `in`');
      case 'call':
        return call(at);
    }
  };

  return build(node);
}
