/** Walking the tree of an expression. */
import type { Node } from './parse.ts';

function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'unary':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'conditional':
      return [node.test, node.yes, node.no];
    case 'list':
      return node.items;
    case 'call':
      return node.args;
    default:
      return [];
  }
}

/** Visits every part, outer ones first, from left to right. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const child of children(node)) walk(child, visit);
}
