// Gradients of attention for 16-bit elements on tensor cores (after Dao, FlashAttention-2). A block of 4 warps holds 64 rows and goes over tiles of
// COLUMNS columns, copied one ahead: rows are keys (BY_KEY: dK, dV or both, over the queries of all heads of a group) or queries (dQ and the parts of
// the slope's gradient). Scores are computed with rows as rows, so a warp's P and dS are operands of its next products without leaving registers,
// and every sum has one owner and one order. dK and dV of wide heads are kernels of their own, dV slice by slice.
#include "attention_tiles.h"

#ifndef DESCRIBE
enum { FOR_Q, FOR_K, FOR_V, FOR_KV };

// The tile at hand: its head, and where it begins on the side that is walked over.
struct Walk {
  int head, column, end;
};
// Moves on to the first tile from here that counts; false when there is none in heads below `heads`.
template <bool BY_KEY, int COLUMNS, bool EXTRAS>
DEVICE bool next_tile(const attention_args& a, int b, int row0, int heads, Walk* w, Sight* s) {
  for (;;) {
    for (; w->column < w->end; w->column += COLUMNS) {
      bool counts = BY_KEY ? tile_counts(*s, w->column, w->column + COLUMNS, row0, row0 + 64) : tile_counts(*s, row0, row0 + 64, w->column, w->column + COLUMNS);
      if (counts) return true;
    }
    if (++w->head >= heads) return false;
    *s = sight_for<EXTRAS>(a, b, w->head);
    if (BY_KEY) queries_of(*s, row0, least(row0 + 64, a.tk), &w->column, &w->end);
    else keys_of(*s, row0, row0 + 64, &w->column, &w->end);
    w->column = w->column / COLUMNS * COLUMNS;
  }
}

// Of query i, in base 2; infinite for one without keys, so that its probabilities are 0.
DEVICE float lse_base2(const float* lses, int h, int i, int tq) {
  float lse = i < tq ? lses[(i64)h * tq + i] : MINUS_INF;
  return lse == MINUS_INF ? -MINUS_INF : lse * LOG2E;
}

