// Sums and the like over the middle of [outer, n, inner], and the largest of a row. Long ways are cut into pieces of a length that the shape decides;
// what the pieces give is reduced by a second launch of the same kernels, in order.
#include "vector.h"

// y[o, p, i] = scale · (elements p · piece … of x[o, …, i]), plus beta · y.
#define ARGS_reduce(P, I, L, F, E) \
  P(x) P(y) L(outer) L(n) L(inner) L(piece) L(pieces) E(xtype, DType) E(ytype, DType) E(kind, Reduction) F(scale) F(beta)
#define ARGS_argmax(P, I, L, F, E) P(x) P(y) L(rows) L(n) E(xtype, DType)
ARGS(reduce)
ARGS(argmax)

#ifndef DESCRIBE
DEVICE bool is_sum(int kind) { return kind != MAX && kind != MIN; }
DEVICE float neutral(int kind) { return kind == MAX ? -INFINITY : kind == MIN ? INFINITY : 0.f; }
// NaN stays.
DEVICE float combine(int kind, float a, float b) {
  if (kind == MAX) return a != a || a >= b ? a : b;
  if (kind == MIN) return a != a || a <= b ? a : b;
  return a + b;
}
DEVICE float warp_combine(int kind, float v) {
  if (is_sum(kind)) return warp_sum(v);
  UNROLL for (int m = 16; m > 0; m >>= 1) v = combine(kind, v, shuffle_xor(v, m));
  return v;
}
DEVICE void reduced(const reduce_args& a, i64 at, float v) {
  v *= a.scale;
  if (a.beta != 0.f) v += a.beta * load_as(a.y, a.ytype, at);
  store_as(a.y, a.ytype, at, v);
}

// inner = 1: a group of threads takes a piece of a row, eight neighbours at a time.
template <int THREADS>
DEVICE float reduce_row(const reduce_args& a, i64 item, int first) {
  i64 begin = item % a.pieces * a.piece, end = begin + a.piece < a.n ? begin + a.piece : a.n, row = item / a.pieces * a.n;
  float total = neutral(a.kind);
  for (i64 i = begin + first * 8; i < end; i += THREADS * 8) {
    float v[8];
    load_some<8>(a.x, a.xtype, row + i, end - i, v);
    UNROLL for (int k = 0; k < 8; k++)
      if (i + k < end) total = combine(a.kind, total, a.kind == SQUARES ? v[k] * v[k] : v[k]);
  }
  return total;
}
DEVICE void reduce_by_warp(const reduce_args& a) {
  i64 item = (i64)block_x() * 8 + thread_x() / 32;
  if (item >= a.outer * a.pieces) return;
  float v = warp_combine(a.kind, reduce_row<32>(a, item, (int)(thread_x() % 32)));
  if (thread_x() % 32 == 0) reduced(a, item, v);
}
// Value of the whole block, from the first value of each warp.
DEVICE float block_combine(int kind, float v, float* scratch) {
  v = warp_combine(kind, v);
  if (thread_x() % 32 == 0) scratch[thread_x() / 32] = v;
  sync_block();
  float total = scratch[0];
  for (u32 w = 1; w < block_size() / 32; w++) total = combine(kind, total, scratch[w]);
  return total;
}
DEVICE void reduce_by_block(const reduce_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  float v = block_combine(a.kind, reduce_row<256>(a, (i64)block_x(), (int)thread_x()), scratch);
  if (thread_x() == 0) reduced(a, (i64)block_x(), v);
}

// Down columns: 32 columns by 8 interleaved rows.
DEVICE void reduce_columns_of(const reduce_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 256)
  i64 blocks = (a.inner + 31) / 32, item = (i64)block_x() / blocks, column = (i64)block_x() % blocks * 32 + thread_x() % 32;
  i64 begin = item % a.pieces * a.piece, end = begin + a.piece < a.n ? begin + a.piece : a.n, first = item / a.pieces * a.n;
  float total = neutral(a.kind);
  if (column < a.inner)
    for (i64 r = begin + thread_x() / 32; r < end; r += 64) {
      float v[8];  // loads that do not wait for each other
      UNROLL for (int k = 0; k < 8; k++) v[k] = r + 8 * k < end ? load_as(a.x, a.xtype, (first + r + 8 * k) * a.inner + column) : 0.f;
      UNROLL for (int k = 0; k < 8; k++)
        if (r + 8 * k < end) total = combine(a.kind, total, a.kind == SQUARES ? v[k] * v[k] : v[k]);
    }
  scratch[thread_x()] = total;
  sync_block();
  if (thread_x() >= 32 || column >= a.inner) return;
  for (int w = 1; w < 8; w++) total = combine(a.kind, total, scratch[w * 32 + thread_x()]);
  reduced(a, item * a.inner + column, total);
}

// The largest so far and the first place of it; NaN is never larger.
struct Largest {
  float value;
  int at;
};
DEVICE Largest larger(Largest a, Largest b) { return b.value > a.value || (b.value == a.value && b.at < a.at) ? b : a; }
template <int THREADS>
DEVICE Largest largest_of(const argmax_args& a, i64 row, int first) {
  Largest best = {-INFINITY, 0x7fffffff};
  for (i64 i = first * 8; i < a.n; i += THREADS * 8) {
    float v[8];
    load_some<8>(a.x, a.xtype, row * a.n + i, a.n - i, v);
    UNROLL for (int k = 0; k < 8; k++)
      if (i + k < a.n) best = larger(best, Largest{v[k], (int)i + k});
  }
  UNROLL for (int m = 16; m > 0; m >>= 1) {
    int lane = (int)(thread_x() % 32) ^ m;
    best = larger(best, Largest{shuffle(best.value, lane), (int)shuffle_bits((u32)best.at, lane)});
  }
  return best;
}
DEVICE void found(const argmax_args& a, i64 row, Largest best) {
  float first = load_as(a.x, a.xtype, row * a.n);
  ((int*)a.y)[row] = first != first || best.at == 0x7fffffff ? 0 : best.at;
}
DEVICE void argmax_by_warp(const argmax_args& a) {
  i64 row = (i64)block_x() * 8 + thread_x() / 32;
  if (row >= a.rows) return;
  Largest best = largest_of<32>(a, row, (int)(thread_x() % 32));
  if (thread_x() % 32 == 0) found(a, row, best);
}
DEVICE void argmax_by_block(const argmax_args& a) {
  SHARED_BEGIN
  SHARED(Largest, scratch, 8)
  Largest best = largest_of<256>(a, (i64)block_x(), (int)thread_x());
  if (thread_x() % 32 == 0) scratch[thread_x() / 32] = best;
  sync_block();
  if (thread_x() != 0) return;
  for (int w = 1; w < 8; w++) best = larger(best, scratch[w]);
  found(a, (i64)block_x(), best);
}
#endif
KERNEL(reduce_warp, reduce_args, 256, reduce_by_warp(a))
KERNEL(reduce_block, reduce_args, 256, reduce_by_block(a))
KERNEL(reduce_columns, reduce_args, 256, reduce_columns_of(a))
KERNEL(argmax_warp, argmax_args, 256, argmax_by_warp(a))
KERNEL(argmax_block, argmax_args, 256, argmax_by_block(a))
