/** Every kernel that has a rule, by its name in kernels.h. */
import type { CudaKernels } from '../kernel.ts';
import { NORM_KERNELS } from './norm.ts';

export const CUDA_KERNELS: CudaKernels = { ...NORM_KERNELS };
