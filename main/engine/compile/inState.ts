/** Which values can be made directly in the memory of the state that they update, so that no copy is needed. */
import type { Nodes } from '../graph/expand.ts';
import { operationOf } from '../graph/operation.ts';
import { wantedValues } from '../graph/program.ts';
import type { Program } from '../graph/program.ts';
import { DTYPE_BYTES, sizeOf } from '../graph/value.ts';
import type { Node, Value } from '../graph/value.ts';

export interface InState {
  /** State in whose memory a value is made, by value id. */
  readonly inState: ReadonlyMap<number, string>;
  /** Updates that must be copied when the run ends and its outputs have been read, in this order. */
  readonly copies: readonly { readonly state: string; readonly value: Value }[];
}

interface Read {
  /** Undefined for a look at the old state when the run ends: an output, or an update of another state. */
  readonly node: Node | undefined;
  /** The value through which the state is read: the state itself or a view. */
  readonly input: Value;
}

/**
 * A value may be made in state memory when nothing reads the old state afterwards, nor at the same instant other than element by
 * element. When it is itself made in place over an input that dies there (a sum that grows), that input may live in the state too.
 *
 * @param instantOf position of each executed node; @param last last instant at which each value is read, views followed; @param apart values that are
 * made elsewhere all the same.
 */
export function placeInState(
  program: Program,
  live: Nodes,
  instantOf: ReadonlyMap<Node, number>,
  last: ReadonlyMap<number, number>,
  apart: ReadonlySet<Value> = new Set(),
): InState {
  const reads = stateReads(program, live);
  const inState = new Map<number, string>();
  const copies: { state: string; value: Value }[] = [];

  const free = (state: string, value: Value): boolean => {
    const made = instantOf.get(value.node);
    if (made === undefined || inState.has(value.id)) return false;
    return (reads.get(state) ?? []).every(({ node, input }) => {
      const read = node === undefined ? Infinity : instantOf.get(node)!;
      return read < made || (read === made && readsInPlace(value, input));
    });
  };
  const place = (state: string, value: Value): void => {
    inState.set(value.id, state);
    const maker = value.node;
    const made = instantOf.get(maker)!;
    for (const [output, position] of operationOf(maker.op).inPlace ?? []) {
      const input = maker.inputs[position];
      if (output !== value.index || input === undefined) continue;
      const root = viewed(input);
      const dies = last.get(root.id) === made && maker.inputs.filter((other) => viewed(other) === root).length === 1;
      if (dies && !apart.has(root) && sameLayout(root, value) && free(state, root)) return place(state, root);
    }
  };
  for (const { state, value } of program.updates) {
    const root = viewed(value);
    if (!apart.has(root) && free(state, root)) place(state, root);
    else copies.push({ state, value });
  }
  return { inState, copies: inOrder(copies) };
}

/** Who reads each state that the program updates, views followed. */
function stateReads(program: Program, live: Nodes): Map<string, Read[]> {
  const updated = new Set(program.updates.map(({ state }) => state));
  const stateOf = new Map<Value, string>();
  const reads = new Map<string, Read[]>();
  for (const node of program.graph.nodes) {
    if (!live.has(node)) continue;
    if (node.op === 'state' && updated.has(node.attrs.name as string)) {
      stateOf.set(node.outputs[0]!, node.attrs.name as string);
      continue;
    }
    for (const input of node.inputs) {
      const name = stateOf.get(input);
      if (name === undefined) continue;
      if (operationOf(node.op).view === true) stateOf.set(node.outputs[0]!, name);
      else reads.set(name, [...(reads.get(name) ?? []), { node, input }]);
    }
  }
  for (const value of wantedValues(program)) {
    const name = stateOf.get(value);
    if (name !== undefined) reads.set(name, [...(reads.get(name) ?? []), { node: undefined, input: value }]);
  }
  return reads;
}

/** Copies so ordered that a state is read as another's new value before it is overwritten itself. */
function inOrder(copies: InState['copies']): InState['copies'] {
  const sourceOf = (value: Value) => {
    const { node } = viewed(value);
    return node.op === 'state' ? (node.attrs.name as string) : undefined;
  };
  const left = copies.filter(({ state, value }) => sourceOf(value) !== state);
  const ordered: InState['copies'][number][] = [];
  while (left.length > 0) {
    const next = left.findIndex(({ state }, i) => left.every((other, j) => i === j || sourceOf(other.value) !== state));
    if (next < 0) {
      const names = left.map(({ state }) => state).join(', ');
      throw new Error(`states ${names} take each other's old values; compute a new value for one of them`);
    }
    ordered.push(...left.splice(next, 1));
  }
  return ordered;
}

/** Whether element i of both lies at the same place in memory. */
export function sameLayout(a: Value, b: Value): boolean {
  return sizeOf(a.shape) === sizeOf(b.shape) && DTYPE_BYTES[a.dtype] === DTYPE_BYTES[b.dtype];
}

/** Whether the maker of `value` reads `input` only where it writes the same element of `value`. */
function readsInPlace(value: Value, input: Value): boolean {
  const pairs = operationOf(value.node.op).inPlace ?? [];
  return value.node.inputs.every(
    (other, i) =>
      other !== input ||
      (pairs.some(([output, position]) => output === value.index && position === i) && sameLayout(other, value)),
  );
}

/** What a chain of views looks at. */
export function viewed(value: Value): Value {
  let root = value;
  while (operationOf(root.node.op).view === true) root = root.node.inputs[0]!;
  return root;
}
