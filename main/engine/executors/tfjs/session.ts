/** Interprets lowered programs node by node. */
import * as tf from '@tensorflow/tfjs-core';
import type { Program, StateSpec } from '../../graph/program.ts';
import { sameShape, showType, sizeOf } from '../../graph/value.ts';
import type { Node, Value, ValueType } from '../../graph/value.ts';
import { planMemory } from '../../compile/plan.ts';
import { OutOfMemoryError } from '../executor.ts';
import type { LoadedProgram, MemoryReport, Session, TypedArray } from '../executor.ts';
import { elements } from './arrays.ts';
import { activate } from './backend.ts';
import type { TfjsKind } from './backend.ts';
import { lifetimesOf } from './lifetimes.ts';
import type { StateInstall } from './lifetimes.ts';
import { tensorType } from './primitives.ts';
import type { Kernel } from './primitives.ts';
import { InOrder } from '../inOrder.ts';
import { checkRange } from '../range.ts';
import { roundTo } from './rounding.ts';
import { compileForTfjs } from './target.ts';
import type { TfjsCompiler } from './target.ts';

/** How programs are run: what is kept whole, and the kernel of each operation that then remains. */
export interface Interpretation extends TfjsCompiler {
  readonly kernels: Readonly<Record<string, Kernel>>;
}

/** One node to run and what may be dropped afterwards. */
interface Step {
  readonly node: Node;
  readonly kernel: Kernel;
  /** Values whose last use this is. */
  readonly dead: readonly number[];
  /** States whose old value nobody reads any more and whose new value exists. */
  readonly installs: readonly StateInstall[];
}

interface Loaded extends LoadedProgram {
  readonly steps: readonly Step[];
  /** Updates that no step makes. */
  readonly atEnd: readonly StateInstall[];
}

/** Constants of at most this many elements are made once per session. */
const CACHED_CONSTANT = 1024;

export class TfjsSession implements Session {
  readonly #kind: TfjsKind;
  readonly #way: Interpretation;
  readonly #specs: ReadonlyMap<string, StateSpec>;
  readonly #states = new Map<string, tf.Tensor>();
  readonly #constants = new Map<string, tf.Tensor>();
  readonly #runs = new InOrder();
  #peak = 0;
  #disposed = false;

