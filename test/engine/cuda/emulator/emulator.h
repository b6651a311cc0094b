// The dialect of main/engine/native/cuda/device.h on a host compiler. See README.md.
#pragma once
#include <cmath>
#include <cstring>

#define DEVICE static inline
#define UNROLL
#define EXPORT extern "C" __attribute__((visibility("default")))

struct EmuThread {
  u32 tid, block[3], size, grid[3];
  unsigned next_shared;
};
extern "C" thread_local EmuThread* emu_now;
extern "C" void emu_sync_block(int site);
extern "C" void emu_sync_warp(int site);
extern "C" void* emu_shared(unsigned bytes, const char* name);
extern "C" u32 emu_shuffle(u32 bits, int lane, int site);
extern "C" float emu_warp_sum(float v, int site);
extern "C" float emu_warp_max(float v, int site);
extern "C" void emu_copy_async(void* to, const void* from, int bytes);
extern "C" void emu_copy_commit();
extern "C" void emu_copy_wait(int left);
extern "C" void emu_load_matrix(u32 r[4], const void* row, bool transposed, int site);
enum EmuMma { EMU_BF16, EMU_F16, EMU_TF32 };
extern "C" void emu_mma(int type, float d[4], const u32 a[4], u32 b0, u32 b1, int site);

// A kernel is a function of one struct; its size lets the driver copy the arguments at launch, as the real one does.
#define KERNEL(name, args, threads, ...)                                                       \
  extern "C" __attribute__((visibility("default"))) const unsigned name##_size = sizeof(args); \
  extern "C" __attribute__((visibility("default"))) const unsigned name##_threads = threads;   \
  EXPORT void name(const void* p) {                                                            \
    const args& a = *(const args*)p;                                                           \
    __VA_ARGS__;                                                                               \
  }

#define SHARED_BEGIN emu_now->next_shared = 0;
#define SHARED(T, name, count) T* name = (T*)emu_shared((unsigned)(sizeof(T) * (count)), #name);

DEVICE u32 thread_x() { return emu_now->tid; }
DEVICE u32 block_x() { return emu_now->block[0]; }
DEVICE u32 block_y() { return emu_now->block[1]; }
DEVICE u32 block_z() { return emu_now->block[2]; }
DEVICE u32 block_size() { return emu_now->size; }
DEVICE u32 grid_x() { return emu_now->grid[0]; }
DEVICE u32 grid_y() { return emu_now->grid[1]; }
DEVICE void sync_block(int site = __builtin_LINE()) { emu_sync_block(site); }
DEVICE void sync_warp(int site = __builtin_LINE()) { emu_sync_warp(site); }
DEVICE float bits_float(u32 b) {
  float f;
  memcpy(&f, &b, 4);
  return f;
}
DEVICE u32 float_bits(float f) {
  u32 b;
  memcpy(&b, &f, 4);
  return b;
}
DEVICE u32 shuffle_bits(u32 v, int lane, int site = __builtin_LINE()) { return emu_shuffle(v, lane, site); }
DEVICE float shuffle(float v, int lane, int site = __builtin_LINE()) { return bits_float(emu_shuffle(float_bits(v), lane, site)); }
DEVICE float shuffle_xor(float v, int mask, int site = __builtin_LINE()) {
  return bits_float(emu_shuffle(float_bits(v), (int)(emu_now->tid % 32) ^ mask, site));
}
// One collective instead of five, in the same order of sums.
DEVICE float warp_sum(float v, int site = __builtin_LINE()) { return emu_warp_sum(v, site); }
DEVICE float warp_max(float v, int site = __builtin_LINE()) { return emu_warp_max(v, site); }
DEVICE u32 mul_high(u32 a, u32 b) { return (u32)(((u64)a * b) >> 32); }
DEVICE float fast_exp2(float x) { return exp2f(x); }
DEVICE float rsqrtf(float x) { return 1.f / sqrtf(x); }

struct bf16 {
  u16 bits;
};
struct f16 {
  u16 bits;
};
DEVICE float to_float(bf16 x) { return bits_float((u32)x.bits << 16); }
DEVICE float to_float(f16 x) {
  _Float16 h;
  memcpy(&h, &x.bits, 2);
  return (float)h;
}
DEVICE bf16 to_bf16(float f) {
  u32 b = float_bits(f);
  if ((b & 0x7fffffff) > 0x7f800000) return bf16{(u16)0x7fff};  // as cvt.rn.bf16: canonical NaN
  return bf16{(u16)((b + 0x7fff + ((b >> 16) & 1)) >> 16)};
}
DEVICE f16 to_f16(float f) {
  if (f != f) return f16{(u16)0x7fff};
  _Float16 h = (_Float16)f;
  f16 r;
  memcpy(&r.bits, &h, 2);
  return r;
}
DEVICE u32 pack_bf16(float lo, float hi) { return (u32)to_bf16(lo).bits | (u32)to_bf16(hi).bits << 16; }
DEVICE u32 pack_f16(float lo, float hi) { return (u32)to_f16(lo).bits | (u32)to_f16(hi).bits << 16; }
DEVICE u32 to_tf32(float f) {  // to nearest, halves away from zero, as cvt.rna
  u32 b = float_bits(f);
  if ((b & 0x7f800000) == 0x7f800000) return b;
  return (b + 0x1000) & 0xffffe000u;
}
struct alignas(16) vec4 {
  u32 x, y, z, w;
};
DEVICE vec4 load16(const void* p) { return *(const vec4*)p; }
DEVICE void store16(void* p, vec4 v) { *(vec4*)p = v; }
DEVICE void copy_async_part(void* to, const void* from, int bytes) { emu_copy_async(to, from, bytes); }
DEVICE void copy_async(void* to, const void* from, bool valid) { emu_copy_async(to, from, valid ? 16 : 0); }
DEVICE void copy_commit() { emu_copy_commit(); }
template <int N>
DEVICE void copy_wait() { emu_copy_wait(N); }
DEVICE void load_matrix(u32 r[4], const void* row, int site = __builtin_LINE()) { emu_load_matrix(r, row, false, site); }
DEVICE void load_matrix_transposed(u32 r[4], const void* row, int site = __builtin_LINE()) { emu_load_matrix(r, row, true, site); }
DEVICE void mma_bf16(float d[4], const u32 a[4], u32 b0, u32 b1, int site = __builtin_LINE()) { emu_mma(EMU_BF16, d, a, b0, b1, site); }
DEVICE void mma_f16(float d[4], const u32 a[4], u32 b0, u32 b1, int site = __builtin_LINE()) { emu_mma(EMU_F16, d, a, b0, b1, site); }
DEVICE void mma_tf32(float d[4], const u32 a[4], u32 b0, u32 b1, int site = __builtin_LINE()) { emu_mma(EMU_TF32, d, a, b0, b1, site); }
