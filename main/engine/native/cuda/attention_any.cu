// Attention of any sizes, types and options, forward and backward, computed in f32 (after Dao et al., FlashAttention): the path of f32, of odd
// sizes, and what the faster kernels are measured against. A block holds 64 rows of one side, queries or keys, and goes over 64 columns of
// the other at a time; its 256 threads own 4 x 4 scores each and a slice of WIDTH columns of the output, so that head sizes have no bound:
// further slices are further blocks, which compute the scores again. Nothing is shared between blocks, so every sum has one order.
#include "attention.h"

#ifndef DESCRIBE
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

// Factor on the probability of key j for query i where a selection decides: 1 for near keys, else clip(score - threshold, 0, 1).
struct Chosen {
  float factor;
  bool smooth;  // strictly between 0 and 1
};
DEVICE Chosen chosen(const float* scores, float threshold, int near, int j) {
  Chosen c;
  c.factor = 1, c.smooth = false;
  if (!scores || j >= near) return c;
  float above = scores[j] - threshold;
  c.smooth = above > 0 && above < 1;
  c.factor = above > 1 ? 1.f : above > 0 ? above : 0.f;
  return c;
}

enum Role { OUTPUT, GRADIENT_Q, GRADIENT_K, GRADIENT_V };
constexpr int SIDE = 64, DEPTH = 32, LD = 72;  // 72: a warp that writes 8 rows by 4 columns meets every bank once

// Rows of one head.
struct Operand {
  const void* data;
  i64 at;  // of its first row
  int stride, rows;
};
DEVICE Operand operand(const void* data, i64 at, int stride, int rows) {
  Operand x;
  x.data = data, x.at = at, x.stride = stride, x.rows = rows;
  return x;
}

// to[e][r] = row row0 + r, column e0 + e, zero outside.
template <class T>
DEVICE void stage_transposed(const Operand& x, int row0, int e0, int width, float* to) {
  int lane = (int)thread_x() % 32, r = (int)thread_x() / 32 * 8 + lane / 4;
  const T* from = (const T*)x.data + x.at + (i64)(row0 + r) * x.stride + e0;
  UNROLL for (int n = 0; n < DEPTH / 4; n++) {
    int e = n * 4 + lane % 4;
    to[e * LD + r] = row0 + r < x.rows && e0 + e < width ? get(from, e) : 0.f;
  }
}
// to[r][c] = row row0 + r, column c0 + c, zero outside.
template <class T, int WIDTH>
DEVICE void stage(const Operand& x, int row0, int c0, int width, float* to) {
  int c = (int)thread_x() % WIDTH;
  for (int r0 = (int)thread_x() / WIDTH; r0 < SIDE; r0 += 8 * 256 / WIDTH) {  // eight at a time: all at once would take too many registers
    UNROLL for (int n = 0; n < 8; n++) {
      int r = r0 + n * 256 / WIDTH;
      to[r * WIDTH + c] = row0 + r < x.rows && c0 + c < width ? get((const T*)x.data, x.at + (i64)(row0 + r) * x.stride + c0 + c) : 0.f;
    }
  }
}
// Calls of a template by the type of the elements.
#define BY_TYPE(type, F32_CALL, BF16_CALL, F16_CALL) \
  if ((type) == F32) F32_CALL;                       \
  else if ((type) == BF16) BF16_CALL;                \
  else F16_CALL;

