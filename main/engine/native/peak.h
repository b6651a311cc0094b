// The ceiling: multiply-adds whose operands never leave the registers.
#pragma once
#include "gemm.h"

namespace LEVEL {

template <bool DOT>
static float peak_round(int64_t repeats) {
  constexpr int N = 2 * MR;  // accumulators, as the micro-kernel has
  vf c[N], a = (vf)splati(0x30803080), b = a;  // small as f32 and as pairs of bf16
#pragma GCC unroll 28
  for (int i = 0; i < N; i++) c[i] = splat(1e-9f * (float)i);
  for (int64_t r = 0; r < repeats; r++) {
#pragma GCC unroll 28
    for (int i = 0; i < N; i++) {
#if LEVEL_BF16
      if (DOT) {
        c[i] = (vf)_mm512_dpbf16_ps((__m512)c[i], (__m512bh)a, (__m512bh)b);
        continue;
      }
#endif
      c[i] += a * b;
    }
#if defined(__x86_64__)
    __asm__ volatile("" : "+x"(a), "+x"(b));  // not known to the compiler from one round to the next
#else
    __asm__ volatile("" ::: "memory");
#endif
  }
  vf sum = c[0];
  for (int i = 1; i < N; i++) sum += c[i];
  return hsum(sum);
}

#if LEVEL_AMX && defined(__AMX_TILE__)
static float peak_tiles(int64_t repeats) {
  amx_configure();
  for (int64_t r = 0; r < repeats; r++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  return 0;
}
#endif

static size_t peak_scratch(const peak_args&, int) { return 0; }
static void peak(const Context& x, const peak_args& g) {
  bool dot = use_dot(g.compute), tiles = false;
#if LEVEL_AMX && defined(__AMX_TILE__)
  tiles = dot && !amx_emulated;
#endif
  float* y = (float*)g.y;
  y[x.threads] = tiles ? 4 * 16 * 16 * 32 * 2 : (float)(2 * MR * W * (dot ? 4 : 2));
  parallel(x.pool, x.threads, [&](int64_t task, int) {
#if LEVEL_AMX && defined(__AMX_TILE__)
    if (tiles) {
      y[task] = peak_tiles(g.repeats);
      return;
    }
#endif
    y[task] = dot ? peak_round<HAS_DOT>(g.repeats) : peak_round<false>(g.repeats);
  });
}

}  // namespace LEVEL
