// Vectors of the instruction level this translation unit is compiled for.
//
// Every level_*.cc defines LEVEL (a namespace) and LEVEL_W (lanes of f32) and includes the kernels, so one source serves
// all levels: GCC/Clang vector extensions carry the arithmetic, intrinsics appear only where the extensions have no word
// for an instruction (bf16 dot products, tiles, 16x16 transposes).
//
// Nothing here or in the kernel headers may call a non-static inline function of the standard library: the linker keeps one
// copy of such a function for the whole binary, and it could be the copy compiled for AVX-512.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "kernels.h"

#define INLINE static inline __attribute__((always_inline))

namespace LEVEL {

constexpr int W = LEVEL_W;
typedef float vf __attribute__((vector_size(4 * LEVEL_W)));
typedef int32_t vi __attribute__((vector_size(4 * LEVEL_W)));
typedef uint32_t vu __attribute__((vector_size(4 * LEVEL_W)));
typedef uint16_t vh __attribute__((vector_size(2 * LEVEL_W)));
typedef uint16_t bf16;
// IEEE 754 binary16; a type of its own, so that it is not taken for the other one.
struct f16 {
  uint16_t bits;
};

template <class T>
INLINE T min_(T a, T b) {
  return a < b ? a : b;
}
template <class T>
INLINE T max_(T a, T b) {
  return a > b ? a : b;
}
INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
INLINE int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

INLINE vf splat(float s) {
#if LEVEL_W == 16
  return (vf)_mm512_set1_ps(s);
#elif LEVEL_W == 8
  return (vf)_mm256_set1_ps(s);
#else
  return vf{s, s, s, s};
#endif
}
INLINE vi splati(int32_t s) {
#if LEVEL_W == 16
  return (vi)_mm512_set1_epi32(s);
#elif LEVEL_W == 8
  return (vi)_mm256_set1_epi32(s);
#else
  return vi{s, s, s, s};
#endif
}
INLINE vi iota() {
  vi r;
  for (int i = 0; i < W; i++) r[i] = i;
  return r;
}

INLINE vf load(const float* p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float* p, vf v) { memcpy(p, &v, sizeof v); }
INLINE vf from_bf16(vh h) { return (vf)(__builtin_convertvector(h, vu) << 16); }
INLINE vf load(const bf16* p) {
  vh h;
  memcpy(&h, p, sizeof h);
  return from_bf16(h);
}

// Round to nearest even; NaN stays NaN.
INLINE vh to_bf16(vf v) {
#if LEVEL_BF16 && LEVEL_W == 16
  return (vh)_mm512_cvtneps_pbh((__m512)v);
#else
  vu u = (vu)v;
  vu r = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  vu nan = (u >> 16) | 0x40u;
  r = (v != v) ? nan : r;
  return __builtin_convertvector(r, vh);
#endif
}
INLINE void store(bf16* p, vf v) {
  vh h = to_bf16(v);
  memcpy(p, &h, sizeof h);
}

// f16 without instructions for it, to the bit as those convert: exact, NaN becomes quiet and keeps the upper bits of its payload.
INLINE vf widen_f16(vh h) {
  vu word = __builtin_convertvector(h, vu), a = word & 0x7fffu, wide = a << 13;
  vf small = __builtin_convertvector((vi)a, vf) * splat(0x1p-24f);  // below 2^-14 all are multiples of 2^-24
  vu quiet = a > 0x7c00u ? wide | 0x7fc00000u : wide | 0x7f800000u;
  vu r = a >= 0x7c00u ? quiet : a < 0x400u ? (vu)small : wide + (112u << 23);
  return (vf)(r | ((word & 0x8000u) << 16));
}
// To nearest even, subnormals too; beyond the largest to infinity.
INLINE vh narrow_f16(vf v) {
  vu u = (vu)v, a = u & 0x7fffffffu;
  vu small = (vu)((vf)a + splat(0.5f)) - 0x3f000000u;  // the sum has a step of 2^-24
  vu round = ((a + 0xfffu + ((a >> 13) & 1u)) >> 13) - (112u << 10);
  vu r = a < 0x38800000u ? small : a >= 0x47800000u ? vu{} + 0x7c00u : round;
  r = a > 0x7f800000u ? 0x7e00u | ((a >> 13) & 0x3ffu) : r;
  return __builtin_convertvector(r | ((u >> 16) & 0x8000u), vh);
}
INLINE vf from_f16(vh h) {
#if LEVEL_W == 16
  return (vf)_mm512_cvtph_ps((__m256i)h);
#elif LEVEL_W == 8
  return (vf)_mm256_cvtph_ps((__m128i)h);
#else
  return widen_f16(h);
#endif
}
INLINE vh to_f16(vf v) {
#if LEVEL_W == 16
  return (vh)_mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif LEVEL_W == 8
  return (vh)_mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT);
#else
  return narrow_f16(v);
#endif
}
INLINE vf load(const f16* p) {
  vh h;
  memcpy(&h, p, sizeof h);
  return from_f16(h);
}
INLINE void store(f16* p, vf v) {
  vh h = to_f16(v);
  memcpy(p, &h, sizeof h);
}
INLINE vf load(const int32_t* p) {
  vi v;
  memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, vf);
}
INLINE vf load(const uint8_t* p) {
  vf v;
  for (int i = 0; i < W; i++) v[i] = (float)p[i];
  return v;
}
INLINE void store(int32_t* p, vf v) {
  vi i = __builtin_convertvector(v, vi);
  memcpy(p, &i, sizeof i);
}
INLINE void store(uint8_t* p, vf v) {
  for (int i = 0; i < W; i++) p[i] = (uint8_t)v[i];
}

