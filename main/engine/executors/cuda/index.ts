/** The executor for NVIDIA GPUs. See README.md. */
import type { Executor } from '../executor.ts';
import type { Card } from './card.ts';
import { openDevice } from './open.ts';
import { CudaSession } from './session.ts';
import type { Watch } from './replay.ts';
import { CUDA_POLICIES } from './target.ts';

export { CudaSession } from './session.ts';

/** Takes memory of the card only when a session is opened. @param watch sees every piece before it is given to the device; for tests */
export function cudaExecutor(card: Card, watch?: Watch): Executor {
  return {
    device: { executor: 'cuda', name: card.name, threads: 1, policies: CUDA_POLICIES },
    // One is computed, and one is given meanwhile.
    stepsAhead: 1,
    open: (states, decided) => new CudaSession(openDevice(card, decided), states, watch, card.gauge),
  };
}
