// What cross_entropy does with a chunk's rows of logits: losses, and the gradient over the logits where they are kept. One warp per row, or a
// block of eight warps for long rows.
//
//   soft_max_tiles   of logits that the product left as exp(z - best) with the best and sums of tiles of 32 columns (gemm.h)
//   soft_max_logits  of logits as they are
#include "device.h"
#include "vector.h"

#define ARGS_loss(P, I, L, F, E)                                                                                                \
  P(logits) P(target) P(loss) P(correct) P(dloss) P(best) P(sum) P(own) P(first) I(rows) I(n) I(ld) I(gradient) E(ltype, DType) \
  F(softcap) F(dscale)
ARGS(loss)

#ifndef DESCRIBE
template <bool WHOLE_BLOCK>
DEVICE float all_sum(float v, float* scratch) { return WHOLE_BLOCK ? block_sum(v, scratch) : warp_sum(v); }
template <bool WHOLE_BLOCK>
DEVICE float all_max(float v, float* scratch) { return WHOLE_BLOCK ? block_max(v, scratch) : warp_max(v); }

// A row's numbers once they are known to all of its threads.
struct RowOutcome {
  float best, total, own;
  bool correct;
};
DEVICE void write_outcome(const loss_args& a, int row, bool valid, RowOutcome r) {
  if (a.loss) ((float*)a.loss)[row] = valid ? r.best - r.own + logf(r.total) : 0.f;
  if (a.correct) ((float*)a.correct)[row] = valid && r.correct ? 1.f : 0.f;
}
// d loss / d logit of the target, through the cap.
DEVICE float own_gradient(const loss_args& a, RowOutcome r, float scale) {
  float t = a.softcap > 0.f ? r.own / a.softcap : 0.f;
  return scale * (expf(r.own - r.best) / r.total - 1.f) * (1.f - t * t);
}
DEVICE float scale_of(const loss_args& a, int row) { return a.dscale * (a.dloss ? ((const float*)a.dloss)[row] : 1.f); }

// Eight elements of a row at a time: `change(v, i)` makes gradients of those from column i on. Without a target they are zero.
template <class Change>
DEVICE void write_gradient(const loss_args& a, int row, int first, int step, bool valid, int target, float own, Change change) {
  for (int i = first * 8; i < a.n; i += step * 8) {
    i64 at = (i64)row * a.ld + i;
    float v[8];
    if (valid) {
      load_some<8>(a.logits, a.ltype, at, a.n - i, v);
      change(v, i);
    }
    UNROLL for (int j = 0; j < 8; j++) v[j] = !valid ? 0.f : i + j == target ? own : v[j];
    store_some<8>(a.logits, a.ltype, at, a.n - i, v);
  }
}

template <bool WHOLE_BLOCK>
DEVICE void tiles_row(const loss_args& a, int row, int first, int step, float* scratch) {
  int target = ((const int*)a.target)[row], tiles = (a.n + 31) / 32;
  bool valid = target >= 0 && target < a.n;
  const float* best = (const float*)a.best + (i64)row * tiles;
  const float* sum = (const float*)a.sum + (i64)row * tiles;
  RowOutcome r{};
  if (valid) {
    float largest = -INFINITY, total = 0, earlier = 0;
    for (int i = first; i < tiles; i += step) largest = fmaxf(largest, best[i]);
    r.best = all_max<WHOLE_BLOCK>(largest, scratch);
    for (int i = first; i < tiles; i += step) {
      total += sum[i] * expf(best[i] - r.best);
      if (i < target / 32 && best[i] == r.best) earlier = 1;
    }
    r.total = all_sum<WHOLE_BLOCK>(total, scratch);
    r.own = ((const float*)a.own)[row];
    r.correct = all_max<WHOLE_BLOCK>(earlier, scratch) == 0.f && r.own == r.best && ((const int*)a.first)[row];
  }
  if (first == 0) write_outcome(a, row, valid, r);
  if (!a.gradient) return;
  float scale = scale_of(a, row), share = scale / r.total;
  write_gradient(a, row, first, step, valid, target, own_gradient(a, r, scale), [&](float* v, int i) {
    float factor = share * expf(best[i / 32] - r.best);
    UNROLL for (int j = 0; j < 8; j++) v[j] *= factor;
  });
}

template <bool WHOLE_BLOCK>
DEVICE void logits_row(const loss_args& a, int row, int first, int step, float* scratch) {
  int target = ((const int*)a.target)[row];
  bool valid = target >= 0 && target < a.n;
  float inverse = a.softcap > 0.f ? 1.f / a.softcap : 0.f;
  auto capped = [&](float z) { return a.softcap > 0.f ? a.softcap * tanhf(z * inverse) : z; };
  RowOutcome r{};
  if (valid) {
    float largest = -INFINITY, sum = 0;
    int winner = a.n;
    for (int i = first * 8; i < a.n; i += step * 8) {
      float v[8], before = largest;
      load_some<8>(a.logits, a.ltype, (i64)row * a.ld + i, a.n - i, v);
      UNROLL for (int j = 0; j < 8; j++) {
        v[j] = i + j < a.n ? capped(v[j]) : -INFINITY;
        if (v[j] > largest) {
          largest = v[j];
          winner = i + j;
        }
      }
      float shift = largest == -INFINITY ? 0.f : largest;
      sum *= expf(before - shift);
      UNROLL for (int j = 0; j < 8; j++) sum += expf(v[j] - shift);
    }
    r.best = all_max<WHOLE_BLOCK>(largest, scratch);
    r.total = all_sum<WHOLE_BLOCK>(sum * expf(largest - r.best), scratch);
    // The first of equals; numbers of columns are exact in f32 up to 2^24.
    float winners = all_max<WHOLE_BLOCK>(largest == r.best ? -(float)winner : -(float)a.n, scratch);
    r.own = capped(load_as(a.logits, a.ltype, (i64)row * a.ld + target));
    r.correct = -winners == (float)target;
    if (WHOLE_BLOCK) sync_block();  // the target's logit is read before its gradient is written over it
    else sync_warp();
  }
  if (first == 0) write_outcome(a, row, valid, r);
  if (!a.gradient) return;
  float scale = scale_of(a, row), share = scale / r.total;
  write_gradient(a, row, first, step, valid, target, own_gradient(a, r, scale), [&](float* v, int) {
    UNROLL for (int j = 0; j < 8; j++) {
      float z = capped(v[j]), t = z * inverse;
      v[j] = share * expf(z - r.best) * (1.f - t * t);
    }
  });
}

template <bool TILES>
DEVICE void soft_max_by_warp(const loss_args& a) {
  int row = (int)(block_x() * 8 + thread_x() / 32), lane = (int)(thread_x() % 32);
  if (row >= a.rows) return;
  if (TILES) tiles_row<false>(a, row, lane, 32, nullptr);
  else logits_row<false>(a, row, lane, 32, nullptr);
}
template <bool TILES>
DEVICE void soft_max_by_block(const loss_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  if (TILES) tiles_row<true>(a, (int)block_x(), (int)thread_x(), 256, scratch);
  else logits_row<true>(a, (int)block_x(), (int)thread_x(), 256, scratch);
}
#endif
KERNEL(soft_max_tiles_warp, loss_args, 256, soft_max_by_warp<true>(a))
KERNEL(soft_max_tiles_block, loss_args, 256, soft_max_by_block<true>(a))
KERNEL(soft_max_logits_warp, loss_args, 256, soft_max_by_warp<false>(a))
KERNEL(soft_max_logits_block, loss_args, 256, soft_max_by_block<false>(a))