// The first n < W lanes; the others read as zero and are not written.
#if LEVEL_W == 16
INLINE vf load_n(const float* p, int64_t n) { return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
INLINE void store_n(float* p, vf v, int64_t n) { _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v); }
INLINE vf load_n(const bf16* p, int64_t n) {
  return from_bf16((vh)_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), p));
}
INLINE void store_n(bf16* p, vf v, int64_t n) {
  _mm256_mask_storeu_epi16(p, (__mmask16)((1u << n) - 1), (__m256i)to_bf16(v));
}
INLINE vf load_n(const f16* p, int64_t n) {
  return from_f16((vh)_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), p));
}
INLINE void store_n(f16* p, vf v, int64_t n) {
  _mm256_mask_storeu_epi16(p, (__mmask16)((1u << n) - 1), (__m256i)to_f16(v));
}
#else
INLINE vf load_n(const float* p, int64_t n) {
  float t[W] = {};
  memcpy(t, p, (size_t)n * 4);
  return load(t);
}
INLINE void store_n(float* p, vf v, int64_t n) {
  float t[W];
  store(t, v);
  memcpy(p, t, (size_t)n * 4);
}
INLINE vf load_n(const bf16* p, int64_t n) {
  bf16 t[W] = {};
  memcpy(t, p, (size_t)n * 2);
  return load(t);
}
INLINE void store_n(bf16* p, vf v, int64_t n) {
  bf16 t[W];
  store(t, v);
  memcpy(p, t, (size_t)n * 2);
}
INLINE vf load_n(const f16* p, int64_t n) {
  f16 t[W] = {};
  memcpy(t, p, (size_t)n * 2);
  return load(t);
}
INLINE void store_n(f16* p, vf v, int64_t n) {
  f16 t[W];
  store(t, v);
  memcpy(p, t, (size_t)n * 2);
}
#endif
INLINE vf load_n(const int32_t* p, int64_t n) {
  int32_t t[W] = {};
  memcpy(t, p, (size_t)n * 4);
  return load(t);
}
INLINE void store_n(int32_t* p, vf v, int64_t n) {
  int32_t t[W];
  store(t, v);
  memcpy(p, t, (size_t)n * 4);
}
INLINE vf load_n(const uint8_t* p, int64_t n) {
  uint8_t t[W] = {};
  memcpy(t, p, (size_t)n);
  return load(t);
}
INLINE void store_n(uint8_t* p, vf v, int64_t n) {
  uint8_t t[W];
  store(t, v);
  memcpy(p, t, (size_t)n);
}

// Loads and stores whose element type is known at run time (DType); `i` counts elements.
INLINE vf load_any(const void* p, int64_t type, int64_t i) {
  if (type == F32) return load((const float*)p + i);
  if (type == BF16) return load((const bf16*)p + i);
  if (type == F16) return load((const f16*)p + i);
  return type == I32 ? load((const int32_t*)p + i) : load((const uint8_t*)p + i);
}
INLINE vf load_any_n(const void* p, int64_t type, int64_t i, int64_t n) {
  if (type == F32) return load_n((const float*)p + i, n);
  if (type == BF16) return load_n((const bf16*)p + i, n);
  if (type == F16) return load_n((const f16*)p + i, n);
  return type == I32 ? load_n((const int32_t*)p + i, n) : load_n((const uint8_t*)p + i, n);
}
INLINE void store_any(void* p, int64_t type, int64_t i, vf v) {
  if (type == F32)
    store((float*)p + i, v);
  else if (type == BF16)
    store((bf16*)p + i, v);
  else if (type == F16)
    store((f16*)p + i, v);
  else if (type == I32)
    store((int32_t*)p + i, v);
  else
    store((uint8_t*)p + i, v);
}
INLINE void store_any_n(void* p, int64_t type, int64_t i, vf v, int64_t n) {
  if (type == F32)
    store_n((float*)p + i, v, n);
  else if (type == BF16)
    store_n((bf16*)p + i, v, n);
  else if (type == F16)
    store_n((f16*)p + i, v, n);
  else if (type == I32)
    store_n((int32_t*)p + i, v, n);
  else
    store_n((uint8_t*)p + i, v, n);
}
INLINE float scalar_bf16(bf16 h) {
  uint32_t u = (uint32_t)h << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}
