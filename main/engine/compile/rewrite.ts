/** Rebuilding a program with some nodes replaced. */
import { reachable } from '../graph/expand.ts';
import { newGraph } from '../graph/operation.ts';
import { program, wantedValues } from '../graph/program.ts';
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
  const live = reachable(wantedValues(source));
  const readers = new Map<number, Node[]>();
  const counts = new Map<number, number>();
  const count = (value: Value) => counts.set(value.id, (counts.get(value.id) ?? 0) + 1);
  for (const node of source.graph.nodes) {
    if (!live.has(node)) continue;
    for (const value of node.inputs) {
      count(value);
      const list = readers.get(value.id);
      if (list === undefined) readers.set(value.id, [node]);
      else list.push(node);
    }
  }
  for (const value of wantedValues(source)) count(value);
  const mapping = new Map<number, Value>();
  const done = new Set<Node>();

  const emit = (node: Node) => {
    if (done.has(node)) return;
    done.add(node);
    const outputs = target.during(
      node.phase,
      () =>
        rule(node, rewriting) ??
        target.add(
          node.op,
          node.inputs.map((value) => rewriting.map(value)),
          node.attrs,
        ),
      node.scope,
    );
    node.outputs.forEach((value, i) => {
      const output = outputs[i];
      if (output !== undefined) mapping.set(value.id, output);
    });
  };
  const rewriting: Rewriting = {
    graph: target,
    map: (value) => {
      if (!mapping.has(value.id)) emit(value.node);
      const found = mapping.get(value.id);
      if (found === undefined)
        throw new Error(`rewrite: ${value.node.op} has no replacement for output ${value.index}`);
      return found;
    },
    replace: (value, replacement) => mapping.set(value.id, replacement),
    uses: (value) => counts.get(value.id) ?? 0,
    readers: (value) => readers.get(value.id) ?? [],
  };
  for (const node of source.graph.nodes) {
    if (live.has(node)) emit(node);
  }
  const outputs = Object.fromEntries([...source.outputs].map(([name, value]) => [name, rewriting.map(value)]));
  const updates = source.updates.map(({ state, value }) => ({ state, value: rewriting.map(value) }));
  return program(source.name, target, outputs, updates);
}

/** What a chain of reshapes looks at. */
export function throughReshapes(value: Value): Value {
  let root = value;
  while (root.node.op === 'reshape') root = root.node.inputs[0]!;
  return root;
}
