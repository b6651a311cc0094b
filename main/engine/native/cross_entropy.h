// Cross-entropy from hidden states. Tokens go in chunks; a chunk's logits are made by the GEMM, turned into the gradient of the
// logits in place while they are in cache, and consumed by the two gradient products before the next chunk is made, so memory is
// chunk x vocabulary instead of tokens x vocabulary.
//   loss = log sum_v exp(z_v) - z_t,   dz_v = g (softmax(z)_v - [v = t]),   with a soft-cap dx = dz (1 - (z/c)^2)
#pragma once
#include <initializer_list>

#include "gemm.h"
#include "norm.h"

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

static size_t cross_entropy_scratch(const cross_entropy_args& g, int threads) {
  size_t most = 0;
  int64_t whole = min_(g.rows, g.chunk), rest = g.chunk > 0 ? g.rows % g.chunk : 0;
  for (int64_t rows : {whole, rest}) {
    if (rows <= 0) continue;
    CrossEntropyProducts p(g, 0, rows);
    most = max_(most, gemm_scratch(p.logits, threads));
    if (g.dhidden) most = max_(most, gemm_scratch(p.dhidden, threads));
    if (g.dweight) most = max_(most, gemm_scratch(p.dweight, threads));
  }
  return most;
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

static void cross_entropy(const Context& x, const cross_entropy_args& g) {
  bool gradient = g.dhidden || g.dweight;
  for (int64_t first = 0; first < g.rows; first += g.chunk) {
    int64_t rows = min_(g.chunk, g.rows - first);
    CrossEntropyProducts p(g, first, rows);
    gemm(x, p.logits);
    parallel(x.pool, ceil_div(rows, 4), [&](int64_t task, int) {
      for (int64_t r = task * 4; r < min_(rows, task * 4 + 4); r++) cross_entropy_row(g, first + r, r, gradient);
    });
    if (g.dhidden) gemm(x, p.dhidden);
    if (g.dweight) gemm(x, p.dweight);
  }
}

}  // namespace LEVEL
