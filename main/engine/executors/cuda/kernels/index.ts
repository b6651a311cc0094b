/** Every kernel that has a rule, by its name in kernels.h. */
import type { CudaKernels } from '../kernel.ts';
import { ATTENTION_KERNELS } from './attention.ts';
import { CHAIN_KERNELS } from './chain.ts';
import { CROSS_ENTROPY_KERNELS } from './crossEntropy.ts';
import { ELEMENT_KERNELS } from './elements.ts';
import { EXPERT_KERNELS } from './experts.ts';
import { GEMM_KERNELS } from './gemm.ts';
import { GROUPED_KERNELS } from './grouped.ts';
import { INDEXING_KERNELS } from './indexing.ts';
import { MOVE_KERNELS } from './move.ts';
import { NORM_KERNELS } from './norm.ts';
import { OPTIMIZER_KERNELS } from './optimizer.ts';
import { REDUCE_KERNELS } from './reduce.ts';
import { ROTARY_KERNELS } from './rotary.ts';
import { SELECT_KERNELS } from './select.ts';

export const CUDA_KERNELS: CudaKernels = {
  ...ATTENTION_KERNELS,
  ...CHAIN_KERNELS,
  ...CROSS_ENTROPY_KERNELS,
  ...ELEMENT_KERNELS,
  ...EXPERT_KERNELS,
  ...GEMM_KERNELS,
  ...GROUPED_KERNELS,
  ...INDEXING_KERNELS,
  ...MOVE_KERNELS,
  ...NORM_KERNELS,
  ...OPTIMIZER_KERNELS,
  ...REDUCE_KERNELS,
  ...ROTARY_KERNELS,
  ...SELECT_KERNELS,
};
