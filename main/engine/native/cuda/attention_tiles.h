// What the attention kernels on tensor cores share: a block of 4 warps, tiles of 16-bit elements in shared memory, and masks as bits.
// Row lane / 4 (and 8 below it) of a product's 16 x 8 tile and its columns 2 (lane % 4) + {0, 1} belong to a lane.
#pragma once
#include "attention.h"

#ifndef DESCRIBE
constexpr float LOG2E = 1.4426950408889634f, LN2 = 0.6931471805599453f;

DEVICE void mma(float d[4], const u32 a[4], u32 b0, u32 b1, bf16) { mma_bf16(d, a, b0, b1); }
DEVICE void mma(float d[4], const u32 a[4], u32 b0, u32 b1, f16) { mma_f16(d, a, b0, b1); }
DEVICE u32 pack(float lo, float hi, bf16) { return pack_bf16(lo, hi); }
DEVICE u32 pack(float lo, float hi, f16) { return pack_f16(lo, hi); }

// s[r][c] = from[(row0 + r) * stride + c] of `rows` rows and `width` columns (a multiple of 8), zero outside; rows of s are D + 8 apart, so
// that eight of them meet all banks.
template <class T, int ROWS, int D>
DEVICE void copy_tile(T* s, const T* from, int stride, int row0, int rows, int width) {
  constexpr int CHUNKS = D / 8;
  UNROLL for (int n = 0; n < ROWS * CHUNKS / 128; n++) {
    int c = (int)thread_x() + n * 128, r = c / CHUNKS, col = c % CHUNKS * 8;
    bool valid = row0 + r < rows && col < width;
    copy_async(s + r * (D + 8) + col, from + (valid ? (i64)(row0 + r) * stride + col : 0), valid);
  }
}
// The same the other way, by one warp: 16 rows from row0 on.
template <class T, int D>
DEVICE void write_tile(const T* s, T* to, int stride, int row0, int rows, int width) {
  constexpr int CHUNKS = D / 8;
  UNROLL for (int n = 0; n < 16 * CHUNKS / 32; n++) {
    int c = (int)thread_x() % 32 + n * 32, r = c / CHUNKS, col = c % CHUNKS * 8;
    if (row0 + r < rows && col < width) store16(to + (i64)(row0 + r) * stride + col, load16(s + r * (D + 8) + col));
  }
}
// A warp's 16 x D accumulators, times a factor for each of a lane's two rows, to its rows of a tile.
template <class T, int D>
DEVICE void store_accumulators(T* s, const float acc[D / 8][4], float upper, float lower) {
  int lane = (int)thread_x() % 32;
  UNROLL for (int n = 0; n < D / 8; n++) {
    u32* to = (u32*)(s + lane / 4 * (D + 8) + n * 8 + lane % 4 * 2);
    to[0] = pack(acc[n][0] * upper, acc[n][1] * upper, T());
    to[4 * (D + 8)] = pack(acc[n][2] * lower, acc[n][3] * lower, T());
  }
}

// Operand a of a product: 16 x 16 elements from row 0, column k0 of a tile.
template <int D, class T>
DEVICE void load_rows(u32 r[4], const T* tile, int k0) {
  int lane = (int)thread_x() % 32;
  load_matrix(r, tile + lane % 16 * (D + 8) + k0 + lane / 16 * 8);
}
// acc[m][n] += a[m] (16 x 16, columns k0..) times the rows 8 n.. of a tile of COLUMNS rows, transposed: products of rows with rows.
template <int D, int COLUMNS, int MT, class T>
DEVICE void multiply_rows(float acc[MT][COLUMNS / 8][4], const u32 a[MT][4], const T* tile, int k0) {
  int lane = (int)thread_x() % 32;
  UNROLL for (int n = 0; n < COLUMNS / 16; n++) {
    u32 b[4];
    load_matrix(b, tile + (n * 16 + lane % 8 + lane / 16 * 8) * (D + 8) + k0 + lane / 8 % 2 * 8);
    UNROLL for (int m = 0; m < MT; m++) {
      mma(acc[m][2 * n], a[m], b[0], b[1], T());
      mma(acc[m][2 * n + 1], a[m], b[2], b[3], T());
    }
  }
}
// acc[m][n] += p[m] (16 x COLUMNS, as accumulators) times a tile of COLUMNS rows.
template <int D, int COLUMNS, int MT, class T>
DEVICE void multiply_accumulators(float acc[MT][D / 8][4], const float p[MT][COLUMNS / 8][4], const T* tile) {
  int lane = (int)thread_x() % 32;
  UNROLL for (int k = 0; k < COLUMNS / 16; k++) {
    u32 a[MT][4];
    UNROLL for (int m = 0; m < MT; m++) UNROLL for (int e = 0; e < 4; e++)
      a[m][e] = pack(p[m][2 * k + e / 2][e % 2 * 2], p[m][2 * k + e / 2][e % 2 * 2 + 1], T());
    UNROLL for (int n = 0; n < D / 16; n++) {
      u32 b[4];
      load_matrix_transposed(b, tile + (k * 16 + lane % 16) * (D + 8) + n * 16 + lane / 16 * 8);
      UNROLL for (int m = 0; m < MT; m++) {
        mma(acc[m][2 * n], a[m], b[0], b[1], T());
        mma(acc[m][2 * n + 1], a[m], b[2], b[3], T());
      }
    }
  }
}
template <int MT, int N>
DEVICE void clear(float acc[MT][N][4]) {
  UNROLL for (int m = 0; m < MT; m++) UNROLL for (int n = 0; n < N; n++) UNROLL for (int e = 0; e < 4; e++) acc[m][n][e] = 0;
}

// Where masks are causality, a window and the length, no bits are needed: does every query see every key of a tile, or is this one seen?
DEVICE bool tile_is_full(const Sight& s, int i0, int i1, int j0, int j1) {
  return j1 <= s.tk && (!s.causal || j1 - 1 <= i0 + s.offset) && (s.window <= 0 || j0 > i1 - 1 + s.offset - s.window);
}
DEVICE bool plainly_sees(const Sight& s, int i, int j) {
  return j < s.tk && (!s.causal || j <= i + s.offset) && (s.window <= 0 || j > i + s.offset - s.window);
}
template <bool EXTRAS>
DEVICE Sight sight_for(const attention_args& a, int b, int h) {
  if (EXTRAS) return sight_of(a, b, h);
  Sight s;
  s.tq = a.tq, s.tk = a.tk, s.offset = a.tk - a.tq, s.causal = a.causal, s.window = a.window, s.pattern = SEES_ALL;
  s.block = 1, s.from = s.to = 0, s.starts = s.expiry = nullptr, s.visible = nullptr;
  return s;
}

// tanh to about 1e-7, without a branch.
DEVICE float quick_tanh(float x) { return 1.f - 2.f / (fast_exp2(2 * LOG2E * x) + 1.f); }
#endif
