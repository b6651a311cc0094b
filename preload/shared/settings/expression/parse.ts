/**
 * Parses an expression over settings into a small checked tree. jsep does the grammar; this file adds positions, the word
 * operators `in`, `and`, `or`, dotted setting names, and refuses everything that the language does not have.
 */
import jsep from 'jsep';
import type { SettingValue } from '../../../contract/settings.ts';

/** Places are offsets into the source text, `end` exclusive. */
interface Place {
  readonly start: number;
  readonly end: number;
}

export type Node = Place &
  (
    | { readonly kind: 'literal'; readonly value: SettingValue }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'unary'; readonly operator: '-' | '!'; readonly operand: Node }
    | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
    | { readonly kind: 'conditional'; readonly test: Node; readonly yes: Node; readonly no: Node }
    | { readonly kind: 'list'; readonly items: readonly Node[] }
    | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[] }
  );

const BINARY = ['+', '-', '*', '/', '%', '**', '==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in'] as const;
export type BinaryOperator = (typeof BINARY)[number];

/** Longer or deeper ones are refused before they are read: nobody writes them, and reading them would take time and stack. */
export const MOST_CHARACTERS = 2000;
const MOST_DEPTH = 200;
const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** An expression that cannot be read or evaluated; `position` is the 1-based column in the expression. */
export class ExpressionError extends Error {
  readonly expression: string;
  readonly position: number;
  readonly detail: string;

  constructor(expression: string, offset: number, detail: string) {
    super(`in the expression \`${cut(expression, 200)}\`, column ${offset + 1}: ${cut(detail, 500)}`);
    this.name = 'ExpressionError';
    this.expression = expression;
    this.position = offset + 1;
    this.detail = detail;
  }
}

jsep.addBinaryOp('in', 7);
jsep.addBinaryOp('and', 2);
jsep.addBinaryOp('or', 1);

/** What jsep makes, with the places and parentheses noted by the parser below. */
interface Raw {
  type: string;
  start?: number;
  end?: number;
  grouped?: boolean;
  [key: string]: unknown;
}

interface JsepParser {
  index: number;
  readonly expr: string;
  parse(): Raw;
  gobbleSpaces(): void;
  gobbleToken(): Raw | false | undefined;
}

const Parser = (jsep as unknown as { Jsep: new (source: string) => JsepParser }).Jsep;

/** jsep that notes where each token starts and ends. */
class PlacingParser extends Parser {
  override gobbleToken(): Raw | false | undefined {
    this.gobbleSpaces();
    const start = this.index;
    const node = super.gobbleToken();
    if (node) {
      const grouped = this.expr[start] === '(' && node.type !== 'MemberExpression' && node.type !== 'CallExpression';
      node.start = start;
      node.end = start + this.expr.slice(start, this.index).trimEnd().length;
      node.grouped = grouped;
    }
    return node;
  }
}

class Converter {
  readonly source: string;
  #depth = 0;

  constructor(source: string) {
    this.source = source;
  }

  fail(at: number, detail: string): never {
    throw new ExpressionError(this.source, at, detail);
  }

