// Matrix products: C = residual + f(alpha op(A) op(B) + beta C + bias) as `gemm` of ../kernels.h has it, one tile of C per block.
//
//   gemm_tiles    16-bit operands of the type that is multiplied, rows aligned to 16 bytes: cp.async in four stages, ldmatrix, tensor cores
//   gemm_mixed    operands of any types and alignment, rounded to the type that is multiplied (bf16, f16, tf32) on their way to shared memory
//   gemm_simt     true f32, multiplied and added outside of the tensor cores
//   add_parts     adds the parts of a product whose depth was split, in order
//
// Finished tiles pass through shared memory, so that a warp reads and writes pieces of rows and the epilogue exists once per kernel.
#pragma once
#include "device.h"
#include "math.h"
#include "vector.h"

// A kernel that takes no more registers than let so many of its blocks share a multiprocessor; and functions of structs.
#if defined(__CUDACC__) && !defined(DESCRIBE)
#define KERNEL_SHARING(name, args, threads, blocks, ...) \
  extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ args a) { __VA_ARGS__; }
#define MEMBER __device__ __forceinline__
#else
#define KERNEL_SHARING(name, args, threads, blocks, ...) KERNEL(name, args, threads, __VA_ARGS__)
#define MEMBER inline
#endif

// Besides the fields of `gemm`: `part` f32 [splits][batch][m][n], what each of `splits` ranges of `kper` of the depth gives, to be reduced.
// grouped: 1 rows, 2 the depth belong to `groups` that end at ends[e], with a matrix B, or C, each (grouped_gemm, grouped_outer).
// best: the tiles of cross_entropy instead of the epilogue: of 32 columns each, [m][ceil(n / 32)], the largest logit and the sum of exp(z - best);
//   of the column target[row] its logit (own) and whether it is the first of its tile's largest (first); c: exp(z - best) (1 - (z / softcap)^2), or null.
#define ARGS_gemm(P, I, L, F, E)                                                                                                     \
  P(a) P(b) P(c) P(bias) P(aux) P(residual) P(part) P(ends) P(target) P(best) P(sum) P(own) P(first) L(sa) L(sb) L(sc) I(m) I(n) I(k) \
  I(lda) I(ldb) I(ldc) I(ldaux) I(ldres) I(ta) I(tb) E(atype, DType) E(btype, DType) E(ctype, DType) E(auxtype, DType)               \
  E(restype, DType) E(biastype, DType) E(act, Activation) I(actgrad) I(batch) I(splits) I(kper) I(grouped) I(groups) F(alpha)        \
  F(beta) F(softcap)
ARGS(gemm)

#ifndef DESCRIBE
struct alignas(8) Pair { float x, y; };
struct alignas(16) Quad { float v[4]; };
struct tf32 { u32 bits; };

template <int X, int Y>
constexpr int LARGER = X > Y ? X : Y;
DEVICE i64 bytes_of(int type) { return type == F32 ? 4 : 2; }
DEVICE void* at(void* p, int type, i64 i) { return p ? (char*)p + i * bytes_of(type) : nullptr; }

// Four neighbours of a row; zeros from the count-th on.
DEVICE Quad load4(const void* p, int type, i64 i, int count) {
  Quad q;
  load_some<4>(p, type, i, count, q.v);
  return q;
}
DEVICE void store4(void* p, int type, i64 i, int count, Quad q) { store_some<4>(p, type, i, count, q.v); }

// One block's share: a tile at (row, column) of C, the sum over [begin, end) of the depth.
struct Tile {
  const void *a, *b, *residual;
  void *c, *aux;
  float* part;  // of this range of the depth, rows n apart
  int m, row, column, begin, end;
  bool none;
};

// Neighbours share operands in the L2 cache: tiles go down BAND tiles of C's rows before the next column.
constexpr int BAND = 8;

