// What all kernels of attention share: their arguments, which keys a query sees, and what becomes of a score.
#pragma once
#include "device.h"
#include "random.h"

// As kernels.h describes them, for dense and for sparse attention. Backward also: `delta` f32 [batch,heads,tq] = dO . O, and `slopesums` f32
// [batch,heads,tiles of queries], parts of the gradient of the slopes (0: not wanted). Bits of `patterns`: 2 for each turn.
#define ARGS_attention(P, I, L, F, E)                                                                                                  \
  P(q) P(k) P(v) P(o) P(lse) P(slopes) P(keymask) P(seed) P(starts) P(scores) P(thresholds) P(expiry) P(dout) P(gq) P(gk) P(gv)        \
  P(delta) P(slopesums) P(dslopes) P(dscores) P(dthresholds) I(batch) I(heads) I(kvheads) I(tq) I(tk) I(d) I(dvalue) L(sqb) I(sqt)     \
  I(sqh) L(skb) I(skt) I(skh) L(svb) I(svt) I(svh) L(sob) I(sot) I(soh) I(causal) I(window) I(patterns) I(turns) I(block) I(summary)   \
  I(groups) E(type, DType) I(stream) F(scale) F(softcap) F(dropout)
ARGS(attention)

#ifndef DESCRIBE
// Loops that are better left as loops: their bodies are long, or seldom run.
#if defined(__CUDACC__)
#define ROLLED _Pragma("unroll 1")
#else
#define ROLLED
#endif
constexpr float MINUS_INF = -__builtin_inff();
enum { SEES_ALL, SEES_LOCAL, SEES_STRIDED, SEES_FIXED };

// What one head of one sequence sees. Query i stands at position i + offset.
struct Sight {
  int tq, tk, offset, causal, window, pattern, block, from, to;
  const int *starts, *expiry;
  const u8* visible;
};
DEVICE Sight sight_of(const attention_args& a, int b, int h) {
  Sight s;
  s.tq = a.tq, s.tk = a.tk, s.offset = a.tk - a.tq, s.causal = a.causal, s.window = a.window, s.block = a.block;
  s.pattern = (int)((u32)a.patterns >> (2 * (h % a.turns)) & 3);
  s.to = a.block - h / a.turns % a.groups * a.summary;
  s.from = s.to - a.summary;
  s.starts = a.starts ? (const int*)a.starts + (i64)b * a.tq : nullptr;
  s.expiry = a.expiry ? (const int*)a.expiry + (i64)b * a.tk : nullptr;
  s.visible = a.keymask ? (const u8*)a.keymask + (i64)b * a.tk : nullptr;
  if (s.pattern == SEES_LOCAL && !s.expiry) s.pattern = SEES_ALL, s.window = s.block;
  return s;
}

// The keys first..last of one query; from `near` on none needs another reason to be seen.
struct Row {
  int i, first, last, near;
};
DEVICE Row row_of(const Sight& s, int i) {
  Row r;
  int place = i + s.offset;
  r.i = i, r.first = 0, r.last = s.causal ? least(s.tk - 1, place) : s.tk - 1;
  if (i >= s.tq) r.last = -1;
  if (s.window > 0) r.first = most(0, place - s.window + 1);
  if (s.starts && i < s.tq) r.first = most(r.first, s.starts[i]);
  r.near = r.first;
  if (s.pattern == SEES_LOCAL) r.near = most(r.first, place - s.block + 1);
  if (s.pattern == SEES_FIXED) r.near = most(r.first, place / s.block * s.block);
  return r;
}

