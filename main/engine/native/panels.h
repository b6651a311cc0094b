// Panels of matrices, and the micro-kernel that multiplies two of them.
//
// A panel holds "dwords" [depth][R]: f32 numbers, or pairs of bf16 along k (the VNNI form that vdpbf16ps and tiles take).
// bf16 is widened to f32 in packing on levels without bf16 products, and f32 rounded to bf16 in packing on levels with them. f16 is always
// widened: no level has products of f16 that are summed in f32.
//
//   level     micro-kernel   per step of depth
//   avx512    14 x 32        28 FMA (or vdpbf16ps), 2 loads of B, 14 broadcasts of A
//   avx2       6 x 16        12 FMA, 2 loads, 6 broadcasts
//   portable   6 x  8        12 multiply-adds of 128 bits
//   amx       32 x 32        4 tile products (2 x 2), 32 bf16 of depth at a time
//
// Measured on one Zen 4 core: registers alone allow 117 GFLOP/s f32 and 235 bf16 (`npm run bench -- gemm` prints it); the
// micro-kernel on packed operands 113-115 and 227-229; whole products: README.md. What is lost is packing and traffic of C.
#pragma once
#include "vmath.h"
#if LEVEL_AMX
#include "amx.h"
#endif

namespace LEVEL {

#if !LEVEL_AMX
struct Tiles {
  explicit Tiles(bool) {}
};
#endif

constexpr int MR = LEVEL_W == 16 ? 14 : 6;
constexpr int NR = 2 * W;
constexpr bool HAS_DOT = LEVEL_BF16;
#if LEVEL_AMX
constexpr int MR_DOT = 32;
#else
constexpr int MR_DOT = MR;
#endif
constexpr int MR_MAX = MR_DOT > MR ? MR_DOT : MR;

// Depth of a panel in dwords, rounded to the 16 that a tile takes.
INLINE int64_t depth_of(int64_t k, bool dot) {
  if (!dot) return k;
  int64_t d = (k + 1) / 2;
  return LEVEL_AMX ? round_up(d, 16) : d;
}

// c[MR][NR] (rows `ld` apart) = or += sum over depth of a[.][MR] b[.][NR].
template <bool DOT, bool ADD>
static void micro_vector(int64_t depth, const float* __restrict a, const float* __restrict b, float* __restrict out, int64_t ld) {
  vf c[MR][2];
#pragma GCC unroll 14
  for (int i = 0; i < MR; i++) {
    c[i][0] = ADD ? load(out + i * ld) : splat(0.f);
    c[i][1] = ADD ? load(out + i * ld + W) : splat(0.f);
  }
  for (int64_t k = 0; k < depth; k++) {
    vf b0 = load(b), b1 = load(b + W);
#pragma GCC unroll 14
    for (int i = 0; i < MR; i++) {
      vf x = splat(a[i]);
#if LEVEL_BF16
      if (DOT) {
        c[i][0] = (vf)_mm512_dpbf16_ps((__m512)c[i][0], (__m512bh)x, (__m512bh)b0);
        c[i][1] = (vf)_mm512_dpbf16_ps((__m512)c[i][1], (__m512bh)x, (__m512bh)b1);
        continue;
      }
#endif
      c[i][0] += x * b0;
      c[i][1] += x * b1;
    }
    a += MR;
    b += NR;
  }
#pragma GCC unroll 14
  for (int i = 0; i < MR; i++) {
    store(out + i * ld, c[i][0]);
    store(out + i * ld + W, c[i][1]);
  }
}
template <bool DOT, bool ADD>
INLINE void micro(int64_t depth, const float* a, const float* b, float* out, int64_t ld) {
#if LEVEL_AMX
  if (DOT) {
    amx_micro(depth / 16, a, b, out, ld, ADD);
    return;
  }
#endif
  micro_vector<DOT && !LEVEL_AMX, ADD>(depth, a, b, out, ld);
}

// W dwords of a row starting at element k, of which `left` elements exist (the rest zero).
template <bool DOT>
INLINE vf row_dwords(const float* row, int64_t left) {
  if (!DOT) return left >= W ? load(row) : load_n(row, left);
#if LEVEL_BF16
  if (left >= 2 * W) return (vf)_mm512_cvtne2ps_pbh((__m512)load(row + W), (__m512)load(row));
#endif
  bf16 t[2 * W] = {};
  if (left >= 2 * W) {
    store(t, load(row));
    store(t + W, load(row + W));
  } else {
    for (int64_t i = 0; i < left; i++) t[i] = scalar_to_bf16(row[i]);
  }
  return load((const float*)t);
}
template <bool DOT>
INLINE vf row_dwords(const bf16* row, int64_t left) {
  if (!DOT) return left >= W ? load(row) : load_n(row, left);
  vf v;
  if (left >= 2 * W) {
    memcpy(&v, row, sizeof v);
    return v;
  }
  bf16 t[2 * W] = {};
  memcpy(t, row, (size_t)left * 2);
  memcpy(&v, t, sizeof v);
  return v;
}
template <bool DOT>
INLINE vf row_dwords(const f16* row, int64_t left) {
  static_assert(!DOT, "f16 is widened");
  return left >= W ? load(row) : load_n(row, left);
}
// W dwords across: columns 0..W-1 of row k (and of row k + 1, interleaved, for pairs), of which n exist.
template <bool DOT, class S>
INLINE vf column_dwords(const S* row, int64_t ld, bool pair, int64_t n) {
  vf lo = n >= W ? load(row) : load_n(row, n);
  if (!DOT) return lo;
  vf hi = !pair ? splat(0.f) : n >= W ? load(row + ld) : load_n(row + ld, n);
  if (sizeof(S) == 2) return (vf)(((vu)lo >> 16) | (vu)hi);
  vu l = __builtin_convertvector(to_bf16(lo), vu), h = __builtin_convertvector(to_bf16(hi), vu);
  return (vf)(l | (h << 16));
}

// Source rows run along k ("k contiguous"): a transpose of dwords. rows <= R of them exist. Writes depth * R dwords, and may
// write up to W - 1 beyond (the next panel, or the slack after the last one).
template <int R, bool DOT, class S>
static void pack_rows(const S* src, int64_t ld, int64_t rows, int64_t k, float* dst) {
  constexpr int SUB = (R + W - 1) / W;
  constexpr int PER = DOT ? 2 : 1;
  int64_t depth = (k + PER - 1) / PER;
  for (int64_t d0 = 0; d0 < depth; d0 += W) {
    vf t[SUB][W];
    for (int s = 0; s < SUB; s++) {
      for (int i = 0; i < W; i++) {
        int64_t r = s * W + i;
        t[s][i] = r < rows && r < R ? row_dwords<DOT>(src + r * ld + d0 * PER, k - d0 * PER) : splat(0.f);
      }
      transpose(t[s]);
    }
    int64_t nd = min_<int64_t>(W, depth - d0);
    float* out = dst + d0 * R;
    for (int64_t d = 0; d < nd; d++)
      for (int s = 0; s < SUB; s++) store(out + d * R + s * W, t[s][d]);
  }
}

// The same for the first N columns, all of which exist, of a row that has a partner.
template <bool DOT, int N, class S>
INLINE vf whole_columns(const S* row, int64_t ld) {
#if LEVEL_BF16
  if constexpr (DOT && sizeof(S) == 2) {
    constexpr __mmask16 mask = (__mmask16)((1u << N) - 1);
    __m512i lo = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, row));
    __m512i hi = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, row + ld));
    return (vf)_mm512_or_si512(lo, _mm512_slli_epi32(hi, 16));
  }
