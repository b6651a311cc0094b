// Fused optimizer updates: one pass over parameter, gradient and state, which also writes the 16-bit working copy. The rules are
// those of graph/ops/optimizer.ts (PyTorch's); g is the gradient times *scale, s = lr:
//   adamw    m += (1-b1)(g - m);  v += (1-b2)(g^2 - v);  p = p (1 - s decay) - s (m / bias1) / (sqrt(v / bias2) + eps)
//   adam     the same with g += decay p instead of the decoupled decay
//   sgd      g += decay p;  m = momentum m + g;  p -= s (nesterov ? g + momentum m : m)
//   adagrad  g += decay p;  m += g^2;  p -= s g / (sqrt(m) + eps)
//   rmsprop  g += decay p;  q += (1-alpha)(g^2 - q);  centered: a += (1-alpha)(g - a), q' = q - a^2;  u = g / (sqrt(q') + eps);
//            with momentum b = momentum b + u, p -= s b.  State in the order q, [a], [b] over m, v, third.
//   optimizer_bytes: adamw with moments in bytes, see kernels.h
#pragma once
#include "norm.h"

namespace LEVEL {

constexpr int64_t SQUARES_PIECE = 65536;
INLINE int64_t squares_pieces(const global_norm_args& g) {
  int64_t pieces = 0;
  for (int64_t i = 0; i + 2 < g.nextra; i += 3) pieces += ceil_div((int64_t)g.extra[i + 1], SQUARES_PIECE);
  return pieces;
}
static size_t global_norm_scratch(const global_norm_args& g, int threads) {
  return (size_t)ceil_div(squares_pieces(g) * 8, threads) + 64;
}
static void global_norm(const Context& x, const global_norm_args& g) {
  double* part = (double*)x.scratch;
  int64_t pieces = squares_pieces(g);
  parallel(x.pool, pieces, [&](int64_t task, int) {
    int64_t piece = task, i = 0, n = 0;
    for (;; i += 3) {
      n = (int64_t)g.extra[i + 1];
      int64_t own = ceil_div(n, SQUARES_PIECE);
      if (piece < own) break;
      piece -= own;
    }
    const void* p = resolve(g.blocks, g.extra[i]);
    int64_t type = (int64_t)g.extra[i + 2], e1 = min_(n, (piece + 1) * SQUARES_PIECE);
    double total = 0;
    for (int64_t c = piece * SQUARES_PIECE; c < e1; c += 256 * W) {
      vf s[4] = {splat(0.f), splat(0.f), splat(0.f), splat(0.f)};
      int64_t end = min_<int64_t>(e1, c + 256 * W), e = c;
      for (; e + 4 * W <= end; e += 4 * W)
        for (int k = 0; k < 4; k++) {
          vf v = load_any(p, type, e + k * W);
          s[k] += v * v;
        }
      for (; e < end; e += W) {
        vf v = ld(p, type, e, end - e);
        s[0] += v * v;
      }
      total += (double)hsum((s[0] + s[1]) + (s[2] + s[3]));
    }
    part[task] = total;
  });
  double sum = 0;
  for (int64_t i = 0; i < pieces; i++) sum += part[i];
  *(float*)g.y = (float)__builtin_sqrt(sum);
}

static size_t optimizer_scratch(const optimizer_args&, int) { return 0; }

template <int KIND>
static void optimizer_of(const Context& x, const optimizer_args& g) {
  auto number = [](const void* p, float otherwise) { return p ? *(const float*)p : otherwise; };
  float gradient_scale = number(g.scale, 1.f);
  bool good = gradient_scale > 0;  // false for NaN
  vf scale = splat(gradient_scale), lr = splat(number(g.lr, 0.f)), decay = splat(number(g.decay, 0.f)), eps = splat((float)g.eps);
  vf a1 = splat((float)(1 - g.beta1)), a2 = splat((float)(1 - g.beta2)), shrink = splat(1.f) - lr * decay;
  vf rate = lr / splat(number(g.bias1, 1.f)), root = splat(1.f) / vsqrt(splat(number(g.bias2, 1.f)));
  vf momentum = splat((float)g.momentum), ar = splat((float)(1 - g.alpha));
  float *p = (float*)g.p, *m = (float*)g.m, *v = (float*)g.v;
  float* mean = (float*)g.v;                                // rmsprop, centered
  float* buffer = (float*)(g.centered ? g.third : g.v);     // rmsprop, momentum
  const int64_t per = 16384;
  parallel(x.pool, ceil_div(g.n, per), [&](int64_t task, int) {
    int64_t e1 = min_(g.n, (task + 1) * per);
    if (!good) {
      if (g.copy)
        for (int64_t e = task * per; e < e1; e += W) st(g.copy, g.copytype, e, ld(p, F32, e, e1 - e), e1 - e);
      return;
    }
    for (int64_t e = task * per; e < e1; e += W) {
      int64_t left = e1 - e;
      vf w = ld(p, F32, e, left), d = ld(g.g, g.gtype, e, left) * scale;
      if (KIND != ADAMW) d = d + decay * w;
      if (KIND == ADAMW || KIND == ADAM) {
        vf mm = ld(m, F32, e, left), vv = ld(v, F32, e, left);
        mm = mm + a1 * (d - mm);
        vv = vv + a2 * (d * d - vv);
        st(m, F32, e, mm, left);
        st(v, F32, e, vv, left);
        if (KIND == ADAMW) w = w * shrink;
        w = w - rate * mm / (vsqrt(vv) * root + eps);
      } else if (KIND == SGD) {
        if (g.momentum != 0) {
          vf mm = momentum * ld(m, F32, e, left) + d;
          st(m, F32, e, mm, left);
          d = g.nesterov ? d + momentum * mm : mm;
        }
        w = w - lr * d;
      } else if (KIND == ADAGRAD) {
        vf mm = ld(m, F32, e, left) + d * d;
        st(m, F32, e, mm, left);
        w = w - lr * d / (vsqrt(mm) + eps);
      } else {
        vf q = ld(m, F32, e, left), variance;
        q = variance = q + ar * (d * d - q);
        st(m, F32, e, q, left);
        if (g.centered) {
          vf a = ld(mean, F32, e, left);
          a = a + ar * (d - a);
          st(mean, F32, e, a, left);
          variance = vmax(q - a * a, splat(0.f));
        }
        d = d / (vsqrt(variance) + eps);
        if (g.momentum != 0) {
          d = momentum * ld(buffer, F32, e, left) + d;
          st(buffer, F32, e, d, left);
        }
        w = w - lr * d;
      }
      st(p, F32, e, w, left);
      if (g.copy) st(g.copy, g.copytype, e, w, left);
    }
  });
}
static void optimizer(const Context& x, const optimizer_args& g) {
  switch (g.kind) {
    case ADAMW: return optimizer_of<ADAMW>(x, g);
    case ADAM: return optimizer_of<ADAM>(x, g);
    case SGD: return optimizer_of<SGD>(x, g);
    case ADAGRAD: return optimizer_of<ADAGRAD>(x, g);
    default: return optimizer_of<RMSPROP>(x, g);
  }
}

// Moments in bytes: blocks of 256 elements over their largest magnitude.
constexpr int BYTES_BLOCK = 256;
// A level from 0 to `levels` for each y of 0..1, up where y lies further above the lower level than the threshold u says. POWER: 4 or 8.
template <int POWER>
INLINE vf level_of(vf y, vf u, float levels) {
  auto power = [](vf x) {
    vf fourth = (x * x) * (x * x);
    return POWER == 4 ? fourth : fourth * fourth;
  };
  vf count = splat(levels), fourth = vsqrt(vsqrt(y)), root = POWER == 4 ? fourth : vsqrt(fourth);
  vf low = __builtin_convertvector(__builtin_convertvector(root * count, vi), vf);
  vf from = power(low / count), to = power((low + splat(1.f)) / count);
  vf up = u * (to - from) < y - from ? splat(1.f) : splat(0.f);
  vf level = low + up;
  return level < count ? level : count;
}
static size_t optimizer_bytes_scratch(const optimizer_bytes_args&, int) { return 0; }
static void optimizer_bytes(const Context& x, const optimizer_bytes_args& g) {
  auto number = [](const void* p, float otherwise) { return p ? *(const float*)p : otherwise; };
  float gradient_scale = number(g.scale, 1.f);
  bool good = gradient_scale > 0;  // false for NaN
  vf scale = splat(gradient_scale), lr = splat(number(g.lr, 0.f)), eps = splat((float)g.eps);
  vf a1 = splat((float)(1 - g.beta1)), a2 = splat((float)(1 - g.beta2)), shrink = splat(1.f) - lr * splat(number(g.decay, 0.f));
  vf rate = lr / splat(number(g.bias1, 1.f)), root = splat(1.f) / vsqrt(splat(number(g.bias2, 1.f)));
  float offset1 = number(g.offset1, 0.f), offset2 = number(g.offset2, 0.f);
  float* p = (float*)g.p;
  const int64_t per = 64;
  int64_t blocks = ceil_div(g.n, (int64_t)BYTES_BLOCK);
  parallel(x.pool, ceil_div(blocks, per), [&](int64_t task, int) {
    int64_t b1 = min_(blocks, (task + 1) * per);
    if (!good) {
      int64_t e1 = min_(g.n, b1 * BYTES_BLOCK);
      if (g.copy)
        for (int64_t e = task * per * BYTES_BLOCK; e < e1; e += W) st(g.copy, g.copytype, e, ld(p, F32, e, e1 - e), e1 - e);
      return;
    }
    float first[BYTES_BLOCK], second[BYTES_BLOCK], u1[BYTES_BLOCK], u2[BYTES_BLOCK];
    for (int j = 0; j < BYTES_BLOCK; j++) {
      float own = (float)j * 0.6180339887498949f;
      own -= (float)(int)own;
      u1[j] = own + offset1;
      u2[j] = own + offset2;
      if (u1[j] >= 1.f) u1[j] -= 1.f;
      if (u2[j] >= 1.f) u2[j] -= 1.f;
    }
    for (int64_t b = task * per; b < b1; b++) {
      int64_t e0 = b * BYTES_BLOCK, n = min_<int64_t>(BYTES_BLOCK, g.n - e0);
      vf ms = splat(((float*)g.mscale)[b]), vs = splat(((float*)g.vscale)[b]);
      float most1 = 0, most2 = 0;
      for (int64_t i = 0; i < n; i += W) {
        int64_t left = n - i, e = e0 + i;
        vf w = ld(p, F32, e, left), d = ld(g.g, g.gtype, e, left) * scale;
        vf k1 = (ld(g.m, U8, e, left) - splat(127.f)) / splat(127.f), k2 = ld(g.v, U8, e, left) / splat(255.f);
        vf mm = k1 * vabs(k1) * (k1 * k1) * ms, fourth = (k2 * k2) * (k2 * k2), vv = fourth * fourth * vs;
        mm = mm + a1 * (d - mm);
        vv = vv + a2 * (d * d - vv);
        store(first + i, mm);
        store(second + i, vv);
        if (left >= W) {
          most1 = max_(most1, hmax(vabs(mm)));
          most2 = max_(most2, hmax(vv));
        } else
          for (int64_t j = i; j < n; j++) {
            most1 = max_(most1, __builtin_fabsf(first[j]));
            most2 = max_(most2, second[j]);
          }
        w = w * shrink - rate * mm / (vsqrt(vv) * root + eps);
        st(p, F32, e, w, left);
        if (g.copy) st(g.copy, g.copytype, e, w, left);
      }
      ((float*)g.mscale)[b] = most1;
      ((float*)g.vscale)[b] = most2;
      vf d1 = splat(most1 > 0 ? most1 : 1.f), d2 = splat(most2 > 0 ? most2 : 1.f);
      for (int64_t i = 0; i < n; i += W) {
        int64_t left = n - i, e = e0 + i;
        vf y = load(first + i) / d1, level = level_of<4>(vabs(y), load(u1 + i), 127.f);
        st(g.m, U8, e, splat(127.f) + (y < splat(0.f) ? -level : level), left);
        st(g.v, U8, e, level_of<8>(load(second + i) / d2, load(u2 + i), 255.f), left);
      }
    }
  });
}

}  // namespace LEVEL
