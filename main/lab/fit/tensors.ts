/**
 * What the TensorFlow.js executor holds: it makes one tensor per value and drops it after its last use, 16-bit values stand in
 * float32, and a new state exists beside the old one until nothing reads the old one any more. This follows
 * engine/executors/tfjs/session.ts step by step. Of the scratch memory of single kernels only what its target declares is counted.
 */
import { fuse } from '../../engine/compile/fuse.ts';
import { lower, PRIMITIVE_TARGET } from '../../engine/compile/schedule.ts';
import type { Target } from '../../engine/compile/schedule.ts';
import { reachable } from '../../engine/graph/expand.ts';
import { isFloat } from '../../engine/graph/shapes.ts';
import { operationOf } from '../../engine/graph/operation.ts';
import { wantedValues } from '../../engine/graph/program.ts';
import type { Program, StateSpec } from '../../engine/graph/program.ts';
import { sizeOf } from '../../engine/graph/value.ts';
import type { Node, Value } from '../../engine/graph/value.ts';
import type { DeviceKind } from './kinds.ts';
import { useOf } from './use.ts';
import type { Held, ProgramUse, TemporaryCategory } from './use.ts';

/** Comparisons give tensors of one byte per element; all other types have four. */
const COMPARISONS = new Set(['greater', 'greaterEqual', 'less', 'equal']);

const bytesOf = (value: Value): number => sizeOf(value.shape) * (COMPARISONS.has(value.node.op) ? 1 : 4);

/** Bytes of one state. */
export const stateTensorBytes = (state: StateSpec): number => sizeOf(state.shape) * 4;

/** Memory shared by tensors that look at the same data. */
interface Data {
  readonly value: Value;
  readonly bytes: number;
  readonly start: number;
  end: number;
  references: number;
  /** It is, or replaces byte for byte, memory that a state held before the run: not counted as temporary. */
  state: boolean;
  /** What the state will hold instead. */
  successor?: Data;
}

/** True where the output's tensor shares the data of the first input. */
function sharesInput({ op, inputs, outputs, attrs }: Node): boolean {
  if (operationOf(op).view === true) return true;
  if (op === 'reduceSum' || op === 'reduceMax') return (attrs.axes as readonly number[]).length === 0;
  // Rounding to 16 bits makes a copy; everything else between float types is the same float32.
  return op === 'cast' && outputs[0]!.dtype === 'f32' && isFloat(inputs[0]!.dtype);
}

/** How the executor of each kind runs programs; loaded on demand, since it brings TensorFlow.js along. */
let fastTarget: Target | undefined;

/** Loads what plans of a kind need. Devices of that kind are only made after it (see devices.ts). */
export async function prepareKind(kind: DeviceKind): Promise<void> {
  if (kind !== 'tfjs-wasm' && kind !== 'tfjs-cpu') return;
  fastTarget ??= (await import('../../engine/executors/tfjs/index.ts')).TFJS_FAST_TARGET;
}

function compile(kind: DeviceKind, source: Program): { program: Program; target: Target } {
  if (kind === 'tfjs-gpu') return { program: lower(source, PRIMITIVE_TARGET), target: PRIMITIVE_TARGET };
  if (fastTarget === undefined) throw new Error(`plans for ${kind} need prepareKind first`);
  return { program: lower(fuse(source), fastTarget), target: fastTarget };
}

/** Counts the tensors of a program, node by node. @param vocabulary ids, to tell logits from other arrays */
export function tensorUse(kind: DeviceKind, source: Program, vocabulary: number): ProgramUse {
  const { program, target } = compile(kind, source);
  const live = reachable(wantedValues(program));
  const nodes = program.graph.nodes.filter((node) => live.has(node));
  const { dead, installs } = lifetimes(program, nodes);
  const last = Math.max(0, nodes.length - 1);
  const dataOf = new Map<number, Data>();
  const states = new Map<string, Data>();
  const temporaries: Data[] = [];
  const make = (value: Value, start: number, state: boolean): Data => {
    const data: Data = { value, bytes: bytesOf(value), start, end: last, references: 1, state };
    if (!state) temporaries.push(data);
    return data;
  };
  const release = (data: Data, instant: number): void => {
    if (--data.references > 0) return;
    if (!data.state) data.end = instant;
    const { successor } = data;
    if (!data.state || successor === undefined) return;
    successor.state = true;
    successor.end = instant;
  };
  for (const value of program.inputs.values()) dataOf.set(value.id, make(value, 0, false));
  nodes.forEach((node, instant) => {
    if (node.op === 'state') {
      const [value] = node.outputs as [Value];
      const name = node.attrs.name as string;
      const data = states.get(name) ?? make(value, 0, true);
      data.references++;
      states.set(name, data);
      dataOf.set(value.id, data);
    } else if (node.op !== 'input') {
      const shared = sharesInput(node) ? dataOf.get(node.inputs[0]!.id) : undefined;
      for (const value of node.outputs) {
        if (shared !== undefined) shared.references++;
        dataOf.set(value.id, shared ?? make(value, instant, false));
      }
    }
    for (const { state, value } of installs[instant]!) {
      const next = dataOf.get(value.id)!;
      const old = states.get(state) ?? make(value, 0, true);
      if (old === next) continue;
      next.references++;
      old.successor = next;
      states.set(state, next);
      release(old, instant);
    }
    for (const id of dead[instant]!) release(dataOf.get(id)!, instant);
  });
  const held = temporaries.map(({ value, bytes, start, end }): Held => ({
    bytes,
    start,
    end,
    category: tensorCategory(value, nodes[end], vocabulary),
    scope: value.node.scope,
  }));
  nodes.forEach((node, instant) => {
    const bytes = target.workspaceBytes(node);
    if (bytes > 0) held.push({ bytes, start: instant, end: instant, category: 'workspace', scope: node.scope });
  });
  return useOf(program.name, nodes, held);
}

/** After which node each value is dropped, and where states take their new values. */
function lifetimes(program: Program, nodes: readonly Node[]) {
  const lastUse = new Map<number, number>();
  const lastRead = new Map<string, number>();
  const position = new Map(nodes.map((node, i) => [node, i]));
  nodes.forEach((node, i) => {
    if (node.op === 'state') lastRead.set(node.attrs.name as string, i);
    for (const output of node.outputs) lastUse.set(output.id, i);
    for (const input of node.inputs) {
      lastUse.set(input.id, i);
      if (input.node.op === 'state') lastRead.set(input.node.attrs.name as string, i);
    }
  });
  const installs = nodes.map((): { state: string; value: Value }[] => []);
  for (const { state, value } of program.updates) {
    const isLeaf = value.node.op === 'state' || value.node.op === 'input';
    const at = isLeaf ? nodes.length - 1 : Math.max(position.get(value.node)!, lastRead.get(state) ?? 0);
    installs[at]!.push({ state, value });
    lastUse.set(value.id, Math.max(lastUse.get(value.id)!, at));
  }
  for (const value of program.outputs.values()) lastUse.delete(value.id);
  const dead = nodes.map((): number[] => []);
  for (const [value, at] of lastUse) dead[at]!.push(value);
  return { dead, installs };
}

function tensorCategory(value: Value, lastUser: Node | undefined, vocabulary: number): TemporaryCategory {
  const { node, shape } = value;
  if (node.op === 'input') return 'inputs';
  if (shape.length >= 2 && shape.at(-1) === vocabulary && node.scope.startsWith('head')) return 'logits';
  if (node.phase === 'backward') return 'activation gradients';
  return node.phase === 'forward' && lastUser?.phase === 'backward' ? 'saved activations' : 'temporaries';
}