INLINE bf16 scalar_to_bf16(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  if (f != f) return (bf16)((u >> 16) | 0x40u);
  return (bf16)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}
INLINE float scalar_f16(f16 h) {
  vh t = {h.bits};
  return from_f16(t)[0];
}
INLINE f16 scalar_to_f16(float f) { return f16{to_f16(splat(f))[0]}; }
INLINE float get_any(const void* p, int64_t type, int64_t i) {
  if (type == F32) return ((const float*)p)[i];
  if (type == BF16) return scalar_bf16(((const bf16*)p)[i]);
  if (type == F16) return scalar_f16(((const f16*)p)[i]);
  return type == I32 ? (float)((const int32_t*)p)[i] : (float)((const uint8_t*)p)[i];
}
INLINE void set_any(void* p, int64_t type, int64_t i, float v) {
  if (type == F32)
    ((float*)p)[i] = v;
  else if (type == BF16)
    ((bf16*)p)[i] = scalar_to_bf16(v);
  else if (type == F16)
    ((f16*)p)[i] = scalar_to_f16(v);
  else if (type == I32)
    ((int32_t*)p)[i] = (int32_t)v;
  else
    ((uint8_t*)p)[i] = (uint8_t)v;
}

INLINE vf vmax(vf a, vf b) { return a > b ? a : b; }
INLINE vf vmin(vf a, vf b) { return a < b ? a : b; }
INLINE vf vabs(vf a) { return (vf)((vi)a & 0x7fffffff); }

// Sums and maxima over lanes, always as the same tree, so that a result never depends on the call site.
#if LEVEL_W == 16
#define HALVES(op128, op256, op1)                                                                             \
  __m256 h = op256(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));                  \
  __m128 q = op128(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1)), e = op128(q, _mm_movehl_ps(q, q)); \
  return _mm_cvtss_f32(op1(e, _mm_shuffle_ps(e, e, 1)));
INLINE float hsum(vf v) { HALVES(_mm_add_ps, _mm256_add_ps, _mm_add_ss) }
INLINE float hmax(vf v) { HALVES(_mm_max_ps, _mm256_max_ps, _mm_max_ss) }
#undef HALVES
#else
INLINE float hsum(vf v) {
  float t[W];
  store(t, v);
  for (int s = W / 2; s > 0; s /= 2)
    for (int i = 0; i < s; i++) t[i] += t[i + s];
  return t[0];
}
INLINE float hmax(vf v) {
  float t[W];
  store(t, v);
  for (int s = W / 2; s > 0; s /= 2)
    for (int i = 0; i < s; i++) t[i] = t[i] > t[i + s] ? t[i] : t[i + s];
  return t[0];
}
#endif
INLINE vf vsqrt(vf v) {
#if LEVEL_W == 16
  return (vf)_mm512_sqrt_ps((__m512)v);
#elif LEVEL_W == 8
  return (vf)_mm256_sqrt_ps((__m256)v);
#elif defined(__x86_64__)
  return (vf)_mm_sqrt_ps((__m128)v);
#else
  vf r;
  for (int i = 0; i < W; i++) r[i] = __builtin_sqrtf(v[i]);
  return r;
#endif
}

// Transposes a W x W block of 32-bit lanes in registers.
INLINE void transpose(vf* r) {
#if LEVEL_W == 16
  __m512 t[16];
  for (int i = 0; i < 8; i++) {
    t[2 * i] = _mm512_unpacklo_ps((__m512)r[2 * i], (__m512)r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps((__m512)r[2 * i], (__m512)r[2 * i + 1]);
  }
  __m512 u[16];
  for (int i = 0; i < 4; i++) {
    u[4 * i] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm512_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    __m512 a = _mm512_shuffle_f32x4(u[i], u[4 + i], 0x88), b = _mm512_shuffle_f32x4(u[8 + i], u[12 + i], 0x88);
    __m512 c = _mm512_shuffle_f32x4(u[i], u[4 + i], 0xdd), d = _mm512_shuffle_f32x4(u[8 + i], u[12 + i], 0xdd);
    r[i] = (vf)_mm512_shuffle_f32x4(a, b, 0x88);
    r[8 + i] = (vf)_mm512_shuffle_f32x4(a, b, 0xdd);
    r[4 + i] = (vf)_mm512_shuffle_f32x4(c, d, 0x88);
    r[12 + i] = (vf)_mm512_shuffle_f32x4(c, d, 0xdd);
  }
#elif LEVEL_W == 8
  __m256 t[8], u[8];
  for (int i = 0; i < 4; i++) {
    t[2 * i] = _mm256_unpacklo_ps((__m256)r[2 * i], (__m256)r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps((__m256)r[2 * i], (__m256)r[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    u[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = (vf)_mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
    r[4 + i] = (vf)_mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
  }
#else
  vf t[4];
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) t[j][i] = r[i][j];
  for (int i = 0; i < 4; i++) r[i] = t[i];
#endif
}

}  // namespace LEVEL