// s[r][c] = row 4 ty + r of A times row 4 tx + c of B.
DEVICE void products(int type, const Operand& A, int a0, const Operand& B, int b0, int width, float* ta, float* tb, float s[4][4]) {
  int tx = (int)thread_x() % 16, ty = (int)thread_x() / 16;
  UNROLL for (int r = 0; r < 4; r++) UNROLL for (int c = 0; c < 4; c++) s[r][c] = 0;
  for (int e0 = 0; e0 < width; e0 += DEPTH) {
    sync_block();  // the tiles may still be read
    BY_TYPE(type, stage_transposed<float>(A, a0, e0, width, ta), stage_transposed<bf16>(A, a0, e0, width, ta), stage_transposed<f16>(A, a0, e0, width, ta))
    BY_TYPE(type, stage_transposed<float>(B, b0, e0, width, tb), stage_transposed<bf16>(B, b0, e0, width, tb), stage_transposed<f16>(B, b0, e0, width, tb))
    sync_block();
    int depth = least(DEPTH, width - e0);
    for (int e = 0; e < depth; e++) {
      vec4 x = load16(ta + e * LD + 4 * ty), y = load16(tb + e * LD + 4 * tx);
      float u[4] = {bits_float(x.x), bits_float(x.y), bits_float(x.z), bits_float(x.w)};
      float v[4] = {bits_float(y.x), bits_float(y.y), bits_float(y.z), bits_float(y.w)};
      UNROLL for (int r = 0; r < 4; r++) UNROLL for (int c = 0; c < 4; c++) s[r][c] += u[r] * v[c];
    }
  }
}

// Over the 16 threads that own the same rows: half a warp.
DEVICE float half_sum(float v) {
  UNROLL for (int m = 8; m > 0; m >>= 1) v += shuffle_xor(v, m);
  return v;
}
DEVICE float half_max(float v) {
  UNROLL for (int m = 8; m > 0; m >>= 1) v = fmaxf(v, shuffle_xor(v, m));
  return v;
}

template <class T, int WIDTH>
DEVICE void write_slice(void* to, i64 at, int stride, int row0, int rows, int c0, int width, const float o[4][WIDTH / 16], const float factor[4]) {
  int tx = (int)thread_x() % 16, ty = (int)thread_x() / 16;
  UNROLL for (int r = 0; r < 4; r++) {
    int row = row0 + 4 * ty + r;
    if (row >= rows) continue;
    UNROLL for (int e = 0; e < WIDTH / 16; e++) {
      int c = c0 + e / 4 * 64 + 4 * tx + e % 4;
      if (c < width) put((T*)to, at + (i64)row * stride + c, o[r][e] * factor[r]);
    }
  }
}

