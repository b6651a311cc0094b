// Products of f16 operands, summed in f32.
#include "gemm.h"

KERNEL_SHARING(gemm_f16_nn_128x128, gemm_args, 256, 2, gemm_tiles<f16, false, false, 128, 128, 64>(a))
KERNEL(gemm_f16_nn_128x64, gemm_args, 128, gemm_tiles<f16, false, false, 128, 64, 64>(a))
KERNEL(gemm_f16_nn_64x64, gemm_args, 128, gemm_tiles<f16, false, false, 64, 64, 32>(a))
KERNEL_SHARING(gemm_f16_nt_128x128, gemm_args, 256, 2, gemm_tiles<f16, false, true, 128, 128, 64>(a))
KERNEL(gemm_f16_nt_128x64, gemm_args, 128, gemm_tiles<f16, false, true, 128, 64, 64>(a))
KERNEL(gemm_f16_nt_64x64, gemm_args, 128, gemm_tiles<f16, false, true, 64, 64, 32>(a))
KERNEL_SHARING(gemm_f16_tn_128x128, gemm_args, 256, 2, gemm_tiles<f16, true, false, 128, 128, 64>(a))
KERNEL(gemm_f16_tn_128x64, gemm_args, 128, gemm_tiles<f16, true, false, 128, 64, 64>(a))
KERNEL(gemm_f16_tn_64x64, gemm_args, 128, gemm_tiles<f16, true, false, 64, 64, 32>(a))
KERNEL(gemm_f16_mixed, gemm_args, 128, gemm_mixed<f16, 64, 64, 32>(a))
