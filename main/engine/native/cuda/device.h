// The dialect in which all kernels are written. Under nvcc it is inline PTX, self-contained: no CUDA headers; under a host C++ compiler it is the
// emulator of the tests (test/engine/cuda/emulator). A kernel may use only what is declared here, and the functions of <math.h> on floats.
#pragma once
typedef signed char i8;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#include "../enums.h"

// Types of elements: V(C++ name, name in TypeScript). The other enums are those of all devices (../enums.h).
#define ENUM_DType(V) V(F32, f32) V(BF16, bf16) V(F16, f16) V(I32, i32) V(U8, u8)
#define ENUMS(N) N(DType) N(Activation) N(OptimizerKind) N(Reduction)
#define VALUE(name, text) name,
#define ENUM(name) enum name : int { ENUM_##name(VALUE) };
#define CHAIN_VALUE(name) OP_##name,

// Arguments of a kernel are one struct, declared once: `#define ARGS_norm(P, I, L, F, E) P(x) I(rows) …` and `ARGS(norm)` make `norm_args`, the layout that
// TypeScript writes (resources/cuda/FAMILY.json) and the size that the emulator checks. P(x) pointer, I(x) 32-bit integer, L(x) 64-bit integer, F(x) float,
// E(x, Enum) one of an enum's names; each takes a count as a further argument for an array: I(sizes, 8).
#ifdef DESCRIBE  // preprocessed by build.js: prints what TypeScript needs to know
#define SHOW_P(x, ...) P x __VA_ARGS__;
#define SHOW_I(x, ...) I x __VA_ARGS__;
#define SHOW_L(x, ...) L x __VA_ARGS__;
#define SHOW_F(x, ...) F x __VA_ARGS__;
#define SHOW_E(x, enum, ...) E x enum;
#define SHOW_VALUE(name, text) text
#define SHOW_NAME(name) name
@@enum DType ENUM_DType(SHOW_VALUE) @@
@@enum Activation ENUM_Activation(SHOW_VALUE) @@
@@enum OptimizerKind ENUM_OptimizerKind(SHOW_VALUE) @@
@@enum Reduction ENUM_Reduction(SHOW_VALUE) @@
@@enum ChainOp CHAIN_OPS(SHOW_NAME) @@
#define ARGS(name) @@args name##_args ARGS_##name(SHOW_P, SHOW_I, SHOW_L, SHOW_F, SHOW_E) @@
#define KERNEL(name, args, threads, ...) @@kernel name args threads @@
#else
ENUMS(ENUM)
enum ChainOp : int { CHAIN_OPS(CHAIN_VALUE) };

#define FIELD_COUNT(x, n, ...) [n]
#define FIELD_ONE(x)
#define FIELD_PICK(a, b, pick, ...) pick
#define FIELD_ARRAY(...) FIELD_PICK(__VA_ARGS__, FIELD_COUNT, FIELD_ONE)(__VA_ARGS__)
#define FIELD_NAME(x, ...) x
#define FIELD_P(...) void* FIELD_NAME(__VA_ARGS__, ) FIELD_ARRAY(__VA_ARGS__);
#define FIELD_I(...) int FIELD_NAME(__VA_ARGS__, ) FIELD_ARRAY(__VA_ARGS__);
#define FIELD_L(...) i64 FIELD_NAME(__VA_ARGS__, ) FIELD_ARRAY(__VA_ARGS__);
#define FIELD_F(...) float FIELD_NAME(__VA_ARGS__, ) FIELD_ARRAY(__VA_ARGS__);
#define FIELD_E(x, enum) int x;
#define ARGS(name) struct name##_args { ARGS_##name(FIELD_P, FIELD_I, FIELD_L, FIELD_F, FIELD_E) };
#endif

#if defined(__CUDACC__)
// ------------------------------------------------------------------------------------------------------------------ device
#define DEVICE static __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#ifndef DESCRIBE
// Threads is a literal: the size of a block, which build.js reads.
#define KERNEL(name, args, threads, ...) \
  extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ args a) { __VA_ARGS__; }
#endif
// Shared memory is dynamic only; every array is taken from it in turn, so that the host knows the size and the emulator can fence arrays.
extern __shared__ __align__(128) unsigned char shared_memory_[];
#define SHARED_BEGIN unsigned shared_used_ = 0;
#define SHARED(T, name, count)                   \
  T* name = (T*)(shared_memory_ + shared_used_); \
  shared_used_ += ((unsigned)(sizeof(T) * (count)) + 127u) & ~127u;

DEVICE u32 thread_x() { return threadIdx.x; }
DEVICE u32 block_x() { return blockIdx.x; }
DEVICE u32 block_y() { return blockIdx.y; }
DEVICE u32 block_z() { return blockIdx.z; }
DEVICE u32 block_size() { return blockDim.x; }
DEVICE u32 grid_x() { return gridDim.x; }
DEVICE u32 grid_y() { return gridDim.y; }
DEVICE void sync_block() { __syncthreads(); }
DEVICE void sync_warp() { __syncwarp(); }
// All 32 lanes of a warp take part in a shuffle.
DEVICE u32 shuffle_bits(u32 v, int lane) { return __shfl_sync(0xffffffffu, v, lane); }
DEVICE float bits_float(u32 b) { return __uint_as_float(b); }
DEVICE u32 float_bits(float f) { return __float_as_uint(f); }
DEVICE u32 mul_high(u32 a, u32 b) { return __umulhi(a, b); }
DEVICE float fast_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

