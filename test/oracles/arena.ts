/**
 * Runs a planned program the way a native executor does: every temporary lies at its planned offset in one block of bytes, state in its own,
 * and operations that may work in place do so element by element. Where a plan reuses memory too early, the numbers come out wrong.
 */
import { expand } from '../../main/engine/graph/expand.ts';
import { newGraph, operationOf } from '../../main/engine/graph/operation.ts';
import { input } from '../../main/engine/graph/ops/index.ts';
import type { Program } from '../../main/engine/graph/program.ts';
import { bytesOf, DTYPE_BYTES, sizeOf } from '../../main/engine/graph/value.ts';
import type { DType, Node, Value } from '../../main/engine/graph/value.ts';
import type { MemoryPlan } from '../../main/engine/compile/plan.ts';
import { broadcastIndex, ELEMENTWISE, evaluateNode, evaluator, roundedTo } from './reference.ts';
import type { Feeds, Numbers } from './reference.ts';

export interface Simulated {
  outputs: Record<string, Float64Array>;
  /** Updated states only. */
  states: Record<string, Float64Array>;
}

/** What the program means: outputs and updates from values that nothing ever overwrites. */
export function interpret(program: Program, feeds: Feeds): Simulated {
  const outputs = [...program.outputs];
  const wanted = [...outputs.map(([, value]) => value), ...program.updates.map(({ value }) => value)];
  const values = evaluator(wanted, { rounded: true })(feeds);
  return {
    outputs: Object.fromEntries(outputs.map(([name], i) => [name, values[i]!])),
    states: Object.fromEntries(program.updates.map(({ state }, i) => [state, values[outputs.length + i]!])),
  };
}

/** The same through memory as planned. `feeds` gives inputs and states. */
export function simulate(program: Program, plan: MemoryPlan, feeds: Feeds): Simulated {
  const arena = new DataView(new ArrayBuffer(plan.arenaBytes));
  for (let i = 0; i < plan.arenaBytes; i++) arena.setUint8(i, (i * 37 + 0xa5) & 0xff);
  const states = new Map<string, DataView>();
  const cell = (value: Value): { view: DataView; offset: number } => {
    const location = plan.locations.get(value.id);
    if (location === undefined) throw new Error(`no location for value ${value.id} of ${value.node.op}`);
    if (location.kind === 'arena') return { view: arena, offset: location.offset };
    let view = states.get(location.name);
    if (view === undefined) {
      view = new DataView(new ArrayBuffer(bytesOf(value)));
      const data = feeds[location.name]!;
      for (let i = 0; i < data.length; i++) write(view, 0, value.dtype, i, data[i]!);
      states.set(location.name, view);
    }
    return { view, offset: 0 };
  };
  const element = (value: Value, i: number) => {
    const { view, offset } = cell(value);
    return read(view, offset, value.dtype, i);
  };
  const load = (value: Value) => Float64Array.from({ length: sizeOf(value.shape) }, (_, i) => element(value, i));
  const store = (value: Value, data: Numbers) => {
    const { view, offset } = cell(value);
    for (let i = 0; i < data.length; i++) write(view, offset, value.dtype, i, data[i]!);
  };

  for (const node of program.graph.nodes)
    if (node.op === 'state' && plan.locations.has(node.outputs[0]!.id)) cell(node.outputs[0]!);
  for (const { state, value } of program.updates) {
    const like = { ...value, id: -1 };
    if (!states.has(state)) {
      const view = new DataView(new ArrayBuffer(bytesOf(like)));
      Array.from(feeds[state]!).forEach((x, i) => write(view, 0, like.dtype, i, x));
      states.set(state, view);
    }
  }
  for (const [name, value] of program.inputs) if (plan.locations.has(value.id)) store(value, feeds[name]!);
  for (const node of plan.order) {
    if (node.op in ELEMENTWISE) {
      const [out] = node.outputs as [Value];
      const index = node.inputs.map((value) => broadcastIndex(value.shape, out.shape));
      const target = cell(out);
      for (let i = 0; i < sizeOf(out.shape); i++) {
        const x = node.inputs.map((value, j) => element(value, index[j]![i]!));
        write(target.view, target.offset, out.dtype, i, ELEMENTWISE[node.op]!(...x));
      }
    } else {
      const results = compute(node, node.inputs.map(load));
      node.outputs.forEach((value, i) => store(value, results[i]!));
    }
  }
  const outputs = Object.fromEntries([...program.outputs].map(([name, value]) => [name, load(value)]));
  for (const { state, value } of plan.copies) {
    const data = load(value);
    const view = states.get(state)!;
    data.forEach((x, i) => write(view, 0, value.dtype, i, x));
  }
  const updated = program.updates.map(({ state, value }) => {
    const view = states.get(state)!;
    return [
      state,
      Float64Array.from({ length: sizeOf(value.shape) }, (_, i) => read(view, 0, value.dtype, i)),
    ] as const;
  });
  return { outputs, states: Object.fromEntries(updated) };
}

const decomposed = new WeakMap<Node, (feeds: Feeds) => Float64Array[]>();

/** Outputs of a node; of a composite through its decomposition, rounding like the plain interpretation. */
function compute(node: Node, inputs: readonly Float64Array[]): Float64Array[] {
  if (operationOf(node.op).kind !== 'composite') return evaluateNode(node, inputs, {});
  let run = decomposed.get(node);
  if (run === undefined) {
    const graph = newGraph();
    const own = node.inputs.map((value, i) => input(graph, `${i}`, value.shape, value.dtype));
    run = evaluator(expand(graph, graph.add(node.op, own, node.attrs), () => true).graph.nodes.at(-1)!.outputs, {
      rounded: true,
    });
    decomposed.set(node, run);
  }
  return run(Object.fromEntries(inputs.map((data, i) => [i, data])));
}

const scratch = new DataView(new ArrayBuffer(4));

function write(view: DataView, offset: number, dtype: DType, i: number, x: number): void {
  const at = offset + i * DTYPE_BYTES[dtype];
  const rounded = roundedTo(dtype, x);
  if (dtype === 'f32') view.setFloat32(at, rounded);
  else if (dtype === 'i32') view.setInt32(at, rounded);
  else if (dtype === 'u8') view.setUint8(at, rounded);
  else if (dtype === 'bf16') {
    scratch.setFloat32(0, rounded);
    view.setUint16(at, scratch.getUint16(0));
  } else view.setUint16(at, halfBits(rounded));
}

function read(view: DataView, offset: number, dtype: DType, i: number): number {
  const at = offset + i * DTYPE_BYTES[dtype];
  if (dtype === 'f32') return view.getFloat32(at);
  if (dtype === 'i32') return view.getInt32(at);
  if (dtype === 'u8') return view.getUint8(at);
  if (dtype === 'bf16') {
    scratch.setUint32(0, view.getUint16(at) * 0x10000);
    return scratch.getFloat32(0);
  }
  const bits = view.getUint16(at);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** Bits of a number that is exactly a half. */
function halfBits(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  return sign | ((exponent + 15) << 10) | (size * 2 ** (10 - exponent) - 1024);
}
