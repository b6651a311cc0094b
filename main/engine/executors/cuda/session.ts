/** A session on one GPU: persistent state, one arena, tables, and programs that are replayed. See README.md. */
import { aligned } from '../../compile/plan.ts';
import type { Program, StateSpec } from '../../graph/program.ts';
import { bytesOf, DTYPE_BYTES, sameShape, showType, sizeOf } from '../../graph/value.ts';
import type { DType, Value } from '../../graph/value.ts';
import { formatMemory } from '../../../../preload/shared/format.ts';
import { OutOfMemoryError } from '../executor.ts';
import type { LoadedProgram, MemoryReport, Session, TypedArray } from '../executor.ts';
import { farHalf, FROM_WORDS, isHalf, TO_WORDS, toBytes } from '../halves.ts';
import type { Half } from '../halves.ts';
import { InOrder } from '../inOrder.ts';
import { checkRange } from '../range.ts';
import type { CudaDevice } from './device.ts';
import { DeviceCallError } from './errors.ts';
import type { Gauge } from './gauge.ts';
import { granules } from './granules.ts';
import { LIBRARY_PRODUCT } from './launch.ts';
import { layoutOfStates } from './layout.ts';
import { kernelsHash } from './manifest.ts';
import type { PlacedState, StateLayout } from './layout.ts';
import { libraryName, profileOf } from './products.ts';
import type { Product, ProductTable } from './products.ts';
import { Replay } from './replay.ts';
import type { Watch } from './replay.ts';
import { passed, Slots } from './slots.ts';
import type { Slot } from './slots.ts';
import { compileForCuda, CUDA_ALIGNMENT } from './target.ts';
import type { Compiled } from './target.ts';
import { addressOf, NOWHERE, translate } from './translate.ts';
import type { Addresses, Piece } from './translate.ts';

/** Elements that pass through pinned memory at once on their way out of or into state. */
const PIECE = 2 ** 18;

const ARRAYS = { f32: Float32Array, i32: Int32Array, u8: Uint8Array } as const;

/** What multiplies where no library does. */
const OWN_PRODUCTS = 'own kernels';

type Results = Record<string, TypedArray>;

/** An output, and where it arrives in the slot. */
interface Delivery {
  readonly name: string;
  readonly value: Value;
  readonly offset: number;
}

/** Bytes that come from the device together. */
interface Fetch {
  readonly from: number;
  readonly offset: number;
  readonly bytes: number;
}

interface Outputs {
  readonly deliveries: readonly Delivery[];
  readonly fetches: readonly Fetch[];
  /** That they take in the slot. */
  readonly bytes: number;
}

interface Recorded {
  readonly main: Replay;
  readonly copies: Replay;
  readonly outputs: Outputs;
}

interface CudaProgram extends LoadedProgram {
  readonly compiled: Compiled;
  /** Bytes of all inputs as they lie at the beginning of the arena. */
  readonly inputBytes: number;
  readonly tableBytes: number;
  /** Of its tables among those of all programs. */
  readonly tableOffset: number;
  /** Undefined until it is translated for the present memory. */
  recorded: Recorded | undefined;
}

interface Block {
  readonly address: number;
  readonly bytes: number;
}

export class CudaSession implements Session {
  readonly products: string;
  readonly #device: CudaDevice;
  readonly #watch: Watch | undefined;
  readonly #gauge: Gauge | undefined;
  /** Graphs that there were when memory beside the plan was measured last, and what it was. */
  #graphs = 0;
  #overheadBytes: number | undefined;
  readonly #layout: StateLayout;
  readonly #state: Block;
  readonly #slots: Slots;
  #arena: Block | undefined;
  #tables: Block | undefined;
  #tableBytes = 0;
  readonly #programs: CudaProgram[] = [];
  readonly #order = new InOrder();
  /** Runs that the device has been given and whose results have not been read. */
  #pending = 0;
  /** What ended the session: nothing on the device can be relied on any more. */
  #broken: Error | undefined;
  #open = true;

