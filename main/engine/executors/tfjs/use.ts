/**
 * What the TensorFlow.js executor holds: it makes one tensor per value and drops it after its last use, 16-bit values stand in
 * float32, and a new state exists beside the old one until nothing reads the old one any more. When that is, session and count read
 * from the same lifetimes. Of the scratch memory of single kernels only what its target declares is counted.
 */
import { useOf } from '../../compile/use.ts';
import type { Held, ProgramUse, TemporaryCategory } from '../../compile/use.ts';
import { operationOf } from '../../graph/operation.ts';
import type { Program, StateSpec } from '../../graph/program.ts';
import { isFloat } from '../../graph/shapes.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import { lifetimesOf } from './lifetimes.ts';
import { compileForTfjs } from './target.ts';
import type { TfjsCompiler } from './target.ts';

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

/** Counts the tensors of a program, node by node. @param vocabulary ids, to tell logits from other arrays */
export function tensorUse(compiler: TfjsCompiler, source: Program, vocabulary: number): ProgramUse {
  const program = compileForTfjs(compiler, source);
  const { nodes, dead, installs, atEnd } = lifetimesOf(program);
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
    for (const { state, value } of instant === last ? [...installs[instant]!, ...atEnd] : installs[instant]!) {
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
    const bytes = compiler.target.workspaceBytes(node);
    if (bytes > 0) held.push({ bytes, start: instant, end: instant, category: 'workspace', scope: node.scope });
  });
  return useOf(program.name, nodes, held);
}

function tensorCategory(value: Value, lastUser: Node | undefined, vocabulary: number): TemporaryCategory {
  const { node, shape } = value;
  if (node.op === 'input') return 'inputs';
  if (shape.length >= 2 && shape.at(-1) === vocabulary && node.scope.startsWith('head')) return 'logits';
  if (node.phase === 'backward') return 'activation gradients';
  return node.phase === 'forward' && lastUser?.phase === 'backward' ? 'saved activations' : 'temporaries';
}
