// Ceilings of a card, which its other kernels are measured by: multiply-adds in registers, a copy, and a launch of nothing.
#include "device.h"

#define ARGS_peak(P, I, L, F, E) P(y) I(repeats)
#define ARGS_copied(P, I, L, F, E) P(x) P(y) L(vectors)
ARGS(peak)
ARGS(copied)

#ifndef DESCRIBE
// Eight chains of tensor-core products in each warp: 16 × 8 × 16 multiply-adds each. y: a float per thread, so that nothing is left out.
DEVICE void products(const peak_args& a) {
  float d[8][4];
  u32 x[4] = {thread_x(), 0x3f803f80u, 0x3f803f80u, thread_x()};
  UNROLL for (int i = 0; i < 8; i++) UNROLL for (int e = 0; e < 4; e++) d[i][e] = 0;
  for (int r = 0; r < a.repeats; r++) UNROLL for (int i = 0; i < 8; i++) mma_bf16(d[i], x, 0x3f803f80u, 0x3f803f80u);
  float sum = 0;
  UNROLL for (int i = 0; i < 8; i++) UNROLL for (int e = 0; e < 4; e++) sum += d[i][e];
  ((float*)a.y)[block_x() * 256 + thread_x()] = sum;
}
// Eight chains of multiply-adds in each thread.
DEVICE void multiply_adds(const peak_args& a) {
  float d[8], x = (float)thread_x() * 1e-3f;
  UNROLL for (int i = 0; i < 8; i++) d[i] = (float)i;
  for (int r = 0; r < a.repeats; r++) UNROLL for (int i = 0; i < 8; i++) d[i] = d[i] * x + 1.f;
  float sum = 0;
  UNROLL for (int i = 0; i < 8; i++) sum += d[i];
  ((float*)a.y)[block_x() * 256 + thread_x()] = sum;
}
DEVICE void copy_vectors(const copied_args& a) {
  for (i64 i = (i64)block_x() * 256 + thread_x(); i < a.vectors; i += (i64)grid_x() * 256)
    store16((vec4*)a.y + i, load16((const vec4*)a.x + i));
}
#endif
KERNEL(peak_products, peak_args, 256, products(a))
KERNEL(peak_multiply_adds, peak_args, 256, multiply_adds(a))
KERNEL(peak_copy, copied_args, 256, copy_vectors(a))
KERNEL(peak_nothing, peak_args, 32, (void)a)
