// Fused optimizer updates, of many parameters at once, and the norm of all gradients. The rules are those of ../optimizer.h.
#include "vector.h"

// arrays: an OptimizerArray for each of `count` parameters that are updated alike. one_minus_*: 1 - beta1, 1 - beta2, 1 - alpha.
#define ARGS_optimizer(P, I, L, F, E)                                                                                        \
  P(arrays) I(count) E(kind, OptimizerKind) I(nesterov) I(centered) F(one_minus_beta1) F(one_minus_beta2) F(one_minus_alpha)  \
  F(eps) F(momentum)
// arrays: i64 {address, elements, type, first piece} of each. parts: f32 for each piece of 65,536 elements.
#define ARGS_norm_pieces(P, I, L, F, E) P(arrays) P(parts) I(count)
#define ARGS_norm_total(P, I, L, F, E) P(parts) P(y) I(pieces)
// arrays: a ByteArray for each of `count` parameters.
#define ARGS_optimizer_bytes(P, I, L, F, E) P(arrays) I(count) F(one_minus_beta1) F(one_minus_beta2) F(eps)
ARGS(optimizer)
ARGS(optimizer_bytes)
ARGS(norm_pieces)
ARGS(norm_total)

#ifndef DESCRIBE
// scale, lr, decay, bias1, bias2: one f32 in memory, or null. mtype: of all state. first: the block that begins here.
struct OptimizerArray {
  void *p, *g, *m, *v, *third, *copy, *scale, *lr, *decay, *bias1, *bias2;
  i64 n, gtype, copytype, ptype, mtype, first;
};
constexpr int UPDATES = 8192;  // elements of a block

DEVICE float number_at(const void* p, float otherwise) { return p ? *(const float*)p : otherwise; }

template <int KIND>
DEVICE void update(const optimizer_args& a, const OptimizerArray& own, i64 e, i64 left, float scale, float* w) {
  float g[8], m[8], v[8];
  float lr = number_at(own.lr, 0.f), decay = number_at(own.decay, 0.f);
  load_floats<8>(own.g, (int)own.gtype, e, left, g);
  UNROLL for (int k = 0; k < 8; k++) {
    g[k] *= scale;
    if (KIND != ADAMW) g[k] += decay * w[k];
  }
  if (KIND == ADAMW || KIND == ADAM) {
    float shrink = 1.f - lr * decay, rate = lr / number_at(own.bias1, 1.f), root = 1.f / sqrtf(number_at(own.bias2, 1.f));
    load_floats<8>(own.m, (int)own.mtype, e, left, m);
    load_floats<8>(own.v, (int)own.mtype, e, left, v);
    UNROLL for (int k = 0; k < 8; k++) {
      m[k] += a.one_minus_beta1 * (g[k] - m[k]);
      v[k] += a.one_minus_beta2 * (g[k] * g[k] - v[k]);
      if (KIND == ADAMW) w[k] *= shrink;
      w[k] -= rate * m[k] / (sqrtf(v[k]) * root + a.eps);
    }
    store_floats<8>(own.m, (int)own.mtype, e, left, m);
    store_floats<8>(own.v, (int)own.mtype, e, left, v);
  } else if (KIND == SGD) {
    if (a.momentum != 0.f) {
      load_floats<8>(own.m, (int)own.mtype, e, left, m);
      UNROLL for (int k = 0; k < 8; k++) {
        m[k] = a.momentum * m[k] + g[k];
        g[k] = a.nesterov ? g[k] + a.momentum * m[k] : m[k];
      }
      store_floats<8>(own.m, (int)own.mtype, e, left, m);
    }
    UNROLL for (int k = 0; k < 8; k++) w[k] -= lr * g[k];
  } else if (KIND == ADAGRAD) {
    load_floats<8>(own.m, (int)own.mtype, e, left, m);
    UNROLL for (int k = 0; k < 8; k++) {
      m[k] += g[k] * g[k];
      w[k] -= lr * g[k] / (sqrtf(m[k]) + a.eps);
    }
    store_floats<8>(own.m, (int)own.mtype, e, left, m);
  } else {  // rmsprop: state in the order square, [mean], [momentum]
    load_floats<8>(own.m, (int)own.mtype, e, left, m);
    UNROLL for (int k = 0; k < 8; k++) m[k] += a.one_minus_alpha * (g[k] * g[k] - m[k]);
    store_floats<8>(own.m, (int)own.mtype, e, left, m);
    if (a.centered) {
      load_floats<8>(own.v, (int)own.mtype, e, left, v);
      UNROLL for (int k = 0; k < 8; k++) {
        v[k] += a.one_minus_alpha * (g[k] - v[k]);
        m[k] = fmaxf(m[k] - v[k] * v[k], 0.f);
      }
      store_floats<8>(own.v, (int)own.mtype, e, left, v);
    }
    UNROLL for (int k = 0; k < 8; k++) g[k] /= sqrtf(m[k]) + a.eps;
    if (a.momentum != 0.f) {
      void* buffer = a.centered ? own.third : own.v;
      load_floats<8>(buffer, (int)own.mtype, e, left, v);
      UNROLL for (int k = 0; k < 8; k++) g[k] = v[k] = a.momentum * v[k] + g[k];
      store_floats<8>(buffer, (int)own.mtype, e, left, v);
    }
    UNROLL for (int k = 0; k < 8; k++) w[k] -= lr * g[k];
  }
  store_floats<8>(own.p, (int)own.ptype, e, left, w);
}
// The last array that begins at or before this block.
template <class T>
DEVICE T array_of(const void* table, int count) {
  const T* arrays = (const T*)table;
  int low = 0, high = count - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (arrays[middle].first <= (i64)block_x()) low = middle;
    else high = middle - 1;
  }
  return arrays[low];
}
DEVICE void update_arrays(const optimizer_args& a) {
  OptimizerArray own = array_of<OptimizerArray>(a.arrays, a.count);
  float scale = number_at(own.scale, 1.f);
  bool usable = scale > 0.f;  // not for NaN
  if (!usable && !own.copy) return;
  i64 begin = ((i64)block_x() - own.first) * UPDATES, end = begin + UPDATES < own.n ? begin + UPDATES : own.n;
  for (i64 e = begin + thread_x() * 8; e < end; e += 2048) {
    float w[8];
    i64 left = own.n - e;
    load_floats<8>(own.p, (int)own.ptype, e, left, w);
    if (usable) switch (a.kind) {
        case ADAMW: update<ADAMW>(a, own, e, left, scale, w); break;
        case ADAM: update<ADAM>(a, own, e, left, scale, w); break;
        case SGD: update<SGD>(a, own, e, left, scale, w); break;
        case ADAGRAD: update<ADAGRAD>(a, own, e, left, scale, w); break;
        default: update<RMSPROP>(a, own, e, left, scale, w); break;
      }
    if (own.copy) store_floats<8>(own.copy, (int)own.copytype, e, left, w);
  }
}

