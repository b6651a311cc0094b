/**
 * Expressions over settings, for `when` in declarations, for the constraints of sweeps and plug-ins.
 *
 *     model.width % model.heads == 0        optimizer.kind in ["sgd", "rmsprop"] and optimizer.momentum > 0
 *
 * Numbers, text, true/false · + - * / % ** · == != < <= > >= in · && || ! (also and, or) · a ? b : c · min max abs log2
 * sqrt floor round ceil. A closed language without assignment, members or calls into JavaScript, bounded in length and depth:
 * text from a file is safe.
 */
import type { Config, SettingSpec, SettingValue } from '../../contract/settings.ts';
import { compile, type Evaluator, show } from './expression/evaluate.ts';
import { ExpressionError, type Node, parseExpression } from './expression/parse.ts';
import { mapNames, walk } from './expression/tree.ts';
import { wordsOf } from './expression/words.ts';
import { isChoice } from './values.ts';

export { ExpressionError } from './expression/parse.ts';

/** What an expression needs to know about settings to be checked before it is ever evaluated. */
export interface Names {
  get(name: string): SettingSpec | undefined;
  suggest(name: string): string | undefined;
  /** The setting whose last part this is, where there is only one: `width` for `model.width`. */
  full?(name: string): string | undefined;
}

export class Expression {
  readonly source: string;
  /** Settings that it reads, in order of appearance, without repeats. */
  readonly names: readonly string[];
  readonly #tree: Node;
  readonly #evaluate: Evaluator;

  /**
   * Reads and checks an expression. With `names`, unknown settings, and comparisons with a choice that a setting does not
   * have, are refused here rather than being quietly false. Throws ExpressionError.
   */
  constructor(source: string, names?: Names) {
    this.source = source;
    this.#tree = names?.full === undefined ? parseExpression(source) : inFull(parseExpression(source), names);
    this.#evaluate = compile(this.#tree, source);
    const found = new Set<string>();
    walk(this.#tree, (node) => {
      if (node.kind === 'name') found.add(node.name);
      if (names) check(node, source, names);
    });
    this.names = [...found];
  }

  /** The value for a configuration. Throws ExpressionError for a type error or a number that is not defined. */
  evaluate(config: Config): SettingValue {
    return this.#evaluate(config);
  }

  /** As `evaluate`, for expressions that must be true or false. */
  test(config: Config): boolean {
    const value = this.#evaluate(config);
    if (typeof value === 'boolean') return value;
    throw new ExpressionError(this.source, 0, `must be true or false, but is ${show(value)}`);
  }

  /** The numbers for which it is false, part by part: `64 % 3 = 1`; empty where there are none. Never throws. */
  numbers(config: Config): string {
    return [...new Set(reasons(this.#tree, this.source, config))].join(', ');
  }

  /** Why it is false for a configuration, with the numbers: `model.width % model.heads == 0: 64 % 3 = 1`. Never throws. */
  explain(config: Config): string {
    const numbers = this.numbers(config);
    return numbers === '' ? `${this.source} is false` : `${this.source}: ${numbers}`;
  }

  /** In words, after "when": `optimizer.kind is sgd or rmsprop`. */
  words(): string {
    return wordsOf(this.#tree, this.source);
  }
}

/** With the short names of settings replaced: plans print `width 64`, and may be answered in the same words. */
function inFull(tree: Node, names: Names): Node {
  return mapNames(tree, (name) => (names.get(name) === undefined ? names.full?.(name) : undefined) ?? name);
}

function check(node: Node, source: string, names: Names): void {
  if (node.kind === 'name' && !names.get(node.name)) {
    const near = names.suggest(node.name);
    const hint = near ? `; did you mean ${near}?` : '';
    throw new ExpressionError(source, node.start, `there is no setting ${node.name}${hint}`);
  }
  if (node.kind !== 'binary' || !['==', '!=', 'in'].includes(node.operator)) return;
  for (const [side, other] of [
    [node.left, node.right],
    [node.right, node.left],
  ]) {
    const type = side.kind === 'name' ? names.get(side.name)?.type : undefined;
    if (side.kind !== 'name' || type?.kind !== 'enum') continue;
    for (const literal of other.kind === 'list' ? other.items : [other]) {
      if (literal.kind !== 'literal' || isChoice(type, String(literal.value))) continue;
      const allowed = type.values.map(show).join(', ');
      throw new ExpressionError(
        source,
        literal.start,
        `${side.name} is never ${show(literal.value)}; it is one of ${allowed}`,
      );
    }
  }
}

/** The source of a part with its settings replaced by their values. */
function substituted(node: Node, source: string, config: Config): string {
  const places: Node[] = [];
  walk(node, (part) => {
    if (part.kind === 'name') places.push(part);
  });
  let text = '';
  let at = node.start;
  for (const place of places.sort((a, b) => a.start - b.start)) {
    text += source.slice(at, place.start) + show(config[place.kind === 'name' ? place.name : '']);
    at = place.end;
  }
  return text + source.slice(at, node.end);
}

/** The value of a part; undefined where it has none, such as a division by zero behind a condition that is false. */
function valueOf(node: Node, source: string, config: Config): SettingValue | undefined {
  try {
    return compile(node, source)(config);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

function reasons(node: Node, source: string, config: Config): string[] {
  if (node.kind === 'binary' && (node.operator === '&&' || node.operator === '||'))
    return [node.left, node.right].flatMap((side) =>
      valueOf(side, source, config) === false ? reasons(side, source, config) : [],
    );
  const sides = node.kind === 'binary' ? [node.left, node.right] : [node];
  return sides.flatMap((side) => {
    if (side.kind === 'literal' || side.kind === 'list') return [];
    const value = valueOf(side, source, config);
    if (value === undefined) return [];
    return [`${side.kind === 'name' ? side.name : substituted(side, source, config)} = ${show(value)}`];
  });
}