// Whether some query of i0.. i1 - 1 may see some key of j0.. j1 - 1 (at most 64): all threads of a block ask together and hear the same.
DEVICE bool tile_counts(const Sight& s, int i0, int i1, int j0, int j1) {
  i1 = least(i1, s.tq), j1 = least(j1, s.tk);
  if (i1 <= i0 || j1 <= j0) return false;
  int first = i0 + s.offset, last = i1 - 1 + s.offset;
  if (s.causal && j0 > last) return false;
  if (s.window > 0 && j1 - 1 <= first - s.window) return false;
  if (s.starts && s.starts[i0] >= j1) return false;
  if (s.pattern == SEES_STRIDED) {  // is there a multiple of the stride among the distances?
    int far = last - j0, close = most(0, first - (j1 - 1));
    return far / s.block * s.block >= close;
  }
  if (s.pattern == SEES_ALL) return true;
  if (s.pattern == SEES_FIXED) {
    if (j1 - 1 >= first / s.block * s.block) return true;
    int place = j0 % s.block;  // of the first key; the summary of its own block, or of the next
    return place < s.to ? j0 - place + s.from < j1 : j0 - place + s.block + s.from < j1;
  }
  if (j1 - 1 > first - s.block) return true;
  int lane = (int)(thread_x() % 32);
  float until = 0;
  if (j0 + lane < j1) until = (float)s.expiry[j0 + lane];
  if (j0 + 32 + lane < j1) until = fmaxf(until, (float)s.expiry[j0 + 32 + lane]);
  return warp_max(until) > (float)i0;
}
// Keys that queries i0.. i1 - 1 can see, and queries that can see keys j0.. j1 - 1, from `*begin` to below `*end`, but for what tile_counts knows.
DEVICE void keys_of(const Sight& s, int i0, int i1, int* begin, int* end) {
  i1 = least(i1, s.tq);
  *begin = s.window > 0 ? most(0, i0 + s.offset - s.window + 1) : 0;
  if (s.starts && i0 < s.tq) *begin = most(*begin, s.starts[i0]);
  *end = s.causal ? least(s.tk, i1 + s.offset) : s.tk;
}
DEVICE void queries_of(const Sight& s, int j0, int j1, int* begin, int* end) {
  *begin = s.causal ? most(0, j0 - s.offset) : 0;
  *end = s.window > 0 ? least(s.tq, j1 - 1 + s.window - s.offset) : s.tq;
}

// Bits of a word that begins at j: keys first..last.
DEVICE u32 bits_between(int first, int last, int j) {
  int low = most(first - j, 0), high = least(last - j, 31);
  return high < low ? 0u : 0xffffffffu >> (31 - high) & 0xffffffffu << low;
}
// Which of keys j.. j + 31 a query sees.
DEVICE u32 seen_bits(const Sight& s, const Row& r, int j) {
  u32 bits = bits_between(most(r.near, r.first), r.last, j);
  if (s.pattern == SEES_STRIDED) {
    bits = 0;
    ROLLED for (int e = most(0, r.i + s.offset - j) % s.block; e < 32; e += s.block) bits |= 1u << e;
    bits &= bits_between(r.first, r.last, j);
  }
  if (s.pattern != SEES_ALL && s.pattern != SEES_STRIDED && j < r.near) {
    u32 more = 0;
    if (s.pattern == SEES_FIXED)
      ROLLED for (int base = j / s.block * s.block; base < j + 32; base += s.block) more |= bits_between(base + s.from, base + s.to - 1, j);
    if (s.expiry)
      ROLLED for (int e = 0; e < 32; e++)
        if (j + e < s.tk && s.expiry[j + e] > r.i) more |= 1u << e;
    bits |= more & bits_between(r.first, least(r.last, r.near - 1), j);
  }
  if (s.visible)
    ROLLED for (int e = 0; e < 32; e++)
      if ((bits >> e & 1) && !s.visible[j + e]) bits &= ~(1u << e);
  return bits;
}
// Which of keys j.. j + 31 dropout keeps for query i of a head.
DEVICE u32 kept_bits(const attention_args& a, int b, int h, int i, int j) {
  u64 at = ((u64)((i64)b * a.heads + h) * (u64)a.tq + (u64)i) * (u64)a.tk + (u64)j, bits = 0;
  int skip = (int)(at & 3), blocks = skip ? 9 : 8;
  ROLLED for (int n = 0; n < blocks; n++) {
    vec4 x = philox(a.seed, (u32)a.stream, (u32)(at >> 2) + (u32)n);
    u32 four = (u32)(uniform_of(x.x) >= a.dropout) | (u32)(uniform_of(x.y) >= a.dropout) << 1 | (u32)(uniform_of(x.z) >= a.dropout) << 2 |
               (u32)(uniform_of(x.w) >= a.dropout) << 3;
    bits |= (u64)four << (4 * n);
  }
  return (u32)(bits >> skip);
}
// seen and kept[query * KEYS / 32 + key / 32] of a tile; kept only where there is dropout.
template <int QUERIES, int KEYS>
DEVICE void tile_bits(const attention_args& a, const Sight& s, int b, int h, int i0, int j0, u32* seen, u32* kept) {
  constexpr int WORDS = KEYS / 32;
  ROLLED for (int w = (int)thread_x(); w < QUERIES * WORDS; w += (int)block_size()) {
    int i = i0 + w / WORDS, j = j0 + w % WORDS * 32;
    u32 bits = i < s.tq ? seen_bits(s, row_of(s, i), j) : 0;
    seen[w] = bits;
    if (a.dropout > 0) kept[w] = bits ? kept_bits(a, b, h, i, j) : 0;
  }
}
#endif