// AdamW with moments in bytes, in blocks of 256 elements: one warp each, eight elements a lane.
struct ByteArray {
  void *p, *g, *m, *mscale, *v, *vscale, *copy, *scale, *lr, *decay, *bias1, *bias2, *offset1, *offset2;
  i64 n, gtype, copytype, first;
};
constexpr int BYTES_BLOCK = 256;
// A level from 0 to `levels` for y of 0..1, up where y lies further above the lower level than the threshold u says. POWER: 4 or 8.
template <int POWER>
DEVICE float level_of(float y, float u, float levels) {
  float low = (float)(int)((POWER == 4 ? sqrtf(sqrtf(y)) : sqrtf(sqrtf(sqrtf(y)))) * levels);
  float from = low / levels, to = (low + 1.f) / levels;
  UNROLL for (int power = 1; power < POWER; power *= 2) {
    from *= from;
    to *= to;
  }
  float level = low + (u * (to - from) < y - from ? 1.f : 0.f);
  return level < levels ? level : levels;
}
// Where the place j of its block and the offset of the step put the threshold.
DEVICE float threshold_of(int j, float offset) {
  float own = (float)j * 0.6180339887498949f;
  own -= (float)(int)own;
  own += offset;
  return own >= 1.f ? own - 1.f : own;
}
DEVICE void update_bytes(const optimizer_bytes_args& a) {
  ByteArray own = array_of<ByteArray>(a.arrays, a.count);
  float scale = number_at(own.scale, 1.f);
  bool usable = scale > 0.f;  // not for NaN
  if (!usable && !own.copy) return;
  int lane = (int)thread_x() % 32, warp = (int)thread_x() / 32;
  float lr = number_at(own.lr, 0.f), shrink = 1.f - lr * number_at(own.decay, 0.f);
  float rate = lr / number_at(own.bias1, 1.f), root = 1.f / sqrtf(number_at(own.bias2, 1.f));
  float offset1 = number_at(own.offset1, 0.f), offset2 = number_at(own.offset2, 0.f);
  i64 block = ((i64)block_x() - own.first) * (UPDATES / BYTES_BLOCK) + warp, last = block + UPDATES / BYTES_BLOCK;
  // Every lane of a warp has the same blocks.
  for (; block < last - warp && block * BYTES_BLOCK < own.n; block += 8) {
    i64 e = block * BYTES_BLOCK + lane * 8, left = own.n - e;
    float w[8], g[8], m[8], v[8], most1 = 0.f, most2 = 0.f;
    bool any = left > 0;
    if (any) load_floats<8>(own.p, F32, e, left, w);
    if (usable) {
      float ms = ((const float*)own.mscale)[block], vs = ((const float*)own.vscale)[block];
      if (any) {
        load_floats<8>(own.g, (int)own.gtype, e, left, g);
        UNROLL for (int k = 0; k < 8; k++) {
          m[k] = v[k] = 0.f;
          if (k < left) {
            float k1 = ((float)((const unsigned char*)own.m)[e + k] - 127.f) / 127.f;
            float k2 = (float)((const unsigned char*)own.v)[e + k] / 255.f;
            g[k] *= scale;
            m[k] = k1 * fabsf(k1) * (k1 * k1) * ms;
            k2 *= k2;
            k2 *= k2;
            v[k] = k2 * k2 * vs;
            m[k] += a.one_minus_beta1 * (g[k] - m[k]);
            v[k] += a.one_minus_beta2 * (g[k] * g[k] - v[k]);
            w[k] = w[k] * shrink - rate * m[k] / (sqrtf(v[k]) * root + a.eps);
            most1 = fmaxf(most1, fabsf(m[k]));
            most2 = fmaxf(most2, v[k]);
          }
        }
        store_floats<8>(own.p, F32, e, left, w);
      }
      most1 = warp_max(most1);
      most2 = warp_max(most2);
      sync_warp();  // every lane has read the old ones
      if (lane == 0) {
        ((float*)own.mscale)[block] = most1;
        ((float*)own.vscale)[block] = most2;
      }
      float d1 = most1 > 0.f ? most1 : 1.f, d2 = most2 > 0.f ? most2 : 1.f;
      if (any) UNROLL for (int k = 0; k < 8; k++)
          if (k < left) {
            int j = lane * 8 + k;
            float level = level_of<4>(fabsf(m[k]) / d1, threshold_of(j, offset1), 127.f);
            ((unsigned char*)own.m)[e + k] = (unsigned char)(127.f + (m[k] < 0.f ? -level : level));
            ((unsigned char*)own.v)[e + k] = (unsigned char)level_of<8>(v[k] / d2, threshold_of(j, offset2), 255.f);
          }
    }
    if (any && own.copy) store_floats<8>(own.copy, (int)own.copytype, e, left, w);
  }
}