#endif
  return column_dwords<DOT>(row, ld, true, N);
}

// Source rows run across ("row contiguous"): a copy, or an interleave of two rows. Packs k elements of one panel; `last` says that
// the panel ends here, so that its final store must not reach into the next panel.
template <int R, bool DOT, class S>
static void pack_columns(const S* src, int64_t ld, int64_t columns, int64_t k, float* dst, bool last) {
  constexpr int PER = DOT ? 2 : 1, REST = R % W == 0 ? W : R % W;
  int64_t d = 0;
  if (columns >= R) {
    int64_t whole = k / PER - (last ? 1 : 0);
    for (; d < whole; d++) {
      const S* row = src + d * PER * ld;
      float* out = dst + d * R;
#pragma GCC unroll 4
      for (int c = 0; c + W < R; c += W) store(out + c, whole_columns<DOT, W>(row + c, ld));
      store(out + R - REST, whole_columns<DOT, REST>(row + R - REST, ld));
    }
  }
  for (; d * PER < k; d++) {
    const S* row = src + d * PER * ld;
    bool pair = d * PER + 1 < k, final = last && (d + 1) * PER >= k;
    for (int c = 0; c < R; c += W) {
      int64_t room = min_(W, R - c), n = min_<int64_t>(room, columns - c);
      vf v = n > 0 ? column_dwords<DOT>(row + c, ld, pair, n) : splat(0.f);
      if (final && room < W)
        store_n(dst + d * R + c, v, room);
      else
        store(dst + d * R + c, v);
    }
  }
}

#if LEVEL_AMX
// A in tile form: [depth/16][32 rows][16 dwords].
template <class S>
static void pack_tiles(const S* src, int64_t ld, bool k_contiguous, int64_t rows, int64_t k, float* dst) {
  int64_t blocks = depth_of(k, true) / 16;
  for (int64_t kb = 0; kb < blocks; kb++) {
    float* out = dst + kb * 512;
    int64_t left = k - kb * 32;
    if (k_contiguous) {
      for (int r = 0; r < 32; r++)
        store(out + r * 16, r < rows && left > 0 ? row_dwords<true>(src + r * ld + kb * 32, left) : splat(0.f));
    } else {
      for (int s = 0; s < 2; s++) {
        vf t[16];
        for (int d = 0; d < 16; d++) {
          int64_t n = min_<int64_t>(16, rows - s * 16), k0 = kb * 32 + 2 * d;
          t[d] = n > 0 && k0 < k ? column_dwords<true>(src + k0 * ld + s * 16, ld, k0 + 1 < k, n) : splat(0.f);
        }
        transpose(t);
        for (int r = 0; r < 16; r++) store(out + (s * 16 + r) * 16, t[r]);
      }
    }
  }
}
#endif

