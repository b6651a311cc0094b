// Neighbouring elements of a type known at run time, as floats: whole ones in accesses of 16 bytes where the address allows, the end of an array one
// by one. The branches are the same for all threads.
#pragma once
#include "device.h"

#ifndef DESCRIBE
DEVICE float get(const int* p, i64 i) { return (float)p[i]; }
DEVICE float get(const u8* p, i64 i) { return (float)p[i]; }
DEVICE void put(int* p, i64 i, float v) { p[i] = (int)v; }
DEVICE void put(u8* p, i64 i, float v) { p[i] = (u8)v; }

DEVICE bool is_aligned(const void* p, u32 bytes) { return ((u64)p & (bytes - 1)) == 0; }

DEVICE void widen(u32 word, float* v, const bf16*) {
  v[0] = bits_float(word << 16);
  v[1] = bits_float(word & 0xffff0000u);
}
DEVICE void widen(u32 word, float* v, const f16*) {
  v[0] = to_float(f16{(u16)word});
  v[1] = to_float(f16{(u16)(word >> 16)});
}
DEVICE u32 narrow(float lo, float hi, const bf16*) { return pack_bf16(lo, hi); }
DEVICE u32 narrow(float lo, float hi, const f16*) { return pack_f16(lo, hi); }

// 4 or 8 elements that lie in aligned memory.
template <int N>
DEVICE void read_whole(const float* p, float* v) {
  UNROLL for (int k = 0; k < N; k += 4) {
    vec4 w = load16(p + k);
    v[k] = bits_float(w.x), v[k + 1] = bits_float(w.y), v[k + 2] = bits_float(w.z), v[k + 3] = bits_float(w.w);
  }
}
template <int N, class T>
DEVICE void read_whole(const T* p, float* v) {
  if (N == 8) {
    vec4 w = load16(p);
    widen(w.x, v, p), widen(w.y, v + 2, p), widen(w.z, v + 4, p), widen(w.w, v + 6, p);
  } else {
    u64 w = *(const u64*)p;
    widen((u32)w, v, p), widen((u32)(w >> 32), v + 2, p);
  }
}
template <int N>
DEVICE void write_whole(float* p, const float* v) {
  UNROLL for (int k = 0; k < N; k += 4)
    store16(p + k, vec4{float_bits(v[k]), float_bits(v[k + 1]), float_bits(v[k + 2]), float_bits(v[k + 3])});
}
template <int N, class T>
DEVICE void write_whole(T* p, const float* v) {
  if (N == 8)
    store16(p, vec4{narrow(v[0], v[1], p), narrow(v[2], v[3], p), narrow(v[4], v[5], p), narrow(v[6], v[7], p)});
  else
    *(u64*)p = (u64)narrow(v[0], v[1], p) | (u64)narrow(v[2], v[3], p) << 32;
}

template <int N, class T>
DEVICE void read_each(const T* p, i64 left, float* v) {
  UNROLL for (int k = 0; k < N; k++) v[k] = k < left ? get(p, k) : 0.f;
}
template <int N, class T>
DEVICE void write_each(T* p, i64 left, const float* v) {
  UNROLL for (int k = 0; k < N; k++)
    if (k < left) put(p, k, v[k]);
}
template <int N, class T>
DEVICE void read_some(const T* p, i64 left, float* v) {
  if (left >= N && is_aligned(p, sizeof(T) * N < 16 ? sizeof(T) * N : 16)) read_whole<N>(p, v);
  else read_each<N>(p, left, v);
}
template <int N, class T>
DEVICE void write_some(T* p, i64 left, const float* v) {
  if (left >= N && is_aligned(p, sizeof(T) * N < 16 ? sizeof(T) * N : 16)) write_whole<N>(p, v);
  else write_each<N>(p, left, v);
}

// Elements i … i + N - 1, zeros from the `left`-th on. N: 4 or 8.
template <int N>
DEVICE void load_some(const void* p, int type, i64 i, i64 left, float* v) {
  switch (type) {
    case F32: return read_some<N>((const float*)p + i, left, v);
    case BF16: return read_some<N>((const bf16*)p + i, left, v);
    case F16: return read_some<N>((const f16*)p + i, left, v);
    case I32: return read_each<N>((const int*)p + i, left, v);
    default: return read_each<N>((const u8*)p + i, left, v);
  }
}
// The same for types that are floats.
template <int N>
DEVICE void load_floats(const void* p, int type, i64 i, i64 left, float* v) {
  switch (type) {
    case F32: return read_some<N>((const float*)p + i, left, v);
    case BF16: return read_some<N>((const bf16*)p + i, left, v);
    default: return read_some<N>((const f16*)p + i, left, v);
  }
}
template <int N>
DEVICE void store_floats(void* p, int type, i64 i, i64 left, const float* v) {
  switch (type) {
    case F32: return write_some<N>((float*)p + i, left, v);
    case BF16: return write_some<N>((bf16*)p + i, left, v);
    default: return write_some<N>((f16*)p + i, left, v);
  }
}
// The first `left` of N.
template <int N>
DEVICE void store_some(void* p, int type, i64 i, i64 left, const float* v) {
  switch (type) {
    case F32: return write_some<N>((float*)p + i, left, v);
    case BF16: return write_some<N>((bf16*)p + i, left, v);
    case F16: return write_some<N>((f16*)p + i, left, v);
    case I32: return write_each<N>((int*)p + i, left, v);
    default: return write_each<N>((u8*)p + i, left, v);
  }
}
#endif
