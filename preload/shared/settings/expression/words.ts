/** An expression in words, for people: `optimizer.kind == "sgd" && !model.tied` is "optimizer.kind is sgd and model.tied is off". */
import type { BinaryOperator, Node } from './parse.ts';

const COMPARED: Partial<Record<BinaryOperator, string>> = {
  '==': 'is',
  '!=': 'is not',
  '<': 'is below',
  '<=': 'is at most',
  '>': 'is above',
  '>=': 'is at least',
};

function valueWords(node: Node, source: string): string {
  if (node.kind === 'literal') {
    if (node.value === '') return 'empty';
    if (typeof node.value === 'boolean') return node.value ? 'on' : 'off';
    return String(node.value);
  }
  return source.slice(node.start, node.end);
}

/** `sgd`, `sgd or rmsprop`, `adamw, adam or sgd` */
function anyOf(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? 'nothing') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** A condition, to be read after "when". Arithmetic stays as it is written. */
export function wordsOf(node: Node, source: string): string {
  const words = (part: Node): string => wordsOf(part, source);
  const text = (part: Node): string => valueWords(part, source);
  switch (node.kind) {
    case 'name':
      return `${node.name} is on`;
    case 'unary':
      if (node.operator !== '!') return text(node);
      return node.operand.kind === 'name' ? `${node.operand.name} is off` : `not (${words(node.operand)})`;
    case 'binary': {
      const { operator, left, right } = node;
      if (operator === '&&' || operator === '||') {
        // `and` binds closer than `or`.
        const side = (part: Node): string =>
          operator === '&&' && part.kind === 'binary' && part.operator === '||' ? `(${words(part)})` : words(part);
        return `${side(left)} ${operator === '&&' ? 'and' : 'or'} ${side(right)}`;
      }
      if (operator === 'in')
        return `${text(left)} is ${anyOf(right.kind === 'list' ? right.items.map(text) : [text(right)])}`;
      const compared = COMPARED[operator];
      return compared === undefined ? text(node) : `${text(left)} ${compared} ${text(right)}`;
    }
    default:
      return text(node);
  }
}
