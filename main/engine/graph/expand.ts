/** Rewrites a graph with some composites replaced by their decomposition. */
import { newGraph, operationOf } from './operation.ts';
import { sameShape, showType } from './value.ts';
import type { Graph, Node, Value } from './value.ts';

export interface Expanded {
  readonly graph: Graph;
  /** The value of the new graph that stands for a value of the old one. */
  map(value: Value): Value;
}

/**
 * A copy of `graph` holding only what `wanted` needs, in which every composite for which `keep` is false is replaced by its
 * decomposition, recursively. Scope and phase carry over.
 */
export function expand(graph: Graph, wanted: readonly Value[], keep: (node: Node) => boolean): Expanded {
  const target = newGraph();
  const live = reachable(wanted);
  const mapping = new Map<number, Value>();
  for (const node of graph.nodes) {
    if (!live.has(node)) continue;
    const inputs = node.inputs.map((value) => mapping.get(value.id)!);
    const outputs = target.during(node.phase, () => expandNode(target, node, inputs, keep), node.scope);
    node.outputs.forEach((value, i) => mapping.set(value.id, outputs[i]!));
  }
  const map = (value: Value): Value => {
    const found = mapping.get(value.id);
    if (found === undefined)
      throw new Error(`expand: value ${value.id} of ${value.node.op} was not among the wanted ones`);
    return found;
  };
  if (!needsAnotherPass(target, keep)) return { graph: target, map };
  const again = expand(target, wanted.map(map), keep);
  return { graph: again.graph, map: (value) => again.map(map(value)) };
}

function needsAnotherPass(graph: Graph, keep: (node: Node) => boolean): boolean {
  return graph.nodes.some((node) => mustExpand(node, keep));
}

function mustExpand(node: Node, keep: (node: Node) => boolean): boolean {
  const operation = operationOf(node.op);
  return operation.kind === 'composite' && operation.decompose !== undefined && !keep(node);
}

/** Adds `node` to `target` on the given inputs, or its decomposition (one level) when it is not kept. */
function expandNode(
  target: Graph,
  node: Node,
  inputs: readonly Value[],
  keep: (node: Node) => boolean,
): readonly Value[] {
  if (!mustExpand(node, keep)) return target.add(node.op, inputs, node.attrs);
  const outputs = operationOf(node.op).decompose!(inputs, node.attrs);
  node.outputs.forEach((declared, i) => {
    const made = outputs[i];
    if (made === undefined || made.dtype !== declared.dtype || !sameShape(made.shape, declared.shape))
      throw new Error(
        `${node.op}: its decomposition makes ${made === undefined ? 'nothing' : showType(made)} for output ${i}, ` +
          `which is declared ${showType(declared)}`,
      );
  });
  return outputs;
}

/** Nodes that any of `values` depends on. */
export function reachable(values: readonly Value[]): Set<Node> {
  const found = new Set<Node>();
  const stack = values.map((value) => value.node);
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (found.has(node)) continue;
    found.add(node);
    for (const value of node.inputs) stack.push(value.node);
  }
  return found;
}
