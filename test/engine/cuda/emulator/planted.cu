// Kernels with bugs that a test can switch on: what the emulator must catch. See planted.test.ts.
#include "device.h"

#define ARGS_rows(P, I, L, F, E) P(x) P(y) I(rows) I(n) I(bug)
#define ARGS_product(P, I, L, F, E) P(a) P(b) P(c) I(m) I(n) I(k) I(bug)
ARGS(rows)
ARGS(product)

enum Bug {
  SOUND, SHORT_SHARED, READ_PAST_END, MISSING_BARRIER, HALF_A_WARP, ROWS_PAST_END, GROUP_IN_FLIGHT, PIPELINE_BARRIER, UNALIGNED_STORE, NEXT_BLOCK, BANK_CONFLICTS
};

// y = (x - mean) / deviation over rows: two reductions of a block.
DEVICE void standardise(const rows_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, a.bug == SHORT_SHARED ? 7 : 8)
  const float* x = (const float*)a.x + (i64)block_x() * a.n;
  float* y = (float*)a.y + (i64)block_x() * a.n;
  float sum = 0;
  for (int i = (int)thread_x(); i < (a.bug == READ_PAST_END ? a.n + 1 : a.n); i += 256) sum += x[i];
  float mean = block_sum(sum, scratch) / (float)a.n;
  float squares = 0;
  for (int i = (int)thread_x(); i < a.n; i += 256) squares += (x[i] - mean) * (x[i] - mean);
  float variance;
  if (a.bug == MISSING_BARRIER) {
    float v = warp_sum(squares);
    if (thread_x() % 32 == 0) scratch[thread_x() / 32] = v;
    variance = 0;
    for (u32 w = 0; w < 8; w++) variance += scratch[w];
    variance /= (float)a.n;
  } else {
    variance = block_sum(squares, scratch) / (float)a.n;
  }
  float r = 1.f / sqrtf(variance);
  if (a.bug == HALF_A_WARP && thread_x() % 32 >= 16) r = warp_sum(r) / 32;
  for (int i = (int)thread_x(); i < a.n; i += 256) y[i] = (x[i] - mean) * r;
  if (a.bug == NEXT_BLOCK && thread_x() == 0 && (int)block_x() + 1 < a.rows) y[a.n] = 0;
}
KERNEL(standardise_rows, rows_args, 256, standardise(a))

// C[m,n] = A[m,k] B[n,k]ᵀ on 64×64×32 tiles through three stages of asynchronous copies; k a multiple of 8.
constexpr int TILE = 64, DEPTH = 32, STAGES = 3;
DEVICE void load_tile(const bf16* from, int rows, int k, int row0, int k0, bf16* to, int stride, int bug) {
  UNROLL for (int i = 0; i < 2; i++) {
    int c = (int)thread_x() + i * 128, r = c / 4, col = (c % 4) * 8;
    bool valid = row0 + r < rows && k0 + col < k;
    if (bug == ROWS_PAST_END) valid = k0 + col < k;
    copy_async(to + r * stride + col, from + (i64)(valid ? row0 + r : 0) * k + (valid ? k0 + col : 0), valid);
  }
}
DEVICE void multiply(const product_args& a) {
  const int stride = a.bug == BANK_CONFLICTS ? DEPTH + 32 : DEPTH + 8;  // 80-byte rows: aligned, each in other banks
  SHARED_BEGIN
  SHARED(bf16, sa, STAGES * TILE * (DEPTH + 32))
  SHARED(bf16, sb, STAGES * TILE * (DEPTH + 32))
  const bf16 *A = (const bf16*)a.a, *B = (const bf16*)a.b;
  int m0 = (int)block_y() * TILE, n0 = (int)block_x() * TILE, lane = (int)thread_x() % 32, warp = (int)thread_x() / 32;
  int wm = (warp / 2) * 32, wn = (warp % 2) * 32, steps = (a.k + DEPTH - 1) / DEPTH;
  float acc[2][4][4];
  UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0;
  auto fetch = [&](int s) {
    if (s < steps) {
      load_tile(A, a.m, a.k, m0, s * DEPTH, sa + (s % STAGES) * TILE * stride, stride, a.bug);
      load_tile(B, a.n, a.k, n0, s * DEPTH, sb + (s % STAGES) * TILE * stride, stride, SOUND);
    }
    copy_commit();
  };
  for (int s = 0; s < STAGES - 1; s++) fetch(s);
  for (int s = 0; s < steps; s++) {
    if (a.bug == GROUP_IN_FLIGHT) copy_wait<STAGES - 1>();
    else copy_wait<STAGES - 2>();
    if (a.bug != PIPELINE_BARRIER) sync_block();
    fetch(s + STAGES - 1);
    const bf16 *ta = sa + (s % STAGES) * TILE * stride, *tb = sb + (s % STAGES) * TILE * stride;
    for (int kk = 0; kk < DEPTH; kk += 16) {
      u32 fa[2][4], fb[2][4];
      UNROLL for (int i = 0; i < 2; i++) load_matrix(fa[i], ta + (wm + i * 16 + lane % 16) * stride + kk + (lane / 16) * 8);
      UNROLL for (int j = 0; j < 2; j++)
        load_matrix(fb[j], tb + (wn + j * 16 + lane % 8 + (lane / 16) * 8) * stride + kk + ((lane / 8) % 2) * 8);
      UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++)
        mma_bf16(acc[i][j], fa[i], fb[j / 2][(j % 2) * 2], fb[j / 2][(j % 2) * 2 + 1]);
    }
  }
  bf16* C = (bf16*)a.c;
  UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int h = 0; h < 2; h++) {
    int r = m0 + wm + i * 16 + lane / 4 + h * 8, c = n0 + wn + j * 8 + (lane % 4) * 2;
    if (r >= a.m || c >= a.n) continue;
    i64 at = (i64)r * a.n + c;
    if (c + 1 < a.n && (a.bug == UNALIGNED_STORE || a.n % 2 == 0)) *(u32*)(C + at) = pack_bf16(acc[i][j][2 * h], acc[i][j][2 * h + 1]);
    else {
      C[at] = to_bf16(acc[i][j][2 * h]);
      if (c + 1 < a.n) C[at + 1] = to_bf16(acc[i][j][2 * h + 1]);
    }
  }
}
KERNEL(multiply_tiles, product_args, 128, multiply(a))
