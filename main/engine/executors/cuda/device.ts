/** One GPU: its context, memory, stream and compiled kernels. Every driver call is checked here. */
import { addressOfBuffer, loadDriver, symbolOf } from './driver.ts';
import type { Driver, DriverFunction, Handle } from './driver.ts';
import type { Cublas } from './cublas.ts';
import { DeviceCallError } from './errors.ts';
import { productLaunches } from './kernels/gemm.ts';
import { encodeArguments, LIBRARY_PRODUCT } from './launch.ts';
import type { Launch } from './launch.ts';
import { DRIVER_ALONE } from './products.ts';
import type { Product } from './products.ts';
import { familyOf, manifest, ptxOf } from './manifest.ts';

/** Results of the driver that we tell apart (cuda.h, CUresult). */
export const OUT_OF_MEMORY = 2;
export const NOT_READY = 600;

/** Attributes of devices and functions (cuda.h). */
const CAPABILITY_MAJOR = 75;
const CAPABILITY_MINOR = 76;
const MULTIPROCESSORS = 16;
const SHARED_PER_BLOCK_OPTIN = 97;
const FUNCTION_DYNAMIC_SHARED = 8;
/** Dynamic shared memory that a kernel may have without being asked. */
const SHARED_DEFAULT = 48 * 1024;
const NON_BLOCKING = 1;

/** A call of the driver that failed. */
export class CudaError extends DeviceCallError {
  override readonly name = 'CudaError';
  constructor(call: string, code: number, what: string) {
    super(`${call}: CUDA error ${code}${what === '' ? '' : ` (${what})`}`, call, code, code === OUT_OF_MEMORY);
  }
}

export interface DeviceFacts {
  readonly ordinal: number;
  readonly name: string;
  /** Compute capability, 10 · major + minor. */
  readonly capability: number;
  readonly multiprocessors: number;
  readonly totalBytes: number;
  /** Most shared memory of a block. */
  readonly sharedBytes: number;
  /** As cuDriverGetVersion gives it: 13000 for CUDA 13.0. */
  readonly driverVersion: number;
}

interface LoadedKernel {
  readonly handle: Handle;
  readonly threads: number;
  /** Dynamic shared memory that it may have now. */
  shared: number;
}

/** How a device compiles a family of kernels; replaced where images are not the committed PTX. */
export type ImageOf = (family: string) => Buffer;

export class CudaDevice {
  readonly driver: Driver;
  readonly facts: DeviceFacts;
  readonly stream: Handle;
  /** Runs products that are planned for it; given back with the device. */
  library: Cublas | undefined;
  /** What else is to be known of it, for people. */
  readonly remarks: string[] = [];
  readonly #device: number;
  readonly #imageOf: ImageOf;
  readonly #modules = new Map<string, Handle>();
  readonly #kernels = new Map<string, LoadedKernel>();
  #open = true;

