// Layer norm and RMS norm. Statistics in two passes over a row that is in L1 (mean, then centred squares), f32.
// Backward reads a row once for the two means and once for dx; dgain and dbias are summed in chunks of 64 rows (one task each,
// partial sums in scratch), then over chunks in order: deterministic, and accurate for many rows.
#pragma once
#include "pool.h"
#include "vmath.h"

namespace LEVEL {

// Calls f(index, count) for the vectors of a row of n; count < W at the end.
#define ROW_LOOP(d, n) for (int64_t d = 0; d < (n); d += W)
INLINE vf ld(const void* p, int64_t type, int64_t i, int64_t left) {
  return left >= W ? load_any(p, type, i) : load_any_n(p, type, i, left);
}
INLINE void st(void* p, int64_t type, int64_t i, vf v, int64_t left) {
  if (left >= W)
    store_any(p, type, i, v);
  else
    store_any_n(p, type, i, v, left);
}
// Zeroes lanes past `left` (values computed from padding must not enter sums).
INLINE vf only(vf v, int64_t left) {
  if (left >= W) return v;
  return iota() < splati((int32_t)left) ? v : splat(0.f);
}

static size_t norm_scratch(const norm_args& g, int) { return (size_t)(g.n + W) * 4 + 64; }
static void norm(const Context& x, const norm_args& g) {
  const int64_t chunk = 32;
  parallel(x.pool, ceil_div(g.rows, chunk), [&](int64_t task, int thread) {
    float* row = (float*)(x.scratch + thread * x.stride);
    int64_t r1 = min_(g.rows, (task + 1) * chunk), n = g.n;
    for (int64_t r = task * chunk; r < r1; r++) {
      int64_t e = r * n;
      vf sum = splat(0.f);
      ROW_LOOP(d, n) {
        vf v = ld(g.x, g.xtype, e + d, n - d);
        store(row + d, v);
        sum += v;
      }
      float mean = g.rms ? 0.f : hsum(sum) / (float)n;
      vf m = splat(mean), sq = splat(0.f);
      ROW_LOOP(d, n) {
        vf c = only(load(row + d) - m, n - d);
        sq += c * c;
      }
      float rstd = 1.f / __builtin_sqrtf(hsum(sq) / (float)n + (float)g.eps);
      vf s = splat(rstd);
      ROW_LOOP(d, n) {
        vf y = (load(row + d) - m) * s;
        if (g.gain) y = y * ld(g.gain, F32, d, n - d);
        if (g.bias) y = y + ld(g.bias, F32, d, n - d);
        st(g.y, g.ytype, e + d, y, n - d);
      }
    }
  });
}

constexpr int64_t NORM_CHUNK = 64;
static size_t norm_backward_scratch(const norm_backward_args& g, int threads) {
  int64_t parts = (g.dgain || g.dbias) ? ceil_div(g.rows, NORM_CHUNK) * 2 : 0;
  return (size_t)ceil_div((parts + 2 * threads) * round_up(g.n, W) * 4, threads) + 128;
}
static void norm_backward(const Context& x, const norm_backward_args& g) {
  int64_t n = g.n, np = round_up(n, W), chunks = ceil_div(g.rows, NORM_CHUNK);
  float* rows = (float*)x.scratch;  // [threads][2][np], then partial sums [chunks][2][np]
  float* parts = rows + 2 * np * x.threads;
  bool sums = g.dgain || g.dbias;
  parallel(x.pool, chunks, [&](int64_t task, int thread) {
    float *xh = rows + thread * 2 * np, *gr = xh + np, *pg = parts + task * 2 * np, *pb = pg + np;
    if (sums) memset(pg, 0, (size_t)np * 8);
    int64_t r1 = min_(g.rows, (task + 1) * NORM_CHUNK);
    for (int64_t r = task * NORM_CHUNK; r < r1; r++) {
      int64_t e = r * n;
      vf sum = splat(0.f);
      ROW_LOOP(d, n) {
        vf v = ld(g.x, g.xtype, e + d, n - d);
        store(xh + d, v);
        sum += v;
      }
      vf mean = splat(g.rms ? 0.f : hsum(sum) / (float)n), sq = splat(0.f);
      ROW_LOOP(d, n) {
        vf c = only(load(xh + d) - mean, n - d);
        sq += c * c;
      }
      vf rstd = splat(1.f / __builtin_sqrtf(hsum(sq) / (float)n + (float)g.eps));
      vf s0 = splat(0.f), s1 = splat(0.f);
      ROW_LOOP(d, n) {
        int64_t left = n - d;
        vf dy = ld(g.dy, g.dytype, e + d, left);
        vf h = only((load(xh + d) - mean) * rstd, left);
        vf v = g.gain ? dy * ld(g.gain, F32, d, left) : dy;
        if (sums) {
          store(pg + d, load(pg + d) + dy * h);
          store(pb + d, load(pb + d) + dy);
        }
        store(xh + d, h);
        store(gr + d, v);
        s0 += v;
        s1 += v * h;
      }
      vf m0 = splat(g.rms ? 0.f : hsum(s0) / (float)n), m1 = splat(hsum(s1) / (float)n);
      ROW_LOOP(d, n) {
        vf v = rstd * (load(gr + d) - m0 - load(xh + d) * m1);
        if (g.add) v = v + ld(g.add, g.addtype, e + d, n - d);
        st(g.dx, g.dxtype, e + d, v, n - d);
      }
    }
  });
  if (!sums) return;
  parallel(x.pool, ceil_div(n, 4 * W), [&](int64_t task, int) {
    for (int64_t d = task * 4 * W; d < min_(n, (task + 1) * 4 * W); d += W) {
      vf a = splat(0.f), b = splat(0.f);
      for (int64_t c = 0; c < chunks; c++) {
        a += load(parts + c * 2 * np + d);
        b += load(parts + c * 2 * np + np + d);
      }
      if (g.dgain) st(g.dgain, F32, d, g.beta != 0 ? a + ld(g.dgain, F32, d, n - d) : a, n - d);
      if (g.dbias) st(g.dbias, F32, d, g.beta != 0 ? b + ld(g.dbias, F32, d, n - d) : b, n - d);
    }
  });
}

// Activations and gated units f(a) b, element by element.
constexpr int64_t ELEMENTS = 16384;
static size_t activation_scratch(const activation_args&, int) { return 0; }
static void activation(const Context& x, const activation_args& g) {
  parallel(x.pool, ceil_div(g.n, ELEMENTS), [&](int64_t task, int) {
    int64_t end = min_(g.n, (task + 1) * ELEMENTS);
    for (int64_t e = task * ELEMENTS; e < end; e += W) st(g.y, g.type, e, act(g.act, ld(g.x, g.type, e, end - e)), end - e);
  });
}
static size_t activation_backward_scratch(const activation_backward_args&, int) { return 0; }
static void activation_backward(const Context& x, const activation_backward_args& g) {
  parallel(x.pool, ceil_div(g.n, ELEMENTS), [&](int64_t task, int) {
    int64_t end = min_(g.n, (task + 1) * ELEMENTS);
    for (int64_t e = task * ELEMENTS; e < end; e += W)
      st(g.dx, g.type, e, ld(g.dy, g.type, e, end - e) * act_grad(g.act, ld(g.x, g.type, e, end - e)), end - e);
  });
}
static size_t glu_scratch(const glu_args&, int) { return 0; }
static void glu(const Context& x, const glu_args& g) {
  parallel(x.pool, ceil_div(g.n, ELEMENTS), [&](int64_t task, int) {
    int64_t end = min_(g.n, (task + 1) * ELEMENTS);
    for (int64_t e = task * ELEMENTS; e < end; e += W)
      st(g.y, g.ytype, e, act(g.act, ld(g.a, g.type, e, end - e)) * ld(g.b, g.type, e, end - e), end - e);
  });
}
static size_t glu_backward_scratch(const glu_backward_args&, int) { return 0; }
static void glu_backward(const Context& x, const glu_backward_args& g) {
  parallel(x.pool, ceil_div(g.n, ELEMENTS), [&](int64_t task, int) {
    int64_t end = min_(g.n, (task + 1) * ELEMENTS);
    for (int64_t e = task * ELEMENTS; e < end; e += W) {
      int64_t left = end - e;
      vf dy = ld(g.dy, g.dytype, e, left), a = ld(g.a, g.type, e, left), b = ld(g.b, g.type, e, left);
      st(g.da, g.type, e, dy * b * act_grad(g.act, a), left);
      st(g.db, g.type, e, dy * act(g.act, a), left);
    }
  });
}

}  // namespace LEVEL
