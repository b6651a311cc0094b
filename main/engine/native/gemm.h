// Matrix products.
//
// C is cut into blocks, one task each, that belong to one thread; nothing is shared and there are no barriers. A task packs op(B)
// of its columns once (KS deep, as much of K as B_DWORDS hold: it lives in L2 and L3), then goes down its rows a group of panels
// (about 56 rows) at a time: pack op(A)[group, KC] into L2, and let the micro-kernel make MR x NR tiles with all accumulators in
// registers, JC columns after JC columns, so that a panel of A stays in L1 while panels of B stream past it. The next group of A
// is prefetched meanwhile. So A is packed once per block of N and B once per block of M, and blocks are as large as the number of
// threads allows (gemm_plan). The order of additions into an element of C depends on K alone, so results do not depend on the
// number of threads nor on the blocking of M and N.
//
// How panels lie and are multiplied: panels.h.
//
// The epilogue runs on the finished tile while it is in L1: bias, activation (with the pre-activation stored), derivative of
// an activation, residual, rounding.
#pragma once
#include "panels.h"
#include "pool.h"

namespace LEVEL {

// Block sizes, in dwords of 4 bytes.
constexpr int64_t KC = 512;                // depth of a packed group of A: 512 f32 or 1024 bf16
constexpr int64_t B_DWORDS = 1024 * 1024;  // packed B of a task: 4 MiB
constexpr int64_t JC = 256;                // columns that a group of A passes at a time: 512 KiB of packed B
constexpr int64_t GROUP = 56;              // rows of a group, rounded to panels
constexpr int64_t ACC_DWORDS = 512 * 1024; // partial sums of a task that C cannot hold

// A few rows times a transposed matrix, as in generation: rows of B are read where they are, because packing would cost more than
// the product.
constexpr int64_t THIN = 4;
INLINE bool thin(const gemm_args& g) { return g.m <= THIN && g.tb && !g.ta; }

template <bool DOT>
INLINE vf multiply_add(vf sum, vf x, vf y) {
#if LEVEL_BF16
  if (DOT) return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)y);
#endif
  return sum + x * y;
}
// tile[m][NR] = A B[j0 .. j0 + n]^T.
template <bool DOT, class SA, class SB>
static void thin_product(const gemm_args& g, const SA* A, const SB* B, int64_t j0, int64_t n, float* tile) {
  constexpr int64_t STEP = DOT ? 2 * W : W;
  for (int64_t j = 0; j < n; j++) {
    const SB* row = B + (j0 + j) * g.ldb;
    vf sum[THIN];
    for (int r = 0; r < THIN; r++) sum[r] = splat(0.f);
    for (int64_t k = 0; k < g.k; k += STEP) {
      vf y = row_dwords<DOT>(row + k, g.k - k);
      for (int64_t r = 0; r < g.m; r++) sum[r] = multiply_add<DOT>(sum[r], row_dwords<DOT>(A + r * g.lda + k, g.k - k), y);
    }
    for (int64_t r = 0; r < g.m; r++) tile[r * NR + j] = hsum(sum[r]);
  }
}

struct GemmPlan {
  int64_t mr, mc, nc, kc, ks, group, mblocks, nblocks;
  bool dot, plain;  // plain: nothing in the epilogue
  bool keep;        // partial sums stay in f32 scratch, because C cannot hold them
  size_t a_dwords, b_dwords, acc_dwords;
};

