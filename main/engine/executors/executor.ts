/** What an executor offers: it runs programs on a device and holds their persistent state. */
import type { MemoryPlan } from '../compile/plan.ts';
import type { Program, StateSpec } from '../graph/program.ts';

export type TypedArray = Float32Array | Int32Array | Uint8Array | Uint16Array;

export interface DeviceDescription {
  /** Executor that runs it: `tfjs-wasm`, `tfjs-cpu`, `tfjs-gpu`, `cpu`, `cuda`. */
  readonly executor: string;
  /** For people: processor or GPU, threads, instruction set, backend. */
  readonly name: string;
  readonly threads: number;
  /** Precision policies that it runs. */
  readonly policies: readonly string[];
}

export interface LoadedProgram {
  readonly program: Program;
  /** The plan that this executor follows. */
  readonly plan: MemoryPlan;
}

export interface MemoryReport {
  /** Bytes of persistent state held. */
  readonly persistentBytes: number;
  /** Largest number of bytes of temporaries held at once since the session began. */
  readonly peakTemporaryBytes: number;
  /** All that was taken of a device for the plan, as its driver counts it. */
  readonly deviceBytes?: number;
  /** What the driver takes of the device beside that: context, kernels, graphs; where it could be measured. */
  readonly overheadBytes?: number;
}

/**
 * Persistent state on a device and the programs that work on it. Runs and reads may be given while earlier ones are pending: they are done
 * in that order, and those behind one that fails fail with its error. Nothing may be loaded or written while any is pending.
 */
export interface Session {
  /** Compiles a program for this device. Its states must be among those of the session, with equal types. */
  load(program: Program): LoadedProgram;
  /**
   * Runs a program. `inputs` gives one dense row-major array per program input (f32 → Float32Array, i32 → Int32Array,
   * u8 → Uint8Array), and stays as it is until the run is done. Returns every program output as a new array (16-bit outputs as Float32Array).
   */
  run(loaded: LoadedProgram, inputs: Readonly<Record<string, TypedArray>>): Promise<Record<string, TypedArray>>;
  /**
   * Copies elements of a state out, as many as `into` takes from element `from` on, and returns `into`; without it the rest of the
   * state in a new array. 16-bit states are returned as Float32Array holding exactly their values.
   */
  read(state: string, from?: number, into?: Float32Array): Promise<Float32Array>;
  /** Replaces elements of a state from element `from` on (all of them by default); 16-bit states are rounded to nearest even. */
  write(state: string, data: Float32Array, from?: number): void;
  memory(): MemoryReport;
  /** What multiplies matrices, for the record of a run. */
  readonly products?: string;
  /** Why it does not compute as the given decisions were made with, for people; also where what was found could not be used. */
  readonly remarks?: readonly string[];
  /** What it has decided by its own judgement: JSON-safe, a part of checkpoints, so that whoever goes on decides alike and has the same bits. */
  decisions?(): unknown;
  /** Frees everything. Further calls throw. */
  dispose(): void;
}

export interface Executor {
  readonly device: DeviceDescription;
  /** Steps that may be given while one is still computed, so that the device never waits for the host; none unless given. */
  readonly stepsAhead?: number;
  /** Allocates zeroed state. @param decided decisions of an earlier session of any executor @throws OutOfMemoryError where it does not fit */
  open(states: readonly StateSpec[], decided?: unknown): Session;
}

/** The device has not enough memory. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

/** An executor that cannot be used here, why, and what mends that where this cause has a remedy of its own: the message says both. */
export class ExecutorUnavailableError extends Error {
  override readonly name = 'ExecutorUnavailableError';
  readonly why: string;
  readonly mend: string | undefined;

  constructor(why: string, { mend, ...options }: ErrorOptions & { readonly mend?: string | undefined } = {}) {
    super(mend === undefined ? why : `${why}: ${mend}`, options);
    this.why = why;
    this.mend = mend;
  }
}

/** What follows where a run does not go on as it began. */
export const DIFFERENT_BITS =
  'from here on numbers may differ in their last digits from those of a run that was not interrupted';
