// Attention without the T x T matrix (after Dao et al., FlashAttention): blocks of BQ queries by BK keys.
//
// Forward, one task per (batch, head, group of query blocks): S = Q K^T, running row maximum m and sum l, O scaled by
// exp(m_old - m_new) before O += P V; at the end O / l and lse = m + log l.
// Backward, one task per (batch, key/value head), which owns dK and dV, so nothing is shared and nothing is atomic:
//   delta_i = dO_i . O_i;  P = exp(s - lse);  dP = dO V^T;  dS = P (D dP - delta);  with D the dropout factors
//   dV += (D P)^T dO;  dQ += dX K;  dK += dX^T Q;  dX = scale (1 - (cap(x)/c)^2) dS;  dslope = -sum dS (i' - j).
// Blocks that causality or the window exclude are skipped. All products are the GEMM's micro-kernels on operands packed once per
// head; P and dS are packed from the f32 block in L2.
#pragma once
#include "gemm.h"
#include "random.h"
#include "soft_max_rows.h"

namespace LEVEL {

// Queries per block: whole panels of A, which are taller on tiles.
constexpr int block_of_queries(bool dot) { return dot && LEVEL_AMX ? 64 : LEVEL_W == 16 ? 56 : 48; }
constexpr int BK = LEVEL_W == 16 ? 224 : 192;  // a multiple of 32, NR and MR
static_assert(BK % 32 == 0 && BK % NR == 0 && BK % MR == 0 && BK % MR_DOT == 0, "blocks are whole panels");
constexpr int SLD = BK + W;  // row stride of S: no power of two

template <class A>
struct Geometry {
  const A& g;
  int64_t offset;         // i' = i + offset
  const int32_t* starts;  // of one sequence: nothing before is seen, and they never fall, so the first row of a block sees furthest
  Geometry(const A& args, int64_t b) : g(args), offset(args.tk - args.tq) {
    starts = args.starts ? (const int32_t*)args.starts + b * args.tq : nullptr;
  }
  int64_t first_key(int64_t i) const {
    int64_t first = g.window > 0 ? max_<int64_t>(0, i + offset - g.window + 1) : 0;
    return starts ? max_<int64_t>(first, starts[i]) : first;
  }
  int64_t end_key(int64_t i) const {  // for the last row i of a block
    int64_t e = g.causal ? min_(g.tk, i + offset + 1) : g.tk;
    return max_<int64_t>(0, e);
  }
};

// Turns a row of raw products into scores: scale, soft-cap, distance bias, masks (minus infinity outside). Lanes past n are masked.
template <class A>
INLINE vf score(const A& g, vf raw, float slope, float distance, int64_t j, int64_t lo, int64_t hi, const float* hidden, vf* capped) {
  vf x = raw * splat((float)g.scale);
  if (g.softcap > 0) x = splat((float)g.softcap) * vtanh(x * splat((float)(1 / g.softcap)));
  *capped = x;
  vi lane = iota();
  if (slope != 0.f) x = x - splat(slope) * (splat(distance) - __builtin_convertvector(lane, vf));
  if (hidden) x = x + load(hidden + j);
  vi inside = (lane >= splati((int32_t)max_<int64_t>(lo - j, 0))) & (lane < splati((int32_t)min_<int64_t>(max_<int64_t>(hi - j, 0), W)));
  return inside ? x : splat(MINUS_INF);
}

// Cuts scratch memory into 64-byte aligned f32 arrays; with a null base it only counts.
struct Cutter {
  char* p;
  size_t used = 0;
  explicit Cutter(char* base) : p((char*)(((uintptr_t)base + 63) & ~(uintptr_t)63)) {}
  float* floats(int64_t n) {
    float* r = (float*)(p + used);
    used += (size_t)round_up(n * 4, 64);
    return r;
  }
};

struct ForwardScratch {
  float *qa, *kt, *vb, *s, *pa, *o, *m, *l, *keep, *hidden;
  size_t bytes;
  ForwardScratch(const attention_args& g, char* base) {
    Cutter c(base);
    bool dot = use_dot(g.compute);
    const int64_t BQ = block_of_queries(dot);
    qa = c.floats(packed_a_size(BQ, g.d, dot));
    kt = c.floats(packed_b_size(g.tk, g.d, dot));
    vb = c.floats(packed_b_size(g.dvalue, g.tk, dot));
    s = c.floats((BQ + MR_MAX) * SLD);
    pa = c.floats(packed_a_size(BQ, BK, dot));
    o = c.floats((BQ + MR_MAX) * round_up(g.dvalue, NR));
    m = c.floats(BQ);
    l = c.floats(BQ);
    keep = c.floats(BK + W);
    hidden = c.floats(g.keymask ? g.tk + BK + W : 0);
    bytes = c.used + 64;
  }
};
static size_t attention_scratch(const attention_args& g, int) { return ForwardScratch(g, nullptr).bytes; }

// 0 for visible keys, minus infinity for hidden ones.
INLINE void hidden_keys(const void* mask, int64_t b, int64_t tk, float* out) {
  const uint8_t* m = (const uint8_t*)mask + b * tk;
  for (int64_t j = 0; j < tk; j++) out[j] = m[j] ? 0.f : MINUS_INF;
  for (int64_t j = tk; j < tk + BK + W; j++) out[j] = 0.f;
}

template <bool DOT>
static void attention_task(const attention_args& g, int64_t b, int64_t h, int64_t i_begin, int64_t i_end, char* scratch) {
  constexpr int64_t BQ = block_of_queries(DOT);
  ForwardScratch f(g, scratch);
  Geometry<attention_args> geo(g, b);
  int64_t hk = h / (g.heads / g.kvheads), ldo = round_up(g.dvalue, NR), mr = DOT ? MR_DOT : MR, per = DOT ? 2 : 1;
  int64_t qdepth = depth_of(g.d, DOT);
  int64_t base = geo.first_key(i_begin) / 32 * 32, end = max_(base, geo.end_key(i_end - 1)), keys = end - base;
  if (keys > 0) {
    pack_b(at((const void*)g.k, g.type, b * g.skb + hk * g.skh + base * g.skt), g.type, g.skt, true, keys, g.d, DOT, f.kt);
    pack_b(at((const void*)g.v, g.type, b * g.svb + hk * g.svh + base * g.svt), g.type, g.svt, false, g.dvalue, keys, DOT, f.vb);
  }
  if (g.keymask) hidden_keys(g.keymask, b, g.tk, f.hidden);
  const float* hidden = g.keymask ? f.hidden : nullptr;
  float slope = g.slopes ? ((const float*)g.slopes)[h] : 0.f;
  Philox rng{};
  if (g.dropout > 0) rng = philox_of(g.seed, g.stream);
  int64_t vstride = depth_of(keys, DOT) * NR;
  for (int64_t i0 = i_begin; i0 < i_end; i0 += BQ) {
    int64_t rows = min_<int64_t>(BQ, i_end - i0);
    pack_a(at((const void*)g.q, g.type, b * g.sqb + h * g.sqh + i0 * g.sqt), g.type, g.sqt, false, rows, g.d, DOT, f.qa);
    memset(f.o, 0, (size_t)((BQ + MR_MAX) * ldo) * 4);
    for (int64_t r = 0; r < rows; r++) f.m[r] = MINUS_INF, f.l[r] = 0.f;
    int64_t klo = base + (geo.first_key(i0) - base) / 32 * 32, khi = geo.end_key(i0 + rows - 1);
    for (int64_t j0 = klo; j0 < khi; j0 += BK) {
      int64_t n = min_<int64_t>(BK, khi - j0), nv = round_up(n, W);
      panel_product<DOT, false>(rows, n, qdepth, f.qa, qdepth * mr, f.kt + (j0 - base) * qdepth, qdepth * NR, f.s, SLD);
      for (int64_t r = 0; r < rows; r++) {
        int64_t i = i0 + r, lo = geo.first_key(i) - j0, hi = min_(geo.end_key(i) - j0, n);
        float* s = f.s + r * SLD;
        const float* hid = hidden ? hidden + j0 : nullptr;
        vf best = splat(MINUS_INF), raw;
        for (int64_t j = 0; j < nv; j += W) {
          vf x = score(g, load(s + j), slope, (float)(i + geo.offset - j0 - j), j, lo, hi, hid, &raw);
          store(s + j, x);
          best = vmax(best, x);
        }
        float shrink = soft_max_step(s, nv, best, &f.m[r], &f.l[r]);
        if (g.dropout > 0) {
          philox_keep(rng, ((uint64_t)(b * g.heads + h) * g.tq + i) * g.tk + j0, n, (float)g.dropout, f.keep);
          times_kept(s, f.keep, n);
        }
        scale_row(f.o + r * ldo, ldo, shrink);
      }
      pack_a(f.s, F32, SLD, false, rows, n, DOT, f.pa);
      int64_t depth = depth_of(n, DOT);
      panel_product<DOT, true>(rows, g.dvalue, depth, f.pa, depth * mr, f.vb + (j0 - base) / per * NR, vstride, f.o, ldo);
    }
    for (int64_t r = 0; r < rows; r++) {
      float l = f.l[r], inv = l > 0.f ? 1.f / l : 0.f;
      if (l != l) inv = l;
      if (g.lse) ((float*)g.lse)[(b * g.heads + h) * g.tq + i0 + r] = l > 0.f ? f.m[r] + __builtin_logf(l) : l != l ? l : MINUS_INF;
      int64_t out = b * g.sob + (i0 + r) * g.sot + h * g.soh;
      for (int64_t d = 0; d < g.dvalue; d += W) {
        vf x = load(f.o + r * ldo + d) * splat(inv);
        if (g.dvalue - d >= W)
          store_any(g.o, g.type, out + d, x);
        else
          store_any_n(g.o, g.type, out + d, x, g.dvalue - d);
      }
    }
  }
}

static void attention(const Context& x, const attention_args& g) {
  const int64_t BQ = block_of_queries(use_dot(g.compute));
  int64_t pairs = g.batch * g.heads, blocks = ceil_div(g.tq, BQ);
  if (pairs * blocks == 0) return;
  int64_t chunks = min_(blocks, max_<int64_t>(1, ceil_div(x.threads > 1 ? 4 * x.threads : 1, pairs)));
  int64_t size = ceil_div(blocks, chunks) * BQ;
  chunks = ceil_div(g.tq, size);
  parallel(x.pool, pairs * chunks, [&](int64_t task, int thread) {
    int64_t c = task % chunks, h = task / chunks % g.heads, b = task / chunks / g.heads;
    int64_t i0 = c * size, i1 = min_(g.tq, i0 + size);
    char* s = x.scratch + thread * x.stride;
    Tiles tiles(use_dot(g.compute));
    if (use_dot(g.compute))
      attention_task<HAS_DOT>(g, b, h, i0, i1, s);
    else
      attention_task<false>(g, b, h, i0, i1, s);
  });
}

struct BackwardScratch {
  float *kt, *vt, *kb, *qa, *da, *qb, *db, *s, *dp, *pt, *st, *sa, *dq, *dk, *dv, *delta, *keep, *hidden;
  size_t bytes;
  BackwardScratch(const attention_backward_args& g, char* base) {
    Cutter c(base);
    bool dot = use_dot(g.compute);
    const int64_t BQ = block_of_queries(dot);
    int64_t ldd = round_up(g.d, NR), ldv = round_up(g.dvalue, NR);
    kt = c.floats(packed_b_size(g.tk, g.d, dot));
    vt = c.floats(packed_b_size(g.tk, g.dvalue, dot));
    kb = c.floats(packed_b_size(g.d, g.tk, dot));
    qa = c.floats(packed_a_size(round_up(g.tq, BQ), g.d, dot));
    da = c.floats(packed_a_size(round_up(g.tq, BQ), g.dvalue, dot));
    qb = c.floats(packed_b_size(g.d, g.tq, dot));
    db = c.floats(packed_b_size(g.dvalue, g.tq, dot));
    s = c.floats((BQ + MR_MAX) * SLD);
    dp = c.floats((BQ + MR_MAX) * SLD);
    pt = c.floats(packed_a_size(BK, BQ, dot));
    st = c.floats(packed_a_size(BK, BQ, dot));
    sa = c.floats(packed_a_size(BQ, BK, dot));
    dq = c.floats((round_up(g.tq, BQ) + MR_MAX) * ldd);
    dk = c.floats((round_up(g.tk, BK) + MR_MAX) * ldd);
    dv = c.floats((round_up(g.tk, BK) + MR_MAX) * ldv);
    delta = c.floats(g.tq);
    keep = c.floats(BK + W);
    hidden = c.floats(g.keymask ? g.tk + BK + W : 0);
    bytes = c.used + 64;
  }
};
static size_t attention_backward_scratch(const attention_backward_args& g, int) { return BackwardScratch(g, nullptr).bytes; }

// Rows of f32 scratch to an output of `type`.
INLINE void write_rows(const float* src, int64_t ld, int64_t rows, int64_t n, void* out, int64_t type, int64_t first, int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t d = 0; d < n; d += W) {
      vf x = load(src + r * ld + d);
      if (n - d >= W)
        store_any(out, type, first + r * stride + d, x);
      else
        store_any_n(out, type, first + r * stride + d, x, n - d);
    }
}