static GemmPlan gemm_plan(const gemm_args& g, int threads) {
  GemmPlan p;
  p.dot = use_dot(g.compute);
  int64_t per = p.dot ? 2 : 1, m = max_<int64_t>(1, g.m), n = max_<int64_t>(1, g.n), k = max_<int64_t>(1, g.k);
  p.mr = p.dot ? MR_DOT : MR;
  p.group = max_<int64_t>(1, GROUP / p.mr) * p.mr;
  p.kc = min_(round_up(ceil_div(k, ceil_div(k, KC * per)), 32), round_up(k, 2));
  bool several = p.kc < k;
  p.plain = !g.bias && !g.act && !g.actgrad && !g.aux && !g.residual && g.alpha == 1.0;
  p.keep = several && !(p.plain && g.ctype == F32);

  // Blocks of C: the least estimated time. Per step of depth a task costs mc * nc for the products and COST * (mc + nc) for packing;
  // threads work in rounds, and the tail of the last round is more uneven the larger the tasks are.
  const double COST = 24;
  int64_t depth = depth_of(k, p.dot), most_n = B_DWORDS / max_<int64_t>(KC, min_<int64_t>(depth, 2 * KC));
  int64_t nb0 = ceil_div(n, most_n);
  double best = -1;
  for (int64_t split = 1; split <= 8; split++) {
    int64_t nb = nb0 * split, nc = round_up(ceil_div(n, nb), NR);
    if (split > 1 && nc < 2 * NR) break;
    for (int64_t rounds = 1; rounds <= 8; rounds++) {
      int64_t mb = max_<int64_t>(1, ceil_div(rounds * threads, nb * g.batch)), mc = round_up(ceil_div(m, mb), p.mr);
      if (mb > 1 && mc < 2 * p.mr) mc = min_(2 * p.mr, round_up(m, p.mr));
      bool deep = depth > max_<int64_t>(1, B_DWORDS / nc / max_<int64_t>(1, depth_of(p.kc, p.dot))) * depth_of(p.kc, p.dot);
      if (p.keep && deep) mc = min_(mc, max_(p.mr, ACC_DWORDS / nc / p.mr * p.mr));
      int64_t tasks = ceil_div(m, mc) * ceil_div(n, nc) * g.batch;
      double task = (double)mc * (double)nc + COST * (double)(mc + nc), time = task * ((double)ceil_div(tasks, threads) + 0.05);
      if (best >= 0 && time >= best) continue;
      best = time;
      p.mc = mc;
      p.nc = nc;
    }
  }
  p.mblocks = ceil_div(m, p.mc);
  p.nblocks = ceil_div(n, p.nc);
  p.ks = min_(max_<int64_t>(1, B_DWORDS / p.nc / max_<int64_t>(1, depth_of(p.kc, p.dot))) * p.kc, round_up(k, p.kc));
  p.a_dwords = (size_t)packed_a_size(min_(p.group, p.mc), p.kc, p.dot);
  p.b_dwords = (size_t)packed_b_size(p.nc, min_(p.ks, k), p.dot);
  p.acc_dwords = p.keep ? (size_t)((p.ks < k ? p.mc : min_(p.group, p.mc)) * p.nc) : 0;
  return p;
}
static size_t scratch_of(const GemmPlan& p) { return 4 * (p.a_dwords + p.b_dwords + p.acc_dwords) + 256; }
static size_t gemm_scratch(const gemm_args& g, int threads) { return thin(g) ? 0 : scratch_of(gemm_plan(g, threads)); }

// Finishes `rows` rows of `n` columns of a tile and writes them to C at (i, j).
static void epilogue(const gemm_args& g, const float* tile, int64_t ldt, int64_t i, int64_t j, int64_t rows, int64_t n,
                     void* c, bool add_c) {
  float alpha = (float)g.alpha;
  for (int64_t r = 0; r < rows; r++) {
    int64_t ci = (i + r) * g.ldc + j, xi = (i + r) * g.ldaux + j, ri = (i + r) * g.ldres + j;
    for (int64_t x = 0; x < n; x += W) {
      int64_t left = n - x;
      bool full = left >= W;
      vf v = load(tile + r * ldt + x);  // tiles are padded to whole vectors
      if (alpha != 1.f) v = v * splat(alpha);
      if (add_c) v = v + (full ? load_any(c, g.ctype, ci + x) : load_any_n(c, g.ctype, ci + x, left));
      if (g.bias) v = v + (full ? load_any(g.bias, g.biastype, j + x) : load_any_n(g.bias, g.biastype, j + x, left));
      if (g.actgrad) {
        v = v * act_grad(g.act, full ? load_any(g.aux, g.auxtype, xi + x) : load_any_n(g.aux, g.auxtype, xi + x, left));
      } else if (g.act) {
        if (g.aux) {
          if (full)
            store_any(g.aux, g.auxtype, xi + x, v);
          else
            store_any_n(g.aux, g.auxtype, xi + x, v, left);
        }
        v = act(g.act, v);
      }
      if (g.residual)
        v = v + (full ? load_any(g.residual, g.restype, ri + x) : load_any_n(g.residual, g.restype, ri + x, left));
      if (full)
        store_any(c, g.ctype, ci + x, v);
      else
        store_any_n(c, g.ctype, ci + x, v, left);
    }
  }
}

// What becomes of a finished tile of C: by default what `epilogue` does. One that is OWN is handed every tile (rows NR apart) while it is in
// L1, and writes what it will: (tile, row, column, rows, columns).
struct Epilogue {
  static constexpr bool OWN = false;
  void operator()(const float*, int64_t, int64_t, int64_t, int64_t) const {}
};