  constructor(kind: TfjsKind, way: Interpretation, states: readonly StateSpec[]) {
    this.#kind = kind;
    this.#way = way;
    this.#specs = new Map(states.map((spec) => [spec.name, spec]));
    if (this.#specs.size !== states.length) throw new Error('open: two states have the same name');
    activate(kind);
    for (const spec of states) this.#states.set(spec.name, tf.zeros([...spec.shape], tensorType(spec.dtype)));
  }

  load(source: Program): LoadedProgram {
    this.#check();
    this.#runs.assertIdle(`program ${source.name} is loaded`);
    const program = compileForTfjs(this.#way, source);
    const plan = planMemory(program, this.#way.target);
    const { nodes, dead, installs, atEnd } = lifetimesOf(program);
    for (const node of nodes) if (node.op === 'state') this.#checkState(program, node);
    for (const { state, value } of program.updates) {
      const spec = this.#specOf(program, state);
      if (!sameShape(spec.shape, value.shape) || spec.dtype !== value.dtype)
        throw new Error(`program ${program.name}: state ${state} is ${showType(spec)}, its update ${showType(value)}`);
    }
    const steps = nodes.map((node, position): Step => {
      const kernel = node.op === 'input' || node.op === 'state' ? none : this.#way.kernels[node.op];
      if (kernel === undefined) throw new Error(`${this.#kind}: no kernel for operation ${node.op}`);
      return { node, kernel, dead: dead[position]!, installs: installs[position]! };
    });
    const loaded: Loaded = { program, plan, steps, atEnd };
    return loaded;
  }

  run(loaded: LoadedProgram, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>> {
    return this.#runs.do(() => this.#run(loaded, inputs));
  }

  async #run(loaded: LoadedProgram, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>> {
    this.#check();
    activate(this.#kind);
    const { program, steps, atEnd } = loaded as Loaded;
    const persistent = tf.memory().numBytes;
    const values = new Map<number, tf.Tensor>();
    try {
      for (const [name, value] of program.inputs) values.set(value.id, upload(program, name, value, inputs[name]));
      for (const step of steps) {
        this.#step(step, values);
        this.#peak = Math.max(this.#peak, tf.memory().numBytes - persistent);
        for (const { state, value } of step.installs) this.#install(state, values.get(value.id)!);
        for (const id of step.dead) {
          values.get(id)?.dispose();
          values.delete(id);
        }
      }
      const results: Record<string, TypedArray> = {};
      for (const [name, value] of program.outputs) results[name] = await download(value, values.get(value.id)!);
      for (const { state, value } of atEnd) this.#install(state, values.get(value.id)!);
      return results;
    } catch (error) {
      throw asMemoryError(error);
    } finally {
      for (const tensor of values.values()) tensor.dispose();
    }
  }

  #step({ node, kernel }: Step, values: Map<number, tf.Tensor>): void {
    const [first] = node.outputs as [Value];
    if (node.op === 'input') return;
    if (node.op === 'state') {
      values.set(first.id, tf.clone(this.#states.get(node.attrs.name as string)!));
      return;
    }
    const inputs = node.inputs.map((value) => values.get(value.id)!);
    const outputs =
      this.#constant(node) ?? tf.tidy(() => kernel(inputs, node).map((tensor, i) => rounded(tensor, node.outputs[i]!)));
    node.outputs.forEach((value, i) => values.set(value.id, outputs[i]!));
  }

  /** Small constants are kept; a clone shares their memory. */
  #constant(node: Node): tf.Tensor[] | undefined {
    const [value] = node.outputs as [Value];
    if ((node.op !== 'fill' && node.op !== 'iota') || sizeOf(value.shape) > CACHED_CONSTANT) return undefined;
    const key = `${node.op} ${String(node.attrs.value)} ${showType(value)}`;
    let tensor = this.#constants.get(key);
    if (tensor === undefined) {
      tensor = tf.tidy(() => rounded(this.#way.kernels[node.op]!([], node)[0]!, value));
      this.#constants.set(key, tensor);
    }
    return [tf.clone(tensor)];
  }

  #install(state: string, tensor: tf.Tensor): void {
    this.#states.get(state)!.dispose();
    this.#states.set(state, tf.clone(tensor));
  }

  read(state: string, from?: number, into?: Float32Array): Promise<Float32Array> {
    return this.#runs.do(() => this.#read(state, from, into));
  }

  async #read(state: string, from = 0, into?: Float32Array): Promise<Float32Array> {
    this.#check();
    activate(this.#kind);
    const tensor = this.#stateOf(state);
    const count = into?.length ?? tensor.size - from;
    checkRange(state, this.#specs.get(state)!, from, count);
    const data = (await tensor.data()).subarray(from, from + count) as Float32Array;
    if (into === undefined) return Float32Array.from(data);
    into.set(data);
    return into;
  }

  write(state: string, data: Float32Array, from?: number): void {
    this.#check();
    this.#runs.assertIdle(`state ${state} is written`);
    activate(this.#kind);
    const old = this.#stateOf(state);
    const spec = this.#specs.get(state)!;
    checkRange(state, spec, from, data.length);
    let copy: Float32Array;
    // Tensors never change: a part is replaced by a new tensor of all.
    if (data.length === old.size) copy = Float32Array.from(data);
    else {
      copy = Float32Array.from(old.dataSync() as Float32Array);
      copy.set(data, from);
    }
    roundTo(spec.dtype, copy);
    old.dispose();
    const typed = tensorType(spec.dtype) === 'int32' ? Int32Array.from(copy) : copy;
    this.#states.set(state, tf.tensor(typed, [...spec.shape], tensorType(spec.dtype)));
  }

  memory(): MemoryReport {
    this.#check();
    let persistentBytes = 0;
    for (const tensor of this.#states.values()) persistentBytes += tensor.size * tf.util.bytesPerElement(tensor.dtype);
    return { persistentBytes, peakTemporaryBytes: this.#peak };
  }

  dispose(): void {
    this.#disposed = true;
    for (const tensor of [...this.#states.values(), ...this.#constants.values()]) tensor.dispose();
    this.#states.clear();
    this.#constants.clear();
  }

  #check(): void {
    if (this.#disposed) throw new Error(`${this.#kind}: the session has been disposed of`);
  }

  #stateOf(name: string): tf.Tensor {
    const tensor = this.#states.get(name);
    if (tensor === undefined) throw new Error(`${this.#kind}: there is no state ${name}`);
    return tensor;
  }

  #specOf(program: Program, name: string): StateSpec {
    const spec = this.#specs.get(name);
    if (spec === undefined) throw new Error(`program ${program.name}: there is no state ${name} in this session`);
    return spec;
  }

  #checkState(program: Program, node: Node): void {
    const name = node.attrs.name as string;
    const [value] = node.outputs as [Value];
    const spec = this.#specOf(program, name);
    if (!sameShape(spec.shape, value.shape) || spec.dtype !== value.dtype)
      throw new Error(
        `program ${program.name}: state ${name} is ${showType(spec)} in the session, ${showType(value)} in the program`,
      );
  }
}

const none: Kernel = () => [];

/** Rounds a result of a 16-bit type. The tensor is the kernel's own unless it shares an input's memory, so a copy is made. */
function rounded(tensor: tf.Tensor, type: ValueType): tf.Tensor {
  if (type.dtype !== 'bf16' && type.dtype !== 'f16') return tensor;
  const data = Float32Array.from(elements(tensor));
  roundTo(type.dtype, data);
  return tf.tensor(data, tensor.shape, 'float32');
}

function upload(program: Program, name: string, value: Value, data: TypedArray | undefined): tf.Tensor {
  const expected = value.dtype === 'i32' ? Int32Array : value.dtype === 'u8' ? Uint8Array : Float32Array;
  if (data === undefined) throw new Error(`program ${program.name}: input ${name} (${showType(value)}) is missing`);
  if (!(data instanceof expected) || data.length !== sizeOf(value.shape))
    throw new Error(
      `program ${program.name}: input ${name} must be ${expected.name} of ${sizeOf(value.shape)} (${showType(value)}), ` +
        `got ${data.constructor.name} of ${data.length}`,
    );
  // Tensors may keep the array that they were made of, and the caller may reuse it.
  const copy = data instanceof Float32Array ? Float32Array.from(data) : Int32Array.from(data);
  if (copy instanceof Float32Array) roundTo(value.dtype, copy);
  return tf.tensor(copy, [...value.shape], tensorType(value.dtype));
}

async function download(value: Value, tensor: tf.Tensor): Promise<TypedArray> {
  const data = await tensor.data();
  if (value.dtype === 'u8') return Uint8Array.from(data as Int32Array);
  return value.dtype === 'i32' ? Int32Array.from(data as Int32Array) : Float32Array.from(data as Float32Array);
}

/** Allocation failures come as different errors from each backend. */
function asMemoryError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (
    !/out of memory|OOM|Array buffer allocation failed|Invalid typed array length|memory access out of bounds/i.test(
      message,
    )
  )
    return error;
  return new OutOfMemoryError(`out of memory while running on TensorFlow.js: ${message}`, { cause: error });
}
