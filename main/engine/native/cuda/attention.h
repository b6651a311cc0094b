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
DEVICE bool sees(const Sight& s, const Row& r, int j) {
  if (j < r.first || j > r.last || (s.visible && !s.visible[j])) return false;
  if (s.pattern == SEES_STRIDED) return (r.i + s.offset - j) % s.block == 0;
  if (j >= r.near) return true;
  if (s.expiry) return s.expiry[j] > r.i;
  int place = j % s.block;
  return place >= s.from && place < s.to;
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

// Scaled and soft-capped; *slope is the derivative of the cap.
DEVICE float capped(const attention_args& a, float raw, float* slope) {
  float x = raw * a.scale;
  *slope = 1;
  if (a.softcap > 0) {
    float t = tanhf(x / a.softcap);
    x = a.softcap * t;
    *slope = 1 - t * t;
  }
  return x;
}

// Dropout factors of keys j.. j + 3 for query i of a head, where scale = 1 / (1 - rate).
DEVICE void kept4(const attention_args& a, float scale, int b, int h, int i, int j, float out[4]) {
  u64 at = ((u64)((i64)b * a.heads + h) * (u64)a.tq + (u64)i) * (u64)a.tk + (u64)j;
  int skip = (int)(at & 3);
  vec4 low = philox(a.seed, (u32)a.stream, (u32)(at >> 2)), high = low;
  if (skip) high = philox(a.seed, (u32)a.stream, (u32)(at >> 2) + 1);
  u32 bits[7] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z};
  UNROLL for (int e = 0; e < 4; e++) {
    u32 x = skip == 0 ? bits[e] : skip == 1 ? bits[e + 1] : skip == 2 ? bits[e + 2] : bits[e + 3];
    out[e] = keep_of(x, a.dropout, scale);
  }
}

// Factor on the probability of key j for query i where a selection decides: 1 for near keys, else clip(score - threshold, 0, 1).
struct Chosen {
  float factor;
  bool smooth;  // strictly between 0 and 1
};
DEVICE Chosen chosen(const float* scores, float threshold, const Row& r, int j) {
  Chosen c;
  c.factor = 1, c.smooth = false;
  if (!scores || j >= r.near) return c;
  float above = scores[j] - threshold;
  c.smooth = above > 0 && above < 1;
  c.factor = above > 1 ? 1.f : above > 0 ? above : 0.f;
  return c;
}
#endif
