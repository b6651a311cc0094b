/** A session of the native CPU executor: one persistent block, one arena, compiled programs. */
import { aligned } from '../../compile/plan.ts';
import type { MemoryPlan } from '../../compile/plan.ts';
import type { Program, StateSpec } from '../../graph/program.ts';
import { bytesOf, DTYPE_BYTES, sameShape, showType, sizeOf } from '../../graph/value.ts';
import type { DType, Node, Value } from '../../graph/value.ts';
import { OutOfMemoryError } from '../executor.ts';
import type { LoadedProgram, MemoryReport, Session, TypedArray } from '../executor.ts';
import { NULL, pointer, record, signaturesOf } from '../../native/addon.ts';
import type { Native } from '../../native/addon.ts';
import type { Signatures } from '../../native/encode.ts';
import { addressed, isValue } from '../native/call.ts';
import type { KernelCall, Place } from '../native/call.ts';
import { callsOf } from '../native/operation.ts';
import { updateCopies } from '../native/ops/copy.ts';
import { expandBytes, farHalf, FROM_WORDS, isHalf, lastQuarter, TO_WORDS, toBytes } from '../halves.ts';
import type { Half } from '../halves.ts';
import { InOrder } from '../inOrder.ts';
import { checkRange } from '../range.ts';
import { compileForCpu, CPU_OPERATIONS } from './target.ts';
import type { Compiled } from './target.ts';

interface CompiledIds {
  readonly main: number;
  readonly copies: number | undefined;
}

interface CpuProgram extends LoadedProgram {
  readonly compiled: Compiled;
  /** Ids in the addon; undefined until it is compiled for the present arena. */
  ids: CompiledIds | undefined;
}

/** Elements that are rounded at once on their way into 16-bit state. */
const SLICE = 65_536;

const ARRAYS = { f32: Float32Array, i32: Int32Array, u8: Uint8Array } as const;

export class CpuSession implements Session {
  readonly #addon: Native;
  readonly #signatures: Signatures;
  readonly #states = new Map<string, StateSpec & { offset: number }>();
  readonly #stateBlock: number;
  readonly #stateBytes: number;
  #arena: { block: number; bytes: number } | undefined;
  readonly #programs: CpuProgram[] = [];
  readonly #runs = new InOrder();
  #open = true;

  constructor(addon: Native, states: readonly StateSpec[]) {
    this.#addon = addon;
    this.#signatures = signaturesOf(addon);
    let offset = 0;
    for (const state of states) {
      this.#states.set(state.name, { ...state, offset });
      offset += aligned(bytesOf(state));
    }
    this.#stateBytes = offset;
    this.#stateBlock = this.#allocate(offset, 'the parameters, their gradients and the optimizer state');
  }

  load(source: Program): LoadedProgram {
    this.#check();
    this.#runs.assertIdle(`program ${source.name} is loaded`);
    const compiled = compileForCpu(source);
    for (const node of compiled.program.graph.nodes) {
      if (node.op === 'state') this.#checkState(node.outputs[0]!, node.attrs.name as string);
    }
    for (const { state, value } of compiled.program.updates) this.#checkState(value, state);
    this.#reserve(compiled.plan.arenaBytes);
    const loaded: CpuProgram = { program: compiled.program, plan: compiled.plan, compiled, ids: undefined };
    this.#programs.push(loaded);
    return loaded;
  }