template <int BM, int BN>
DEVICE Tile tile_of(const gemm_args& a) {
  int columns = (a.n + BN - 1) / BN, rows = (a.m + BM - 1) / BM;
  if (a.grouped == 1) rows += a.groups + 1;  // each group may end within a tile
  int at_tile = (int)(block_x() % (u32)(rows * columns)), z = (int)(block_x() / (u32)(rows * columns));
  int batch = z % a.batch, split = z / a.batch;
  int band = at_tile / (BAND * columns), height = least(rows - band * BAND, BAND), in_band = at_tile % (BAND * columns);
  Tile t;
  t.row = band * BAND + in_band % height;
  t.column = in_band / height * BN;
  t.m = a.m;
  t.begin = split * a.kper;
  t.end = least(a.k, t.begin + a.kper);
  t.none = false;
  i64 first = 0, depth = 0, matrix = batch;
  const int* ends = (const int*)a.ends;
  if (a.grouped == 1) {
    int start = 0, e = 0;
    for (; e < a.groups; e++) {
      int end = most(start, least(a.m, ends[e])), tiles = (end - start + BM - 1) / BM;
      if (t.row < tiles) {
        t.m = end - start;
        break;
      }
      t.row -= tiles;
      start = end;
    }
    if (e == a.groups) {  // rows of no group become zeros
      t.m = a.m - start;
      t.end = t.begin;
    }
    first = start;
    matrix = e < a.groups ? e : 0;
  } else if (a.grouped == 2) {
    t.begin = batch > 0 ? least(a.k, ends[batch - 1]) : 0;
    t.end = most(t.begin, least(a.k, ends[batch]));
    depth = t.begin;
    t.end -= t.begin;
    t.begin = 0;
  }
  t.row *= BM;
  t.none = t.row >= t.m;
  i64 own = a.grouped == 1 ? 0 : batch;  // of A and C, which the groups' rows share
  t.a = at(a.a, a.atype, a.grouped == 2 ? depth * a.lda : own * a.sa + first * a.lda);
  t.b = at(a.b, a.btype, a.grouped == 2 ? depth * a.ldb : matrix * a.sb);
  t.c = at(a.c, a.ctype, own * a.sc + first * a.ldc);
  t.aux = at(a.aux, a.auxtype, own * a.sc + first * a.ldaux);
  t.residual = at(a.residual, a.restype, own * a.sc + first * a.ldres);
  t.part = (float*)a.part + ((i64)split * a.batch + batch) * a.m * a.n;
  return t;
}

// What is done with finished sums, four of a row at a time.
struct Epilogue {
  const gemm_args& a;
  const Tile& t;
  MEMBER Epilogue(const gemm_args& a, const Tile& t) : a(a), t(t) {}

  MEMBER void finish(int row, int column, Quad q) const {
    int count = a.n - column;
    i64 i = (i64)row * a.ldc + column;
    UNROLL for (int j = 0; j < 4; j++) q.v[j] *= a.alpha;
    if (a.beta != 0.f) {
      Quad before = load4(t.c, a.ctype, i, count);
      UNROLL for (int j = 0; j < 4; j++) q.v[j] += a.beta * before.v[j];
    }
    if (a.bias) {
      Quad bias = load4(a.bias, a.biastype, column, count);
      UNROLL for (int j = 0; j < 4; j++) q.v[j] += bias.v[j];
    }
    if (a.aux && a.actgrad) {
      Quad x = load4(t.aux, a.auxtype, (i64)row * a.ldaux + column, count);
      UNROLL for (int j = 0; j < 4; j++) q.v[j] *= act_grad(a.act, x.v[j]);
    } else {
      if (a.aux) store4(t.aux, a.auxtype, (i64)row * a.ldaux + column, count, q);
      if (a.act != NONE) UNROLL for (int j = 0; j < 4; j++) q.v[j] = act(a.act, q.v[j]);
    }
    if (a.residual) {
      Quad r = load4(t.residual, a.restype, (i64)row * a.ldres + column, count);
      UNROLL for (int j = 0; j < 4; j++) q.v[j] += r.v[j];
    }
    store4(t.c, a.ctype, i, count, q);
  }