  /** @param library path or soname of libcuda @throws CudaError, or what the system's loader says */
  constructor(library: string, ordinal = 0, imageOf: ImageOf = ptxOf) {
    this.driver = loadDriver(library);
    this.#imageOf = imageOf;
    this.call('init', 0);
    const device = (this.#device = this.out<number>('device', (slot) => [slot, ordinal]));
    const attribute = (which: number) => this.out<number>('deviceAttribute', (slot) => [slot, which, device]);
    const name = Buffer.alloc(256);
    this.call('deviceName', name, name.length, device);
    this.facts = {
      ordinal,
      name: name.toString('utf8', 0, name.indexOf(0)),
      capability: 10 * attribute(CAPABILITY_MAJOR) + attribute(CAPABILITY_MINOR),
      multiprocessors: attribute(MULTIPROCESSORS),
      totalBytes: Number(this.out<number | bigint>('deviceMemory', (slot) => [slot, device])),
      sharedBytes: attribute(SHARED_PER_BLOCK_OPTIN),
      driverVersion: this.out<number>('driverVersion', (slot) => [slot]),
    };
    const context = this.out<Handle>('retainContext', (slot) => [slot, device]);
    try {
      this.call('setContext', context);
      this.stream = this.out('createStream', (slot) => [slot, NON_BLOCKING]);
    } catch (error) {
      this.driver.releaseContext(device);
      throw error;
    }
  }

  /** Calls the driver. @throws CudaError when it does not succeed */
  call(name: DriverFunction, ...args: readonly unknown[]): void {
    const code = this.driver[name](...args);
    if (code !== 0) throw this.error(name, code);
  }

  /** Calls the driver and returns what it wrote into the slot. */
  out<T>(name: DriverFunction, args: (slot: [T | null]) => readonly unknown[]): T {
    const slot: [T | null] = [null];
    this.call(name, ...args(slot));
    return slot[0]!;
  }

  error(name: DriverFunction, code: number): CudaError {
    const text: [string | null] = [null];
    const known = this.driver.errorString(code, text) === 0;
    return new CudaError(symbolOf(name), code, known ? (text[0] ?? '') : '');
  }

  /** Free and total bytes, as the driver counts them now. */
  memory(): { free: number; total: number } {
    const free = [0];
    const total = [0];
    this.call('memoryInfo', free, total);
    return { free: Number(free[0]), total: Number(total[0]) };
  }

  /** Address of new memory, with what is in it by chance. */
  allocate(bytes: number): number {
    return Number(this.out<number | bigint>('allocate', (slot) => [slot, bytes]));
  }

  free(address: number): void {
    this.call('free', address);
  }

  /** Copies in the order of the stream; the data may be changed once it returns. */
  write(address: number, data: ArrayBufferView): void {
    this.call('toDevice', address, data, data.byteLength, this.stream);
  }

  /** Waits for everything that was queued, then copies into `data`. */
  read(address: number, data: ArrayBufferView): void {
    this.call('toHost', data, address, data.byteLength, this.stream);
    this.synchronize();
  }

  synchronize(): void {
    this.call('synchronize', this.stream);
  }

  /** Has the driver compile the family of a kernel, unless it has. @throws CudaError */
  prepare(fn: string): void {
    this.#kernel(fn);
  }

  /** Queues a launch. @param address of a table by its field */
  launch(launch: Launch, address?: (table: string) => number): void {
    this.launchEncoded(launch, encodeArguments(launch, address));
  }

  /** The same with arguments that are encoded already. */
  launchEncoded(launch: Launch, args: Buffer): void {
    const { fn, grid, shared = 0 } = launch;
    if (fn === LIBRARY_PRODUCT) {
      if (this.library === undefined) throw new Error('a product was planned for cuBLASLt, which was not opened');
      const { workspace, ...rest } = launch.args;
      const [product, scratch] = [rest as unknown as Product, workspace as number];
      if (this.library.multiply(product, scratch, this.stream)) return;
      // What the library has no algorithm for, our kernels run, whose parts fit into its workspace.
      for (const own of productLaunches(product, scratch, DRIVER_ALONE)) this.launch(own);
      return;
    }
    const kernel = this.#kernel(fn);
    if (shared > kernel.shared) {
      this.call('setFunction', kernel.handle, FUNCTION_DYNAMIC_SHARED, shared);
      kernel.shared = shared;
    }
    const parameters = Buffer.alloc(8);
    parameters.writeBigUInt64LE(addressOfBuffer(args));
    this.call('launch', kernel.handle, ...grid, kernel.threads, 1, 1, shared, this.stream, parameters, null);
  }

  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    this.library?.dispose();
    for (const module of this.#modules.values()) this.driver.unloadModule(module);
    this.driver.destroyStream(this.stream);
    this.driver.releaseContext(this.#device);
  }

  #kernel(fn: string): LoadedKernel {
    const known = this.#kernels.get(fn);
    if (known !== undefined) return known;
    const family = familyOf(fn);
    let module = this.#modules.get(family);
    if (module === undefined) {
      const image = this.#imageOf(family);
      module = this.out<Handle>('loadModule', (slot) => [slot, image]);
      this.#modules.set(family, module);
    }
    const handle = this.out<Handle>('moduleFunction', (slot) => [slot, module, fn]);
    const kernel = { handle, threads: manifest()[family]!.kernels[fn]!.threads, shared: SHARED_DEFAULT };
    this.#kernels.set(fn, kernel);
    return kernel;
  }
}
