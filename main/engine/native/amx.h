// The 32 x 32 micro-kernel on AMX tiles: two A tiles, two B tiles, four accumulators.
//
//   A  [blocks][32 rows][16 dwords]      a tile is 16 rows of 64 bytes (32 bf16 of k)
//   B  [blocks * 16 dwords][32 columns]  a tile is 16 rows (pairs of k) of 16 columns, row stride 128 bytes
//
// Tests on machines without AMX set `amx_emulated`: the same packing and tiling run with the tile instructions written in plain C++.
// TDPBF16PS sums the even and the odd elements of a row apart, each with fused multiply-adds from zero, then adds the two sums and
// the total to the accumulator; denormal inputs and results count as zero. The emulation does just that, to the bit.
#pragma once
#include "simd.h"

namespace LEVEL {

extern bool amx_emulated;

#if defined(__AMX_TILE__)
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t colsb[16] = {};
  uint8_t rows[16] = {};
};
#endif

// The tiles of this thread, configured for the life of a task and given back at its end: a thread that holds none has 8 KiB less to
// save at each context switch and lets its core sleep deeply, and other code on the thread may use tiles with a shape of its own.
struct Tiles {
  bool held = false;
  explicit Tiles(bool wanted) {
#if defined(__AMX_TILE__)
    if (!wanted || amx_emulated) return;
    TileConfig c;
    for (int i = 0; i < 8; i++) {
      c.colsb[i] = 64;
      c.rows[i] = 16;
    }
    // The compilers' tile intrinsics do not say that they read memory: without these barriers stores could be moved behind them.
    __asm__ volatile("" ::"r"(&c) : "memory");
    _tile_loadconfig(&c);
    held = true;
#endif
  }
  ~Tiles() {
#if defined(__AMX_TILE__)
    if (held) _tile_release();
#endif
  }
  Tiles(const Tiles&) = delete;
};

INLINE float flush_denormal(float x) { return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0.f, x) : x; }

static void amx_emulate(int64_t blocks, const float* a, const float* b, float* out, int64_t ld, bool add) {
  if (!add)
    for (int i = 0; i < 32; i++) memset(out + i * ld, 0, 32 * 4);
  for (int64_t kb = 0; kb < blocks; kb++, a += 512, b += 512)
    for (int i = 0; i < 32; i++) {
      float even[32] = {}, odd[32] = {};
      for (int d = 0; d < 16; d++) {
        bf16 x[2];
        memcpy(x, a + i * 16 + d, 4);
        float x0 = flush_denormal(scalar_bf16(x[0])), x1 = flush_denormal(scalar_bf16(x[1]));
        for (int j = 0; j < 32; j++) {
          bf16 y[2];
          memcpy(y, b + d * 32 + j, 4);
          even[j] = flush_denormal(__builtin_fmaf(x0, flush_denormal(scalar_bf16(y[0])), even[j]));
          odd[j] = flush_denormal(__builtin_fmaf(x1, flush_denormal(scalar_bf16(y[1])), odd[j]));
        }
      }
      for (int j = 0; j < 32; j++) {
        float* o = out + i * ld + j;
        *o = flush_denormal(flush_denormal(*o) + flush_denormal(even[j] + odd[j]));
      }
    }
}

// out[32][32] (rows ld apart) = or += A B. The caller holds Tiles.
static void amx_micro(int64_t blocks, const float* a, const float* b, float* out, int64_t ld, bool add) {
#if defined(__AMX_TILE__)
  if (!amx_emulated) {
    __asm__ volatile("" ::"r"(a), "r"(b), "r"(out) : "memory");
    size_t row = (size_t)ld * 4;
    float* low = out + 16 * ld;
    if (add) {
      _tile_loadd(0, out, row);
      _tile_loadd(1, out + 16, row);
      _tile_loadd(2, low, row);
      _tile_loadd(3, low + 16, row);
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
    for (int64_t kb = 0; kb < blocks; kb++, a += 512, b += 512) {
      _tile_loadd(4, a, 64);
      _tile_loadd(6, b, 128);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, b + 16, 128);
      _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, a + 256, 64);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, out, row);
    _tile_stored(1, out + 16, row);
    _tile_stored(2, low, row);
    _tile_stored(3, low + 16, row);
    return;
  }
#endif
  amx_emulate(blocks, a, b, out, ld, add);
}

}  // namespace LEVEL