  convert(raw: Raw): Node {
    if (++this.#depth > MOST_DEPTH) return this.fail(this.startOf(raw), TOO_DEEP);
    const node = this.node(raw);
    this.#depth--;
    return node;
  }

  private node(raw: Raw): Node {
    const start = this.startOf(raw);
    const end = this.endOf(raw);
    switch (raw.type) {
      case 'Literal': {
        const value = raw.value;
        if (typeof value === 'number' && !Number.isFinite(value))
          return this.fail(start, `${String(raw.raw)} is too large for a number`);
        if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
          return { kind: 'literal', value, start, end };
        return this.fail(start, `\`${String(raw.raw)}\` is not a value; use a number, text in quotes, true or false`);
      }
      case 'Identifier':
      case 'MemberExpression':
        return { kind: 'name', name: this.dottedName(raw, start), start, end };
      case 'UnaryExpression': {
        const operand = this.convert(raw.argument as Raw);
        if (raw.operator === '+') return operand;
        if (raw.operator !== '-' && raw.operator !== '!')
          return this.fail(start, `there is no operator ${raw.operator}`);
        return { kind: 'unary', operator: raw.operator, operand, start, end };
      }
      case 'BinaryExpression':
        return this.binary(raw, start, end);
      case 'ConditionalExpression':
        return {
          kind: 'conditional',
          test: this.convert(raw.test as Raw),
          yes: this.convert(raw.consequent as Raw),
          no: this.convert(raw.alternate as Raw),
          start,
          end,
        };
      case 'ArrayExpression':
        return { kind: 'list', items: this.convertAll(raw.elements as (Raw | null)[], start), start, end };
      case 'CallExpression': {
        const name = this.dottedName(raw.callee as Raw, start);
        return { kind: 'call', name, args: this.convertAll(raw.arguments as (Raw | null)[], start), start, end };
      }
      case 'Compound': {
        const body = raw.body as Raw[];
        if (body.length === 0) return this.fail(0, 'the expression is empty');
        if (body[0].type === 'Identifier' && body[0].name === 'not')
          return this.fail(this.startOf(body[0]), 'write !(…) for not');
        return this.fail(this.startOf(body[1]), 'expected an operator here');
      }
      default:
        return this.fail(start, `${raw.type} is not part of the language`);
    }
  }

  private binary(raw: Raw, start: number, end: number): Node {
    const left = raw.left as Raw;
    const written = raw.operator as string;
    if (written === '**' && left.type === 'UnaryExpression' && !left.grouped)
      return this.fail(start, 'put parentheses around the sign or around the power: (-a) ** b or -(a ** b)');
    const same: Record<string, BinaryOperator> = { and: '&&', or: '||', '===': '==', '!==': '!=' };
    const operator = same[written] ?? BINARY.find((known) => known === written);
    if (!operator) return this.fail(start, `there is no operator ${written}; known: ${BINARY.join(' ')}`);
    return { kind: 'binary', operator, left: this.convert(left), right: this.convert(raw.right as Raw), start, end };
  }

  private convertAll(items: (Raw | null)[], start: number): Node[] {
    return items.map((item) => (item ? this.convert(item) : this.fail(start, 'a value is missing between commas')));
  }

  private dottedName(raw: Raw, start: number): string {
    if (raw.type === 'Identifier') return raw.name as string;
    if (raw.type === 'MemberExpression' && !raw.computed && !raw.optional)
      return `${this.dottedName(raw.object as Raw, start)}.${this.dottedName(raw.property as Raw, start)}`;
    return this.fail(start, 'expected the name of a setting, such as model.width');
  }

  private startOf(raw: Raw): number {
    for (let at: Raw | undefined = raw; at; at = (at.left ?? at.test ?? at.callee ?? at.object) as Raw | undefined)
      if (at.start !== undefined) return at.start;
    return 0;
  }

  private endOf(raw: Raw): number {
    for (let at: Raw | undefined = raw; at; at = (at.right ?? at.alternate) as Raw | undefined)
      if (at.end !== undefined) return at.end;
    return this.source.length;
  }
}

const TOO_DEEP = `more than ${MOST_DEPTH} parts within one another`;

/** Refuses what is too long or nests too deep for the recursion of the parser. Brackets within quotes do not count. */
function checkSize(source: string): void {
  if (source.length > MOST_CHARACTERS)
    throw new ExpressionError(source, MOST_CHARACTERS, `${source.length} characters; at most ${MOST_CHARACTERS}`);
  let depth = 0;
  let quote = '';
  for (let i = 0; i < source.length; i++) {
    const character = source[i];
    if (quote !== '') {
      if (character === '\\') i++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if ('([{?'.includes(character)) {
      if (++depth > MOST_DEPTH) throw new ExpressionError(source, i, TOO_DEEP);
    } else if (')]}:'.includes(character)) depth--;
  }
}

/** Reads an expression. Throws ExpressionError with the column of what is wrong. */
export function parseExpression(source: string): Node {
  checkSize(source);
  const converter = new Converter(source);
  let raw: Raw;
  try {
    raw = new PlacingParser(source).parse();
  } catch (error) {
    if (error instanceof RangeError) throw new ExpressionError(source, 0, TOO_DEEP);
    const { index, description, message } = error as Error & { index?: number; description?: string };
    throw new ExpressionError(source, index ?? 0, description ?? message);
  }
  return converter.convert(raw);
}