template <int ROLE, int WIDTH>
DEVICE void attention_any(const attention_args& a) {
  constexpr bool BY_KEY = ROLE == GRADIENT_K || ROLE == GRADIENT_V;  // rows are keys, columns queries
  SHARED_BEGIN
  SHARED(float, ta, DEPTH * LD)
  SHARED(float, tb, DEPTH * LD)
  SHARED(float, tp, SIDE * SIDE)
  SHARED(float, tv, SIDE * WIDTH)
  SHARED(u32, bits, 2 * SIDE * SIDE / 32)  // seen, kept
  int tx = (int)thread_x() % 16, ty = (int)thread_x() / 16, b = (int)block_z(), group = a.heads / a.kvheads;
  int width = ROLE == OUTPUT || ROLE == GRADIENT_V ? a.dvalue : a.d, slices = (width + WIDTH - 1) / WIDTH;
  int tiles = (int)grid_x() / slices, slice = (int)block_x() % slices, tile = (int)block_x() / slices, c0 = slice * WIDTH;
  if (!BY_KEY) tile = tiles - 1 - tile;  // those with the most keys first
  int row0 = tile * SIDE, head0 = BY_KEY ? (int)block_y() * group : (int)block_y(), hk = head0 / group;
  Operand K = operand(a.k, b * a.skb + (i64)hk * a.skh, a.skt, a.tk), V = operand(a.v, b * a.svb + (i64)hk * a.svh, a.svt, a.tk);
  float keep = a.dropout > 0 ? 1.f / (1.f - a.dropout) : 1.f;
  const float* scores = a.scores ? (const float*)a.scores + (i64)b * a.tk : nullptr;
  const float* thresholds = a.scores ? (const float*)a.thresholds + (i64)b * a.tq : nullptr;

  float o[4][WIDTH / 16], top[4], total[4], dslope = 0;
  UNROLL for (int r = 0; r < 4; r++) {
    UNROLL for (int e = 0; e < WIDTH / 16; e++) o[r][e] = 0;
    top[r] = MINUS_INF, total[r] = 0;
  }
  for (int h = head0; h < (BY_KEY ? head0 + group : head0 + 1); h++) {
    Sight sight = sight_of(a, b, h);
    Operand Q = operand(a.q, b * a.sqb + (i64)h * a.sqh, a.sqt, a.tq);
    Operand dO = operand(a.dout, b * a.sob + (i64)h * a.soh, a.sot, a.tq);
    float slope = a.slopes ? ((const float*)a.slopes)[h] : 0.f;
    i64 first_row = ((i64)b * a.heads + h) * a.tq;
    float moved[4] = {0, 0, 0, 0};
    int begin, end;
    if (BY_KEY) queries_of(sight, row0, least(row0 + SIDE, a.tk), &begin, &end);
    else keys_of(sight, row0, row0 + SIDE, &begin, &end);
    for (int col0 = begin / SIDE * SIDE; col0 < end; col0 += SIDE) {
      int i0 = BY_KEY ? col0 : row0, j0 = BY_KEY ? row0 : col0;
      if (!tile_counts(sight, i0, i0 + SIDE, j0, j0 + SIDE)) continue;
      tile_bits<SIDE, SIDE>(a, sight, b, h, i0, j0, bits, bits + SIDE * SIDE / 32);
      float s[4][4], dp[4][4];
      products(a.type, BY_KEY ? K : Q, row0, BY_KEY ? Q : K, col0, a.d, ta, tb, s);
      if (ROLE == GRADIENT_Q || ROLE == GRADIENT_K) products(a.type, BY_KEY ? V : dO, row0, BY_KEY ? dO : V, col0, a.dvalue, ta, tb, dp);
      sync_block();  // tp and tv may still be read
      const Operand& X = ROLE == OUTPUT ? V : ROLE == GRADIENT_Q ? K : ROLE == GRADIENT_K ? Q : dO;
      BY_TYPE(a.type, (stage<float, WIDTH>(X, col0, c0, width, tv)), (stage<bf16, WIDTH>(X, col0, c0, width, tv)), (stage<f16, WIDTH>(X, col0, c0, width, tv)))

      // Query by query, of which a thread has four keys: p[key][query] by row or by column.
      UNROLL for (int n = 0; n < 4; n++) {
        int query = 4 * (BY_KEY ? tx : ty) + n, key = 4 * (BY_KEY ? ty : tx), i = i0 + query, j = j0 + key;
        int word = query * SIDE / 32 + key / 32, near = scores ? row_of(sight, i).near : 0;
        u32 seen = bits[word] >> key % 32, kept_of = a.dropout > 0 ? bits[SIDE * SIDE / 32 + word] >> key % 32 : 15u;
        float x[4], cap[4], kept[4];
        Chosen choice[4];
        float threshold = thresholds && i < a.tq ? thresholds[i] : 0.f;
        UNROLL for (int e = 0; e < 4; e++) {
          x[e] = capped(a, BY_KEY ? s[e][n] : s[n][e], &cap[e]);
          if (a.slopes) x[e] -= slope * (float)(i + sight.offset - j - e);
          if (!(seen >> e & 1)) x[e] = MINUS_INF;
          kept[e] = kept_of >> e & 1 ? keep : 0.f;
          choice[e] = chosen(seen >> e & 1 ? scores : nullptr, threshold, near, j + e);
        }
        if (ROLE == OUTPUT) {
          float most = fmaxf(top[n], half_max(fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3]))));
          float from = most == MINUS_INF ? 0.f : most, shrink = top[n] == most ? 1.f : expf(top[n] - from);
          top[n] = most;
          total[n] *= shrink;
          UNROLL for (int e = 0; e < WIDTH / 16; e++) o[n][e] *= shrink;
          UNROLL for (int e = 0; e < 4; e++) {
            float p = x[e] == MINUS_INF ? 0.f : expf(x[e] - from);
            total[n] += p;
            s[n][e] = p * kept[e] * choice[e].factor;
          }
        } else {
          float lse = i < a.tq ? ((const float*)a.lse)[first_row + i] : MINUS_INF;
          float delta = ROLE != GRADIENT_V && i < a.tq ? ((const float*)a.delta)[first_row + i] : 0.f;
          UNROLL for (int e = 0; e < 4; e++) {
            float p = x[e] == MINUS_INF || lse == MINUS_INF ? 0.f : expf(x[e] - lse);
            float& to = BY_KEY ? s[e][n] : s[n][e];
            if (ROLE == GRADIENT_V) {
              to = p * kept[e] * choice[e].factor;
              continue;
            }
            float g = (BY_KEY ? dp[e][n] : dp[n][e]) * kept[e];
            if (choice[e].smooth && p != 0.f) moved[BY_KEY ? e : n] += p * g;
            float ds = p == 0.f ? 0.f : p * (g * choice[e].factor - delta);
            dslope -= ds * (float)(i + sight.offset - j - e);
            to = ds * cap[e] * a.scale;
          }
        }
      }
      // tp[column][row]; groups of four rows are stored in turned order, so that 8 threads that write meet all banks
      UNROLL for (int c = 0; c < 4; c++) {
        vec4 v = {float_bits(s[0][c]), float_bits(s[1][c]), float_bits(s[2][c]), float_bits(s[3][c])};
        store16(tp + (4 * tx + c) * SIDE + (ty ^ tx) * 4, v);
      }
      sync_block();
      int columns = least(SIDE, (BY_KEY ? a.tq : a.tk) - col0);
      for (int c = 0; c < columns; c++) {
        vec4 x = load16(tp + c * SIDE + (ty ^ c / 4) * 4);
        float u[4] = {bits_float(x.x), bits_float(x.y), bits_float(x.z), bits_float(x.w)};
        UNROLL for (int part = 0; part < WIDTH / 64; part++) {
          vec4 y = load16(tv + c * WIDTH + part * 64 + 4 * tx);
          float v[4] = {bits_float(y.x), bits_float(y.y), bits_float(y.z), bits_float(y.w)};
          UNROLL for (int r = 0; r < 4; r++) UNROLL for (int e = 0; e < 4; e++) o[r][part * 4 + e] += u[r] * v[e];
        }
      }
    }
    // Gradients of the selection: of scores by head (rows are keys), of thresholds (rows are queries).
    if ((ROLE == GRADIENT_K && a.dscores) || (ROLE == GRADIENT_Q && a.dthresholds)) {
      int rows = BY_KEY ? a.tk : a.tq;
      float* to = (float*)(BY_KEY ? a.dscores : a.dthresholds) + ((i64)b * a.heads + h) * rows;
      UNROLL for (int r = 0; r < 4; r++) {
        float sum = half_sum(moved[r]);
        if (slice == 0 && tx == 0 && row0 + 4 * ty + r < rows) to[row0 + 4 * ty + r] = BY_KEY ? sum : -sum;
      }
    }
  }
  float factor[4] = {1, 1, 1, 1};
  if (ROLE == OUTPUT)
    UNROLL for (int r = 0; r < 4; r++) {
      float sum = half_sum(total[r]);
      int i = row0 + 4 * ty + r;
      factor[r] = sum == 0.f ? 0.f : 1.f / sum;
      if (a.lse && slice == 0 && tx == 0 && i < a.tq)
        ((float*)a.lse)[((i64)b * a.heads + head0) * a.tq + i] = sum == 0.f ? MINUS_INF : top[r] + logf(sum);
    }
  if (ROLE == GRADIENT_Q && a.slopesums) {
    sync_block();
    float sum = block_sum(dslope, ta);
    if (slice == 0 && thread_x() == 0) ((float*)a.slopesums)[((i64)b * a.heads + head0) * tiles + tile] = sum;
  }
  void* to = ROLE == OUTPUT ? a.o : ROLE == GRADIENT_Q ? a.gq : ROLE == GRADIENT_K ? a.gk : a.gv;
  i64 at = ROLE == OUTPUT ? b * a.sob + (i64)head0 * a.soh : ROLE == GRADIENT_Q ? b * a.sqb + (i64)head0 * a.sqh : ROLE == GRADIENT_K ? K.at : V.at;
  int stride = ROLE == OUTPUT ? a.sot : ROLE == GRADIENT_Q ? a.sqt : ROLE == GRADIENT_K ? a.skt : a.svt, rows = BY_KEY ? a.tk : a.tq;
  BY_TYPE(a.type, (write_slice<float, WIDTH>(to, at, stride, row0, rows, c0, width, o, factor)),
          (write_slice<bf16, WIDTH>(to, at, stride, row0, rows, c0, width, o, factor)),
          (write_slice<f16, WIDTH>(to, at, stride, row0, rows, c0, width, o, factor)))
}

