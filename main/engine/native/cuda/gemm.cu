// Products in f32, exactly and with operands rounded to tf32, and the sum of the parts of any split product.
#include "gemm.h"

KERNEL(gemm_f32_128x128, gemm_args, 256, gemm_simt<128, 8>(a))
KERNEL(gemm_f32_64x64, gemm_args, 256, gemm_simt<64, 16>(a))
KERNEL_SHARING(gemm_tf32_128x128, gemm_args, 256, 2, gemm_mixed<tf32, 128, 128, 64>(a))
KERNEL(gemm_tf32_64x64, gemm_args, 128, gemm_mixed<tf32, 64, 64, 32>(a))
KERNEL(gemm_reduce, gemm_args, 256, add_parts(a))
