/** Rebuilding a program with some nodes replaced. */
import { reachable } from '../graph/expand.ts';
import type { Nodes } from '../graph/expand.ts';
import { newGraph } from '../graph/operation.ts';
import { onGraph, wantedValues } from '../graph/program.ts';
import type { Program } from '../graph/program.ts';
import type { Graph, Node, Value } from '../graph/value.ts';

/** What a rewrite rule sees. */
export interface Rewriting {
  /** The graph being built. */
  readonly graph: Graph;
  /** The new value for a value of the old graph; its producer is added first when it is not there yet. */
  map(value: Value): Value;
  /** Makes later uses of an old value read `replacement`. */
  replace(value: Value, replacement: Value): void;
  /** How many times an old value is read by live nodes or wanted as a result. */
  uses(value: Value): number;
  /** Live nodes that read an old value. */
  readers(value: Value): readonly Node[];
}

/** Returns the new outputs of a node, or `undefined` to copy it. */
export type Rule = (node: Node, rewriting: Rewriting) => readonly Value[] | undefined;

/** Applies `rule` to every live node in order. Phase and scope carry over; nodes that end up unused are dropped by later passes. */
export function rewrite(source: Program, rule: Rule): Program {
  const target = newGraph();
  const wanted = wantedValues(source);
  const live = reachable(wanted);
  const counts = new Int32Array(source.graph.valueCount);
  for (const node of source.graph.nodes) if (live.has(node)) for (const { id } of node.inputs) counts[id]! += 1;
  for (const { id } of wanted) counts[id]! += 1;
  let readers: (Node[] | undefined)[] | undefined;
  const mapping: (Value | undefined)[] = [];
  const done = new Uint8Array(source.graph.nodes.length);

  const map = (value: Value): Value => {
    if (mapping[value.id] === undefined) emit(value.node);
    const found = mapping[value.id];
    if (found === undefined) throw new Error(`rewrite: ${value.node.op} has no replacement for output ${value.index}`);
    return found;
  };
  const emit = (node: Node): void => {
    if (done[node.id] === 1) return;
    done[node.id] = 1;
    const outputs =
      target.during(node.phase, () => rule(node, rewriting), node.scope) ?? target.copy(node, node.inputs.map(map));
    for (const value of node.outputs) {
      const output = outputs[value.index];
      if (output !== undefined) mapping[value.id] = output;
    }
  };
  const rewriting: Rewriting = {
    graph: target,
    map,
    replace: (value, replacement) => {
      mapping[value.id] = replacement;
    },
    uses: ({ id }) => counts[id]!,
    readers: ({ id }) => (readers ??= readersOf(source.graph, live))[id] ?? [],
  };
  for (const node of source.graph.nodes) {
    if (live.has(node)) emit(node);
  }
  return onGraph(source, target, map);
}

/** Live nodes that read each value, by its number. */
function readersOf(graph: Graph, live: Nodes): (Node[] | undefined)[] {
  const readers: (Node[] | undefined)[] = [];
  for (const node of graph.nodes) if (live.has(node)) for (const { id } of node.inputs) (readers[id] ??= []).push(node);
  return readers;
}

/** What a chain of reshapes looks at. */
export function throughReshapes(value: Value): Value {
  let root = value;
  while (root.node.op === 'reshape') root = root.node.inputs[0]!;
  return root;
}
