// Rows of an attention's block of scores, the same for dense and sparse attention: the soft-max that goes on from block to block
// (Milakov, Gimelshein 2018; Dao et al. 2022), dropout, and the gradient's row sums.
#pragma once
#include "gemm.h"

namespace LEVEL {

constexpr float MINUS_INF = -__builtin_inff();

// Turns `nv` scores of a row (whole vectors; -inf where a key is masked), whose largest are `best`, into exp(s - m), where m is the largest
// score so far; `m` and the sum `l` go on. Returns the factor by which the sums made so far shrink.
static inline float soft_max_step(float* s, int64_t nv, vf best, float* m, float* l) {
  float next = max_(*m, hmax(best));
  float shrink = *m == MINUS_INF ? 0.f : __builtin_expf(*m - next);
  vf sum = splat(0.f);
  if (next == MINUS_INF) {
    for (int64_t j = 0; j < nv; j += W) store(s + j, splat(0.f));
    shrink = 1.f;
  } else {
    for (int64_t j = 0; j < nv; j += W) {
      vf e = vexp(load(s + j) - splat(next));
      store(s + j, e);
      sum += e;
    }
  }
  *l = *l * shrink + hsum(sum);
  *m = next;
  return shrink;
}

// s[0, n) times what dropout keeps of each.
static inline void times_kept(float* s, const float* keep, int64_t n) {
  for (int64_t j = 0; j < n; j += W) store(s + j, load(s + j) * (n - j >= W ? load(keep + j) : load_n(keep + j, n - j)));
}

// A row of `width` (whole vectors) times `by`.
static inline void scale_row(float* row, int64_t width, float by) {
  if (by == 1.f) return;
  for (int64_t d = 0; d < width; d += W) store(row + d, load(row + d) * splat(by));
}

// Sum of a[d] * b[d] over `width` elements from `from` on.
static inline float row_dot(const void* a, const void* b, int64_t type, int64_t from, int64_t width) {
  vf sum = splat(0.f);
  for (int64_t d = 0; d < width; d += W) {
    int64_t e = from + d, left = width - d;
    sum += left >= W ? load_any(a, type, e) * load_any(b, type, e) : load_any_n(a, type, e, left) * load_any_n(b, type, e, left);
  }
  return hsum(sum);
}

}  // namespace LEVEL
