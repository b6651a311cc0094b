// Kernels that move rows or reduce: gather, scatter-add, reductions, permutation, casts, rotary positions.
// Sums run in chunks of 64 (then over chunks), always in the same order.
#pragma once
#include "norm.h"

namespace LEVEL {

INLINE int64_t size_of(int64_t type) { return type == BF16 || type == F16 ? 2 : type == U8 ? 1 : 4; }

static size_t gather_scratch(const gather_args&, int) { return 0; }
static void gather(const Context& x, const gather_args& g) {
  const int64_t chunk = max_<int64_t>(1, 16384 / max_<int64_t>(1, g.n));
  parallel(x.pool, ceil_div(g.rows, chunk), [&](int64_t task, int) {
    for (int64_t r = task * chunk; r < min_(g.rows, (task + 1) * chunk); r++) {
      int64_t row = ((const int32_t*)g.index)[r];
      bool valid = row >= 0 && row < g.vocabulary;
      ROW_LOOP(d, g.n) {
        int64_t left = g.n - d;
        vf v = valid ? ld(g.table, g.tabletype, row * g.n + d, left) : splat(0.f);
        st(g.y, g.ytype, r * g.n + d, v, left);
      }
    }
  });
}

// A task owns a range of columns and adds all rows in order: balanced whatever the indices are.
static size_t scatter_add_scratch(const scatter_add_args&, int) { return 0; }
static void scatter_add(const Context& x, const scatter_add_args& g) {
  const int64_t width = 64;
  float* table = (float*)g.table;
  vf scale = splat((float)g.scale);
  if (g.beta == 0) {
    const int64_t per = 65536;
    int64_t total = g.vocabulary * g.n;
    parallel(x.pool, ceil_div(total, per), [&](int64_t t, int) { memset(table + t * per, 0, (size_t)min_(per, total - t * per) * 4); });
  }
  parallel(x.pool, ceil_div(g.n, width), [&](int64_t task, int) {
    int64_t d0 = task * width, d1 = min_(g.n, d0 + width);
    for (int64_t r = 0; r < g.rows; r++) {
      int64_t row = ((const int32_t*)g.index)[r];
      if (row < 0 || row >= g.vocabulary) continue;
      for (int64_t d = d0; d < d1; d += W) {
        int64_t left = d1 - d;
        vf v = ld(g.dy, g.dytype, r * g.n + d, left) * scale + ld(table, F32, row * g.n + d, left);
        st(table, F32, row * g.n + d, v, left);
      }
    }
  });
}

INLINE vf combine(int64_t kind, vf a, vf b) { return kind == MAX ? vmax(a, b) : kind == MIN ? vmin(a, b) : a + b; }
INLINE vf neutral(int64_t kind) { return splat(kind == MAX ? -__builtin_inff() : kind == MIN ? __builtin_inff() : 0.f); }
INLINE float hreduce(int64_t kind, vf v) { return kind == MAX ? hmax(v) : kind == MIN ? -hmax(-v) : hsum(v); }
INLINE vf prepare(int64_t kind, vf v, int64_t left) {
  if (kind == SQUARES) v = v * v;
  if (left >= W) return v;
  return iota() < splati((int32_t)left) ? v : neutral(kind);
}

constexpr int64_t REDUCE_PIECE = 16384;
static size_t reduce_scratch(const reduce_args& g, int threads) {
  return g.inner == 1 ? (size_t)ceil_div(g.outer * ceil_div(g.n, REDUCE_PIECE) * 4, threads) + 64 : 0;
}
static void reduce(const Context& x, const reduce_args& g) {
  float scale = g.kind == MEAN ? 1.f / (float)g.n : 1.f;
  if (g.inner == 1) {  // along rows
    int64_t pieces = max_<int64_t>(1, ceil_div(g.n, REDUCE_PIECE));
    float* part = (float*)x.scratch;
    const int64_t group = max_<int64_t>(1, REDUCE_PIECE / max_<int64_t>(1, g.n));
    parallel(x.pool, ceil_div(g.outer * pieces, group), [&](int64_t task, int) {
      for (int64_t t = task * group; t < min_(g.outer * pieces, (task + 1) * group); t++) {
        int64_t o = t / pieces, d0 = t % pieces * REDUCE_PIECE, d1 = min_(g.n, d0 + REDUCE_PIECE);
        vf total = neutral(g.kind);
        for (int64_t c = d0; c < d1; c += 64 * W) {
          vf sum = neutral(g.kind);
          for (int64_t d = c; d < min_<int64_t>(d1, c + 64 * W); d += W)
            sum = combine(g.kind, sum, prepare(g.kind, ld(g.x, g.xtype, o * g.n + d, d1 - d), d1 - d));
          total = combine(g.kind, total, sum);
        }
        part[t] = hreduce(g.kind, total);
      }
    });
    for (int64_t o = 0; o < g.outer; o++) {
      double s = part[o * pieces];
      for (int64_t p = 1; p < pieces; p++) {
        double v = part[o * pieces + p];
        s = g.kind == MAX ? (v > s ? v : s) : g.kind == MIN ? (v < s ? v : s) : s + v;
      }
      float v = (float)(s * scale);
      set_any(g.y, g.ytype, o, g.beta != 0 ? v + get_any(g.y, g.ytype, o) : v);
    }
    return;
  }
  int64_t blocks = ceil_div(g.inner, 4 * W);  // down columns
  parallel(x.pool, g.outer * blocks, [&](int64_t task, int) {
    int64_t o = task / blocks, d0 = task % blocks * 4 * W, d1 = min_<int64_t>(g.inner, d0 + 4 * W);
    vf total[4] = {neutral(g.kind), neutral(g.kind), neutral(g.kind), neutral(g.kind)};
    for (int64_t c = 0; c < g.n; c += 64) {
      vf sum[4] = {neutral(g.kind), neutral(g.kind), neutral(g.kind), neutral(g.kind)};
      for (int64_t r = c; r < min_(g.n, c + 64); r++)
        for (int i = 0; i < 4; i++) {
          int64_t d = d0 + i * W;
          if (d < d1) sum[i] = combine(g.kind, sum[i], prepare(g.kind, ld(g.x, g.xtype, (o * g.n + r) * g.inner + d, d1 - d), d1 - d));
        }
      for (int i = 0; i < 4; i++) total[i] = combine(g.kind, total[i], sum[i]);
    }
    for (int i = 0; i < 4; i++) {
      int64_t d = d0 + i * W, e = o * g.inner + d;
      if (d >= d1) break;
      vf v = total[i] * splat(scale);
      if (g.beta != 0) v = v + ld(g.y, g.ytype, e, d1 - d);
      st(g.y, g.ytype, e, v, d1 - d);
    }
  });
}

static size_t argmax_scratch(const argmax_args&, int) { return 0; }
static void argmax(const Context& x, const argmax_args& g) {
  parallel(x.pool, ceil_div(g.rows, 16), [&](int64_t task, int) {
    for (int64_t r = task * 16; r < min_<int64_t>(g.rows, (task + 1) * 16); r++) {
      int64_t best = 0;
      float top = get_any(g.x, g.xtype, r * g.n);
      for (int64_t d = 1; d < g.n; d++) {
        float v = get_any(g.x, g.xtype, r * g.n + d);
        if (v > top) top = v, best = d;
      }
      ((int32_t*)g.y)[r] = (int32_t)best;
    }
  });
}

static size_t cast_scratch(const cast_args&, int) { return 0; }
static void cast(const Context& x, const cast_args& g) {
  const int64_t per = 65536;
  parallel(x.pool, ceil_div(g.n, per), [&](int64_t task, int) {
    int64_t e0 = task * per, n = min_(per, g.n - e0);
    if (g.xtype == g.ytype && g.scale == 1) {
      memmove((char*)g.y + e0 * size_of(g.ytype), (const char*)g.x + e0 * size_of(g.xtype), (size_t)(n * size_of(g.xtype)));
      return;
    }
    vf scale = splat((float)g.scale);
    ROW_LOOP(d, n) st(g.y, g.ytype, e0 + d, ld(g.x, g.xtype, e0 + d, n - d) * scale, n - d);
  });
}
static size_t fill_scratch(const fill_args&, int) { return 0; }
static void fill(const Context& x, const fill_args& g) {
  const int64_t per = 65536;
  parallel(x.pool, ceil_div(g.n, per), [&](int64_t task, int) {
    int64_t e0 = task * per, n = min_(per, g.n - e0);
    vf v = splat((float)g.value);
    ROW_LOOP(d, n) st(g.y, g.ytype, e0 + d, v, n - d);
  });
}
static size_t copy_rows_scratch(const copy_rows_args&, int) { return 0; }
static void copy_rows(const Context& x, const copy_rows_args& g) {
  const int64_t chunk = max_<int64_t>(1, 32768 / max_<int64_t>(1, g.n));
  parallel(x.pool, ceil_div(g.rows, chunk), [&](int64_t task, int) {
    for (int64_t r = task * chunk; r < min_(g.rows, (task + 1) * chunk); r++) {
      if (g.xtype == g.ytype) {
        int64_t s = size_of(g.xtype);
        memmove((char*)g.y + r * g.ldy * s, (const char*)g.x + r * g.ldx * s, (size_t)(g.n * s));
      } else {
        ROW_LOOP(d, g.n) st(g.y, g.ytype, r * g.ldy + d, ld(g.x, g.xtype, r * g.ldx + d, g.n - d), g.n - d);
      }
    }
  });
}

// Outer dimensions are the tasks; the last dimension and the one that is contiguous in x are walked in tiles of 32 x 32.
static size_t permute_scratch(const permute_args&, int) { return 0; }
static void permute(const Context& x, const permute_args& g) {
  int nd = (int)g.extra[0];
  int64_t size[8], stride[8], out[8];
  for (int d = 0; d < nd; d++) {
    size[d] = (int64_t)g.extra[1 + d];
    stride[d] = (int64_t)g.extra[1 + nd + d];
  }
  int last = nd - 1, unit = last;
  int64_t count = 1;
  for (int d = last; d >= 0; d--) {
    out[d] = count;
    count *= size[d];
  }
  if (count == 0) return;
  for (int d = 0; d < last; d++)
    if (stride[last] != 1 && stride[d] == 1 && size[d] > 1) unit = d;
  int64_t un = unit == last ? 1 : size[unit], tasks = count / size[last] / un;
  parallel(x.pool, tasks, [&](int64_t task, int) {
    int64_t xi = 0, yi = 0;
    for (int d = last - 1; d >= 0; d--) {
      if (d == unit) continue;
      int64_t i = task % size[d];
      task /= size[d];
      xi += i * stride[d];
      yi += i * out[d];
    }
    if (unit == last) {
      for (int64_t j = 0; j < size[last]; j++)
        set_any(g.y, g.ytype, yi + j, get_any(g.x, g.xtype, xi + j * stride[last]));
      return;
    }
    for (int64_t u0 = 0; u0 < un; u0 += 32)
      for (int64_t j0 = 0; j0 < size[last]; j0 += 32)
        for (int64_t u = u0; u < min_(un, u0 + 32); u++)
          for (int64_t j = j0; j < min_(size[last], j0 + 32); j++)
            set_any(g.y, g.ytype, yi + u * out[unit] + j, get_any(g.x, g.xtype, xi + u + j * stride[last]));
  });
}

static size_t rotary_table_scratch(const rotary_table_args& g, int threads) { return (size_t)ceil_div(g.d * 8, threads) + 64; }
static void rotary_table(const Context& x, const rotary_table_args& g) {
  int64_t half = g.d / 2;
  double* frequency = (double*)x.scratch;
  for (int64_t p = 0; p < half; p++) frequency[p] = __builtin_pow(g.base, -2.0 * (double)p / (double)g.d);
  parallel(x.pool, g.t, [&](int64_t i, int) {
    float* row = (float*)g.table + i * g.d;
    double position = g.positions ? (double)((const int32_t*)g.positions)[i] : (double)(g.offset + i);
    for (int64_t p = 0; p < half; p++) {
      double angle = position * frequency[p];
      row[p] = (float)__builtin_cos(angle);
      row[half + p] = (float)__builtin_sin(angle);
    }
  });
}
static size_t rotary_scratch(const rotary_args&, int) { return 0; }
static void rotary(const Context& x, const rotary_args& g) {
  parallel(x.pool, g.batch * g.t, [&](int64_t task, int) {
    int64_t b = task / g.t, t = task % g.t, half = g.d / 2;
    const float* table = (const float*)g.table + t * g.d;
    vf sign = splat(g.inverse ? -1.f : 1.f);
    for (int64_t h = 0; h < g.heads; h++) {
      int64_t xi = b * g.sxb + t * g.sxt + h * g.sxh, yi = b * g.syb + t * g.syt + h * g.syh;
      ROW_LOOP(d, half) {
        int64_t left = half - d;
        vf c = ld(table, F32, d, left), s = ld(table, F32, half + d, left) * sign;
        vf u = ld(g.x, g.type, xi + d, left), v = ld(g.x, g.type, xi + half + d, left);
        st(g.y, g.type, yi + d, u * c - v * s, left);
        st(g.y, g.type, yi + half + d, v * c + u * s, left);
      }
    }
  });
}

}  // namespace LEVEL
