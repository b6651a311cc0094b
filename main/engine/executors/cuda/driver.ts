/**
 * The CUDA driver API as TypeScript sees it, through koffi: no compiler and no toolkit on the user's machine. The one place that declares its
 * functions. All return a CUresult, 0 for success; device addresses are numbers below 2^53, handles are opaque.
 */
import koffi from 'koffi';

export type Handle = unknown;

/** Declarations by our name: `_Out_ T *` is filled through an array of one element. */
const DECLARATIONS = {
  init: 'int cuInit(uint)',
  driverVersion: 'int cuDriverGetVersion(_Out_ int *)',
  errorName: 'int cuGetErrorName(int, _Out_ const char **)',
  errorString: 'int cuGetErrorString(int, _Out_ const char **)',
  deviceCount: 'int cuDeviceGetCount(_Out_ int *)',
  device: 'int cuDeviceGet(_Out_ int *, int)',
  deviceName: 'int cuDeviceGetName(_Out_ char *, int, int)',
  deviceMemory: 'int cuDeviceTotalMem_v2(_Out_ size_t *, int)',
  deviceAttribute: 'int cuDeviceGetAttribute(_Out_ int *, int, int)',
  retainContext: 'int cuDevicePrimaryCtxRetain(_Out_ void **, int)',
  releaseContext: 'int cuDevicePrimaryCtxRelease_v2(int)',
  setContext: 'int cuCtxSetCurrent(void *)',
  memoryInfo: 'int cuMemGetInfo_v2(_Out_ size_t *, _Out_ size_t *)',
  allocate: 'int cuMemAlloc_v2(_Out_ uint64_t *, size_t)',
  free: 'int cuMemFree_v2(uint64_t)',
  allocateHost: 'int cuMemHostAlloc(_Out_ uintptr_t *, size_t, uint)',
  freeHost: 'int cuMemFreeHost(uintptr_t)',
  fill: 'int cuMemsetD8Async(uint64_t, uint8_t, size_t, void *)',
  toDevice: 'int cuMemcpyHtoDAsync_v2(uint64_t, const void *, size_t, void *)',
  toDeviceFrom: 'int cuMemcpyHtoDAsync_v2(uint64_t, uintptr_t, size_t, void *)',
  toHost: 'int cuMemcpyDtoHAsync_v2(void *, uint64_t, size_t, void *)',
  toHostAt: 'int cuMemcpyDtoHAsync_v2(uintptr_t, uint64_t, size_t, void *)',
  onDevice: 'int cuMemcpyDtoDAsync_v2(uint64_t, uint64_t, size_t, void *)',
  createStream: 'int cuStreamCreate(_Out_ void **, uint)',
  destroyStream: 'int cuStreamDestroy_v2(void *)',
  synchronize: 'int cuStreamSynchronize(void *)',
  queryStream: 'int cuStreamQuery(void *)',
  createEvent: 'int cuEventCreate(_Out_ void **, uint)',
  destroyEvent: 'int cuEventDestroy_v2(void *)',
  recordEvent: 'int cuEventRecord(void *, void *)',
  queryEvent: 'int cuEventQuery(void *)',
  waitEvent: 'int cuEventSynchronize(void *)',
  elapsed: 'int cuEventElapsedTime(_Out_ float *, void *, void *)',
  loadModule: 'int cuModuleLoadData(_Out_ void **, const void *)',
  unloadModule: 'int cuModuleUnload(void *)',
  moduleFunction: 'int cuModuleGetFunction(_Out_ void **, void *, const char *)',
  setFunction: 'int cuFuncSetAttribute(void *, int, int)',
  launch: 'int cuLaunchKernel(void *, uint, uint, uint, uint, uint, uint, uint, void *, void *, void *)',
  beginCapture: 'int cuStreamBeginCapture_v2(void *, int)',
  endCapture: 'int cuStreamEndCapture(void *, _Out_ void **)',
  instantiate: 'int cuGraphInstantiateWithFlags(_Out_ void **, void *, uint64_t)',
  launchGraph: 'int cuGraphLaunch(void *, void *)',
  destroyGraph: 'int cuGraphDestroy(void *)',
  destroyExecutable: 'int cuGraphExecDestroy(void *)',
} as const;

export type DriverFunction = keyof typeof DECLARATIONS;
export type Driver = { readonly [name in DriverFunction]: (...args: readonly unknown[]) => number };

/** The driver's name of a function, for messages. */
export const symbolOf = (name: DriverFunction): string => /(cu\w+)\(/.exec(DECLARATIONS[name])![1]!;

/** Opens libcuda. @param path or soname @throws what the system's loader says */
export function loadDriver(path: string): Driver {
  const library = koffi.load(path);
  return Object.fromEntries(
    Object.entries(DECLARATIONS).map(([name, declaration]) => [name, library.func(declaration)]),
  ) as unknown as Driver;
}

/** Address of a buffer's bytes, for structs of pointers. It stays valid while the buffer is referenced. */
export const addressOfBuffer = (buffer: Buffer): bigint => BigInt(koffi.address(buffer) as number | bigint);

/** Writes into, or reads from, memory at an address: that of pinned host memory. */
export const viewOfMemory = (address: number | bigint, bytes: number): ArrayBuffer =>
  koffi.view(BigInt(address), bytes) as ArrayBuffer;
