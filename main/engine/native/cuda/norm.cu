// Layer and RMS norm: y = (x - mean) rstd gain + bias over rows of n, and its gradients. A row stays in registers: those of a warp up to 1,024 elements,
// of a block of 256 threads up to 8,192; longer rows are read again for each pass.
#include "vector.h"

#define ARGS_norm(P, I, L, F, E) \
  P(x) P(gain) P(bias) P(y) I(rows) I(n) E(xtype, DType) E(ytype, DType) I(rms) F(eps)
// A block takes `chunk` rows. parts: f32 [2, blocks, n], the sums of each block for dgain and dbias, or null.
#define ARGS_norm_backward(P, I, L, F, E)                                                                                    \
  P(dy) P(x) P(gain) P(add) P(dx) P(parts) I(rows) I(n) I(chunk) E(xtype, DType) E(dytype, DType) E(dxtype, DType)           \
  E(addtype, DType) I(rms) F(eps)
// dgain, dbias (either may be null) = the sums of all blocks in order, plus beta of what they were.
#define ARGS_norm_parameters(P, I, L, F, E) P(parts) P(dgain) P(dbias) I(blocks) I(n) F(beta)
ARGS(norm)
ARGS(norm_backward)
ARGS(norm_parameters)

#ifndef DESCRIBE
template <int THREADS>
DEVICE float group_sum(float v, float* scratch) {
  return THREADS == 32 ? warp_sum(v) : block_sum(v, scratch);
}
// This thread's eighths of a row: groups of eight, THREADS groups apart; zeros beyond the end.
template <int THREADS, int GROUPS>
DEVICE void load_row(float v[GROUPS][8], const void* p, int type, i64 at, int n, int first) {
  UNROLL for (int g = 0; g < GROUPS; g++) {
    int i = (g * THREADS + first) * 8;
    if (i < n) load_floats<8>(p, type, at + i, n - i, v[g]);
    else
      UNROLL for (int k = 0; k < 8; k++) v[g][k] = 0.f;
  }
}
// Replaces x by (x - mean) rstd; returns rstd.
template <int THREADS, int GROUPS>
DEVICE float normalize(float v[GROUPS][8], int n, bool rms, float eps, int first, float* scratch) {
  float mean = 0.f, sum = 0.f;
  if (!rms) {
    UNROLL for (int g = 0; g < GROUPS; g++) UNROLL for (int k = 0; k < 8; k++) sum += v[g][k];
    mean = group_sum<THREADS>(sum, scratch) / (float)n;
  }
  float squares = 0.f;
  UNROLL for (int g = 0; g < GROUPS; g++) UNROLL for (int k = 0; k < 8; k++) {
    v[g][k] = (g * THREADS + first) * 8 + k < n ? v[g][k] - mean : 0.f;
    squares += v[g][k] * v[g][k];
  }
  float rstd = rsqrtf(group_sum<THREADS>(squares, scratch) / (float)n + eps);
  UNROLL for (int g = 0; g < GROUPS; g++) UNROLL for (int k = 0; k < 8; k++) v[g][k] *= rstd;
  return rstd;
}

template <int THREADS, int GROUPS>
DEVICE void norm_row(const norm_args& a, i64 row, int first, float* scratch) {
  float v[GROUPS][8];
  load_row<THREADS, GROUPS>(v, a.x, a.xtype, row * a.n, a.n, first);
  normalize<THREADS, GROUPS>(v, a.n, a.rms, a.eps, first, scratch);
  UNROLL for (int g = 0; g < GROUPS; g++) {
    int i = (g * THREADS + first) * 8, left = a.n - i;
    if (left <= 0) break;
    float w[8];
    if (a.gain) {
      read_some<8>((const float*)a.gain + i, left, w);
      UNROLL for (int k = 0; k < 8; k++) v[g][k] *= w[k];
    }
    if (a.bias) {
      read_some<8>((const float*)a.bias + i, left, w);
      UNROLL for (int k = 0; k < 8; k++) v[g][k] += w[k];
    }
    store_floats<8>(a.y, a.ytype, row * a.n + i, left, v[g]);
  }
}
template <int GROUPS>
DEVICE void norm_by_warp(const norm_args& a) {
  int row = (int)(block_x() * 8 + thread_x() / 32);
  if (row < a.rows) norm_row<32, GROUPS>(a, row, (int)(thread_x() % 32), nullptr);
}
template <int GROUPS>
DEVICE void norm_by_block(const norm_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  norm_row<256, GROUPS>(a, (i64)block_x(), (int)thread_x(), scratch);
}
// Mean and rstd of a row of any length.
DEVICE void long_statistics(const void* x, int type, i64 at, int n, bool rms, float eps, float* scratch, float* mean, float* rstd) {
  float sum = 0.f, squares = 0.f;
  if (!rms)
    for (int i = (int)thread_x(); i < n; i += 256) sum += load_as(x, type, at + i);
  *mean = rms ? 0.f : block_sum(sum, scratch) / (float)n;
  for (int i = (int)thread_x(); i < n; i += 256) {
    float d = load_as(x, type, at + i) - *mean;
    squares += d * d;
  }
  *rstd = rsqrtf(block_sum(squares, scratch) / (float)n + eps);
}
DEVICE void norm_of_long(const norm_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  i64 at = (i64)block_x() * a.n;
  float mean, rstd;
  long_statistics(a.x, a.xtype, at, a.n, a.rms, a.eps, scratch, &mean, &rstd);
  for (int i = (int)thread_x(); i < a.n; i += 256) {
    float v = (load_as(a.x, a.xtype, at + i) - mean) * rstd;
    if (a.gain) v *= ((const float*)a.gain)[i];
    if (a.bias) v += ((const float*)a.bias)[i];
    store_as(a.y, a.ytype, at + i, v);
  }
}

