// Gradients of attention for 16-bit elements on tensor cores (after Dao, FlashAttention-2). A block of 4 warps holds 64 rows and goes over tiles of
// COLUMNS columns, copied one ahead: rows are keys (BY_KEY: dK and dV, over the queries of all heads of a group) or queries (dQ and the parts of the
// slope's gradient). Scores are computed with rows as rows, so a warp's P and dS are operands of its next products without leaving registers, and
// every sum has one owner and one order.
#include "attention_tiles.h"

#ifndef DESCRIBE
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

template <class T, int D, int COLUMNS, bool BY_KEY, bool EXTRAS>
DEVICE void attention_gradient(const attention_args& a) {
  constexpr int LD = D + 8, QUERIES = BY_KEY ? COLUMNS : 64, KEYS = BY_KEY ? 64 : COLUMNS, WORDS = QUERIES * KEYS / 32, D2 = BY_KEY ? D : 16;
  SHARED_BEGIN
  SHARED(T, r1, 64 * LD)  // rows: K and V, or Q and dO
  SHARED(T, r2, 64 * LD)
  SHARED(T, c1, 2 * COLUMNS * LD)  // columns of two tiles: Q and dO, or K and V
  SHARED(T, c2, 2 * COLUMNS * LD)
  SHARED(float, facts, 4 * COLUMNS)  // of two tiles of queries: lse in base 2, delta
  u32* bits = nullptr;               // of two tiles: seen, kept
  if (EXTRAS) {
    SHARED(u32, words, 4 * WORDS)
    bits = words;
  }
  int tid = (int)thread_x(), lane = tid % 32, warp = tid / 32, b = (int)block_z(), group = a.heads / a.kvheads, tiles = (int)grid_x();
  int tile = BY_KEY ? (int)block_x() : tiles - 1 - (int)block_x();  // those with the most columns first
  int row0 = tile * 64, head0 = BY_KEY ? (int)block_y() * group : (int)block_y(), heads = BY_KEY ? head0 + group : head0 + 1, hk = head0 / group;
  const T *Q = (const T*)a.q + b * a.sqb, *dO = (const T*)a.dout + b * a.sob;
  const T *K = (const T*)a.k + b * a.skb + (i64)hk * a.skh, *V = (const T*)a.v + b * a.svb + (i64)hk * a.svh;
  const float *lses = (const float*)a.lse + (i64)b * a.heads * a.tq, *deltas = (const float*)a.delta + (i64)b * a.heads * a.tq;
  copy_tile<T, 64, D>(r1, BY_KEY ? K : Q + (i64)head0 * a.sqh, BY_KEY ? a.skt : a.sqt, row0, BY_KEY ? a.tk : a.tq, a.d);
  copy_tile<T, 64, D>(r2, BY_KEY ? V : dO + (i64)head0 * a.soh, BY_KEY ? a.svt : a.sot, row0, BY_KEY ? a.tk : a.tq, a.dvalue);
  float lse[2] = {0, 0}, delta[2] = {0, 0}, dslope = 0;
  if (!BY_KEY)
    UNROLL for (int r = 0; r < 2; r++) {
      int i = row0 + warp * 16 + lane / 4 + 8 * r;
      lse[r] = lse_base2(lses, head0, i, a.tq);
      delta[r] = i < a.tq ? deltas[(i64)head0 * a.tq + i] : 0.f;
    }
  float acc1[1][D / 8][4], acc2[1][D2 / 8][4];
  clear<1, D / 8>(acc1);
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
    int other = half ^ 1;
    float fact = 0;
    if (more) {
      int h = next.head, i0 = BY_KEY ? next.column : row0, j0 = BY_KEY ? row0 : next.column;
      T *to1 = c1 + other * COLUMNS * LD, *to2 = c2 + other * COLUMNS * LD;
      copy_tile<T, COLUMNS, D>(to1, BY_KEY ? Q + (i64)h * a.sqh : K, BY_KEY ? a.sqt : a.skt, next.column, BY_KEY ? a.tq : a.tk, a.d);
      copy_tile<T, COLUMNS, D>(to2, BY_KEY ? dO + (i64)h * a.soh : V, BY_KEY ? a.sot : a.svt, next.column, BY_KEY ? a.tq : a.tk, a.dvalue);
      if (EXTRAS) tile_bits<QUERIES, KEYS>(a, sight, b, h, i0, j0, bits + other * 2 * WORDS, bits + (other * 2 + 1) * WORDS);
      if (BY_KEY && tid < 2 * COLUMNS) {
        int i = next.column + tid % COLUMNS;
        if (tid < COLUMNS) fact = lse_base2(lses, h, i, a.tq);
        else fact = i < a.tq ? deltas[(i64)h * a.tq + i] : 0.f;
      }
    }
    copy_commit();
    if (computes) {
      int i0 = BY_KEY ? now.column : row0, j0 = BY_KEY ? row0 : now.column;
      const T *t1 = c1 + half * COLUMNS * LD, *t2 = c2 + half * COLUMNS * LD;
      const float* queries = facts + half * 2 * COLUMNS;
      const u32* seen = bits + half * 2 * WORDS;
      float slope = EXTRAS && a.slopes ? ((const float*)a.slopes)[now.head] * LOG2E : 0.f;
      float s[1][COLUMNS / 8][4], dp[1][COLUMNS / 8][4];
      clear<1, COLUMNS / 8>(s);
      clear<1, COLUMNS / 8>(dp);
      UNROLL for (int k = 0; k < D; k += 16) {
        u32 x[1][4], y[1][4];
        load_rows<D>(x[0], r1 + warp * 16 * LD, k);
        multiply_rows<D, COLUMNS, 1>(s, x, t1, k);
        load_rows<D>(y[0], r2 + warp * 16 * LD, k);
        multiply_rows<D, COLUMNS, 1>(dp, y, t2, k);
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
          int word = query * KEYS / 32 + key / 32;
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
      if (BY_KEY) multiply_accumulators<D2, COLUMNS, 1>(acc2, s, t2);
      multiply_accumulators<D, COLUMNS, 1>(acc1, dp, t1);
    }
    if (!more) break;
    if (BY_KEY && tid < 2 * COLUMNS) facts[other * 2 * COLUMNS + tid] = fact;
    now = next;
    next.column += COLUMNS;
    computes = true;
  }
  copy_wait<0>();
  sync_block();
  T *mine1 = r1 + warp * 16 * LD, *mine2 = r2 + warp * 16 * LD;
  store_accumulators<T, D>(mine1, acc1[0], a.scale, a.scale);
  if (BY_KEY) store_accumulators<T, D2>(mine2, acc2[0], 1, 1);
  sync_warp();
  T* to = BY_KEY ? (T*)a.gk + b * a.skb + (i64)hk * a.skh : (T*)a.gq + b * a.sqb + (i64)head0 * a.sqh;
  write_tile<T, D>(mine1, to, BY_KEY ? a.skt : a.sqt, row0 + warp * 16, BY_KEY ? a.tk : a.tq, a.d);
  if (BY_KEY) write_tile<T, D2>(mine2, (T*)a.gv + b * a.svb + (i64)hk * a.svh, a.svt, row0 + warp * 16, a.tk, a.dvalue);
  if (!BY_KEY && EXTRAS && a.slopesums) {
    float sum = block_sum(dslope, facts);
    if (tid == 0) ((float*)a.slopesums)[((i64)b * a.heads + head0) * tiles + tile] = sum;
  }
}
#endif
// `few`: columns at a time where both gradients of keys and all options want registers at once.
#define GRADIENT(type, d, columns, few)                                                                          \
  KERNEL(attention_k_##type##_##d, attention_args, 128, (attention_gradient<type, d, columns, true, false>(a)))  \
  KERNEL(attention_q_##type##_##d, attention_args, 128, (attention_gradient<type, d, columns, false, false>(a))) \
  KERNEL(attention_k_##type##_##d##_extras, attention_args, 128, (attention_gradient<type, d, few, true, true>(a))) \
  KERNEL(attention_q_##type##_##d##_extras, attention_args, 128, (attention_gradient<type, d, columns, false, true>(a)))
GRADIENT(bf16, 32, 64, 64)
GRADIENT(f16, 32, 64, 64)
GRADIENT(bf16, 64, 64, 32)
GRADIENT(f16, 64, 64, 32)
GRADIENT(bf16, 128, 32, 16)
GRADIENT(f16, 128, 32, 16)
