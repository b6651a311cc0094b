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

/** The same tree with other names of settings, in the same places of the source. */
export function mapNames(node: Node, to: (name: string) => string): Node {
  const map = (child: Node): Node => mapNames(child, to);
  switch (node.kind) {
    case 'name':
      return { ...node, name: to(node.name) };
    case 'unary':
      return { ...node, operand: map(node.operand) };
    case 'binary':
      return { ...node, left: map(node.left), right: map(node.right) };
    case 'conditional':
      return { ...node, test: map(node.test), yes: map(node.yes), no: map(node.no) };
    case 'list':
      return { ...node, items: node.items.map(map) };
    case 'call':
      return { ...node, args: node.args.map(map) };
    default:
      return node;
  }
}