struct __align__(2) bf16 { u16 bits; };
struct __align__(2) f16 { u16 bits; };
DEVICE float to_float(bf16 x) { return __uint_as_float((u32)x.bits << 16); }
DEVICE float to_float(f16 x) {
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(x.bits));
  return f;
}
DEVICE bf16 to_bf16(float f) {
  bf16 r;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.bits) : "f"(f));
  return r;
}
DEVICE f16 to_f16(float f) {
  f16 r;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(f));
  return r;
}
DEVICE u32 pack_bf16(float lo, float hi) {
  u32 r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  return r;
}
DEVICE u32 pack_f16(float lo, float hi) {
  u32 r;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  return r;
}
// f32 rounded to the 10 bits of tf32, in the bits of an f32.
DEVICE u32 to_tf32(float f) {
  u32 r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(f));
  return r;
}

struct __align__(16) vec4 { u32 x, y, z, w; };
DEVICE vec4 load16(const void* p) { return *(const vec4*)p; }
DEVICE void store16(void* p, vec4 v) { *(vec4*)p = v; }

DEVICE u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); }
// 16 bytes from global to shared memory, asynchronously: the first `bytes` of the source, which must be aligned as 16 are, then zeros.
DEVICE void copy_async_part(void* to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes) : "memory");
}
// The same for all or, when !valid, none: the source is then not read.
DEVICE void copy_async(void* to, const void* from, bool valid) { copy_async_part(to, from, valid ? 16 : 0); }
DEVICE void copy_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int N>
DEVICE void copy_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// Four 8×8 matrices of 16-bit elements; lane l gives the address of row l % 8 of matrix l / 8.
DEVICE void load_matrix(u32 r[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}
DEVICE void load_matrix_transposed(u32 r[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}
// d += a·b on 16×8×16 tiles of 16-bit, or 16×8×8 tiles of tf32 elements; sums in f32.
DEVICE void mma_bf16(float d[4], const u32 a[4], u32 b0, u32 b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
DEVICE void mma_f16(float d[4], const u32 a[4], u32 b0, u32 b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
DEVICE void mma_tf32(float d[4], const u32 a[4], u32 b0, u32 b1) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

DEVICE float shuffle(float v, int lane) { return bits_float(shuffle_bits(float_bits(v), lane)); }
DEVICE float shuffle_xor(float v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
DEVICE float warp_sum(float v) {
  UNROLL for (int m = 16; m > 0; m >>= 1) v += shuffle_xor(v, m);
  return v;
}
DEVICE float warp_max(float v) {
  UNROLL for (int m = 16; m > 0; m >>= 1) v = fmaxf(v, shuffle_xor(v, m));
  return v;
}
#elif !defined(DESCRIBE)
#include "emulator.h"
#endif

#ifndef DESCRIBE
// ------------------------------------------------------------------------------------------------------------------ both
DEVICE int least(int a, int b) { return a < b ? a : b; }
DEVICE int most(int a, int b) { return a > b ? a : b; }

// Sum over the block in an order that depends on its size alone; `scratch` holds one float per warp. Every thread gets it.
DEVICE float block_sum(float v, float* scratch) {
  v = warp_sum(v);
  sync_block();  // scratch may still be read from the previous call
  if (thread_x() % 32 == 0) scratch[thread_x() / 32] = v;
  sync_block();
  float total = 0;
  for (u32 w = 0; w < block_size() / 32; w++) total += scratch[w];
  return total;
}
DEVICE float block_max(float v, float* scratch) {
  v = warp_max(v);
  sync_block();
  if (thread_x() % 32 == 0) scratch[thread_x() / 32] = v;
  sync_block();
  float largest = scratch[0];
  for (u32 w = 1; w < block_size() / 32; w++) largest = fmaxf(largest, scratch[w]);
  return largest;
}

// Elements of a type known at run time, as floats (i32: exact to 2^24).
DEVICE float load_as(const void* p, int type, i64 i) {
  switch (type) {
    case F32: return ((const float*)p)[i];
    case BF16: return to_float(((const bf16*)p)[i]);
    case F16: return to_float(((const f16*)p)[i]);
    case I32: return (float)((const int*)p)[i];
    default: return (float)((const u8*)p)[i];
  }
}
DEVICE void store_as(void* p, int type, i64 i, float v) {
  switch (type) {
    case F32: ((float*)p)[i] = v; break;
    case BF16: ((bf16*)p)[i] = to_bf16(v); break;
    case F16: ((f16*)p)[i] = to_f16(v); break;
    case I32: ((int*)p)[i] = (int)v; break;
    default: ((u8*)p)[i] = (u8)v; break;
  }
}
// The same for types known when compiled.
DEVICE float get(const float* p, i64 i) { return p[i]; }
DEVICE float get(const bf16* p, i64 i) { return to_float(p[i]); }
DEVICE float get(const f16* p, i64 i) { return to_float(p[i]); }
DEVICE void put(float* p, i64 i, float v) { p[i] = v; }
DEVICE void put(bf16* p, i64 i, float v) { p[i] = to_bf16(v); }
DEVICE void put(f16* p, i64 i, float v) { p[i] = to_f16(v); }
#endif