// D: columns of queries and keys, DV: of values, or of the slice of them that FOR_V is about.
template <class T, int D, int DV, int COLUMNS, int ROLE, bool EXTRAS>
DEVICE void attention_gradient(const attention_args& a) {
  constexpr bool BY_KEY = ROLE != FOR_Q, GIVES_V = ROLE == FOR_V || ROLE == FOR_KV, BY_SCORES = ROLE != FOR_V;
  constexpr int LD = D + 8, LDV = DV + 8, D1 = BY_SCORES ? D : 16, D2 = GIVES_V ? DV : 16;
  constexpr int QUERIES = BY_KEY ? COLUMNS : 64, KEYS = BY_KEY ? 64 : COLUMNS;
  constexpr int HALVES = D + DV > 448 ? 1 : 2;  // tiles of columns that shared memory has place for: of wide heads one, which is waited for
  constexpr int KEY_WORDS = (KEYS + 31) / 32, WORDS = QUERIES * KEY_WORDS;  // of masks
  SHARED_BEGIN
  SHARED(T, r1, 64 * LD)  // rows: K and V, or Q and dO
  SHARED(T, r2, 64 * LDV)
  SHARED(T, c1, HALVES * COLUMNS * LD)  // columns of the tiles: Q and dO, or K and V
  SHARED(T, c2, HALVES * COLUMNS * LDV)
  SHARED(float, facts, 4 * COLUMNS)  // of two tiles of queries: lse in base 2, delta
  u32* bits = nullptr;               // of two tiles: seen, kept
  if (EXTRAS) {
    SHARED(u32, words, 4 * WORDS)
    bits = words;
  }
  int tid = (int)thread_x(), lane = tid % 32, warp = tid / 32, b = (int)block_z(), group = a.heads / a.kvheads;
  int slices = ROLE == FOR_V ? (a.dvalue + DV - 1) / DV : 1, tiles = (int)grid_x() / slices, c0 = (int)block_x() % slices * DV;
  int tile = BY_KEY ? (int)block_x() / slices : tiles - 1 - (int)block_x();  // those with the most columns first
  int row0 = tile * 64, width = least(DV, a.dvalue - c0), head0 = BY_KEY ? (int)block_y() * group : (int)block_y(), heads = BY_KEY ? head0 + group : head0 + 1, hk = head0 / group;
  const T *Q = (const T*)a.q + b * a.sqb, *dO = (const T*)a.dout + b * a.sob + c0;
  const T *K = (const T*)a.k + b * a.skb + (i64)hk * a.skh, *V = (const T*)a.v + b * a.svb + (i64)hk * a.svh;
  const float *lses = (const float*)a.lse + (i64)b * a.heads * a.tq, *deltas = (const float*)a.delta + (i64)b * a.heads * a.tq;
  copy_tile<T, 64, D>(r1, BY_KEY ? K : Q + (i64)head0 * a.sqh, BY_KEY ? a.skt : a.sqt, row0, BY_KEY ? a.tk : a.tq, a.d);
  if (BY_SCORES) copy_tile<T, 64, DV>(r2, BY_KEY ? V : dO + (i64)head0 * a.soh, BY_KEY ? a.svt : a.sot, row0, BY_KEY ? a.tk : a.tq, width);
  float lse[2] = {0, 0}, delta[2] = {0, 0}, dslope = 0;
  if (!BY_KEY)
    UNROLL for (int r = 0; r < 2; r++) {
      int i = row0 + warp * 16 + lane / 4 + 8 * r;
      lse[r] = lse_base2(lses, head0, i, a.tq);
      delta[r] = i < a.tq ? deltas[(i64)head0 * a.tq + i] : 0.f;
    }
  float acc1[1][D1 / 8][4], acc2[1][D2 / 8][4];
  clear<1, D1 / 8>(acc1);
  clear<1, D2 / 8>(acc2);
  float scale = a.scale * LOG2E, keep = EXTRAS && a.dropout > 0 ? 1.f / (1.f - a.dropout) : 1.f;
  float into_cap = EXTRAS && a.softcap > 0 ? a.scale / a.softcap : 0.f;
  Sight sight = {};
  Walk now = {head0 - 1, 0, 0}, next = now;
  bool computes = false;
  for (int half = 1;; half ^= 1) {  // the first time round only copies the first tile
    if (computes) {
      copy_wait<0>();
      sync_block();
    }
    bool more = next_tile<BY_KEY, COLUMNS, EXTRAS>(a, b, row0, heads, &next, &sight);
    int current = HALVES == 1 ? 0 : half, other = HALVES == 1 ? 0 : half ^ 1;
    auto compute = [&]() {
      int i0 = BY_KEY ? now.column : row0, j0 = BY_KEY ? row0 : now.column;
      const T *t1 = c1 + current * COLUMNS * LD, *t2 = c2 + current * COLUMNS * LDV;
      const float* queries = facts + current * 2 * COLUMNS;
      const u32* seen = bits + current * 2 * WORDS;
      float slope = EXTRAS && a.slopes ? ((const float*)a.slopes)[now.head] * LOG2E : 0.f;
      float s[1][COLUMNS / 8][4], dp[1][COLUMNS / 8][4];
      clear<1, COLUMNS / 8>(s);
      clear<1, COLUMNS / 8>(dp);
      UNROLL for (int k = 0; k < D; k += 16) {
        u32 x[1][4];
        load_rows<D>(x[0], r1 + warp * 16 * LD, k);
        multiply_rows<D, COLUMNS, 1>(s, x, t1, k);
      }
      if (BY_SCORES)
        UNROLL for (int k = 0; k < DV; k += 16) {
          u32 x[1][4];
          load_rows<DV>(x[0], r2 + warp * 16 * LDV, k);
          multiply_rows<DV, COLUMNS, 1>(dp, x, t2, k);
        }
      bool full = !EXTRAS && tile_is_full(sight, i0, i0 + QUERIES, j0, j0 + KEYS);
      UNROLL for (int n = 0; n < COLUMNS / 8; n++) UNROLL for (int r = 0; r < 2; r++) UNROLL for (int e = 0; e < 2; e++) {
        int row = warp * 16 + lane / 4 + 8 * r, column = n * 8 + lane % 4 * 2 + e;
        int query = BY_KEY ? column : row, key = BY_KEY ? row : column;
        float &p = s[0][n][2 * r + e], &ds = dp[0][n][2 * r + e];
        float x = p * scale, cap = 1, l = BY_KEY ? queries[column] : lse[r], d = BY_KEY ? queries[COLUMNS + column] : delta[r];
        if (EXTRAS) {
          if (a.softcap > 0) {
            float t = quick_tanh(p * into_cap);
            x = a.softcap * LOG2E * t;
            cap = 1 - t * t;
          }
          float distance = (float)(i0 + query + a.tk - a.tq - j0 - key);
          int word = query * KEY_WORDS + key / 32;
          p = seen[word] >> (key % 32) & 1 ? fast_exp2(x - slope * distance - l) : 0.f;
          float kept = 1;
          if (a.dropout > 0) kept = seen[WORDS + word] >> (key % 32) & 1 ? keep : 0.f;
          ds = p * (ds * kept - d);
          dslope -= ds * distance;
          ds *= cap;
          p *= kept;
        } else {
          p = full || plainly_sees(sight, i0 + query, j0 + key) ? fast_exp2(x - l) : 0.f;
          ds = p * (ds - d);
        }
      }
      if (GIVES_V) multiply_accumulators<D2, COLUMNS, 1>(acc2, s, t2);
      if (BY_SCORES) multiply_accumulators<D1, COLUMNS, 1>(acc1, dp, t1);
    };
    if (HALVES == 1 && computes) {
      compute();
      sync_block();  // before it is written over
    }
    float fact = 0;
    if (more) {
      int h = next.head, i0 = BY_KEY ? next.column : row0, j0 = BY_KEY ? row0 : next.column;
      T *to1 = c1 + other * COLUMNS * LD, *to2 = c2 + other * COLUMNS * LDV;
      copy_tile<T, COLUMNS, D>(to1, BY_KEY ? Q + (i64)h * a.sqh : K, BY_KEY ? a.sqt : a.skt, next.column, BY_KEY ? a.tq : a.tk, a.d);
      copy_tile<T, COLUMNS, DV>(to2, BY_KEY ? dO + (i64)h * a.soh : V, BY_KEY ? a.sot : a.svt, next.column, BY_KEY ? a.tq : a.tk, width);
      if (EXTRAS) tile_bits<QUERIES, KEY_WORDS * 32>(a, sight, b, h, i0, j0, bits + other * 2 * WORDS, bits + (other * 2 + 1) * WORDS);
      if (BY_KEY && tid < 2 * COLUMNS) {
        int i = next.column + tid % COLUMNS;
        if (tid < COLUMNS) fact = lse_base2(lses, h, i, a.tq);
        else fact = i < a.tq ? deltas[(i64)h * a.tq + i] : 0.f;
      }
    }
    copy_commit();
    if (HALVES == 2 && computes) compute();
    if (!more) break;
    if (BY_KEY && tid < 2 * COLUMNS) facts[other * 2 * COLUMNS + tid] = fact;
    now = next;
    next.column += COLUMNS;
    computes = true;
  }
  copy_wait<0>();
  sync_block();
  int mine = row0 + warp * 16, rows = BY_KEY ? a.tk : a.tq;
  if (BY_SCORES) store_accumulators<T, D1>(r1 + warp * 16 * LD, acc1[0], a.scale, a.scale);
  if (GIVES_V) store_accumulators<T, D2>(r2 + warp * 16 * LDV, acc2[0], 1, 1);
  sync_warp();
  T* to = BY_KEY ? (T*)a.gk + b * a.skb + (i64)hk * a.skh : (T*)a.gq + b * a.sqb + (i64)head0 * a.sqh;
  if (BY_SCORES) write_tile<T, D1>(r1 + warp * 16 * LD, to, BY_KEY ? a.skt : a.sqt, mine, rows, a.d);
  if (GIVES_V) write_tile<T, D2>(r2 + warp * 16 * LDV, (T*)a.gv + b * a.svb + (i64)hk * a.svh + c0, a.svt, mine, rows, width);
  if (!BY_KEY && EXTRAS && a.slopesums) {
    float sum = block_sum(dslope, facts);
    if (tid == 0) ((float*)a.slopesums)[((i64)b * a.heads + head0) * tiles + tile] = sum;
  }
}
#endif
// Suffix `_extras`: any options. The others know causality, a window and lengths. Few columns where many accumulators want registers at once.
#define GRADIENT(name, type, d, dv, columns, role, extras) \
  KERNEL(name, attention_args, 128, (attention_gradient<type, d, dv, columns, role, extras>(a)))
