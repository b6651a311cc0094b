// Layer and RMS norm: y = (x - mean) rstd gain + bias over rows of n. One warp per row up to 1,024 elements, a block of eight warps above.
#include "device.h"

#define ARGS_norm(P, I, L, F, E) \
  P(x) P(gain) P(bias) P(y) I(rows) I(n) E(xtype, DType) E(ytype, DType) I(rms) F(eps)
ARGS(norm)

#ifndef DESCRIBE
// Rows as a group of threads sees them: `sum` adds over the group, `first` and `step` are its share of a row.
template <bool WHOLE_BLOCK>
DEVICE void norm_row(const norm_args& a, int row, int first, int step, float* scratch) {
  i64 at = (i64)row * a.n;
  float mean = 0;
  if (!a.rms) {
    float sum = 0;
    for (int i = first; i < a.n; i += step) sum += load_as(a.x, a.xtype, at + i);
    mean = (WHOLE_BLOCK ? block_sum(sum, scratch) : warp_sum(sum)) / (float)a.n;
  }
  float squares = 0;
  for (int i = first; i < a.n; i += step) {
    float d = load_as(a.x, a.xtype, at + i) - mean;
    squares += d * d;
  }
  float variance = (WHOLE_BLOCK ? block_sum(squares, scratch) : warp_sum(squares)) / (float)a.n;
  float rstd = rsqrtf(variance + a.eps);
  const float* gain = (const float*)a.gain;
  const float* bias = (const float*)a.bias;
  for (int i = first; i < a.n; i += step) {
    float v = (load_as(a.x, a.xtype, at + i) - mean) * rstd;
    if (gain) v *= gain[i];
    if (bias) v += bias[i];
    store_as(a.y, a.ytype, at + i, v);
  }
}
DEVICE void norm_by_warp(const norm_args& a) {
  int row = (int)(block_x() * 8 + thread_x() / 32);
  if (row < a.rows) norm_row<false>(a, row, (int)(thread_x() % 32), 32, nullptr);
}
DEVICE void norm_by_block(const norm_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  norm_row<true>(a, (int)block_x(), (int)thread_x(), 256, scratch);
}
#endif
KERNEL(norm_warp, norm_args, 256, norm_by_warp(a))
KERNEL(norm_block, norm_args, 256, norm_by_block(a))
