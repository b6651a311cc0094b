/** A program: one static graph with named inputs, named outputs and updates of persistent state. */
import type { DType, Graph, Shape, Value } from './value.ts';

/** What a persistent array is for; the memory plan reports bytes by it. */
export type StateCategory = 'parameters' | 'working copies' | 'gradients' | 'optimizer state';

export interface StateSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly category: StateCategory;
  /** Layer it belongs to, for breakdowns. */
  readonly scope: string;
}

export interface StateUpdate {
  readonly state: string;
  readonly value: Value;
}

export interface Program {
  readonly name: string;
  readonly graph: Graph;
  /** Leaves of op `input` that the program reads, by name. */
  readonly inputs: ReadonlyMap<string, Value>;
  /** Values that the caller reads back after a run. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** New values of state, all taking effect when the run ends. */
  readonly updates: readonly StateUpdate[];
  /** Products of 32-bit operands may round them to tf32, where a device has units for it. */
  readonly tf32?: boolean | undefined;
}

/** Collects the inputs of a program from its graph. Names must be unique. */
export function program(
  name: string,
  graph: Graph,
  outputs: Readonly<Record<string, Value>>,
  updates: readonly StateUpdate[] = [],
): Program {
  const inputs = new Map<string, Value>();
  for (const node of graph.nodes) {
    if (node.op !== 'input') continue;
    const key = node.attrs.name as string;
    if (inputs.has(key)) throw new Error(`program ${name}: input ${key} is declared twice`);
    inputs.set(key, node.outputs[0]!);
  }
  return { name, graph, inputs, outputs: new Map(Object.entries(outputs)), updates };
}

/** The same program on another graph. @param map the value there for one of this graph */
export function onGraph(source: Program, graph: Graph, map: (value: Value) => Value): Program {
  const outputs = Object.fromEntries([...source.outputs].map(([name, value]) => [name, map(value)]));
  const updates = source.updates.map(({ state, value }) => ({ state, value: map(value) }));
  return { ...program(source.name, graph, outputs, updates), tf32: source.tf32 };
}

/** All values that a run must produce. */
export function wantedValues(p: Program): Value[] {
  return [...p.outputs.values(), ...p.updates.map((update) => update.value)];
}
