/** Every kernel that has a rule, by its name in kernels.h. */
import type { CudaKernels } from '../kernel.ts';
import { DRIVER_ALONE } from '../products.ts';
import type { DeviceProfile } from '../products.ts';
import { ATTENTION_KERNELS } from './attention.ts';
import { CHAIN_KERNELS } from './chain.ts';
import { crossEntropyKernels } from './crossEntropy.ts';
import { ELEMENT_KERNELS } from './elements.ts';
import { EXPERT_KERNELS } from './experts.ts';
import { gemmKernels } from './gemm.ts';
import { GROUPED_KERNELS } from './grouped.ts';
import { INDEXING_KERNELS } from './indexing.ts';
import { MOVE_KERNELS } from './move.ts';
import { NORM_KERNELS } from './norm.ts';
import { OPTIMIZER_KERNELS } from './optimizer.ts';
import { REDUCE_KERNELS } from './reduce.ts';
import { ROTARY_KERNELS } from './rotary.ts';
import { SELECT_KERNELS } from './select.ts';

const ANY_DEVICE: CudaKernels = {
  ...ATTENTION_KERNELS,
  ...CHAIN_KERNELS,
  ...ELEMENT_KERNELS,
  ...EXPERT_KERNELS,
  ...GROUPED_KERNELS,
  ...INDEXING_KERNELS,
  ...MOVE_KERNELS,
  ...NORM_KERNELS,
  ...OPTIMIZER_KERNELS,
  ...REDUCE_KERNELS,
  ...ROTARY_KERNELS,
  ...SELECT_KERNELS,
};

/** What runs on a kind of device: products depend on what there is. */
export const kernelsFor = (profile: DeviceProfile): CudaKernels => ({
  ...ANY_DEVICE,
  ...crossEntropyKernels(profile),
  ...gemmKernels(profile),
});

export const CUDA_KERNELS = kernelsFor(DRIVER_ALONE);