  // Eight lanes hold a tile of 32 columns of a row; all lanes of the warp come here, also those whose row is not there.
  MEMBER void soft_max(int row, int column, Quad q) const {
    int first = column & ~31, lane = (int)thread_x() % 32;
    float inverse = a.softcap > 0.f ? 1.f / a.softcap : 0.f, largest = -INFINITY;
    UNROLL for (int j = 0; j < 4; j++) {
      if (a.softcap > 0.f) q.v[j] = a.softcap * tanhf(q.v[j] * inverse);
      if (column + j >= a.n) q.v[j] = -INFINITY;
      largest = fmaxf(largest, q.v[j]);
    }
    UNROLL for (int m = 4; m > 0; m >>= 1) largest = fmaxf(largest, shuffle_xor(largest, m));
    float shift = largest == -INFINITY ? 0.f : largest, sum = 0;
    int winner = 32;
    Quad e;
    UNROLL for (int j = 3; j >= 0; j--) {
      e.v[j] = expf(q.v[j] - shift);
      sum += e.v[j];
      if (q.v[j] == largest) winner = column - first + j;
    }
    UNROLL for (int m = 4; m > 0; m >>= 1) {
      sum += shuffle_xor(sum, m);
      winner = least(winner, (int)shuffle_bits((u32)winner, lane ^ m));
    }
    if (row >= t.m || column >= a.n) return;
    if (column == first) {
      i64 i = (i64)row * ((a.n + 31) / 32) + first / 32;
      ((float*)a.best)[i] = largest;
      ((float*)a.sum)[i] = sum;
    }
    int target = ((const int*)a.target)[row] - column;
    UNROLL for (int j = 0; j < 4; j++)
      if (target == j && column + j < a.n) {
        ((float*)a.own)[row] = q.v[j];
        ((int*)a.first)[row] = winner == column - first + j;
      }
    if (!a.c) return;
    UNROLL for (int j = 0; j < 4; j++) e.v[j] *= 1.f - q.v[j] * inverse * (q.v[j] * inverse);
    store4(t.c, a.ctype, (i64)row * a.ldc + column, a.n - column, e);
  }

  // Four sums of a finished tile.
  MEMBER void take(int row, int column, Quad q) const {
    if (a.best) {
      soft_max(row, column, q);
      return;
    }
    if (row >= t.m || column >= a.n) return;
    if (a.splits > 1) store4(t.part, F32, (i64)row * a.n + column, a.n - column, q);
    else finish(row, column, q);
  }
};

// Where a warp's tile of WM × 32 lies while it is finished: rows of 40 floats, which neither stores of pairs nor loads of fours see conflict.
constexpr int STAGED = 40;

// A warp's sums, in the fragments of mma, out of registers and on. All warps are done with `staged`'s memory.
template <int WM>
DEVICE void finish_warp(const Epilogue& epilogue, float acc[WM / 16][4][4], float* staged, int row, int column) {
  int lane = (int)thread_x() % 32;
  UNROLL for (int i = 0; i < WM / 16; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int h = 0; h < 2; h++)
    *(Pair*)(staged + (i * 16 + h * 8 + lane / 4) * STAGED + j * 8 + lane % 4 * 2) = Pair{acc[i][j][2 * h], acc[i][j][2 * h + 1]};
  sync_warp();
  for (int r = lane / 8; r < WM; r += 4) epilogue.take(row + r, column + lane % 8 * 4, *(const Quad*)(staged + r * STAGED + lane % 8 * 4));
}

DEVICE void mma(bf16, float d[4], const u32 a[4], u32 b0, u32 b1) { mma_bf16(d, a, b0, b1); }
DEVICE void mma(f16, float d[4], const u32 a[4], u32 b0, u32 b1) { mma_f16(d, a, b0, b1); }
DEVICE void mma(tf32, float d[4], const u32 a[4], u32 b0, u32 b1) { mma_tf32(d, a, b0, b1); }

// ---- aligned 16-bit operands
constexpr int DEPTH = 32, STAGES = 4;

// An operand's tile of R rows of C's side in shared memory, as it lies in memory: ALONG says that the depth is contiguous. The 16 bytes between rows
// give the eight rows of a matrix that ldmatrix reads different banks.
template <bool ALONG, int R, int THREADS>
struct Operand {
  static constexpr int LD = ALONG ? DEPTH + 8 : R + 8, ELEMENTS = ALONG ? R * LD : DEPTH * LD;
  static constexpr int PER_ROW = ALONG ? DEPTH / 8 : R / 8, ROWS = THREADS / PER_ROW, TIMES = R * DEPTH / 8 / THREADS;
  const u16* p;  // what this thread copies next
  int ld, row, column, rows, columns;  // where that is in the matrix, whose rows are `ld` apart
  // side: rows of C's side that there are; begin, end: of the depth
  MEMBER Operand(const void* matrix, int ld, int first, int side, int begin, int end) : ld(ld) {
    row = (ALONG ? first : begin) + (int)thread_x() / PER_ROW;
    column = (ALONG ? begin : first) + (int)thread_x() % PER_ROW * 8;
    rows = ALONG ? side : end;
    columns = ALONG ? end : side;
    p = (const u16*)matrix + (i64)row * ld + column;
  }
  // Copies DEPTH more of the depth.
  MEMBER void copy(u16* to) {
    int bytes = least(8, most(0, columns - column)) * 2;
    u16* mine = to + (int)thread_x() / PER_ROW * LD + (int)thread_x() % PER_ROW * 8;
    UNROLL for (int i = 0; i < TIMES; i++)
      copy_async_part(mine + i * ROWS * LD, p + (i64)(i * ROWS) * ld, row + i * ROWS < rows ? bytes : 0);
    if (ALONG) {
      column += DEPTH;
      p += DEPTH;
    } else {
      row += DEPTH;
      p += (i64)DEPTH * ld;
    }
  }
};

