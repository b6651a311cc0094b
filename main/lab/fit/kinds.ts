/** The executors as the fit check sees them: how each holds memory, and what its process needs besides the plan. */
export const DEVICE_KINDS = ['cpu', 'cuda', 'tfjs-gpu', 'tfjs-wasm', 'tfjs-cpu'] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

const MIB = 2 ** 20;

export interface KindFacts {
  /** `arena`: the executor allocates the plan, so its bytes are exact. `tensors`: it allocates tensor by tensor; the plan counts them. */
  readonly holds: 'arena' | 'tensors';
  /** Where the planned bytes lie: in the engine's own process, or on a GPU. */
  readonly memory: 'host' | 'gpu';
  /** Bytes besides the plan, before any data: runtime and loaded code on the host; context, handles and kernels on a GPU. */
  readonly baseBytes: number;
  /** `measured` on a machine like this, `estimated` from published figures. */
  readonly baseBasis: 'measured' | 'estimated';
  readonly baseWhat: string;
  /** Most that a thread's kernels take for packed operands and partial sums, by their block sizes. */
  readonly threadBytes?: number;
  /** Most bytes that the executor can address, whatever the machine has. */
  readonly limitBytes?: number;
  /** Share of the planned bytes kept free, beyond the fixed margin, because the executor allocates more than the plan counts. */
  readonly slack: number;
  /** Precision policies that it runs. */
  readonly policies: readonly string[];
}

const ALL_POLICIES = ['fp32', 'bf16', 'fp16', 'pure-bf16'];

/**
 * Base bytes. Host executors: resident size of an engine process with the executor open and no model (Node 24, Linux x64): 115 MB
 * with TensorFlow.js, 102 MB without, rounded up to whole 16 MiB. GPUs: a CUDA context takes 287 MB (lazy loading) to over
 * 1 GB, and cuBLAS a workspace of 4 to 32 MiB; 600 MiB is an estimate between, to be replaced by what the driver reports.
 */
export const KINDS: Readonly<Record<DeviceKind, KindFacts>> = {
  cpu: {
    holds: 'arena',
    memory: 'host',
    baseBytes: 112 * MIB,
    baseBasis: 'measured',
    baseWhat: 'engine process',
    threadBytes: 6 * MIB,
    slack: 0,
    policies: ['fp32', 'bf16', 'pure-bf16'],
  },
  cuda: {
    holds: 'arena',
    memory: 'gpu',
    baseBytes: 600 * MIB,
    baseBasis: 'estimated',
    baseWhat: 'CUDA context, handles and kernels',
    slack: 0,
    policies: ALL_POLICIES,
  },
  'tfjs-gpu': {
    holds: 'tensors',
    memory: 'gpu',
    baseBytes: 1024 * MIB,
    baseBasis: 'estimated',
    baseWhat: 'CUDA context and libtensorflow',
    slack: 0.25,
    policies: ALL_POLICIES,
  },
  'tfjs-wasm': {
    holds: 'tensors',
    memory: 'host',
    baseBytes: 112 * MIB,
    baseBasis: 'measured',
    baseWhat: 'engine process',
    // A 32-bit WebAssembly memory ends at 4 GiB.
    limitBytes: 4096 * MIB,
    slack: 0.25,
    policies: ALL_POLICIES,
  },
  'tfjs-cpu': {
    holds: 'tensors',
    memory: 'host',
    baseBytes: 112 * MIB,
    baseBasis: 'measured',
    baseWhat: 'engine process',
    slack: 0.5,
    policies: ALL_POLICIES,
  },
};

export const isDeviceKind = (name: string): name is DeviceKind => (DEVICE_KINDS as readonly string[]).includes(name);