// The gradient of one row; adds to this thread's columns of the sums over rows. Everything is read before dx is written, which may lie over it.
template <int THREADS, int GROUPS>
DEVICE void norm_row_backward(const norm_backward_args& a, i64 row, int first, float* scratch, float dgain[GROUPS][8], float dbias[GROUPS][8]) {
  float h[GROUPS][8], g[GROUPS][8];
  i64 at = row * a.n;
  load_row<THREADS, GROUPS>(h, a.x, a.xtype, at, a.n, first);
  load_row<THREADS, GROUPS>(g, a.dy, a.dytype, at, a.n, first);
  float rstd = normalize<THREADS, GROUPS>(h, a.n, a.rms, a.eps, first, scratch);
  float s0 = 0.f, s1 = 0.f;
  UNROLL for (int p = 0; p < GROUPS; p++) {
    int i = (p * THREADS + first) * 8, left = a.n - i;
    if (left <= 0) break;
    float w[8];
    if (a.gain) read_some<8>((const float*)a.gain + i, left, w);
    UNROLL for (int k = 0; k < 8; k++) {
      dgain[p][k] += g[p][k] * h[p][k];
      dbias[p][k] += g[p][k];
      if (a.gain) g[p][k] *= w[k];
      s0 += g[p][k];
      s1 += g[p][k] * h[p][k];
    }
  }
  float m0 = a.rms ? 0.f : group_sum<THREADS>(s0, scratch) / (float)a.n;
  float m1 = group_sum<THREADS>(s1, scratch) / (float)a.n;
  UNROLL for (int p = 0; p < GROUPS; p++) {
    int i = (p * THREADS + first) * 8, left = a.n - i;
    if (left <= 0 || !a.dx) break;
    float add[8] = {};
    if (a.add) load_floats<8>(a.add, a.addtype, at + i, left, add);
    UNROLL for (int k = 0; k < 8; k++) add[k] += rstd * (g[p][k] - m0 - h[p][k] * m1);
    store_floats<8>(a.dx, a.dxtype, at + i, left, add);
  }
}
DEVICE float* parts_of(const norm_backward_args& a, int which) {
  return (float*)a.parts + ((i64)which * grid_x() + block_x()) * a.n;
}
template <int GROUPS>
DEVICE void backward_by_warp(const norm_backward_args& a) {
  SHARED_BEGIN
  SHARED(float, sums, 8 * a.n)
  int warp = (int)(thread_x() / 32), first = (int)(thread_x() % 32), begin = (int)block_x() * a.chunk, end = least(a.rows, begin + a.chunk);
  float total[2][GROUPS][8] = {};
  for (int row = begin + warp; row < end; row += 8) norm_row_backward<32, GROUPS>(a, row, first, nullptr, total[0], total[1]);
  if (!a.parts) return;
  UNROLL for (int which = 0; which < 2; which++) {
    sync_block();
    UNROLL for (int p = 0; p < GROUPS; p++) UNROLL for (int k = 0; k < 8; k++) {
      int i = (p * 32 + first) * 8 + k;
      if (i < a.n) sums[warp * a.n + i] = total[which][p][k];
    }
    sync_block();
    float* parts = parts_of(a, which);
    for (int i = (int)thread_x(); i < a.n; i += 256) {
      float sum = sums[i];
      for (int w = 1; w < 8; w++) sum += sums[w * a.n + i];
      parts[i] = sum;
    }
  }
}
template <int GROUPS>
DEVICE void backward_by_block(const norm_backward_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  int begin = (int)block_x() * a.chunk, end = least(a.rows, begin + a.chunk);
  float total[2][GROUPS][8] = {};
  for (int row = begin; row < end; row++) norm_row_backward<256, GROUPS>(a, row, (int)thread_x(), scratch, total[0], total[1]);
  if (!a.parts) return;
  UNROLL for (int which = 0; which < 2; which++) UNROLL for (int p = 0; p < GROUPS; p++) {
    int i = (p * 256 + (int)thread_x()) * 8;
    if (i < a.n) write_some<8>(parts_of(a, which) + i, a.n - i, total[which][p]);
  }
}
// Rows of any length: sums over rows wait in `parts`, each column with its own thread.
DEVICE void backward_of_long(const norm_backward_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  int begin = (int)block_x() * a.chunk, end = least(a.rows, begin + a.chunk);
  const float* gain = (const float*)a.gain;
  for (int row = begin; row < end; row++) {
    i64 at = (i64)row * a.n;
    float mean, rstd, s0 = 0.f, s1 = 0.f;
    long_statistics(a.x, a.xtype, at, a.n, a.rms, a.eps, scratch, &mean, &rstd);
    for (int i = (int)thread_x(); i < a.n; i += 256) {
      float h = (load_as(a.x, a.xtype, at + i) - mean) * rstd, dy = load_as(a.dy, a.dytype, at + i), g = gain ? dy * gain[i] : dy;
      s0 += g;
      s1 += g * h;
      if (!a.parts) continue;
      float *dgain = parts_of(a, 0) + i, *dbias = parts_of(a, 1) + i;
      *dgain = (row == begin ? 0.f : *dgain) + dy * h;
      *dbias = (row == begin ? 0.f : *dbias) + dy;
    }
    float m0 = a.rms ? 0.f : block_sum(s0, scratch) / (float)a.n, m1 = block_sum(s1, scratch) / (float)a.n;
    for (int i = (int)thread_x(); i < a.n && a.dx; i += 256) {
      float h = (load_as(a.x, a.xtype, at + i) - mean) * rstd, dy = load_as(a.dy, a.dytype, at + i), g = gain ? dy * gain[i] : dy;
      float add = a.add ? load_as(a.add, a.addtype, at + i) : 0.f;
      store_as(a.dx, a.dxtype, at + i, add + rstd * (g - m0 - h * m1));
    }
  }
}
// 32 columns by 8 interleaved blocks.
DEVICE void add_parameters(const norm_parameters_args& a) {
  SHARED_BEGIN
  SHARED(float, sums, 256)
  int column = (int)(block_x() * 32 + thread_x() % 32), lane = (int)(thread_x() / 32);
  float* out = (float*)(block_y() == 0 ? a.dgain : a.dbias);
  if (!out) return;
  float sum = 0.f;
  if (column < a.n)
    for (int b = lane; b < a.blocks; b += 64) {
      float v[8];  // loads that do not wait for each other
      UNROLL for (int k = 0; k < 8; k++)
        v[k] = b + 8 * k < a.blocks ? ((const float*)a.parts)[((i64)block_y() * a.blocks + b + 8 * k) * a.n + column] : 0.f;
      UNROLL for (int k = 0; k < 8; k++) sum += v[k];
    }
  sums[thread_x()] = sum;
  sync_block();
  if (lane > 0 || column >= a.n) return;
  for (int l = 1; l < 8; l++) sum += sums[l * 32 + thread_x()];
  out[column] = a.beta != 0.f ? a.beta * out[column] + sum : sum;
}
#endif
KERNEL(norm_warp_256, norm_args, 256, norm_by_warp<1>(a))
KERNEL(norm_warp_1024, norm_args, 256, norm_by_warp<4>(a))
KERNEL(norm_block_2048, norm_args, 256, norm_by_block<1>(a))
KERNEL(norm_block_8192, norm_args, 256, norm_by_block<4>(a))
KERNEL(norm_long, norm_args, 256, norm_of_long(a))
KERNEL(norm_backward_warp_256, norm_backward_args, 256, backward_by_warp<1>(a))
KERNEL(norm_backward_warp_1024, norm_backward_args, 256, backward_by_warp<4>(a))
KERNEL(norm_backward_block_2048, norm_backward_args, 256, backward_by_block<1>(a))
KERNEL(norm_backward_block_8192, norm_backward_args, 256, backward_by_block<4>(a))
KERNEL(norm_backward_long, norm_backward_args, 256, backward_of_long(a))
KERNEL(norm_parameters, norm_parameters_args, 256, add_parameters(a))