  /**
   * Owns the device from now on, and gives it back where it cannot begin.
   * @param watch sees every piece before it is given to the device; for tests
   * @param gauge measures memory beside the plan
   * @throws OutOfMemoryError
   */
  constructor(device: CudaDevice, states: readonly StateSpec[], watch?: Watch, gauge?: Gauge) {
    const { library } = device;
    this.products = library === undefined ? OWN_PRODUCTS : `${libraryName(library.version)} (${library.path})`;
    this.#device = device;
    this.#watch = watch;
    this.#gauge = gauge;
    this.#slots = new Slots(device);
    try {
      this.#layout = layoutOfStates(states);
      const { bytes } = this.#layout;
      this.#state = this.#allocate(bytes, 'the parameters, their gradients and the optimizer state');
      try {
        if (bytes > 0) device.call('fill', this.#state.address, 0, bytes, device.stream);
        this.#slots.reserve(4 * PIECE);
      } catch (error) {
        this.#slots.dispose();
        device.driver.free(this.#state.address);
        throw this.#described(error);
      }
    } catch (error) {
      device.dispose();
      throw error;
    }
  }

  load(source: Program): LoadedProgram {
    this.#check();
    this.#assertIdle(`program ${source.name} is loaded`);
    const { library, facts } = this.#device;
    const compiled = compileForCuda(source, profileOf(facts.capability, library !== undefined));
    const { program, plan } = compiled;
    for (const node of program.graph.nodes)
      if (node.op === 'state') this.#checkState(node.outputs[0]!, node.attrs.name as string);
    for (const { state, value } of program.updates) this.#checkState(value, state);
    const { tableBytes, pieces } = translate(compiled, NOWHERE);
    const ends = [...program.inputs.values()].map((value) => {
      const location = plan.locations.get(value.id);
      return location?.kind === 'arena' ? location.offset + bytesOf(value) : 0;
    });
    const inputBytes = Math.max(0, ...ends);
    this.#reserve(plan.arenaBytes, this.#tableBytes + tableBytes);
    const tableOffset = this.#tableBytes;
    this.#tableBytes += tableBytes;
    const outputBytes = outputsOf(compiled, NOWHERE).bytes;
    this.#guarded(() => this.#slots.reserve(Math.max(inputBytes, outputBytes)));
    this.#guarded(() => this.#prepareProducts(pieces));
    const loaded: CudaProgram = { program, plan, compiled, inputBytes, tableBytes, tableOffset, recorded: undefined };
    this.#programs.push(loaded);
    return loaded;
  }

  run(loaded: LoadedProgram, inputs: Readonly<Record<string, TypedArray>>): Promise<Results> {
    // The run is given in its order and waited for apart: the next one is given meanwhile.
    return this.#order.do(() => this.#give(loaded, inputs)).then((collect) => collect());
  }

  read(state: string, from = 0, into?: Float32Array): Promise<Float32Array> {
    return this.#order.do(async () => {
      this.#check();
      const { address, spec } = this.#stateOf(state);
      const data = into ?? new Float32Array(sizeOf(spec.shape) - from);
      checkRange(state, spec, from, data.length);
      const { slot, release } = await this.#slots.take();
      try {
        for (let begin = 0; begin < data.length; begin += PIECE) {
          const part = data.subarray(begin, begin + PIECE);
          const bytes = DTYPE_BYTES[spec.dtype] * part.length;
          this.#guarded(() => {
            const at = address + DTYPE_BYTES[spec.dtype] * (from + begin);
            this.#device.call('toHostAt', slot.address, at, bytes, this.#device.stream);
            this.#device.call('recordEvent', slot.event, this.#device.stream);
          });
          await this.#passed(slot);
          takeInto(spec.dtype, slot.memory, 0, part);
        }
      } finally {
        release();
      }
      return data;
    });
  }

  write(state: string, data: Float32Array, from?: number): void {
    this.#check();
    this.#assertIdle(`state ${state} is written`);
    const { address, spec } = this.#stateOf(state);
    checkRange(state, spec, from, data.length);
    const words = spec.dtype === 'f32' ? undefined : new Uint16Array(Math.min(PIECE, data.length));
    for (let begin = 0; begin < data.length; begin += PIECE) {
      const part = data.subarray(begin, begin + PIECE);
      const raw = words === undefined ? part : ENCODE[spec.dtype as keyof typeof ENCODE](part, words);
      // The driver has copied what is not pinned when the call returns.
      this.#guarded(() => this.#device.write(address + DTYPE_BYTES[spec.dtype] * ((from ?? 0) + begin), raw));
    }
  }

  memory(): MemoryReport {
    return {
      persistentBytes: this.#layout.bytes,
      peakTemporaryBytes: this.#arena?.bytes ?? 0,
      deviceBytes: this.#ownBytes(),
      ...(this.#overheadBytes === undefined ? {} : { overheadBytes: this.#overheadBytes }),
    };
  }

  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    const { driver, stream } = this.#device;
    // A device that has failed cannot be waited for; everything is given back all the same.
    driver.synchronize(stream);
    this.#forget();
    this.#slots.dispose();
    for (const block of [this.#arena, this.#tables, this.#state])
      if (block !== undefined && block.bytes > 0) driver.free(block.address);
    this.#device.dispose();
  }

  get remarks(): readonly string[] {
    const { remarks, library } = this.#device;
    return [...remarks, ...(library?.remarks ?? [])];
  }

  /** What products ran with, for whoever goes on with this run. */
  decisions(): ProductTable {
    const { library, facts } = this.#device;
    return library?.table ?? { capability: facts.capability, library: null, algorithms: {} };
  }

  /** Algorithms are chosen before the first step, so that the first checkpoint knows all of them. */
  #prepareProducts(pieces: readonly Piece[]): void {
    const { library } = this.#device;
    if (library === undefined) return;
    for (const { launches } of pieces)
      for (const { launch } of launches)
        if (launch.fn === LIBRARY_PRODUCT) library.prepare(launch.args as unknown as Product);
  }

  // --- runs ---

  async #give(loaded: LoadedProgram, inputs: Readonly<Record<string, TypedArray>>): Promise<() => Promise<Results>> {
    this.#check();
    const own = this.#programs.find((candidate) => candidate === loaded);
    if (own === undefined) throw new Error('this program was loaded by another session');
    checkInputs(own.program, inputs);
    const { slot, release } = await this.#slots.take();
    try {
      this.#check();
      const recorded = (own.recorded ??= this.#guarded(() => this.#translate(own)));
      this.#guarded(() => {
        const { stream } = this.#device;
        if (own.inputBytes > 0) {
          this.#pack(own, inputs, slot);
          this.#device.call('toDeviceFrom', this.#arena!.address, slot.address, own.inputBytes, stream);
        }
        recorded.main.run();
        for (const { from, offset, bytes } of recorded.outputs.fetches)
          this.#device.call('toHostAt', slot.address + offset, from, bytes, stream);
        recorded.copies.run();
        this.#device.call('recordEvent', slot.event, stream);
      });
      this.#pending++;
      return () => this.#collect(recorded.outputs, slot, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  async #collect({ deliveries }: Outputs, slot: Slot, release: () => void): Promise<Results> {
    try {
      await this.#passed(slot);
      this.#measure();
      return Object.fromEntries(
        deliveries.map(({ name, value, offset }) => [
          name,
          taken(value.dtype, slot.memory, offset, sizeOf(value.shape)),
        ]),
      );
    } finally {
      this.#pending--;
      release();
    }
  }

  async #passed(slot: Slot): Promise<void> {
    try {
      await passed(this.#device, slot.event, () => this.#open && this.#broken === undefined);
    } catch (error) {
      throw this.#failed(error);
    }
    this.#check();
  }

  #pack({ program, plan }: CudaProgram, inputs: Readonly<Record<string, TypedArray>>, slot: Slot): void {
    for (const [name, value] of program.inputs) {
      const location = plan.locations.get(value.id);
      // An input that no operation reads has no place.
      if (location?.kind !== 'arena') continue;
      const data = inputs[name]!;
      new Uint8Array(slot.memory, location.offset).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }

  #translate(own: CudaProgram): Recorded {
    const device = this.#device;
    if ((this.#arena?.bytes ?? 0) < own.plan.arenaBytes || (this.#tables?.bytes ?? 0) < this.#tableBytes)
      throw new Error(`program ${own.program.name} has no memory: loading another one failed`);
    const addresses: Addresses = {
      arena: this.#arena?.address ?? 0,
      tables: (this.#tables?.address ?? 0) + own.tableOffset,
      state: (name) => this.#stateOf(name).address,
    };
    const { pieces, copies, tables } = translate(own.compiled, addresses);
    for (const { address, data } of tables) device.write(address, data);
    const replay = (list: readonly Piece[]): Replay => new Replay(device, list, this.#watch);
    // Outputs may show states as they were: then what could not be made in place is copied only when they have been read.
    const shown = new Set([...own.program.outputs.values()].map((value) => addressOf(own.plan, addresses, value)));
    const waits = own.plan.copies.some(({ state }) => shown.has(addresses.state(state)));
    return {
      main: replay(waits ? pieces : [...pieces, copies]),
      copies: replay(waits ? [copies] : []),
      outputs: outputsOf(own.compiled, addresses),
    };
  }

  // --- memory ---

  /** Whenever another program has been recorded: its kernels are compiled then, and its graph made. Nobody waits for it. */
  #measure(): void {
    const graphs = this.#programs.filter(({ recorded }) => recorded?.main.recorded === true).length;
    if (this.#gauge === undefined || graphs <= this.#graphs) return;
    this.#graphs = graphs;
    const { library } = this.#device;
    const libraries = [`kernels ${kernelsHash()}`, ...(library === undefined ? [] : [libraryName(library.version)])];
    void this.#gauge.measure(this.#ownBytes(), libraries).then((bytes) => {
      if (bytes !== undefined) this.#overheadBytes = Math.max(bytes, this.#overheadBytes ?? 0);
    });
  }

  #ownBytes(): number {
    return [this.#state, this.#arena, this.#tables].reduce((sum, block) => sum + granules(block?.bytes ?? 0), 0);
  }

  /** Makes arena and tables at least this large. Programs hold addresses, so they are translated again when these move. */
  #reserve(arenaBytes: number, tableBytes: number): void {
    const grows = (block: Block | undefined, bytes: number): boolean => bytes > (block?.bytes ?? 0);
    if (grows(this.#arena, arenaBytes)) {
      this.#forget();
      this.#free(this.#arena);
      this.#arena = undefined;
      this.#arena = this.#allocate(arenaBytes, 'the activations of a step');
    }
    if (grows(this.#tables, tableBytes)) {
      this.#forget();
      this.#free(this.#tables);
      this.#tables = undefined;
      this.#tables = this.#allocate(tableBytes, 'tables of the kernels');
    }
  }

  #free(block: Block | undefined): void {
    if (block === undefined || block.bytes === 0) return;
    this.#guarded(() => this.#device.synchronize());
    this.#guarded(() => this.#device.free(block.address));
  }

  #allocate(bytes: number, what: string): Block {
    if (bytes === 0) return { address: 0, bytes };
    const short = (): OutOfMemoryError => this.#outOfMemory(`${what} take ${formatMemory(granules(bytes))}`);
    // On Windows the driver may move what does not fit into the computer's memory, and every step would take minutes.
    if (this.#guarded(() => this.#device.memory()).free < granules(bytes)) throw short();
    try {
      return { address: this.#device.allocate(bytes), bytes };
    } catch (error) {
      throw error instanceof DeviceCallError && error.outOfMemory ? short() : this.#failed(error);
    }
  }

  #outOfMemory(what: string): OutOfMemoryError {
    const { driver, facts } = this.#device;
    const free = [0];
    driver.memoryInfo(free, [0]);
    const held = [
      ['state', this.#state],
      ['step', this.#arena],
      ['tables', this.#tables],
    ] as const;
    const parts = held.flatMap(([name, block]) =>
      block === undefined || block.bytes === 0 ? [] : [`${name} ${formatMemory(granules(block.bytes))}`],
    );
    const own = parts.length === 0 ? '' : ` (this run holds ${parts.join(', ')})`;
    return new OutOfMemoryError(
      `${what}, and ${formatMemory(Number(free[0]))} of the ${formatMemory(facts.totalBytes)} of ${facts.name} are free${own}`,
    );
  }

  #forget(): void {
    for (const own of this.#programs) {
      own.recorded?.main.dispose();
      own.recorded?.copies.dispose();
      own.recorded = undefined;
    }
  }

  // --- checks ---

  #check(): void {
    if (!this.#open) throw new Error('this session has been disposed of');
    if (this.#broken !== undefined) throw this.#broken;
  }

  #assertIdle(what: string): void {
    this.#order.assertIdle(what);
    if (this.#pending > 0) throw new Error(`${what} while runs are pending; wait for them first`);
  }

  /** What the driver refuses ends the session: what is queued behind it must not be computed from what was not. */
  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): unknown {
    if (!(error instanceof DeviceCallError)) return error;
    return (this.#broken ??= this.#described(error) as Error);
  }

  /** What the driver said, in terms of the run. */
  #described(error: unknown): unknown {
    if (!(error instanceof DeviceCallError)) return error;
    if (error.outOfMemory) return this.#outOfMemory(`${error.call} found no memory beside the plan`);
    const { name } = this.#device.facts;
    return new Error(
      `${name} cannot go on: ${error.message}; the run goes on from its last checkpoint when it is resumed`,
      {
        cause: error,
      },
    );
  }

  #stateOf(name: string): { spec: PlacedState; address: number } {
    const spec = this.#layout.states.get(name);
    if (spec === undefined) throw new Error(`there is no state ${name} in this session`);
    return { spec, address: this.#state.address + spec.offset };
  }

  #checkState(value: Value, name: string): void {
    const { spec } = this.#stateOf(name);
    const same = sizeOf(spec.shape) === sizeOf(value.shape) && spec.dtype === value.dtype;
    if (!same || (value.node.op === 'state' && !sameShape(spec.shape, value.shape)))
      throw new Error(`state ${name} is ${showType(spec)}, the program has ${showType(value)}`);
  }
}

/** Every input as the program wants it. */
function checkInputs({ name: program, inputs }: Program, given: Readonly<Record<string, TypedArray>>): void {
  for (const [name, value] of inputs) {
    const data = given[name];
    if (data === undefined) throw new Error(`program ${program}: input ${name} is missing`);
    const expected = ARRAYS[value.dtype as keyof typeof ARRAYS];
    if (data.length !== sizeOf(value.shape) || !(data instanceof expected))
      throw new Error(`input ${name} must be ${showType(value)}, got ${data.constructor.name} of ${data.length}`);
  }
}

/** Outputs that lie together in the arena come together, and lie so in the slot; those in state come by themselves. */
function outputsOf({ program, plan }: Compiled, addresses: Addresses): Outputs {
  const inArena = (value: Value): boolean => plan.locations.get(value.id)?.kind === 'arena';
  const placed = [...program.outputs].map(([name, value]) => ({
    name,
    value,
    from: addressOf(plan, addresses, value) ?? 0,
    bytes: bytesOf(value),
  }));
  const deliveries: Delivery[] = [];
  const fetches: Fetch[] = [];
  let end = 0;
  let latest: (Fetch & { readonly together: boolean }) | undefined;
  for (const { name, value, from, bytes } of placed.toSorted((a, b) => a.from - b.from)) {
    const together = inArena(value);
    const joins =
      latest?.together === true && together && from - aligned(latest.from + latest.bytes, CUDA_ALIGNMENT) <= 0;
    if (joins) {
      const reach = Math.max(latest!.bytes, from + bytes - latest!.from);
      latest = { ...latest!, bytes: reach };
    } else {
      if (latest !== undefined && latest.bytes > 0) fetches.push(latest);
      latest = { from, offset: end, bytes, together };
    }
    deliveries.push({ name, value, offset: latest.offset + from - latest.from });
    end = latest.offset + aligned(latest.bytes, CUDA_ALIGNMENT);
  }
  if (latest !== undefined && latest.bytes > 0) fetches.push(latest);
  return { deliveries, fetches, bytes: end };
}

/** How numbers become those of a state, where they are not 32 bits. */
const ENCODE = { ...TO_WORDS, u8: toBytes } as const;

function takeInto(dtype: DType, memory: ArrayBuffer, offset: number, into: Float32Array): void {
  if (dtype === 'f32') {
    into.set(new Float32Array(memory, offset, into.length));
    return;
  }
  if (dtype === 'u8') {
    into.set(new Uint8Array(memory, offset, into.length));
    return;
  }
  const raw = farHalf(into);
  raw.set(new Uint16Array(memory, offset, into.length));
  FROM_WORDS[dtype as Half](raw, into);
}

/** A new array of what came. */
function taken(dtype: DType, memory: ArrayBuffer, offset: number, size: number): TypedArray {
  if (isHalf(dtype) || dtype === 'f32') {
    const data = new Float32Array(size);
    takeInto(dtype, memory, offset, data);
    return data;
  }
  return new ARRAYS[dtype as keyof typeof ARRAYS](memory, offset, size).slice();
}
