/** The executor for NVIDIA GPUs. See README.md. */
import { ALL_POLICIES } from '../executorKind.ts';
import type { Executor } from '../executor.ts';
import { CudaDevice } from './device.ts';
import { CudaSession } from './session.ts';
import type { Watch } from './replay.ts';

export { CudaSession } from './session.ts';

export interface CudaOptions {
  /** Path or name of the driver's library. */
  readonly library: string;
  /** The card, as CUDA counts those that this process sees; the first unless given. */
  readonly ordinal?: number;
  /** As the driver names the card. */
  readonly name: string;
  /** Sees every piece before it is given to the device; for tests. */
  readonly watch?: Watch;
}

/** Takes memory of the card only when a session is opened. */
export function cudaExecutor({ library, ordinal = 0, name, watch }: CudaOptions): Executor {
  return {
    device: { executor: 'cuda', name, threads: 1, policies: ALL_POLICIES },
    // One is computed, and one is given meanwhile.
    stepsAhead: 1,
    open: (states) => new CudaSession(new CudaDevice(library, ordinal), states, watch),
  };
}
