/** One kernel call at a time on the emulated device: arrays in, arrays out. */
import type { Card } from '../../../main/engine/executors/cuda/card.ts';
import { CudaDevice } from '../../../main/engine/executors/cuda/device.ts';
import { cudaExecutor } from '../../../main/engine/executors/cuda/index.ts';
import type { Watch } from '../../../main/engine/executors/cuda/replay.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import type { CallExtra, CudaKernel } from '../../../main/engine/executors/cuda/kernel.ts';
import { CUDA_KERNELS } from '../../../main/engine/executors/cuda/kernels/index.ts';
import koffi from 'koffi';
import { fromBf16, toBf16 } from '../native/harness.ts';
import { buildEmulator, whyNoEmulator } from './emulator/build.ts';
import type { Flavour } from './emulator/build.ts';

export type DeviceArray = Float32Array | Uint16Array | Int32Array | Uint32Array | Uint8Array;
export type Given = number | string | boolean | null | DeviceArray;

/** Built while a file of tests is read: that takes minutes where everything is new and much else runs, and no limit of a test counts it. */
const emulator =
  whyNoEmulator() === undefined
    ? await buildEmulator(process.env['SWEEPLAB_EMULATOR'] as Flavour | undefined)
    : { driver: '', kernels: '' };
const library = emulator.driver;

let opened: CudaDevice | undefined;

/** The emulated device of this process. SWEEPLAB_EMULATOR chooses the flavour: what a sanitizer is loaded for. */
export async function emulatedDevice(): Promise<CudaDevice> {
  process.env['EMU_KERNELS'] = emulator.kernels;
  return (opened ??= new CudaDevice(library));
}

/** A device of its own on the fake driver, as each session has one. */
export async function ownDevice(): Promise<CudaDevice> {
  await emulatedDevice();
  return new CudaDevice(library);
}

/** The card of the fake driver. @param cublas path of a library that multiplies; none unless given */
export async function emulatedCard(cublas?: string): Promise<Card> {
  await emulatedDevice();
  return { library, ordinal: 0, name: 'Emulated GPU', cublas };
}

/**
 * Forbids every launch to touch what its piece does not name: the address sanitizer then stops the process with the kernel's line. Costs nothing
 * and sees nothing in other flavours.
 */
export async function fence(): Promise<Watch> {
  await emulatedDevice();
  const visible = koffi.load(library).func('int emuVisible(const uint64_t *, int)');
  return (piece) => {
    const ranges = (piece?.ranges ?? []).flatMap(({ address, bytes }) => [BigInt(address), BigInt(bytes)]);
    visible(BigUint64Array.from(ranges), ranges.length / 2);
  };
}

/** The executor on the fake driver. @param watch a {@link fence} unless given */
export const emulatedExecutor = async (watch?: Watch, cublas?: string): Promise<Executor> =>
  cudaExecutor(await emulatedCard(cublas), watch ?? (await fence()));

/** What the fake driver counts, in its order. */
const REPORT = ['used', 'peak', 'launches', 'graphs', 'copies', 'blocks', 'pinned', 'streams', 'retained'] as const;

/** What tests may ask of the fake driver, and tell it, once there is an emulated device. */
export function emulatorControls() {
  const own = koffi.load(library);
  const [report, fail, memory, conflicts] = [
    own.func('int emuReport(_Out_ uint64_t *)'),
    own.func('int emuFail(const char *, int, int)'),
    own.func('int emuMemory(uint64_t)'),
    own.func('int emuConflicts(_Out_ uint64_t *)'),
  ];
  return {
    report(): Record<(typeof REPORT)[number], number> {
      const numbers = new BigUint64Array(REPORT.length);
      report(numbers);
      return Object.fromEntries(REPORT.map((name, i) => [name, Number(numbers[i])])) as never;
    },
    /** The n-th call of a driver function from now returns `code`; '' forgets it and every error that stayed. */
    fail: (name: string, n: number, code: number): void => void fail(name, n, code),
    /** Bytes of the device. */
    memory: (bytes: number): void => void memory(bytes),
    /** How often rows of ldmatrix have met in the same banks of shared memory so far. */
    conflicts(): number {
      const counted = [0];
      conflicts(counted);
      return Number(counted[0]);
    },
  };
}

/** What is held of the fake device. */
export async function heldReport() {
  (await ownDevice()).dispose();
  const { used, blocks, pinned, streams, retained } = emulatorControls().report();
  return { used, blocks, pinned, streams, retained };
}

const aligned = (bytes: number): number => Math.ceil(bytes / 256) * 256;

/**
 * Runs a kernel of kernels.h, or a rule of its own, as the executor does. Arrays among the fields are copied to exactly sized memory of the device and, after the
 * run, back into themselves; scratch memory begins as NaN.
 */
export async function runKernel(
  kernel: string | CudaKernel,
  given: Readonly<Record<string, Given>>,
  extra: readonly (number | string | DeviceArray)[] = [],
): Promise<void> {
  const device = await emulatedDevice();
  const rule = typeof kernel === 'string' ? CUDA_KERNELS[kernel] : kernel;
  if (rule === undefined) throw new Error(`no CUDA kernel runs ${String(kernel)}`);
  const held: { address: number; data: DeviceArray }[] = [];
  const place = (data: DeviceArray): number => {
    const known = held.find((each) => each.data === data);
    if (known !== undefined) return known.address;
    const address = device.allocate(Math.max(1, data.byteLength));
    device.write(address, data);
    held.push({ address, data });
    return address;
  };
  const isArray = (x: unknown): x is DeviceArray => ArrayBuffer.isView(x);
  const fields: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(given))
    fields[name] = isArray(value)
      ? place(value)
      : value === null
        ? 0
        : typeof value === 'boolean'
          ? Number(value)
          : value;
  const numbers: CallExtra = extra.map((each) => (isArray(each) ? place(each) : each));
  const bytes = rule.scratch?.(fields, numbers) ?? 0;
  const scratch = bytes > 0 ? device.allocate(aligned(bytes)) : 0;
  const tables: number[] = [];
  try {
    for (const launch of rule.launches(fields, numbers, scratch)) {
      const addresses: Record<string, number> = {};
      for (const [name, table] of Object.entries(launch.tables ?? {})) {
        addresses[name] = device.allocate(table.byteLength);
        tables.push(addresses[name]);
        device.write(addresses[name], table);
      }
      device.launch(launch, (table) => addresses[table]!);
    }
    for (const { address, data } of held) device.read(address, data);
  } finally {
    for (const { address } of held) device.free(address);
    for (const address of tables) device.free(address);
    if (bytes > 0) device.free(scratch);
  }
}

export type FloatType = 'f32' | 'bf16' | 'f16';

/** Numbers as the device holds them. */
export function arrayOf(type: FloatType, numbers: Float32Array): Float32Array | Uint16Array {
  if (type === 'f32') return numbers;
  return Uint16Array.from(numbers, type === 'bf16' ? toBf16 : toF16);
}

/** What the device holds as numbers, exactly. */
export function numbersOf(type: FloatType, array: Float32Array | Uint16Array): Float32Array {
  if (type === 'f32') return array as Float32Array;
  return Float32Array.from(array, type === 'bf16' ? fromBf16 : fromF16);
}

const half = new Float16Array(1);
const halfBits = new Uint16Array(half.buffer);

export function toF16(x: number): number {
  half[0] = x;
  return halfBits[0]!;
}
export function fromF16(bits: number): number {
  halfBits[0] = bits;
  return half[0]!;
}
