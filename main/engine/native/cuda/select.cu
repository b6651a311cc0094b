// SparseK (see ../sparse_select.h): the projection of every prefix of a sequence of scores. Here each prefix is on its own, a warp to each, so that all
// run at once: its threshold by bisection, which finds out which scores lie between threshold and threshold + 1; these give it exactly.
#include "device.h"

#define ARGS_select(P, I, L, F, E) P(scores) P(starts) P(thresholds) P(expiry) I(batch) I(t) I(k)
// shares: f32 [batch, t], what each prefix gives to each of the scores that its threshold depends on.
#define ARGS_select_backward(P, I, L, F, E) P(scores) P(starts) P(thresholds) P(dthresholds) P(shares) P(dscores) I(batch) I(t)
ARGS(select)
ARGS(select_backward)

#ifndef DESCRIBE
constexpr float NO_THRESHOLD = -1e30f;

// A position of a sequence, and the first that its prefix counts.
struct Prefix {
  const float* scores;
  const int* starts;  // null: every prefix begins at 0
  i64 row;
  int i, first;
};
DEVICE bool prefix_of(const void* scores, const void* starts, int batch, int t, Prefix* out) {
  i64 at = (i64)block_x() * 8 + thread_x() / 32;
  if (at >= (i64)batch * t) return false;
  out->row = at / t * t;
  out->i = (int)(at - out->row);
  out->scores = (const float*)scores + out->row;
  out->starts = starts ? (const int*)starts + out->row : nullptr;
  out->first = out->starts ? out->starts[out->i] : 0;
  return true;
}
// Whether the prefix of position i counts position j.
DEVICE bool counts(const Prefix& p, int i, int j) { return !p.starts || p.starts[i] <= j; }

DEVICE void select_threshold(const select_args& a) {
  Prefix p;
  if (!prefix_of(a.scores, a.starts, a.batch, a.t, &p)) return;
  int lane = (int)(thread_x() % 32), n = p.i + 1 - p.first;
  float* out = (float*)a.thresholds + p.row + p.i;
  if (n <= a.k) {
    if (lane == 0) *out = NO_THRESHOLD;
    return;
  }
  float high = -INFINITY, low = INFINITY, k = (float)a.k;
  for (int j = p.first + lane; j <= p.i; j += 32) {
    high = fmaxf(high, p.scores[j]);
    low = fminf(low, p.scores[j]);
  }
  high = warp_max(high);       // nothing is above it,
  low = -warp_max(-low) - 1.f;  // and with it everything counts whole
  for (int round = 0; round < 40; round++) {
    float middle = 0.5f * (low + high), sum = 0.f;
    if (middle <= low || middle >= high) break;
    for (int j = p.first + lane; j <= p.i; j += 32) sum += fminf(fmaxf(p.scores[j] - middle, 0.f), 1.f);
    if (warp_sum(sum) >= k) low = middle;
    else high = middle;
  }
  float between = 0.f, above = 0.f, sum = 0.f;
  for (int j = p.first + lane; j <= p.i; j += 32) {
    float d = p.scores[j] - high;
    if (d >= 1.f) above += 1.f;
    else if (p.scores[j] > low) {
      between += 1.f;
      sum += d;
    }
  }
  between = warp_sum(between), above = warp_sum(above), sum = warp_sum(sum);
  if (lane == 0) *out = between > 0.f ? high + (sum + (above - k)) / between : high;
}

// The first position at which k scores are before this one: larger ones, and equal ones that came earlier.
DEVICE void select_expiry_of(const select_args& a) {
  Prefix p;
  if (!prefix_of(a.scores, a.starts, a.batch, a.t, &p)) return;
  int lane = (int)(thread_x() % 32), expiry = a.t;
  float own = p.scores[p.i], before = 0.f, k = (float)a.k;
  for (int j = p.first + lane; j < p.i; j += 32) before += p.scores[j] >= own ? 1.f : 0.f;
  before = warp_sum(before);
  if (before >= k) expiry = p.i;
  else
    for (int base = p.i + 1; base < a.t && counts(p, base, p.first); base += 32) {
      int i = base + lane;
      float larger = i < a.t && counts(p, i, p.first) && p.scores[i] > own ? 1.f : 0.f, all = warp_sum(larger);
      if (before + all < k) {
        before += all;
        continue;
      }
      for (int m = 1; m < 32; m *= 2) {  // of the lanes up to this one
        float other = shuffle(larger, lane >= m ? lane - m : lane);
        if (lane >= m) larger += other;
      }
      expiry = (int)-warp_max(before + larger >= k ? -(float)i : -INFINITY);
      break;
    }
  if (lane == 0) ((int*)a.expiry)[p.row + p.i] = expiry;
}

DEVICE bool is_between(float score, float threshold) {
  float d = score - threshold;
  return d > 0.f && d < 1.f;
}
DEVICE void select_share(const select_backward_args& a) {
  Prefix p;
  if (!prefix_of(a.scores, a.starts, a.batch, a.t, &p)) return;
  int lane = (int)(thread_x() % 32);
  float threshold = ((const float*)a.thresholds)[p.row + p.i], count = 0.f;
  if (threshold > NO_THRESHOLD)
    for (int j = p.first + lane; j <= p.i; j += 32) count += is_between(p.scores[j], threshold) ? 1.f : 0.f;
  count = warp_sum(count);
  if (lane == 0) ((float*)a.shares)[p.row + p.i] = count > 0.f ? ((const float*)a.dthresholds)[p.row + p.i] / count : 0.f;
}
DEVICE void select_collect(const select_backward_args& a) {
  Prefix p;
  if (!prefix_of(a.scores, a.starts, a.batch, a.t, &p)) return;
  int lane = (int)(thread_x() % 32);
  const float *thresholds = (const float*)a.thresholds + p.row, *shares = (const float*)a.shares + p.row;
  float own = p.scores[p.i], sum = 0.f;
  for (int i = p.i + lane; i < a.t && counts(p, i, p.i); i += 32)
    if (thresholds[i] > NO_THRESHOLD && is_between(own, thresholds[i])) sum += shares[i];
  sum = warp_sum(sum);
  if (lane == 0) ((float*)a.dscores)[p.row + p.i] = sum;
}
#endif
KERNEL(select_thresholds, select_args, 256, select_threshold(a))
KERNEL(select_expiry, select_args, 256, select_expiry_of(a))
KERNEL(select_shares, select_backward_args, 256, select_share(a))
KERNEL(select_gather, select_backward_args, 256, select_collect(a))
