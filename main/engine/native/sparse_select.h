// SparseK (Lou et al. 2024): the projection of a vector onto {0 <= p <= 1, sum p = k} is p = clip(z - threshold, 0, 1), here for every
// prefix of a sequence of scores. Thresholds never fall as a prefix grows, so a score at or below one is forgotten: what is kept
// stays about as long as k. One task per sequence; the arithmetic is in double.
#pragma once
#include "attention.h"

namespace LEVEL {

constexpr double NO_THRESHOLD = -1e30;

// The scores that still count, largest first and of equals the earlier one.
struct Ranked {
  double* score;
  int32_t* pos;
  int64_t n;
  // Where the new score stands.
  int64_t insert(double z, int64_t i) {
    int64_t low = 0, high = n;
    while (low < high) {
      int64_t middle = (low + high) / 2;
      if (score[middle] >= z)
        low = middle + 1;
      else
        high = middle;
    }
    memmove(score + low + 1, score + low, (size_t)(n - low) * sizeof *score);
    memmove(pos + low + 1, pos + low, (size_t)(n - low) * sizeof *pos);
    score[low] = z;
    pos[low] = (int32_t)i;
    n++;
    return low;
  }
  // Goes down the points where sum clip(score - x, 0, 1) bends, score[w] and score[u] - 1, until the sum is k.
  double threshold(int64_t k) const {
    int64_t w = 0, u = 0;
    double sum = 0;  // of score[u .. w)
    for (;;) {
      bool enters = w < n && score[w] >= score[u] - 1;
      double x = enters ? score[w] : score[u] - 1;
      if (w > u && sum - (double)(w - u) * x + (double)u >= (double)k) return (sum + (double)u - (double)k) / (double)(w - u);
      if (enters)
        sum += score[w++];
      else
        sum -= score[u++];
      if (u == n) return x;  // only rounding leads here
    }
  }
};

static size_t sparse_select_scratch(const sparse_select_args& g, int) { return (size_t)(g.t + 1) * 12 + 192; }

static void sparse_select(const Context& x, const sparse_select_args& g) {
  parallel(x.pool, g.batch, [&](int64_t b, int thread) {
    Cutter c(x.scratch + thread * x.stride);
    Ranked best{(double*)c.floats(2 * (g.t + 1)), (int32_t*)c.floats(g.t + 1), 0};
    const float* scores = (const float*)g.scores + b * g.t;
    const int32_t* starts = g.starts ? (const int32_t*)g.starts + b * g.t : nullptr;
    float* thresholds = (float*)g.thresholds + b * g.t;
    int32_t* expiry = (int32_t*)g.expiry + b * g.t;
    int64_t count = 0;
    for (int64_t i = 0; i < g.t; i++) {
      if (starts && i > 0 && starts[i] != starts[i - 1]) best.n = 0, count = 0;
      count++;
      int64_t place = best.insert(scores[i], i);
      expiry[i] = (int32_t)(place < g.k ? g.t : i);
      if (place < g.k && best.n > g.k) expiry[best.pos[g.k]] = (int32_t)i;
      if (count <= g.k) {
        thresholds[i] = (float)NO_THRESHOLD;
        continue;
      }
      double threshold = best.threshold(g.k);
      thresholds[i] = (float)threshold;
      while (best.n > g.k && best.score[best.n - 1] <= threshold) best.n--;
    }
  });
}

static size_t sparse_select_backward_scratch(const sparse_select_backward_args&, int) { return 0; }

static void sparse_select_backward(const Context& x, const sparse_select_backward_args& g) {
  parallel(x.pool, g.batch, [&](int64_t b, int) {
    const float *scores = (const float*)g.scores + b * g.t, *thresholds = (const float*)g.thresholds + b * g.t;
    const float* dthresholds = (const float*)g.dthresholds + b * g.t;
    const int32_t* starts = g.starts ? (const int32_t*)g.starts + b * g.t : nullptr;
    float* out = (float*)g.dscores + b * g.t;
    memset(out, 0, (size_t)g.t * 4);
    vf zero = splat(0.f), one = splat(1.f);
    for (int64_t i = 0; i < g.t; i++) {
      if (thresholds[i] <= (float)NO_THRESHOLD) continue;
      int64_t first = starts ? starts[i] : 0, n = i + 1 - first;
      vf at = splat(thresholds[i]), counted = zero;
      // Lanes beyond the prefix read as far below every threshold.
      auto above = [&](int64_t j) {
        vf z = n - j >= W ? load(scores + first + j) : load_n(scores + first + j, n - j);
        vi inside = iota() < splati((int32_t)min_<int64_t>(W, n - j));
        vf d = z - at;
        return inside & (d > zero) & (d < one);
      };
      for (int64_t j = 0; j < n; j += W) counted += above(j) ? one : zero;
      float count = hsum(counted);
      if (count == 0.f) continue;
      vf share = splat(dthresholds[i] / count);
      for (int64_t j = 0; j < n; j += W) {
        vf add = above(j) ? share : zero;
        if (n - j >= W)
          store(out + first + j, load(out + first + j) + add);
        else
          store_n(out + first + j, load_n(out + first + j, n - j) + add, n - j);
      }
    }
  });
}

}  // namespace LEVEL
