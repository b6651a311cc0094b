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
  const mapping: (Value | undefined)[] = [];
  for (const node of graph.nodes) {
    if (!live.has(node)) continue;
    const inputs = node.inputs.map((value) => mapping[value.id]!);
    const outputs = target.during(node.phase, () => expandNode(target, node, inputs, keep), node.scope);
    for (const value of node.outputs) mapping[value.id] = outputs[value.index]!;
  }
  const map = (value: Value): Value => {
    const found = mapping[value.id];
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
  if (!mustExpand(node, keep)) return target.copy(node, inputs);
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

/** Some nodes of one graph. */
export interface Nodes {
  has(node: Node): boolean;
}

/** Nodes that any of `values`, which are of one graph, depends on. */
export function reachable(values: readonly Value[]): Nodes {
  // By number: passes ask this of every node of graphs with tens of thousands.
  const found = new Uint8Array(values[0]?.graph.nodes.length ?? 0);
  const stack: Node[] = [];
  const find = ({ node }: Value): void => {
    if (found[node.id] === 1) return;
    found[node.id] = 1;
    stack.push(node);
  };
  for (const value of values) find(value);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) for (const value of node.inputs) find(value);
  return { has: (node) => found[node.id] === 1 };
}
