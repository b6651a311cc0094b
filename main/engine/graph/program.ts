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

/** All values that a run must produce. */
export function wantedValues(p: Program): Value[] {
  return [...p.outputs.values(), ...p.updates.map((update) => update.value)];
}