template <bool DOT>
static void attention_backward_task(const attention_backward_args& g, int64_t b, int64_t hk, char* scratch) {
  constexpr int64_t BQ = block_of_queries(DOT);
  BackwardScratch f(g, scratch);
  Geometry<attention_backward_args> geo(g, b);
  int64_t group = g.heads / g.kvheads, mr = DOT ? MR_DOT : MR, per = DOT ? 2 : 1;
  int64_t ldd = round_up(g.d, NR), ldv = round_up(g.dvalue, NR);
  int64_t ddepth = depth_of(g.d, DOT), vdepth = depth_of(g.dvalue, DOT), kdepth = depth_of(g.tk, DOT), qdepth = depth_of(g.tq, DOT);
  const void* K = at((const void*)g.k, g.type, b * g.skb + hk * g.skh);
  const void* V = at((const void*)g.v, g.type, b * g.svb + hk * g.svh);
  pack_b(K, g.type, g.skt, true, g.tk, g.d, DOT, f.kt);
  pack_b(V, g.type, g.svt, true, g.tk, g.dvalue, DOT, f.vt);
  pack_b(K, g.type, g.skt, false, g.d, g.tk, DOT, f.kb);
  memset(f.dk, 0, (size_t)((round_up(g.tk, BK) + MR_MAX) * ldd) * 4);
  memset(f.dv, 0, (size_t)((round_up(g.tk, BK) + MR_MAX) * ldv) * 4);
  if (g.keymask) hidden_keys(g.keymask, b, g.tk, f.hidden);
  Philox rng{};
  if (g.dropout > 0) rng = philox_of(g.seed, g.stream);
  for (int64_t h = hk * group; h < (hk + 1) * group; h++) {
    const void* Q = at((const void*)g.q, g.type, b * g.sqb + h * g.sqh);
    int64_t ofirst = b * g.sob + h * g.soh;
    const void* dO = at((const void*)g.dout, g.type, ofirst);
    pack_a(Q, g.type, g.sqt, false, g.tq, g.d, DOT, f.qa);
    pack_a(dO, g.type, g.sot, false, g.tq, g.dvalue, DOT, f.da);
    pack_b(Q, g.type, g.sqt, false, g.d, g.tq, DOT, f.qb);
    pack_b(dO, g.type, g.sot, false, g.dvalue, g.tq, DOT, f.db);
    memset(f.dq, 0, (size_t)((round_up(g.tq, BQ) + MR_MAX) * ldd) * 4);
    for (int64_t i = 0; i < g.tq; i++) f.delta[i] = row_dot(g.dout, g.o, g.type, ofirst + i * g.sot, g.dvalue);
    const float* lse = (const float*)g.lse + (b * g.heads + h) * g.tq;
    float slope = g.slopes ? ((const float*)g.slopes)[h] : 0.f;
    vf dslope = splat(0.f);
    vf scale = splat((float)g.scale), lanes = __builtin_convertvector(iota(), vf);
    for (int64_t j0 = 0; j0 < g.tk; j0 += BK) {
      for (int64_t i0 = 0; i0 < g.tq; i0 += BQ) {
        int64_t rows = min_<int64_t>(BQ, g.tq - i0);
        int64_t khi = min_<int64_t>(geo.end_key(i0 + rows - 1), j0 + BK), klo = geo.first_key(i0);
        if (khi <= j0 || klo >= j0 + BK) continue;
        int64_t jb = max_(j0, klo / 32 * 32);  // where the window starts, at a whole panel
        int64_t n = khi - jb, nv = round_up(n, W);
        panel_product<DOT, false>(rows, n, ddepth, f.qa + i0 * ddepth, ddepth * mr, f.kt + jb * ddepth, ddepth * NR, f.s, SLD);
        panel_product<DOT, false>(rows, n, vdepth, f.da + i0 * vdepth, vdepth * mr, f.vt + jb * vdepth, vdepth * NR, f.dp, SLD);
        for (int64_t r = 0; r < rows; r++) {
          int64_t i = i0 + r, lo = geo.first_key(i) - jb, hi = min_(geo.end_key(i) - jb, n);
          float *s = f.s + r * SLD, *dp = f.dp + r * SLD;
          float l = lse[i];
          if (l == MINUS_INF) l = __builtin_inff();  // a row without keys: P = 0
          if (g.dropout > 0)
            philox_keep(rng, ((uint64_t)(b * g.heads + h) * g.tq + i) * g.tk + jb, n, (float)g.dropout, f.keep);
          vf delta = splat(f.delta[i]), rest = splat(l);
          for (int64_t j = 0; j < nv; j += W) {
            float distance = (float)(i + geo.offset - jb - j);
            vf capped;
            vf x = score(g, load(s + j), slope, distance, j, lo, hi, g.keymask ? f.hidden + jb : nullptr, &capped);
            vf p = vexp(x - rest), e = load(dp + j), pd = p;
            if (g.dropout > 0) {
              vf keep = n - j >= W ? load(f.keep + j) : load_n(f.keep + j, n - j);
              pd = p * keep;
              e = e * keep;
            }
            vf ds = p * (e - delta);
            ds = p == splat(0.f) ? splat(0.f) : ds;
            if (g.slopes) dslope -= ds * (splat(distance) - lanes);
            if (g.softcap > 0) {
              vf t = capped * splat((float)(1 / g.softcap));
              ds = ds * (splat(1.f) - t * t);
            }
            store(s + j, pd);
            store(dp + j, ds * scale);
          }
        }
        int64_t rdepth = depth_of(rows, DOT), ndepth = depth_of(n, DOT);
        pack_a(f.s, F32, SLD, true, n, rows, DOT, f.pt);
        panel_product<DOT, true>(n, g.dvalue, rdepth, f.pt, rdepth * mr, f.db + i0 / per * NR, qdepth * NR, f.dv + jb * ldv, ldv);
        pack_a(f.dp, F32, SLD, true, n, rows, DOT, f.st);
        panel_product<DOT, true>(n, g.d, rdepth, f.st, rdepth * mr, f.qb + i0 / per * NR, qdepth * NR, f.dk + jb * ldd, ldd);
        pack_a(f.dp, F32, SLD, false, rows, n, DOT, f.sa);
        panel_product<DOT, true>(rows, g.d, ndepth, f.sa, ndepth * mr, f.kb + jb / per * NR, kdepth * NR, f.dq + i0 * ldd, ldd);
      }
    }
    write_rows(f.dq, ldd, g.tq, g.d, g.gq, g.type, b * g.sqb + h * g.sqh, g.sqt);
    if (g.dslopes) ((float*)g.dslopes)[b * g.heads + h] = hsum(dslope);
  }
  write_rows(f.dk, ldd, g.tk, g.d, g.gk, g.type, b * g.skb + hk * g.skh, g.skt);
  write_rows(f.dv, ldv, g.tk, g.dvalue, g.gv, g.type, b * g.svb + hk * g.svh, g.svt);
}

static void attention_backward(const Context& x, const attention_backward_args& g) {
  parallel(x.pool, g.batch * g.kvheads, [&](int64_t task, int thread) {
    char* s = x.scratch + thread * x.stride;
    Tiles tiles(use_dot(g.compute));
    if (use_dot(g.compute))
      attention_backward_task<HAS_DOT>(g, task / g.kvheads, task % g.kvheads, s);
    else
      attention_backward_task<false>(g, task / g.kvheads, task % g.kvheads, s);
  });
}

}  // namespace LEVEL