#define GRADIENTS(type)                                                        \
  GRADIENT(attention_q_##type##_32, type, 32, 32, 64, FOR_Q, false)            \
  GRADIENT(attention_q_##type##_32_extras, type, 32, 32, 64, FOR_Q, true)      \
  GRADIENT(attention_kv_##type##_32, type, 32, 32, 64, FOR_KV, false)          \
  GRADIENT(attention_kv_##type##_32_extras, type, 32, 32, 64, FOR_KV, true)    \
  GRADIENT(attention_q_##type##_64, type, 64, 64, 64, FOR_Q, false)            \
  GRADIENT(attention_q_##type##_64_extras, type, 64, 64, 64, FOR_Q, true)      \
  GRADIENT(attention_kv_##type##_64, type, 64, 64, 64, FOR_KV, false)          \
  GRADIENT(attention_kv_##type##_64_extras, type, 64, 64, 32, FOR_KV, true)    \
  GRADIENT(attention_q_##type##_128, type, 128, 128, 32, FOR_Q, false)         \
  GRADIENT(attention_q_##type##_128_extras, type, 128, 128, 32, FOR_Q, true)   \
  GRADIENT(attention_kv_##type##_128, type, 128, 128, 32, FOR_KV, false)       \
  GRADIENT(attention_kv_##type##_128_extras, type, 128, 128, 16, FOR_KV, true) \
  GRADIENT(attention_q_##type##_64_384_extras, type, 64, 384, 16, FOR_Q, true) \
  GRADIENT(attention_k_##type##_64_384_extras, type, 64, 384, 16, FOR_K, true) \
  GRADIENT(attention_v_##type##_64_128_extras, type, 64, 128, 32, FOR_V, true) \
  GRADIENT(attention_q_##type##_256_extras, type, 256, 256, 16, FOR_Q, true)   \
  GRADIENT(attention_k_##type##_256_extras, type, 256, 256, 16, FOR_K, true)   \
  GRADIENT(attention_v_##type##_256_128_extras, type, 256, 128, 16, FOR_V, true)
GRADIENTS(bf16)
GRADIENTS(f16)
