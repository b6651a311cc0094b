// Cross-entropy from hidden states. Tokens go in chunks; a chunk's logits are made by the GEMM, turned into the gradient of the
// logits in place while they are in cache, and consumed by the two gradient products before the next chunk is made, so memory is
// chunk x vocabulary instead of tokens x vocabulary.
//   loss = log sum_v exp(z_v) - z_t,   dz_v = g (softmax(z)_v - [v = t]),   with a soft-cap dx = dz (1 - (z/c)^2)
//
// With `ltype` f32 the logits are stored and gone through three times. With 16 bits they are not stored at all: of each tile that the product
// finishes, the maxima m and the sums of exp(z - m) of its rows are kept in f32, and exp(z - m) (1 - (z/c)^2) in 16 bits, which a factor per
// tile turns into the gradient. So losses are as exact as with f32, a logit costs one exponential instead of two, memory and its
// traffic are half as large, and a loss without gradients writes nothing per logit.
#pragma once
#include <initializer_list>

#include "gemm.h"
#include "norm.h"
#include "soft_max_rows.h"

namespace LEVEL {

INLINE int64_t logits_stride(int64_t vocabulary) { return round_up(vocabulary, 64); }

struct CrossEntropyProducts {
  gemm_args logits{}, dhidden{}, dweight{};
  CrossEntropyProducts(const cross_entropy_args& g, int64_t first, int64_t rows) {
    int64_t ldl = logits_stride(g.vocabulary);
    const char* h = (const char*)g.hidden + first * g.d * (g.htype == F32 ? 4 : 2);
    logits.a = (void*)h;
    logits.b = g.weight;
    logits.c = g.logits;
    logits.m = rows, logits.n = g.vocabulary, logits.k = g.d;
    logits.lda = g.d, logits.ldb = g.d, logits.ldc = ldl, logits.tb = 1;
    logits.atype = g.htype, logits.btype = g.wtype, logits.ctype = g.ltype;
    dhidden.a = g.logits;
    dhidden.b = g.weight;
    dhidden.c = g.dhidden ? (char*)g.dhidden + first * g.d * (g.dhtype == F32 ? 4 : 2) : nullptr;
    dhidden.m = rows, dhidden.n = g.d, dhidden.k = g.vocabulary;
    dhidden.lda = ldl, dhidden.ldb = g.d, dhidden.ldc = g.d;
    dhidden.atype = g.ltype, dhidden.btype = g.wtype, dhidden.ctype = g.dhtype;
    dweight.a = g.logits;
    dweight.b = (void*)h;
    dweight.c = g.dweight;
    dweight.m = g.vocabulary, dweight.n = g.d, dweight.k = rows;
    dweight.lda = ldl, dweight.ldb = g.d, dweight.ldc = g.d, dweight.ta = 1;
    dweight.atype = g.ltype, dweight.btype = g.htype, dweight.ctype = F32;
    dweight.beta = first == 0 ? g.beta : 1;
    for (gemm_args* p : {&logits, &dhidden, &dweight}) p->compute = g.compute, p->batch = 1, p->alpha = 1;
  }
};

// What is kept of a chunk's tiles of logits.
struct TileSums {
  int64_t tiles;  // of a row
  float *best, *sum;              // [rows][tiles]: largest logit m and sum of exp(z - m)
  float* own;                     // [rows]: the target's logit
  uint8_t* first;                 // [rows]: nothing before the target in its tile is as large
  size_t bytes;
  TileSums(const cross_entropy_args& g, char* base) : tiles(ceil_div(g.vocabulary, NR)) {
    int64_t rows = max_<int64_t>(0, min_(g.rows, g.chunk));
    best = (float*)(((uintptr_t)base + 63) & ~(uintptr_t)63);
    sum = best + rows * tiles + W;
    own = sum + rows * tiles + W;
    first = (uint8_t*)(own + rows);
    bytes = (size_t)(rows * (8 * tiles + 5) + 8 * W + 64);
  }
};

// Scratch of the products, by thread; TileSums follow behind that of the last thread.
static size_t products_scratch(const cross_entropy_args& g, int threads) {
  size_t most = 0;
  int64_t whole = min_(g.rows, g.chunk), rest = g.chunk > 0 ? g.rows % g.chunk : 0;
  for (int64_t rows : {whole, rest}) {
    if (rows <= 0) continue;
    CrossEntropyProducts p(g, 0, rows);
    most = max_(most, g.ltype == F32 ? gemm_scratch(p.logits, threads) : scratch_of(gemm_plan(p.logits, threads)));
    if (g.dhidden) most = max_(most, gemm_scratch(p.dhidden, threads));
    if (g.dweight) most = max_(most, gemm_scratch(p.dweight, threads));
  }
  return round_up(most, 64);
}
static size_t cross_entropy_scratch(const cross_entropy_args& g, int threads) {
  size_t products = products_scratch(g, threads);
  return g.ltype == F32 ? products : products + ceil_div(TileSums(g, nullptr).bytes, (size_t)threads);
}

// Takes a tile of logits as the product leaves it. T: what is kept of a logit.
template <class T>
struct SoftMaxTile {
  static constexpr bool OWN = true;
  const cross_entropy_args& g;
  const TileSums& sums;
  const int32_t* target;  // of the chunk
  bool gradient;

