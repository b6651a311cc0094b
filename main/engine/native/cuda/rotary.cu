// Rotary positions. Angles are counted in turns of 2^-64, in which a position times a frequency is an exact product of integers that keeps nothing but
// the fraction of a turn: as good at position 100,000 as at 1, without doubles.
#include "vector.h"

// turns: u64 [d / 2], the frequencies.
#define ARGS_rotary_table(P, I, L, F, E) P(positions) P(table) P(turns) L(offset) I(t) I(d)
#define ARGS_rotary(P, I, L, F, E) \
  P(x) P(y) P(table) L(batch) L(t) L(heads) L(d) L(sxb) L(sxt) L(sxh) L(syb) L(syt) L(syh) E(type, DType) I(inverse)
ARGS(rotary_table)
ARGS(rotary)

#ifndef DESCRIBE
DEVICE void rotary_angles(const rotary_table_args& a) {
  i64 half = a.d / 2, at = (i64)block_x() * 256 + thread_x(), i = at / half, p = at % half;
  if (i >= a.t) return;
  i64 position = a.positions ? (i64)((const int*)a.positions)[i] : a.offset + i;
  u64 turn = ((const u64*)a.turns)[p] * (u64)position;
  float angle = (float)(i64)turn * (5.421010862427522e-20f * 6.283185307179586f);  // -pi to pi
  float* row = (float*)a.table + i * a.d;
  row[p] = cosf(angle);
  row[half + p] = sinf(angle);
}
DEVICE void rotate(const rotary_args& a) {
  i64 half = a.d / 2, groups = (half + 7) / 8, at = (i64)block_x() * 256 + thread_x();
  i64 group = at % groups, head = at / groups % a.heads, row = at / groups / a.heads, t = row % a.t, b = row / a.t;
  if (b >= a.batch) return;
  i64 i = group * 8, left = half - i, x = b * a.sxb + t * a.sxt + head * a.sxh + i, y = b * a.syb + t * a.syt + head * a.syh + i;
  float c[8], s[8], u[8], v[8];
  load_some<8>(a.table, F32, t * a.d + i, left, c);
  load_some<8>(a.table, F32, t * a.d + half + i, left, s);
  load_some<8>(a.x, a.type, x, left, u);
  load_some<8>(a.x, a.type, x + half, left, v);
  UNROLL for (int k = 0; k < 8; k++) {
    float sine = a.inverse ? -s[k] : s[k], first = u[k] * c[k] - v[k] * sine;
    v[k] = v[k] * c[k] + u[k] * sine;
    u[k] = first;
  }
  store_some<8>(a.y, a.type, y, left, u);
  store_some<8>(a.y, a.type, y + half, left, v);
}
#endif
KERNEL(rotary_table, rotary_table_args, 256, rotary_angles(a))
KERNEL(rotary, rotary_args, 256, rotate(a))