  run(loaded: LoadedProgram, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>> {
    return this.#runs.do(() => this.#run(loaded, inputs));
  }

  async #run(loaded: LoadedProgram, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>> {
    this.#check();
    const own = this.#programs.find((candidate) => candidate === loaded);
    if (own === undefined) throw new Error('this program was loaded by another session');
    const ids = (own.ids ??= this.#translate(own.compiled));
    const { program, plan } = own.compiled;
    for (const [name, value] of program.inputs) {
      const data = inputs[name];
      if (data === undefined) throw new Error(`program ${program.name}: input ${name} is missing`);
      this.#put(plan, value, data, name);
    }
    await this.#addon.run(ids.main);
    const outputs: Record<string, TypedArray> = {};
    for (const [name, value] of program.outputs) {
      const location = plan.locations.get(value.id)!;
      const at =
        location.kind === 'arena'
          ? { block: this.#arena!.block, offset: location.offset }
          : this.#stateAt(location.name);
      outputs[name] = this.#get(value.dtype, sizeOf(value.shape), at);
    }
    // Outputs may show states as they were, so what could not be made in place is copied only now.
    if (ids.copies !== undefined) await this.#addon.run(ids.copies);
    return outputs;
  }

  read(state: string, from?: number, into?: Float32Array): Promise<Float32Array> {
    return this.#runs.do(() => this.#read(state, from, into));
  }

  async #read(state: string, from = 0, into?: Float32Array): Promise<Float32Array> {
    this.#check();
    const spec = this.#stateOf(state);
    const count = into?.length ?? sizeOf(spec.shape) - from;
    checkRange(state, spec, from, count);
    const { block, offset } = this.#stateAt(state);
    const at = offset + from * DTYPE_BYTES[spec.dtype];
    if (spec.dtype === 'u8') {
      const numbers = into ?? new Float32Array(count);
      const raw = lastQuarter(numbers);
      this.#addon.read(block, at, raw);
      return expandBytes(raw, numbers);
    }
    if (into === undefined) return this.#get(spec.dtype, count, { block, offset: at }) as Float32Array;
    if (isHalf(spec.dtype)) this.#readHalves(block, at, spec.dtype, into);
    else this.#addon.read(block, at, into);
    return into;
  }

  write(state: string, data: Float32Array, from?: number): void {
    this.#check();
    this.#runs.assertIdle(`state ${state} is written`);
    const spec = this.#stateOf(state);
    checkRange(state, spec, from, data.length);
    const { block, offset } = this.#stateAt(state);
    const at = offset + (from ?? 0) * DTYPE_BYTES[spec.dtype];
    const { dtype } = spec;
    if (!isHalf(dtype) && dtype !== 'u8') {
      this.#addon.write(block, at, data);
      return;
    }
    const words = new Uint16Array(Math.min(SLICE, data.length));
    for (let begin = 0; begin < data.length; begin += SLICE) {
      const slice = data.subarray(begin, begin + SLICE);
      const raw = dtype === 'u8' ? toBytes(slice, words) : TO_WORDS[dtype](slice, words);
      this.#addon.write(block, at + DTYPE_BYTES[dtype] * begin, raw);
    }
  }

  memory(): MemoryReport {
    return { persistentBytes: this.#stateBytes, peakTemporaryBytes: this.#arena?.bytes ?? 0 };
  }

  /** Scratch bytes of the kernels (packed panels and the like), which the plan does not hold. */
  scratchBytes(): number {
    return this.#addon.memory().scratch;
  }

  /** Seconds spent so far in each operation of a program, the most expensive first. */
  profile(loaded: LoadedProgram): { op: string; scope: string; seconds: number }[] {
    const own = loaded as CpuProgram;
    if (own.ids === undefined) return [];
    const seconds = this.#addon.profile(own.ids.main);
    let record = 0;
    const rows = own.compiled.plan.order.map((node) => {
      const calls = this.#calls(own.compiled, node).length;
      let total = 0;
      for (let i = 0; i < calls; i++) total += seconds[record++]!;
      return { op: node.op, scope: node.scope, seconds: total };
    });
    return rows.sort((a, b) => b.seconds - a.seconds);
  }

  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    this.#addon.free(this.#stateBlock);
    if (this.#arena !== undefined) this.#addon.free(this.#arena.block);
  }

  #check(): void {
    if (!this.#open) throw new Error('this session has been disposed of');
  }

  #allocate(bytes: number, what: string): number {
    try {
      return this.#addon.allocate(bytes);
    } catch (error) {
      throw new OutOfMemoryError(`No memory for ${what}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Makes the arena at least this large. Programs hold addresses, so they are compiled again when it moves. */
  #reserve(bytes: number): void {
    if (this.#arena !== undefined && this.#arena.bytes >= bytes) return;
    this.#forget();
    if (this.#arena !== undefined) this.#addon.free(this.#arena.block);
    this.#arena = undefined;
    this.#arena = { block: this.#allocate(bytes, 'the activations of a step'), bytes };
  }

  #forget(): void {
    for (const loaded of this.#programs) {
      if (loaded.ids === undefined) continue;
      this.#addon.release(loaded.ids.main);
      if (loaded.ids.copies !== undefined) this.#addon.release(loaded.ids.copies);
      loaded.ids = undefined;
    }
  }

  #calls({ plan }: Compiled, node: Node): readonly KernelCall[] {
    return callsOf(CPU_OPERATIONS, node, {
      together: (a, b) => this.#pointerTo(plan, a, 0) === this.#pointerTo(plan, b, 0),
    });
  }

  #pointerTo(plan: MemoryPlan, to: Place, bytes: number, scratch = -1): number {
    if (to === 'workspace') {
      if (scratch < 0) throw new Error('the plan holds no workspace for this operation');
      return pointer(this.#arena!.block, scratch + bytes);
    }
    const location = isValue(to) ? plan.locations.get(to.id) : ({ kind: 'state', name: to.state } as const);
    // Outputs that nobody reads have no place; kernels skip null pointers.
    if (location === undefined) return NULL;
    if (location.kind === 'arena') return pointer(this.#arena!.block, location.offset + bytes);
    const { block, offset } = this.#stateAt(location.name);
    return pointer(block, offset + bytes);
  }

  #translate(compiled: Compiled): CompiledIds {
    const { plan } = compiled;
    const records = (calls: readonly KernelCall[], scratch: number) =>
      calls.flatMap((call) => {
        const { args, extra } = addressed(call, (to, bytes) => this.#pointerTo(plan, to, bytes, scratch));
        return record(this.#signatures, call.kernel, args, extra);
      });
    const main = plan.order.flatMap((node, i) => records(this.#calls(compiled, node), plan.workspaceOffsets[i]!));
    const copies = records(updateCopies(plan.copies), -1);
    return {
      main: this.#addon.compile(Float64Array.from(main)),
      copies: copies.length === 0 ? undefined : this.#addon.compile(Float64Array.from(copies)),
    };
  }

  #put(plan: MemoryPlan, value: Value, data: TypedArray, name: string): void {
    const expected = ARRAYS[value.dtype as keyof typeof ARRAYS];
    if (data.length !== sizeOf(value.shape) || !(data instanceof expected)) {
      throw new Error(`input ${name} must be ${showType(value)}, got ${data.constructor.name} of ${data.length}`);
    }
    // An input that no operation reads has no place.
    const location = plan.locations.get(value.id);
    if (location?.kind === 'arena') this.#addon.write(this.#arena!.block, location.offset, data);
  }

  #get(dtype: DType, size: number, at: { block: number; offset: number }): TypedArray {
    if (isHalf(dtype)) return this.#readHalves(at.block, at.offset, dtype, new Float32Array(size));
    const data = new ARRAYS[dtype as keyof typeof ARRAYS](size);
    this.#addon.read(at.block, at.offset, data);
    return data;
  }

  /** The raw words go into the far half of what is to be filled: no array is made, so pieces of a checkpoint leave nothing behind. */
  #readHalves(block: number, offset: number, dtype: Half, into: Float32Array): Float32Array {
    const raw = farHalf(into);
    this.#addon.read(block, offset, raw);
    return FROM_WORDS[dtype](raw, into);
  }

  #stateOf(name: string): StateSpec & { offset: number } {
    const spec = this.#states.get(name);
    if (spec === undefined) throw new Error(`there is no state ${name} in this session`);
    return spec;
  }

  #stateAt(name: string): { block: number; offset: number } {
    return { block: this.#stateBlock, offset: this.#stateOf(name).offset };
  }

  #checkState(value: Value, name: string): void {
    const spec = this.#stateOf(name);
    const same = sizeOf(spec.shape) === sizeOf(value.shape) && spec.dtype === value.dtype;
    if (!same || (value.node.op === 'state' && !sameShape(spec.shape, value.shape))) {
      throw new Error(`state ${name} is ${showType(spec)}, the program has ${showType(value)}`);
    }
  }
}