template <class T, bool TA, bool TB, int BM, int BN, int WM>
DEVICE void gemm_tiles(const gemm_args& a) {
  constexpr int ACROSS = BN / 32, THREADS = BM / WM * ACROSS * 32;
  typedef Operand<!TA, BM, THREADS> OperandA;
  typedef Operand<TB, BN, THREADS> OperandB;
  constexpr int STAGE = OperandA::ELEMENTS + OperandB::ELEMENTS;
  constexpr int BYTES = LARGER<STAGES * STAGE * 2, BM * ACROSS * STAGED * 4>;
  SHARED_BEGIN
  SHARED(vec4, pool, BYTES / 16)
  u16* shared = (u16*)pool;
  Tile t = tile_of<BM, BN>(a);
  if (t.none) return;
  int lane = (int)thread_x() % 32, warp = (int)thread_x() / 32, wm = warp / ACROSS * WM, wn = warp % ACROSS * 32;
  int steps = (t.end - t.begin + DEPTH - 1) / DEPTH;
  OperandA from_a(t.a, a.lda, t.row, t.m, t.begin, t.end);
  OperandB from_b(t.b, a.ldb, t.column, a.n, t.begin, t.end);
  float acc[WM / 16][4][4];
  UNROLL for (int i = 0; i < WM / 16; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0;
  UNROLL for (int s = 0; s < STAGES - 1; s++) {
    if (s < steps) {
      from_a.copy(shared + s * STAGE);
      from_b.copy(shared + s * STAGE + OperandA::ELEMENTS);
    }
    copy_commit();
  }
  int reading = 0, writing = STAGES - 1;
  for (int s = 0; s < steps; s++) {
    copy_wait<STAGES - 2>();
    sync_block();
    if (s + STAGES - 1 < steps) {
      from_a.copy(shared + writing * STAGE);
      from_b.copy(shared + writing * STAGE + OperandA::ELEMENTS);
    }
    copy_commit();
    const u16* sa = shared + reading * STAGE;
    const u16* sb = sa + OperandA::ELEMENTS;
    UNROLL for (int kk = 0; kk < DEPTH; kk += 16) {
      u32 fa[WM / 16][4], fb[2][4];
      UNROLL for (int i = 0; i < WM / 16; i++) {
        if (TA) load_matrix_transposed(fa[i], sa + (kk + lane % 8 + lane / 16 * 8) * OperandA::LD + wm + i * 16 + lane / 8 % 2 * 8);
        else load_matrix(fa[i], sa + (wm + i * 16 + lane % 16) * OperandA::LD + kk + lane / 16 * 8);
      }
      UNROLL for (int j = 0; j < 2; j++) {
        if (TB) load_matrix(fb[j], sb + (wn + j * 16 + lane % 8 + lane / 16 * 8) * OperandB::LD + kk + lane / 8 % 2 * 8);
        else load_matrix_transposed(fb[j], sb + (kk + lane % 16) * OperandB::LD + wn + j * 16 + lane / 16 * 8);
      }
      UNROLL for (int i = 0; i < WM / 16; i++) UNROLL for (int j = 0; j < 4; j++)
        mma(T{}, acc[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
    }
    reading = reading + 1 == STAGES ? 0 : reading + 1;
    writing = writing + 1 == STAGES ? 0 : writing + 1;
  }
  copy_wait<0>();
  sync_block();
  finish_warp<WM>(Epilogue(a, t), acc, (float*)pool + warp * WM * STAGED, t.row + wm, t.column + wn);
}

// ---- operands of any type and alignment
// Four elements of an operand at a time, by `thread` of THREADS: along the depth where that is contiguous, else across.
template <int R, int DEEP, int THREADS>
struct Fetch {
  static constexpr int TIMES = R * DEEP / 4 / THREADS;
  const void* p;
  int type, ld, first, side, end;
  bool along;
  Quad held[TIMES];
  MEMBER Fetch(const void* p, int type, int ld, bool along, int first, int side, int end)
      : p(p), type(type), ld(ld), first(first), side(side), end(end), along(along) {}
  // Row of C's side and depth, within the tile, of the i-th four.
  MEMBER int row(int i) const {
    int q = (int)thread_x() + i * THREADS;
    return along ? q / (DEEP / 4) : q % (R / 4) * 4;
  }
  MEMBER int depth(int i) const {
    int q = (int)thread_x() + i * THREADS;
    return along ? q % (DEEP / 4) * 4 : q / (R / 4);
  }
  MEMBER void fetch(int k) {
    UNROLL for (int i = 0; i < TIMES; i++) {
      int r = first + row(i), d = k + depth(i);
      int count = along ? (r < side ? end - d : 0) : (d < end ? side - r : 0);
      held[i] = load4(p, type, along ? (i64)r * ld + d : (i64)d * ld + r, count);
    }
  }
};

DEVICE void place(u16* to, bf16, float v) { *to = to_bf16(v).bits; }
DEVICE void place(u16* to, f16, float v) { *to = to_f16(v).bits; }
DEVICE void place(u32* to, tf32, float v) { *to = to_tf32(v); }
template <class T>
struct StoredAs { typedef u16 type; };
template <>
struct StoredAs<tf32> { typedef u32 type; };

// Rows of both operands' tiles are 64 bytes of the depth and 16 between them.
template <class T, int BM, int BN, int WM>
DEVICE void gemm_mixed(const gemm_args& a) {
  typedef typename StoredAs<T>::type Stored;
  constexpr int ACROSS = BN / 32, THREADS = BM / WM * ACROSS * 32, DEEP = 64 / (int)sizeof(Stored), LD = 80 / (int)sizeof(Stored);
  constexpr int BYTES = LARGER<2 * (BM + BN) * 80, BM * ACROSS * STAGED * 4>;
  SHARED_BEGIN
  SHARED(vec4, pool, BYTES / 16)
  Stored* shared = (Stored*)pool;
  Tile t = tile_of<BM, BN>(a);
  if (t.none) return;
  int lane = (int)thread_x() % 32, warp = (int)thread_x() / 32, wm = warp / ACROSS * WM, wn = warp % ACROSS * 32;
  Fetch<BM, DEEP, THREADS> from_a(t.a, a.atype, a.lda, !a.ta, t.row, t.m, t.end);
  Fetch<BN, DEEP, THREADS> from_b(t.b, a.btype, a.ldb, a.tb, t.column, a.n, t.end);
  auto put_down = [&](const auto& from, Stored* to) {
    UNROLL for (int i = 0; i < from.TIMES; i++) UNROLL for (int j = 0; j < 4; j++)
      place(to + (from.row(i) + (from.along ? 0 : j)) * LD + from.depth(i) + (from.along ? j : 0), T{}, from.held[i].v[j]);
  };
  float acc[WM / 16][4][4];
  UNROLL for (int i = 0; i < WM / 16; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0;
  int steps = (t.end - t.begin + DEEP - 1) / DEEP;
  for (int s = -1; s < steps; s++) {
    if (s + 1 < steps) {
      from_a.fetch(t.begin + (s + 1) * DEEP);
      from_b.fetch(t.begin + (s + 1) * DEEP);
    }
    if (s >= 0) {
      const Stored* sa = shared + s % 2 * (BM + BN) * LD;
      const Stored* sb = sa + BM * LD;
      UNROLL for (int kk = 0; kk < DEEP; kk += DEEP / 2) {
        u32 fa[WM / 16][4], fb[2][4];
        UNROLL for (int i = 0; i < WM / 16; i++) load_matrix(fa[i], sa + (wm + i * 16 + lane % 16) * LD + kk + lane / 16 * (DEEP / 4));
        UNROLL for (int j = 0; j < 2; j++)
          load_matrix(fb[j], sb + (wn + j * 16 + lane % 8 + lane / 16 * 8) * LD + kk + lane / 8 % 2 * (DEEP / 4));
        UNROLL for (int i = 0; i < WM / 16; i++) UNROLL for (int j = 0; j < 4; j++)
          mma(T{}, acc[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
      }
    }
    if (s + 1 < steps) {
      Stored* to = shared + (s + 1) % 2 * (BM + BN) * LD;
      put_down(from_a, to);
      put_down(from_b, to + BM * LD);
    }
    sync_block();
  }
  finish_warp<WM>(Epilogue(a, t), acc, (float*)pool + warp * WM * STAGED, t.row + wm, t.column + wn);
}

// ---- true f32: 256 threads, each S × S fours of rows and columns 64 apart
template <int B, int DEEP>
DEVICE void gemm_simt(const gemm_args& a) {
  constexpr int S = B / 64, LD = B + 4, BYTES = LARGER<4 * DEEP * LD * 4, 64 * LD * 4>;
  SHARED_BEGIN
  SHARED(vec4, pool, BYTES / 16)
  float* shared = (float*)pool;
  Tile t = tile_of<B, B>(a);
  if (t.none) return;
  int x = (int)thread_x() % 16 * 4, y = (int)thread_x() / 16 * 4;
  Fetch<B, DEEP, 256> from_a(t.a, a.atype, a.lda, !a.ta, t.row, t.m, t.end);
  Fetch<B, DEEP, 256> from_b(t.b, a.btype, a.ldb, a.tb, t.column, a.n, t.end);
  auto put_down = [&](const auto& from, float* to) {
    UNROLL for (int i = 0; i < from.TIMES; i++) {
      float* p = to + from.depth(i) * LD + from.row(i);
      if (!from.along) *(Quad*)p = from.held[i];
      else UNROLL for (int j = 0; j < 4; j++) p[j * LD] = from.held[i].v[j];
    }
  };
  float acc[4 * S][4 * S];
  UNROLL for (int i = 0; i < 4 * S; i++) UNROLL for (int j = 0; j < 4 * S; j++) acc[i][j] = 0;
  int steps = (t.end - t.begin + DEEP - 1) / DEEP;
  for (int s = -1; s < steps; s++) {
    if (s + 1 < steps) {
      from_a.fetch(t.begin + (s + 1) * DEEP);
      from_b.fetch(t.begin + (s + 1) * DEEP);
    }
    if (s >= 0) {
      const float* sa = shared + s % 2 * 2 * DEEP * LD + y;
      const float* sb = shared + (s % 2 * 2 + 1) * DEEP * LD + x;
      UNROLL for (int k = 0; k < DEEP; k++) {
        Quad fa[S], fb[S];
        UNROLL for (int i = 0; i < S; i++) {
          fa[i] = *(const Quad*)(sa + k * LD + i * 64);
          fb[i] = *(const Quad*)(sb + k * LD + i * 64);
        }
        UNROLL for (int i = 0; i < 4 * S; i++) UNROLL for (int j = 0; j < 4 * S; j++) acc[i][j] += fa[i / 4].v[i % 4] * fb[j / 4].v[j % 4];
      }
    }
    if (s + 1 < steps) {
      put_down(from_a, shared + (s + 1) % 2 * 2 * DEEP * LD);
      put_down(from_b, shared + ((s + 1) % 2 * 2 + 1) * DEEP * LD);
    }
    sync_block();
  }
  Epilogue epilogue(a, t);
  UNROLL for (int h = 0; h < S; h++) {
    UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < S; j++) {
      Quad q;
      UNROLL for (int e = 0; e < 4; e++) q.v[e] = acc[h * 4 + i][j * 4 + e];
      *(Quad*)(shared + (y + i) * LD + x + j * 64) = q;
    }
    sync_block();
    for (int at = (int)thread_x(); at < 64 * B / 4; at += 256) {
      int r = at / (B / 4), c = at % (B / 4) * 4;
      epilogue.take(t.row + h * 64 + r, t.column + c, *(const Quad*)(shared + r * LD + c));
    }
    sync_block();
  }
}

// ---- the parts of a split depth
DEVICE void add_parts(const gemm_args& a) {
  int fours = (a.n + 3) / 4;
  i64 i = (i64)block_x() * 256 + thread_x(), rows = (i64)a.batch * a.m;
  if (i >= rows * fours) return;
  int column = (int)(i % fours) * 4, row = (int)(i / fours % a.m);
  i64 batch = i / fours / a.m, at_part = (i / fours) * a.n + column;
  Tile t;
  t.m = a.m;
  t.c = at(a.c, a.ctype, batch * a.sc);
  t.aux = at(a.aux, a.auxtype, batch * a.sc);
  t.residual = at(a.residual, a.restype, batch * a.sc);
  Epilogue epilogue(a, t);
  Quad sum{};
  for (int s = 0; s < a.splits; s++) {
    Quad q = load4(a.part, F32, at_part + s * rows * a.n, a.n - column);
    UNROLL for (int j = 0; j < 4; j++) sum.v[j] += q.v[j];
  }
  epilogue.finish(row, column, sum);
}
#endif
