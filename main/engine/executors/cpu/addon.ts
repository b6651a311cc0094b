/** The native addon (main/engine/native): where it lies and what it offers. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ExecutorUnavailableError } from '../executor.ts';
import type { TypedArray } from '../executor.ts';
import type { KernelSignatures } from './records.ts';

export interface NativeInfo {
  /** Instruction level in use: `portable`, `avx2`, `avx512`, `amx`. */
  readonly level: string;
  /** Levels that this processor runs. */
  readonly levels: readonly string[];
  readonly threads: number;
  /** Whether products of bf16 numbers are done by the processor itself. */
  readonly bf16Products: boolean;
}

/** Memory blocks are the addon's own; JavaScript copies in and out. Programs are records of kernel calls (native/addon.cc). */
export interface NativeAddon {
  info(): NativeInfo;
  kernels(): KernelSignatures;
  /** Names of the element-wise opcodes, in order. */
  chainOps(): readonly string[];
  setLevel(level: string): void;
  setThreads(threads: number): void;
  /** Id of a zeroed, aligned block; throws when memory is not to be had. */
  allocate(bytes: number): number;
  free(block: number): void;
  write(block: number, offset: number, data: TypedArray): void;
  read(block: number, offset: number, into: TypedArray): void;
  /** Id of a program; pointers are resolved now, so blocks must outlive it. */
  compile(records: Float64Array): number;
  release(program: number): void;
  /** Bytes of scratch that a program needs at the present level and threads. */
  scratchBytes(program: number): number;
  /** Runs a program off the JavaScript thread; runs must not overlap. */
  run(program: number): Promise<void>;
  /** Seconds spent so far in each record. */
  profile(program: number): Float64Array;
  memory(): { readonly allocated: number; readonly peak: number; readonly scratch: number };
}

/** Where `npm ci` puts the built addon. */
export const ADDON_PATH = fileURLToPath(new URL('../../native/build/Release/sweeplab.node', import.meta.url));

let loaded: NativeAddon | undefined;

/** Loads the addon once per process. Throws ExecutorUnavailableError with what is missing and what to do. */
export function loadAddon(): NativeAddon {
  if (loaded !== undefined) return loaded;
  if (!existsSync(ADDON_PATH)) {
    throw new ExecutorUnavailableError(
      'The native CPU executor is not built: its addon needs a C++ compiler (g++ or clang++), make and Python 3 while installing. ' +
        'Install them and run `npm rebuild`; until then Sweeplab trains on TensorFlow.js, many times slower.',
    );
  }
  try {
    loaded = createRequire(import.meta.url)(ADDON_PATH) as NativeAddon;
  } catch (error) {
    throw new ExecutorUnavailableError(`The native CPU executor does not load: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return loaded;
}
