/**
 * Whether a setting has an effect in a draft: its `when` over the values that the draft gives, swept settings included. The lab
 * decides; this only hides what could not matter. A condition that cannot be read counts as true, so that nothing gets lost.
 */
import jsep from 'jsep';
import type { SettingSpec, SettingValue } from '../../../../preload/contract/settings.ts';

/** The values that a setting takes in a draft; undefined: unknown (a distribution). */
export type ValuesOf = (name: string) => readonly SettingValue[] | undefined;

type Value = SettingValue | readonly Value[];

interface Expression {
  readonly type: string;
  readonly [key: string]: unknown;
}

jsep.addBinaryOp('in', 7);
jsep.addBinaryOp('and', 2);
jsep.addBinaryOp('or', 1);

const parsed = new Map<string, Expression | null>();

function parse(source: string): Expression | null {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  let tree: Expression | null = null;
  try {
    tree = jsep(source) as unknown as Expression;
  } catch {
    // Shown by the plan, with its column.
  }
  parsed.set(source, tree);
  return tree;
}

function nameOf(node: Expression): string {
  if (node.type === 'Identifier') return node.name as string;
  return `${nameOf(node.object as Expression)}.${nameOf(node.property as Expression)}`;
}

function namesIn(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) for (const each of node) namesIn(each, found);
  else if (typeof node === 'object' && node !== null) {
    const { type } = node as Expression;
    if (type === 'Identifier' || type === 'MemberExpression') found.add(nameOf(node as Expression));
    else if (type === 'CallExpression') namesIn((node as Expression).arguments, found);
    else for (const each of Object.values(node)) namesIn(each, found);
  }
}

/** Settings that an expression reads. */
export function settingsIn(source: string): string[] {
  const found = new Set<string>();
  namesIn(parse(source), found);
  return [...found];
}

class Unreadable extends Error {}

function evaluate(node: Expression, config: Readonly<Record<string, SettingValue>>): Value {
  const run = (key: string): Value => evaluate(node[key] as Expression, config);
  switch (node.type) {
    case 'Literal':
      return node.value as SettingValue;
    case 'Identifier':
    case 'MemberExpression': {
      const value = config[nameOf(node)];
      if (value === undefined) throw new Unreadable();
      return value;
    }
    case 'ArrayExpression':
      return (node.elements as Expression[]).map((each) => evaluate(each, config));
    case 'UnaryExpression':
      return node.operator === '!' ? run('argument') !== true : -(run('argument') as number);
    case 'ConditionalExpression':
      return run('test') === true ? run('consequent') : run('alternate');
    case 'BinaryExpression': {
      const operator = node.operator as string;
      const left = run('left');
      if (operator === '&&' || operator === 'and') return left === true && run('right') === true;
      if (operator === '||' || operator === 'or') return left === true || run('right') === true;
      const right = run('right');
      switch (operator) {
        case '==':
        case '===':
          return left === right;
        case '!=':
        case '!==':
          return left !== right;
        case 'in':
          return Array.isArray(right) && right.includes(left);
        case '<':
          return left < right;
        case '<=':
          return left <= right;
        case '>':
          return left > right;
        case '>=':
          return left >= right;
        case '+':
          return (left as number) + (right as number);
        case '-':
          return (left as number) - (right as number);
        case '*':
          return (left as number) * (right as number);
        case '/':
          return (left as number) / (right as number);
        case '%':
          return (left as number) % (right as number);
        default:
          throw new Unreadable();
      }
    }
    default:
      throw new Unreadable();
  }
}

/** Combinations looked at before the answer is "perhaps". */
const MOST = 512;

/** True when the condition holds for at least one combination of the values. */
export function mayHold(source: string, valuesOf: ValuesOf): boolean {
  const tree = parse(source);
  if (tree === null) return true;
  const names = settingsIn(source);
  const columns: (readonly SettingValue[])[] = [];
  for (const name of names) {
    const values = valuesOf(name);
    if (values === undefined) return true;
    columns.push(values);
  }
  if (columns.reduce((size, column) => size * column.length, 1) > MOST) return true;
  const config: Record<string, SettingValue> = {};
  const search = (at: number): boolean => {
    if (at === columns.length) return evaluate(tree, config) === true;
    return columns[at].some((value) => {
      config[names[at]] = value;
      return search(at + 1);
    });
  };
  try {
    return search(0);
  } catch {
    return true;
  }
}

/** Whether the setting can matter, its own condition and those of the settings that the condition reads. */
export function applies(
  spec: SettingSpec,
  specs: ReadonlyMap<string, SettingSpec>,
  valuesOf: ValuesOf,
  seen: ReadonlySet<string> = new Set(),
): boolean {
  if (spec.when === undefined || seen.has(spec.name)) return true;
  if (!mayHold(spec.when, valuesOf)) return false;
  const further = new Set([...seen, spec.name]);
  return settingsIn(spec.when).every((name) => {
    const other = specs.get(name);
    return other === undefined || applies(other, specs, valuesOf, further);
  });
}

/** The condition in words: `with optimizer.kind sgd or rmsprop`. */
export function conditionWords(when: string): string {
  return when
    .replaceAll(/(\S+) in \[([^\]]*)\]/gu, (_, name: string, list: string) => {
      const values = list.split(',').map((each) => each.trim().replaceAll('"', ''));
      return `${name} is ${values.length > 1 ? `${values.slice(0, -1).join(', ')} or ${values.at(-1)}` : values[0]}`;
    })
    .replaceAll(/!\s*([a-z_][\w.]*)/giu, '$1 is off')
    .replaceAll(/\s*==\s*""/gu, ' is empty')
    .replaceAll(/\s*!=\s*""/gu, ' is not empty')
    .replaceAll(/\s*==\s*"?([^"\s&|)]+)"?/gu, ' is $1')
    .replaceAll(/\s*!=\s*"?([^"\s&|)]+)"?/gu, ' is not $1')
    .replaceAll(/\s*>\s*0\b/gu, ' is above 0')
    .replaceAll(/&&/gu, 'and')
    .replaceAll(/\|\|/gu, 'or');
}
