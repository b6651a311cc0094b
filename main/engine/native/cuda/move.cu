// Copies that change nothing but places: rows between strides, and dimensions in another order.
#include "vector.h"

// `unit` bytes at a time (1, 2, 4 or 16): rows of n units, ldx and ldy units apart.
#define ARGS_copy_rows(P, I, L, F, E) P(x) P(y) L(rows) L(n) L(ldx) L(ldy) I(unit)
// The same for n elements with a conversion.
#define ARGS_convert_rows(P, I, L, F, E) P(x) P(y) L(rows) L(n) L(ldx) L(ldy) E(xtype, DType) E(ytype, DType)
// y (contiguous) by merged dimensions: sizes of y, strides of x, in units.
#define ARGS_permute(P, I, L, F, E) P(x) P(y) L(count) L(sizes, 8) L(strides, 8) I(dimensions) I(unit) E(xtype, DType) E(ytype, DType)
// The same where dimension `run` of y is contiguous in x, and is not the last: tiles of 32 × 32 of these two. steps: of y.
#define ARGS_permute_tiles(P, I, L, F, E) P(x) P(y) L(sizes, 8) L(strides, 8) L(steps, 8) I(dimensions) I(run) I(unit)
ARGS(copy_rows)
ARGS(convert_rows)
ARGS(permute)
ARGS(permute_tiles)

#ifndef DESCRIBE
DEVICE void copy_unit(const void* x, i64 from, void* y, i64 to, int unit) {
  switch (unit) {
    case 16: return store16((vec4*)y + to, load16((const vec4*)x + from));
    case 4: ((u32*)y)[to] = ((const u32*)x)[from]; return;
    case 2: ((u16*)y)[to] = ((const u16*)x)[from]; return;
    default: ((u8*)y)[to] = ((const u8*)x)[from]; return;
  }
}
// Quotient and rest; 32 bits where they suffice, which is several times as fast.
DEVICE i64 divide(i64 a, i64 b, i64* rest) {
  i64 q = a < (i64)1 << 31 && b < (i64)1 << 31 ? (i64)((u32)a / (u32)b) : a / b;
  *rest = a - q * b;
  return q;
}
DEVICE void copy_row_units(const copy_rows_args& a) {
  i64 at = (i64)block_x() * 1024 + thread_x(), total = a.rows * a.n;
  UNROLL for (int k = 0; k < 4; k++, at += 256) {
    if (at >= total) return;
    i64 i, row = divide(at, a.n, &i);
    copy_unit(a.x, row * a.ldx + i, a.y, row * a.ldy + i, a.unit);
  }
}
DEVICE void convert_row_elements(const convert_rows_args& a) {
  i64 at = (i64)block_x() * 256 + thread_x(), groups = (a.n + 7) / 8, group, row = divide(at, groups, &group);
  if (row >= a.rows) return;
  float v[8];
  i64 i = group * 8;
  load_some<8>(a.x, a.xtype, row * a.ldx + i, a.n - i, v);
  store_some<8>(a.y, a.ytype, row * a.ldy + i, a.n - i, v);
}

DEVICE void permute_units(const permute_args& a) {
  i64 e = (i64)block_x() * 256 + thread_x();
  if (e >= a.count) return;
  i64 rest = e, from = 0;
  for (int d = a.dimensions - 1; d >= 0; d--) {
    i64 i;
    rest = divide(rest, a.sizes[d], &i);
    from += i * a.strides[d];
  }
  if (a.xtype == a.ytype) copy_unit(a.x, from, a.y, e, a.unit);
  else store_as(a.y, a.ytype, e, load_as(a.x, a.xtype, from));
}

DEVICE u32 load_unit(const void* p, i64 i, int unit) {
  return unit == 4 ? ((const u32*)p)[i] : unit == 2 ? ((const u16*)p)[i] : ((const u8*)p)[i];
}
DEVICE void store_unit(void* p, i64 i, int unit, u32 v) {
  if (unit == 4) ((u32*)p)[i] = v;
  else if (unit == 2) ((u16*)p)[i] = (u16)v;
  else ((u8*)p)[i] = (u8)v;
}
DEVICE void permute_by_tiles(const permute_tiles_args& a) {
  SHARED_BEGIN
  SHARED(u32, tile, 32 * 33)
  int last = a.dimensions - 1;
  i64 across = (a.sizes[last] + 31) / 32, down = (a.sizes[a.run] + 31) / 32, column, row;
  i64 rest = divide((i64)block_x(), across, &column);
  rest = divide(rest, down, &row);
  i64 from = 0, to = 0;
  for (int d = last - 1; d >= 0; d--) {
    if (d == a.run) continue;
    i64 i;
    rest = divide(rest, a.sizes[d], &i);
    from += i * a.strides[d];
    to += i * a.steps[d];
  }
  i64 lane = thread_x() % 32, first = thread_x() / 32;
  // In: neighbouring threads along the run, which is contiguous in x. Out: along the last dimension.
  i64 r = row * 32 + lane;
  UNROLL for (int k = 0; k < 32; k += 8) {
    i64 c = column * 32 + first + k;
    if (r < a.sizes[a.run] && c < a.sizes[last]) tile[lane * 33 + first + k] = load_unit(a.x, from + r + c * a.strides[last], a.unit);
  }
  sync_block();
  i64 c = column * 32 + lane;
  UNROLL for (int k = 0; k < 32; k += 8) {
    i64 s = row * 32 + first + k;
    if (s < a.sizes[a.run] && c < a.sizes[last]) store_unit(a.y, to + s * a.steps[a.run] + c, a.unit, tile[(first + k) * 33 + lane]);
  }
}
#endif
KERNEL(copy_rows, copy_rows_args, 256, copy_row_units(a))
KERNEL(convert_rows, convert_rows_args, 256, convert_row_elements(a))
KERNEL(permute, permute_args, 256, permute_units(a))
KERNEL(permute_tiles, permute_tiles_args, 256, permute_by_tiles(a))
