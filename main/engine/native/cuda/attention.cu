// Attention forward of 16-bit elements on tensor cores (after Dao, FlashAttention-2): a warp owns 16 MT queries and goes over KEYS keys at a time with
// an online soft-max in base 2; keys and values of the next tile are copied while this one is computed. d to D, a slice of the values to DV.
// EXTRAS: everything but causality, window and lengths, which alone decide about masks otherwise.
#include "attention_tiles.h"

#ifndef DESCRIBE
template <class T, int D, int DV, int MT, int KEYS, bool EXTRAS>
DEVICE void attention_forward(const attention_args& a) {
  constexpr int ROWS = 64 * MT;
  SHARED_BEGIN
  SHARED(T, sq, ROWS * (D + 8))
  SHARED(T, sk, 2 * KEYS * (D + 8))
  SHARED(T, sv, 2 * KEYS * (DV + 8))
  u32* bits = nullptr;  // of two tiles: seen, kept
  if (EXTRAS) {
    SHARED(u32, words, 4 * ROWS * KEYS / 32)
    bits = words;
  }
  int slices = (a.dvalue + DV - 1) / DV, tiles = (int)grid_x() / slices, c0 = (int)block_x() % slices * DV;
  int i0 = (tiles - 1 - (int)block_x() / slices) * ROWS;  // those with the most keys first
  int h = (int)block_y(), b = (int)block_z(), hk = h / (a.heads / a.kvheads), lane = (int)thread_x() % 32, warp = (int)thread_x() / 32;
  int width = least(DV, a.dvalue - c0);
  const T* K = (const T*)a.k + b * a.skb + (i64)hk * a.skh;
  const T* V = (const T*)a.v + b * a.svb + (i64)hk * a.svh + c0;
  Sight sight = sight_for<EXTRAS>(a, b, h);
  int begin, end;
  keys_of(sight, i0, i0 + ROWS, &begin, &end);
  begin = begin / KEYS * KEYS;
  copy_tile<T, ROWS, D>(sq, (const T*)a.q + b * a.sqb + (i64)h * a.sqh, a.sqt, i0, a.tq, a.d);
  int j0 = begin;
  while (j0 < end && !tile_counts(sight, i0, i0 + ROWS, j0, j0 + KEYS)) j0 += KEYS;
  if (j0 < end) {
    copy_tile<T, KEYS, D>(sk, K, a.skt, j0, a.tk, a.d);
    copy_tile<T, KEYS, DV>(sv, V, a.svt, j0, a.tk, width);
    if (EXTRAS) tile_bits<ROWS, KEYS>(a, sight, b, h, i0, j0, bits, bits + ROWS * KEYS / 32);
  }
  copy_commit();
  float o[MT][DV / 8][4], top[MT][2], total[MT][2];
  clear<MT, DV / 8>(o);
  UNROLL for (int m = 0; m < MT; m++) top[m][0] = top[m][1] = MINUS_INF, total[m][0] = total[m][1] = 0;
  float scale = a.scale * LOG2E, slope = EXTRAS && a.slopes ? ((const float*)a.slopes)[h] * LOG2E : 0.f;
  float keep = EXTRAS && a.dropout > 0 ? 1.f / (1.f - a.dropout) : 1.f;
  float into_cap = EXTRAS && a.softcap > 0 ? a.scale / a.softcap : 0.f;
  int half = 0;
  while (j0 < end) {
    copy_wait<0>();
    sync_block();
    const T* tk = sk + half * KEYS * (D + 8);
    const T* tv = sv + half * KEYS * (DV + 8);
    const u32* seen = bits + half * 2 * ROWS * KEYS / 32;
    int next = j0 + KEYS;
    while (next < end && !tile_counts(sight, i0, i0 + ROWS, next, next + KEYS)) next += KEYS;
    half ^= 1;
    if (next < end) {
      copy_tile<T, KEYS, D>(sk + half * KEYS * (D + 8), K, a.skt, next, a.tk, a.d);
      copy_tile<T, KEYS, DV>(sv + half * KEYS * (DV + 8), V, a.svt, next, a.tk, width);
      if (EXTRAS) tile_bits<ROWS, KEYS>(a, sight, b, h, i0, next, bits + half * 2 * ROWS * KEYS / 32, bits + (half * 2 + 1) * ROWS * KEYS / 32);
    }
    copy_commit();
    float s[MT][KEYS / 8][4];
    clear<MT, KEYS / 8>(s);
    UNROLL for (int k = 0; k < D; k += 16) {
      u32 q[MT][4];
      UNROLL for (int m = 0; m < MT; m++) load_rows<D>(q[m], sq + (warp * MT + m) * 16 * (D + 8), k);
      multiply_rows<D, KEYS, MT>(s, q, tk, k);
    }
    UNROLL for (int m = 0; m < MT; m++) {
      int first = (warp * MT + m) * 16;  // row of the tile
      bool full = !EXTRAS && tile_is_full(sight, i0 + first, i0 + first + 16, j0, j0 + KEYS);
      UNROLL for (int r = 0; r < 2; r++) {
        int row = first + lane / 4 + 8 * r, i = i0 + row;
        float best = top[m][r];
        UNROLL for (int n = 0; n < KEYS / 8; n++) UNROLL for (int e = 0; e < 2; e++) {
          int key = n * 8 + lane % 4 * 2 + e;
          float& x = s[m][n][2 * r + e];
          if (EXTRAS) {
            x = a.softcap > 0 ? a.softcap * LOG2E * quick_tanh(x * into_cap) : x * scale;
            x -= slope * (float)(i + sight.offset - j0 - key);
            if (!(seen[row * KEYS / 32 + n / 4] >> (key % 32) & 1)) x = MINUS_INF;
          } else {
            x *= scale;
            if (!full && !plainly_sees(sight, i, j0 + key)) x = MINUS_INF;
          }
          best = fmaxf(best, x);
        }
        best = fmaxf(best, shuffle_xor(best, 1));
        best = fmaxf(best, shuffle_xor(best, 2));
        float from = best == MINUS_INF ? 0.f : best, shrink = fast_exp2(top[m][r] - from), sum = 0;
        top[m][r] = best;
        UNROLL for (int n = 0; n < KEYS / 8; n++) UNROLL for (int e = 0; e < 2; e++) {
          float& x = s[m][n][2 * r + e];
          x = fast_exp2(x - from);
          sum += x;
          if (EXTRAS && a.dropout > 0) {
            u32 word = seen[ROWS * KEYS / 32 + row * KEYS / 32 + n / 4];
            x = word >> ((n * 8 + lane % 4 * 2 + e) % 32) & 1 ? x * keep : 0.f;
          }
        }
        total[m][r] = total[m][r] * shrink + sum;
        UNROLL for (int n = 0; n < DV / 8; n++) o[m][n][2 * r] *= shrink, o[m][n][2 * r + 1] *= shrink;
      }
    }
    multiply_accumulators<DV, KEYS, MT>(o, s, tv);
    j0 = next;
  }
  copy_wait<0>();
  sync_block();
  T* O = (T*)a.o + b * a.sob + (i64)h * a.soh + c0;
  UNROLL for (int m = 0; m < MT; m++) {
    float inverse[2];
    int first = (warp * MT + m) * 16;
    UNROLL for (int r = 0; r < 2; r++) {
      float sum = total[m][r] + shuffle_xor(total[m][r], 1);
      sum += shuffle_xor(sum, 2);
      inverse[r] = sum == 0.f ? 0.f : 1.f / sum;
      int i = i0 + first + lane / 4 + 8 * r;
      if (a.lse && c0 == 0 && lane % 4 == 0 && i < a.tq)
        ((float*)a.lse)[((i64)b * a.heads + h) * a.tq + i] = sum == 0.f ? MINUS_INF : (top[m][r] + log2f(sum)) * LN2;
    }
    T* rows = sv + first * (DV + 8);
    store_accumulators<T, DV>(rows, o[m], inverse[0], inverse[1]);
    sync_warp();
    write_tile<T, DV>(rows, O, a.sot, i0 + first, a.tq, width);
  }
}
#endif
#define ATTENTION(type, d, dv, mt, keys)                                                                              \
  KERNEL(attention_##type##_##d##_##dv, attention_args, 128, (attention_forward<type, d, dv, mt, keys, false>(a)))       \
  KERNEL(attention_##type##_##d##_##dv##_extras, attention_args, 128, (attention_forward<type, d, dv, 1, keys, true>(a)))
ATTENTION(bf16, 32, 32, 2, 64)
ATTENTION(f16, 32, 32, 2, 64)
ATTENTION(bf16, 64, 64, 2, 64)
ATTENTION(f16, 64, 64, 2, 64)
ATTENTION(bf16, 128, 128, 1, 64)
ATTENTION(f16, 128, 128, 1, 64)
ATTENTION(bf16, 64, 128, 1, 64)
ATTENTION(f16, 64, 128, 1, 64)
ATTENTION(bf16, 256, 128, 1, 32)
ATTENTION(f16, 256, 128, 1, 32)
