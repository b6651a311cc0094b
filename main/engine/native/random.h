// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), counter-based: number p of a stream is
// lane p % 4 of the block with counter (floor(p / 4), stream, step, micro) and key (seed low, seed high). u = (bits >> 8) 2^-24.
#pragma once
#include "simd.h"

namespace LEVEL {

// seed: key low, key high, step, micro-batch.
struct Philox {
  uint32_t key0, key1, stream, step, micro;
};
INLINE Philox philox_of(const void* seed, int64_t stream) {
  uint32_t s[4];
  memcpy(s, seed, sizeof s);
  return Philox{s[0], s[1], (uint32_t)stream, s[2], s[3]};
}

INLINE void multiply(vu a, uint32_t m, vu& hi, vu& lo) {
#if LEVEL_W == 16
  __m512i k = _mm512_set1_epi32((int)m), e = _mm512_mul_epu32((__m512i)a, k);
  __m512i o = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), k);
  lo = (vu)_mm512_mask_blend_epi32(0xaaaa, e, _mm512_slli_epi64(o, 32));
  hi = (vu)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(e, 32), o);
#else
  for (int i = 0; i < W; i++) {
    uint64_t p = (uint64_t)a[i] * m;
    lo[i] = (uint32_t)p;
    hi[i] = (uint32_t)(p >> 32);
  }
#endif
}

// Blocks counter .. counter + W - 1: out[4 i + lane].
INLINE void philox_blocks(const Philox& p, uint32_t counter, uint32_t* out) {
  vu c0 = (vu)iota() + counter, c1 = (vu)splati((int32_t)p.stream), c2 = (vu)splati((int32_t)p.step),
     c3 = (vu)splati((int32_t)p.micro);
  uint32_t k0 = p.key0, k1 = p.key1;
  for (int r = 0; r < 10; r++) {
    vu h0, l0, h1, l1;
    multiply(c0, 0xD2511F53u, h0, l0);
    multiply(c2, 0xCD9E8D57u, h1, l1);
    vu n0 = h1 ^ c1 ^ k0, n2 = h0 ^ c3 ^ k1;
    c0 = n0;
    c1 = l1;
    c2 = n2;
    c3 = l0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int i = 0; i < W; i++) {
    out[4 * i] = c0[i];
    out[4 * i + 1] = c1[i];
    out[4 * i + 2] = c2[i];
    out[4 * i + 3] = c3[i];
  }
}

// keep[i] = u(first + i) >= p ? 1 / (1 - p) : 0 for n numbers; keep has room for n + W.
static void philox_keep(const Philox& g, uint64_t first, int64_t n, float p, float* keep) {
  uint32_t bits[4 * W + 4];
  float scale = 1.f / (1.f - p);
  uint64_t block = first >> 2;
  int64_t done = 0, skip = (int64_t)(first & 3);
  while (done < n) {
    philox_blocks(g, (uint32_t)block, bits);
    int64_t have = min_<int64_t>(4 * W - skip, n - done);
    for (int64_t i = 0; i < have; i += W) {
      vu b;
      memcpy(&b, bits + min_<int64_t>(skip + i, 4 * W), have - i < W ? (size_t)(have - i) * 4 : sizeof b);
      vf u = __builtin_convertvector((vi)(b >> 8), vf) * splat(5.9604644775390625e-8f);
      vf k = u >= splat(p) ? splat(scale) : splat(0.f);
      if (have - i >= W)
        store(keep + done + i, k);
      else
        store_n(keep + done + i, k, have - i);
    }
    done += have;
    block += W;
    skip = 0;
  }
}

}  // namespace LEVEL