// The same for a whole tile with nothing to do but round and store.
template <class T>
INLINE void store_tile(const float* tile, int64_t rows, T* c, int64_t ldc) {
  for (int64_t r = 0; r < rows; r++) {
    store(c + r * ldc, load(tile + r * NR));
    store(c + r * ldc + W, load(tile + r * NR + W));
  }
}
INLINE void store_tile(const float* tile, int64_t rows, void* c, int64_t type, int64_t first, int64_t ldc) {
  if (type == F32)
    store_tile(tile, rows, (float*)c + first, ldc);
  else if (type == F16)
    store_tile(tile, rows, (f16*)c + first, ldc);
  else
    store_tile(tile, rows, (bf16*)c + first, ldc);
}

// Fetches a matrix into the cache line by line, a few lines at each call.
struct Prefetcher {
  const char* row = nullptr;
  int64_t stride = 0, rows = 0, width = 0, column = 0;
  void aim(const void* first, int64_t row_bytes, int64_t count, int64_t bytes) {
    row = (const char*)first;
    stride = row_bytes;
    rows = count;
    width = bytes;
    column = 0;
  }
  int64_t lines() const { return rows * ceil_div(width, 64); }
  inline __attribute__((always_inline)) void fetch(int64_t count) {
    for (; count > 0 && rows > 0; count--) {
      __builtin_prefetch(row + column, 0, 2);
      if ((column += 64) >= width) {
        column = 0;
        row += stride;
        rows--;
      }
    }
  }
};

template <class Finish = Epilogue>
static void gemm_block(const gemm_args& g, const GemmPlan& p, int64_t task, char* scratch, const Finish& finish = Finish()) {
  int64_t mb = task % p.mblocks, nb = task / p.mblocks % p.nblocks, batch = task / (p.mblocks * p.nblocks);
  int64_t i0 = mb * p.mc, j0 = nb * p.nc, mr = p.mr, per = p.dot ? 2 : 1;
  int64_t mc = min_(p.mc, g.m - i0), nc = min_(p.nc, g.n - j0), columns = p.nc / NR;
  const void* A = at((const void*)g.a, g.atype, batch * g.sa);
  const void* B = at((const void*)g.b, g.btype, batch * g.sb);
  void* C = at(g.c, g.ctype, batch * g.sc);
  gemm_args e = g;  // aux and residual advance with C
  if (batch) {
    if (e.aux) e.aux = at(e.aux, e.auxtype, batch * g.sc);
    if (e.residual) e.residual = at(e.residual, e.restype, batch * g.sc);
  }
  float* pa = (float*)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
  float* pb = pa + round_up((int64_t)p.a_dwords, 16);
  float* acc = pb + round_up((int64_t)p.b_dwords, 16);
  alignas(64) float tile[MR_MAX * NR];
  int64_t bytes = g.atype == F32 ? 4 : 2;
  auto a_at = [&](int64_t i, int64_t k0) { return at(A, g.atype, g.ta ? k0 * g.lda + i : i * g.lda + k0); };
  for (int64_t s0 = 0; s0 < max_<int64_t>(1, g.k); s0 += p.ks) {
    int64_t ks = min_(p.ks, g.k - s0), b_depth = depth_of(ks, p.dot);
    pack_b(at(B, g.btype, g.tb ? j0 * g.ldb + s0 : s0 * g.ldb + j0), g.btype, g.ldb, g.tb, nc, ks, p.dot, pb);
    for (int64_t r0 = 0; r0 < mc; r0 += p.group) {
      int64_t height = min_(p.group, mc - r0);
      for (int64_t k0 = s0; k0 < s0 + max_<int64_t>(1, ks); k0 += p.kc) {
        int64_t kc = min_(p.kc, s0 + ks - k0), depth = depth_of(kc, p.dot);
        bool first = k0 == 0, last = k0 + kc >= g.k;
        pack_a(a_at(i0 + r0, k0), g.atype, g.lda, g.ta, height, kc, p.dot, pa);
        Prefetcher next;
        bool deeper = k0 + p.kc < s0 + ks;
        int64_t nr = deeper ? r0 : r0 + p.group, nk = deeper ? k0 + p.kc : s0;
        if (nr < mc) {
          int64_t h = min_(p.group, mc - nr), d = min_(p.kc, s0 + ks - nk);
          next.aim(a_at(i0 + nr, nk), g.lda * bytes, g.ta ? d : h, (g.ta ? h : d) * bytes);
        }
        int64_t lines = ceil_div(next.lines(), ceil_div(height, mr) * ceil_div(nc, NR));
        for (int64_t jc = 0; jc < nc; jc += JC)
          for (int64_t i = 0; i < height; i += mr)
            for (int64_t j = jc; j < min_(nc, jc + JC); j += NR) {
              const float *ap = pa + i * depth, *bp = pb + j * b_depth + (k0 - s0) / per * NR;
              int64_t n = min_<int64_t>(NR, nc - j), rows = min_(mr, height - i), at_c = (i0 + r0 + i) * g.ldc + j0 + j;
              bool add = p.keep ? g.beta != 0 : (!first || g.beta != 0);
              bool whole = p.plain && n == NR && !p.keep, direct = !Finish::OWN && whole && rows == mr && g.ctype == F32;
              if (!p.keep || last)  // C is on its way while the product is made
                for (int64_t r = 0; r < rows; r++) {
                  __builtin_prefetch(at(C, g.ctype, at_c + r * g.ldc), 1);
                  if (g.ctype == F32 && NR > 16) __builtin_prefetch(at(C, g.ctype, at_c + r * g.ldc + 16), 1);
                }
              next.fetch(lines);
              // Kept sums are tiles side by side, of the group or, when B does not reach down all of K, of the task.
              float* sum = p.keep ? acc + (((p.ks < g.k ? r0 : 0) + i) / mr * columns + j / NR) * mr * NR : tile;
              float* out = direct ? (float*)C + at_c : sum;
              int64_t ld = direct ? g.ldc : NR;
              if (direct ? add : p.keep && !first)
                p.dot ? micro<HAS_DOT, true>(depth, ap, bp, out, ld) : micro<false, true>(depth, ap, bp, out, ld);
              else
                p.dot ? micro<HAS_DOT, false>(depth, ap, bp, out, ld) : micro<false, false>(depth, ap, bp, out, ld);
              if (direct || (p.keep && !last)) continue;
              if (Finish::OWN)
                finish(sum, i0 + r0 + i, j0 + j, rows, n);
              else if (whole && !add)
                store_tile(sum, rows, C, g.ctype, at_c, g.ldc);
              else
                epilogue(e, sum, NR, i0 + r0 + i, j0 + j, rows, n, C, add);
            }
      }
    }
  }
}

