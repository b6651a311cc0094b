// The ceiling: multiply-adds whose operands never leave the registers.
// Each thread is timed by its own processor time, so that other programs on the machine do not lower the result.
#pragma once
#include <time.h>

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
  Tiles tiles(true);
  for (int64_t r = 0; r < repeats; r++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  return 0;
}
#endif

INLINE double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static size_t peak_scratch(const peak_args&, int) { return 0; }
static void peak(const Context& x, const peak_args& g) {
  bool dot = use_dot(g.compute), tiles = false;
#if LEVEL_AMX && defined(__AMX_TILE__)
  tiles = dot && !amx_emulated;
#endif
  double operations = tiles ? 4 * 16 * 16 * 32 * 2 : 2 * MR * W * (dot ? 4 : 2);
  float* y = (float*)g.y;
  y[x.threads] = (float)operations;
  parallel(x.pool, x.threads, [&](int64_t task, int) {
    double start = processor_seconds();
    volatile float result = 0;  // the compiler must believe that somebody reads it
#if LEVEL_AMX && defined(__AMX_TILE__)
    if (tiles)
      result = peak_tiles(g.repeats);
    else
#endif
      result = dot ? peak_round<HAS_DOT>(g.repeats) : peak_round<false>(g.repeats);
    (void)result;
    y[task] = (float)(operations * (double)g.repeats / 1e9 / max_(processor_seconds() - start, 1e-9));
  });
}

}  // namespace LEVEL
