/**
 * The native kernels as seen from TypeScript: loads the addon when it was built, and encodes calls of its kernels.
 *
 * A program is a list of records; a record names a kernel and its arguments (see kernels.h for what each means). Memory lives
 * in blocks of the addon; a pointer is a block and a byte offset in one number.
 */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hereOrPackaged, REINSTALL } from '../installation.ts';
import { hashOfSources } from './sources.js';
import { encodeExtra, encodeFields } from './encode.ts';
import type { Argument, EnumName, KernelSignature, Signatures } from './encode.ts';

export { NULL } from './encode.ts';

export type NativeArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

export interface NativeInfo {
  /** Instruction level in use: portable, avx2, avx512 or amx. */
  level: string;
  /** Levels this processor can run, slowest first. */
  levels: string[];
  /** The same with the levels that exist for tests: avx512-f32 (no bf16 products), amx-emulated. */
  testLevels: string[];
  threads: number;
  /** Whether the level multiplies bf16 at twice the f32 rate or better. */
  bf16Products: boolean;
}

export interface NativeMemory {
  /** Bytes of blocks and scratch now, and the most there ever were. */
  allocated: number;
  peak: number;
  scratch: number;
}

/** What records and workspaces mean to this side; `kRecordFormat` of kernels.h is the addon's. */
const RECORD_FORMAT = 1;

/** Functions of the addon. Calls that change something throw while a program runs. */
export interface Native {
  info(): NativeInfo;
  kernels(): Record<string, KernelSignature>;
  /** Names of every enum's values in the order of their numbers; `ChainOp` holds the opcodes of `chain`. */
  enums(): Record<string, string[]>;
  /** Throws when this processor cannot run the level; '' chooses the fastest. */
  setLevel(name: string): void;
  setThreads(count: number): void;
  /** A zeroed block of exactly so many bytes; throws `out of memory` when the system refuses. */
  allocate(bytes: number): number;
  free(block: number): void;
  write(block: number, offset: number, data: NativeArray): void;
  read(block: number, offset: number, data: NativeArray): void;
  /** Decodes and checks a program. The blocks it points to must exist and stay. */
  compile(records: Float64Array): number;
  release(program: number): void;
  /**
   * Scratch at the current level and thread count: a pure function of records, level and threads. Takes a compiled program, or
   * records whose blocks need not exist yet (planning). Programs share one scratch area as large as the largest needs.
   */
  scratchBytes(program: number | Float64Array): number;
  /** Runs on another thread than JavaScript's; one program at a time. */
  run(program: number): Promise<void>;
  runSync(program: number): void;
  /** Seconds spent so far in each record. */
  profile(program: number): Float64Array;
  memory(): NativeMemory;
  /** Hash of what it was built from (sources.js). */
  readonly sources: string;
  readonly format: number;
}

/** SWEEPLAB_ADDON names another build of the addon, such as one with sanitizers. */
const NAMED = process.env['SWEEPLAB_ADDON'];
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const ADDON = NAMED ?? join(FOLDER, 'build/Release/sweeplab.node');

export interface Unusable {
  readonly reason: string;
  /** What mends it, a command where there is one. */
  readonly mend?: string;
}
export type NativeResult =
  | { native: Native; reason?: undefined; mend?: undefined }
  | (Unusable & { native?: undefined });

/** What brings kernels that are not there. */
export const NATIVE_MEND =
  process.platform === 'win32'
    ? 'there are none for Windows yet, in WSL they work as on Linux'
    : hereOrPackaged(
        'npm run build:native (needs a C++20 compiler, make and Python 3), or sweeplab setup native, which fetches them from a release',
        'install Sweeplab again: its package carries them built',
      );

let loaded: NativeResult | undefined;

/**
 * Why a built addon cannot run the programs of these sources: their kernels would read records that mean something else, and end the
 * process. `sources` is their hash; a packaged app has none, and the format alone.
 */
export function whyStale(
  native: Pick<Native, 'sources' | 'format'>,
  sources: string | undefined,
): Unusable | undefined {
  if (native.format === RECORD_FORMAT && (sources === undefined || native.sources === sources)) return undefined;
  return {
    reason: 'the native kernels were built from other sources',
    mend: hereOrPackaged('npm run build:native', REINSTALL),
  };
}

/**
 * The addon, or why there is none: it was not built, was built from other sources, cannot be loaded, or SWEEPLAB_CPU asks for a level this
 * processor lacks. Loading it costs the hash of its sources, two milliseconds.
 */
export function loadNative(): NativeResult {
  if (loaded) return loaded;
  if (!existsSync(ADDON)) {
    loaded = {
      reason: hereOrPackaged('the native kernels are not built', 'the native kernels are not there'),
      mend: NATIVE_MEND,
    };
    return loaded;
  }
  try {
    const native = createRequire(import.meta.url)(ADDON) as Native;
    // A build that is named was made on purpose, and need not come from build.js.
    loaded = whyStale(native, NAMED === undefined ? hashOfSources(FOLDER) : undefined) ?? { native };
  } catch (error) {
    loaded = { reason: `the native kernels cannot be used: ${(error as Error).message}` };
  }
  return loaded;
}

const POINTER_UNIT = 2 ** 44;
/** Address of a byte of a block. */
export const pointer = (block: number, offset: number): number => block * POINTER_UNIT + offset;

/** Everything that records are encoded by. */
export function signaturesOf(native: Native): Signatures {
  return { kernels: native.kernels(), enums: native.enums() };
}

/** One record of a program: the kernel's code, the record's length, its fields, and the numbers that follow them. */
export function record(
  signatures: Signatures,
  name: string,
  args: Readonly<Record<string, Argument>>,
  extra: readonly (number | EnumName)[] = [],
): number[] {
  const fields = encodeFields(signatures, name, args);
  const numbers = encodeExtra(signatures, name, extra);
  return [signatures.kernels[name]!.code, 2 + fields.length + numbers.length, ...fields, ...numbers];
}