template <bool DOT>
static void gemm_thin(const Context& x, const gemm_args& g) {
  constexpr int64_t COLUMNS = 4 * NR;
  int64_t blocks = ceil_div(g.n, COLUMNS);
  parallel(x.pool, blocks * g.batch, [&](int64_t task, int) {
    int64_t batch = task / blocks, first = task % blocks * COLUMNS;
    const void* A = at((const void*)g.a, g.atype, batch * g.sa);
    const void* B = at((const void*)g.b, g.btype, batch * g.sb);
    gemm_args e = g;
    if (e.aux) e.aux = at(e.aux, e.auxtype, batch * g.sc);
    if (e.residual) e.residual = at(e.residual, e.restype, batch * g.sc);
    alignas(64) float tile[THIN * NR] = {};
    for (int64_t j = first; j < min_(g.n, first + COLUMNS); j += NR) {
      int64_t n = min_<int64_t>(NR, g.n - j);
      auto times = [&](const auto* a) {
        if (g.btype == F32)
          thin_product<DOT>(g, a, (const float*)B, j, n, tile);
        else if (g.btype == F16)
          thin_product<false>(g, a, (const f16*)B, j, n, tile);
        else
          thin_product<DOT>(g, a, (const bf16*)B, j, n, tile);
      };
      if (g.atype == F32)
        times((const float*)A);
      else if (g.atype == BF16)
        times((const bf16*)A);
      else if (g.btype == F32)
        thin_product<false>(g, (const f16*)A, (const float*)B, j, n, tile);
      else
        thin_product<false>(g, (const f16*)A, (const f16*)B, j, n, tile);
      epilogue(e, tile, NR, 0, j, g.m, n, at(g.c, g.ctype, batch * g.sc), g.beta != 0);
    }
  });
}

template <class Finish>
static void gemm_blocks(const Context& x, const gemm_args& g, const Finish& finish) {
  GemmPlan p = gemm_plan(g, x.threads);
  parallel(x.pool, p.mblocks * p.nblocks * g.batch, [&](int64_t task, int thread) {
    Tiles tiles(p.dot);
    gemm_block(g, p, task, x.scratch + thread * x.stride, finish);
  });
}

static void gemm(const Context& x, const gemm_args& g) {
  if (g.m <= 0 || g.n <= 0) return;
  if (thin(g)) {
    use_dot(g.compute) ? gemm_thin<HAS_DOT>(x, g) : gemm_thin<false>(x, g);
    return;
  }
  gemm_blocks(x, g, Epilogue());
}

}  // namespace LEVEL