// delta = dO . O of every query and head: one warp each.
template <class T>
DEVICE float row_dot(const void* x, const void* y, i64 at, int n) {
  float sum = 0;
  for (int e = (int)thread_x() % 32; e < n; e += 32) sum += get((const T*)x, at + e) * get((const T*)y, at + e);
  return sum;
}
DEVICE void attention_deltas(const attention_args& a) {
  int i = (int)block_x() * 8 + (int)thread_x() / 32, h = (int)block_y(), b = (int)block_z();
  if (i >= a.tq) return;
  i64 at = b * a.sob + (i64)i * a.sot + (i64)h * a.soh;
  float sum;
  BY_TYPE(a.type, sum = row_dot<float>(a.dout, a.o, at, a.dvalue), sum = row_dot<bf16>(a.dout, a.o, at, a.dvalue), sum = row_dot<f16>(a.dout, a.o, at, a.dvalue))
  sum = warp_sum(sum);
  if (thread_x() % 32 == 0) ((float*)a.delta)[((i64)b * a.heads + h) * a.tq + i] = sum;
}

// dslopes from the sums over tiles of queries, in order.
DEVICE void attention_slope_sums(const attention_args& a) {
  int head = (int)(block_x() * 64 + thread_x()), tiles = (a.tq + SIDE - 1) / SIDE;
  if (head >= a.batch * a.heads) return;
  float sum = 0;
  for (int t = 0; t < tiles; t++) sum += ((const float*)a.slopesums)[(i64)head * tiles + t];
  ((float*)a.dslopes)[head] = sum;
}
#endif
KERNEL(attention_any_64, attention_args, 256, (attention_any<OUTPUT, 64>(a)))
KERNEL(attention_any_128, attention_args, 256, (attention_any<OUTPUT, 128>(a)))
KERNEL(attention_any_q_64, attention_args, 256, (attention_any<GRADIENT_Q, 64>(a)))
KERNEL(attention_any_q_128, attention_args, 256, (attention_any<GRADIENT_Q, 128>(a)))
KERNEL(attention_any_k_64, attention_args, 256, (attention_any<GRADIENT_K, 64>(a)))
KERNEL(attention_any_k_128, attention_args, 256, (attention_any<GRADIENT_K, 128>(a)))
KERNEL(attention_any_v_64, attention_args, 256, (attention_any<GRADIENT_V, 64>(a)))
KERNEL(attention_any_v_128, attention_args, 256, (attention_any<GRADIENT_V, 128>(a)))
KERNEL(attention_delta, attention_args, 256, attention_deltas(a))
KERNEL(attention_slopes, attention_args, 64, attention_slope_sums(a))