  void operator()(float* tile, int64_t row, int64_t column, int64_t rows, int64_t n) const {
    float cap = (float)g.softcap;
    vf inverse = splat(cap > 0 ? 1 / cap : 0.f);
    for (int64_t r = 0; r < rows; r++, row++) {
      float* z = tile + r * NR;
      vf a = load(z), b = load(z + W);
      if (cap > 0) {
        a = splat(cap) * vtanh(a * inverse);
        b = splat(cap) * vtanh(b * inverse);
        store(z, a);
        store(z + W, b);
      }
      if (n < NR) {
        a = iota() < splati((int32_t)n) ? a : splat(MINUS_INF);
        b = iota() < splati((int32_t)(n - W)) ? b : splat(MINUS_INF);
      }
      float m = hmax(vmax(a, b));
      vf shift = splat(m == MINUS_INF ? 0.f : m), ea = vexp(a - shift), eb = vexp(b - shift);
      sums.best[row * sums.tiles + column / NR] = m;
      sums.sum[row * sums.tiles + column / NR] = hsum(ea + eb);
      int64_t t = target[row] - column;
      if (t >= 0 && t < n) {
        sums.own[row] = z[t];
        sums.first[row] = 1;
        for (int64_t v = 0; v < t; v++) sums.first[row] &= z[v] != z[t];
      }
      if (!gradient) continue;
      if (cap > 0) {
        ea = only(ea * (splat(1.f) - a * inverse * a * inverse), n);
        eb = only(eb * (splat(1.f) - b * inverse * b * inverse), n - W);
      }
      T* e = (T*)g.logits + row * logits_stride(g.vocabulary) + column;
      store(e, ea);
      store(e + W, eb);
    }
  }
};

// One row of a chunk whose tiles are there: as cross_entropy_row.
template <class T>
static void tiles_row(const cross_entropy_args& g, const TileSums& sums, int64_t r, int64_t row, bool gradient) {
  int64_t n = g.vocabulary, target = ((const int32_t*)g.target)[r];
  T* e = (T*)g.logits + row * logits_stride(n);
  bool valid = target >= 0 && target < n;
  if (!valid) {
    if (g.loss) ((float*)g.loss)[r] = 0;
    if (g.correct) ((float*)g.correct)[r] = 0;
    if (gradient) memset(e, 0, (size_t)n * 2);
    return;
  }
  const float *best = sums.best + row * sums.tiles, *sum = sums.sum + row * sums.tiles;
  vf most = splat(MINUS_INF), all = splat(0.f);
  ROW_LOOP(i, sums.tiles) most = vmax(most, sums.tiles - i >= W ? load(best + i) : splat(MINUS_INF));
  float m = hmax(most);
  for (int64_t i = sums.tiles / W * W; i < sums.tiles; i++) m = max_(m, best[i]);
  ROW_LOOP(i, sums.tiles) all += only(load(sum + i) * vexp(load(best + i) - splat(m)), sums.tiles - i);
  float total = hsum(all), own = sums.own[row];
  if (g.loss) ((float*)g.loss)[r] = m - own + __builtin_logf(total);
  if (g.correct) {
    bool first = own == m && sums.first[row];
    for (int64_t i = 0; first && i < target / NR; i++) first = best[i] != m;
    ((float*)g.correct)[r] = first ? 1.f : 0.f;
  }
  if (!gradient) return;
  float s = (float)g.dscale * (g.dloss ? ((const float*)g.dloss)[r] : 1.f), cap = (float)g.softcap;
  float slope = cap > 0 ? 1 - (own / cap) * (own / cap) : 1.f;
  float factor[W];
  for (int64_t i = 0; i < sums.tiles; i++, e += NR) {
    if (i % W == 0) store(factor, splat(s / total) * vexp(load(best + i) - splat(m)));
    vf k = splat(factor[i % W]), a = load(e), b = load(e + W);
    store(e, a * k);
    store(e + W, b * k);
  }
  set_any((T*)g.logits + row * logits_stride(n), g.ltype, target, s * (__builtin_expf(own - m) / total - 1.f) * slope);
}

// One row: loss and correctness, and the gradient over the logits when asked.
static void cross_entropy_row(const cross_entropy_args& g, int64_t r, int64_t row, bool gradient) {
  int64_t n = g.vocabulary, e = row * logits_stride(n), target = ((const int32_t*)g.target)[r];
  bool valid = target >= 0 && target < n;
  if (!valid) {
    if (g.loss) ((float*)g.loss)[r] = 0;
    if (g.correct) ((float*)g.correct)[r] = 0;
    if (gradient) ROW_LOOP(v, n) st(g.logits, g.ltype, e + v, splat(0.f), n - v);
    return;
  }
  float cap = (float)g.softcap;
  if (cap > 0) ROW_LOOP(v, n) st(g.logits, g.ltype, e + v, splat(cap) * vtanh(ld(g.logits, g.ltype, e + v, n - v) * splat(1 / cap)), n - v);
  int64_t whole = n / W * W;
  vf best[4], sum[4];
  for (int i = 0; i < 4; i++) best[i] = splat(-__builtin_inff()), sum[i] = splat(0.f);
  int64_t v = 0;
  for (; v + 4 * W <= n; v += 4 * W)
    for (int i = 0; i < 4; i++) best[i] = vmax(best[i], load_any(g.logits, g.ltype, e + v + i * W));
  for (; v < whole; v += W) best[0] = vmax(best[0], load_any(g.logits, g.ltype, e + v));
  float m = hmax(vmax(vmax(best[0], best[1]), vmax(best[2], best[3])));
  for (; v < n; v++) m = max_(m, get_any(g.logits, g.ltype, e + v));
  vf shift = splat(m);
  for (v = 0; v + 4 * W <= n; v += 4 * W)
    for (int i = 0; i < 4; i++) sum[i] += vexp(load_any(g.logits, g.ltype, e + v + i * W) - shift);
  for (; v < n; v += W) sum[0] += only(vexp(ld(g.logits, g.ltype, e + v, n - v) - shift), n - v);
  float total = hsum((sum[0] + sum[1]) + (sum[2] + sum[3]));
  float at_target = get_any(g.logits, g.ltype, e + target);
  if (g.loss) ((float*)g.loss)[r] = m - at_target + __builtin_logf(total);
  if (g.correct) {
    bool first = at_target == m;  // the first of equal maxima counts
    for (int64_t j = 0; first && j < target; j++) first = get_any(g.logits, g.ltype, e + j) != m;
    ((float*)g.correct)[r] = first ? 1.f : 0.f;
  }
  if (!gradient) return;
  float s = (float)g.dscale * (g.dloss ? ((const float*)g.dloss)[r] : 1.f);
  float slope = cap > 0 ? 1 - (at_target / cap) * (at_target / cap) : 1.f;
  float own = s * (__builtin_expf(at_target - m) / total - 1.f) * slope;
  vf k = splat(s / total), inv = splat(cap > 0 ? 1 / cap : 0.f);
  for (v = 0; v < n; v += W) {
    vf z = ld(g.logits, g.ltype, e + v, n - v), d = k * vexp(z - shift), t = z * inv;
    if (cap > 0) d = d * (splat(1.f) - t * t);
    st(g.logits, g.ltype, e + v, d, n - v);
  }
  set_any(g.logits, g.ltype, e + target, own);
}

// A chunk's logits, losses, and the gradient over the logits when asked.
static void logits_chunk(const Context& x, const cross_entropy_args& g, const gemm_args& logits, int64_t first, bool gradient) {
  int64_t rows = logits.m;
  auto by_rows = [&](auto row) {
    parallel(x.pool, ceil_div(rows, 4), [&](int64_t task, int) {
      for (int64_t r = task * 4; r < min_(rows, task * 4 + 4); r++) row(r);
    });
  };
  if (g.ltype == F32) {
    gemm(x, logits);
    by_rows([&](int64_t r) { cross_entropy_row(g, first + r, r, gradient); });
    return;
  }
  TileSums sums(g, x.scratch + x.stride * (size_t)x.threads);
  const int32_t* targets = (const int32_t*)g.target + first;
  if (g.ltype == F16) {
    gemm_blocks(x, logits, SoftMaxTile<f16>{g, sums, targets, gradient});
    by_rows([&](int64_t r) { tiles_row<f16>(g, sums, first + r, r, gradient); });
  } else {
    gemm_blocks(x, logits, SoftMaxTile<bf16>{g, sums, targets, gradient});
    by_rows([&](int64_t r) { tiles_row<bf16>(g, sums, first + r, r, gradient); });
  }
}

static void cross_entropy(const Context& all, const cross_entropy_args& g) {
  bool gradient = g.dhidden || g.dweight;
  Context x{all.pool, all.scratch, products_scratch(g, all.threads), all.threads};
  for (int64_t first = 0; first < g.rows; first += g.chunk) {
    CrossEntropyProducts p(g, first, min_(g.chunk, g.rows - first));
    logits_chunk(x, g, p.logits, first, gradient);
    if (g.dhidden) gemm(x, p.dhidden);
    if (g.dweight) gemm(x, p.dweight);
  }
}

}  // namespace LEVEL