constexpr int SQUARES_PIECE = 65536;
struct NormArray {
  const void* p;
  i64 n, type, first;
};
DEVICE void sum_piece(const norm_pieces_args& a) {
  SHARED_BEGIN
  SHARED(float, scratch, 8)
  NormArray own = array_of<NormArray>(a.arrays, a.count);
  i64 begin = ((i64)block_x() - own.first) * SQUARES_PIECE, end = begin + SQUARES_PIECE < own.n ? begin + SQUARES_PIECE : own.n;
  float sum[4] = {};
  for (i64 i = begin + thread_x() * 8; i < end; i += 4 * 2048)
    UNROLL for (int u = 0; u < 4; u++) {
      float v[8];
      i64 at = i + u * 2048;
      if (at >= end) break;
      load_floats<8>(own.p, (int)own.type, at, end - at, v);
      UNROLL for (int k = 0; k < 8; k++) sum[u] += v[k] * v[k];
    }
  float total = block_sum((sum[0] + sum[1]) + (sum[2] + sum[3]), scratch);
  if (thread_x() == 0) ((float*)a.parts)[block_x()] = total;
}
DEVICE void add_pieces(const norm_total_args& a) {
  SHARED_BEGIN
  SHARED(double, sums, 256)
  double sum = 0;
  for (int i = (int)thread_x(); i < a.pieces; i += 256) sum += (double)((const float*)a.parts)[i];
  sums[thread_x()] = sum;
  sync_block();
  if (thread_x() != 0) return;
  for (int i = 1; i < 256; i++) sum += sums[i];
  *(float*)a.y = (float)sqrt(sum);
}
#endif
KERNEL(optimizer, optimizer_args, 256, update_arrays(a))
KERNEL(optimizer_bytes, optimizer_bytes_args, 256, update_bytes(a))
KERNEL(norm_pieces, norm_pieces_args, 256, sum_piece(a))
KERNEL(norm_total, norm_total_args, 256, add_pieces(a))