// Packs `outer` rows (of A) or columns (of B) by `k` into panels; k_contiguous says which way the source runs. A source that runs
// across is taken 32 rows of k at a time through all panels, so that every cache line and page is visited once.
template <int R, bool DOT, bool TILES, class S>
static void pack_panels_of(const S* src, int64_t ld, bool k_contiguous, int64_t outer, int64_t k, float* dst) {
  int64_t depth = depth_of(k, DOT);
#if LEVEL_AMX
  if constexpr (TILES) {
    for (int64_t p = 0; p < outer; p += R)
      pack_tiles(src + (k_contiguous ? p * ld : p), ld, k_contiguous, min_<int64_t>(R, outer - p), k, dst + p * depth);
    return;
  }
#endif
  if (k_contiguous) {
    for (int64_t p = 0; p < outer; p += R) pack_rows<R, DOT>(src + p * ld, ld, min_<int64_t>(R, outer - p), k, dst + p * depth);
  } else {
    constexpr int64_t STEP = 32, PER = DOT ? 2 : 1;
    for (int64_t k0 = 0; k0 < k; k0 += STEP) {
      int64_t n = min_(STEP, k - k0);
      for (int64_t p = 0; p < outer; p += R)
        pack_columns<R, DOT>(src + k0 * ld + p, ld, min_<int64_t>(R, outer - p), n, dst + p * depth + k0 / PER * R, k0 + n == k);
    }
  }
  int64_t written = DOT ? (k + 1) / 2 : k;
  if (depth > written)
    for (int64_t p = 0; p < outer; p += R) memset(dst + p * depth + written * R, 0, (size_t)((depth - written) * R) * 4);
}
INLINE bool use_dot(int64_t compute) { return HAS_DOT && compute == BF16; }

// Byte address of element i.
INLINE const void* at(const void* p, int64_t type, int64_t i) { return (const char*)p + i * (type == F32 ? 4 : 2); }
INLINE void* at(void* p, int64_t type, int64_t i) { return (char*)p + i * (type == F32 ? 4 : 2); }

static void pack_a(const void* a, int64_t type, int64_t ld, bool trans, int64_t m, int64_t k, bool dot, float* dst) {
  if (dot) {
    if (type == F32)
      pack_panels_of<MR_DOT, HAS_DOT, LEVEL_AMX>((const float*)a, ld, !trans, m, k, dst);
    else
      pack_panels_of<MR_DOT, HAS_DOT, LEVEL_AMX>((const bf16*)a, ld, !trans, m, k, dst);
  } else if (type == F32) {
    pack_panels_of<MR, false, false>((const float*)a, ld, !trans, m, k, dst);
  } else if (type == F16) {
    pack_panels_of<MR, false, false>((const f16*)a, ld, !trans, m, k, dst);
  } else {
    pack_panels_of<MR, false, false>((const bf16*)a, ld, !trans, m, k, dst);
  }
}
static void pack_b(const void* b, int64_t type, int64_t ld, bool trans, int64_t n, int64_t k, bool dot, float* dst) {
  if (dot) {
    if (type == F32)
      pack_panels_of<NR, HAS_DOT, false>((const float*)b, ld, trans, n, k, dst);
    else
      pack_panels_of<NR, HAS_DOT, false>((const bf16*)b, ld, trans, n, k, dst);
  } else if (type == F32) {
    pack_panels_of<NR, false, false>((const float*)b, ld, trans, n, k, dst);
  } else if (type == F16) {
    pack_panels_of<NR, false, false>((const f16*)b, ld, trans, n, k, dst);
  } else {
    pack_panels_of<NR, false, false>((const bf16*)b, ld, trans, n, k, dst);
  }
}

// out[m,n] (f32, rows ld apart) = or += packed A x packed B, single-threaded, for operands that live in cache. Writes whole
// tiles: out must have room for rows and columns rounded up. b_stride: dwords between B's panels.
template <bool DOT, bool ADD>
static void panel_product(int64_t m, int64_t n, int64_t depth, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                          float* out, int64_t ld) {
  constexpr int R = DOT ? MR_DOT : MR;
  for (int64_t j = 0; j < n; j += NR, b += b_stride) {
    const float* ap = a;
    for (int64_t i = 0; i < m; i += R, ap += a_stride) micro<DOT, ADD>(depth, ap, b, out + i * ld + j, ld);
  }
}

// Sizes in dwords of packed operands, with slack for the overlapping stores of pack_rows.
INLINE int64_t packed_a_size(int64_t m, int64_t k, bool dot) {
  return round_up(m, dot ? MR_DOT : MR) * depth_of(k, dot) + W;
}
INLINE int64_t packed_b_size(int64_t n, int64_t k, bool dot) { return round_up(n, NR) * depth_of(k, dot) + W; }

}  // namespace LEVEL
