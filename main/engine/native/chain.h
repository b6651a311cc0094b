// Fused element-wise programs. The output's index space is cut into blocks of 256 elements whose registers (f32) stay in L1; each
// instruction runs over a block before the next one starts, so its dispatch costs a fraction of a cycle per element and nothing
// but inputs and outputs touches memory. Inputs broadcast by strides of zero; adjacent dimensions that every input walks as one
// are merged first.
#pragma once
#include "norm.h"
#include "random.h"

namespace LEVEL {

constexpr int CHAIN_BLOCK = 256, CHAIN_REGISTERS = 32, CHAIN_DIMS = 8;

struct ChainInput {
  const void* p;
  int64_t type, stride[CHAIN_DIMS];
};
struct ChainOutput {
  void* p;
  int64_t type, reg;
};
struct Chain {
  int ndim = 0, ninputs = 0, noutputs = 0, ninstructions = 0;
  int64_t size[CHAIN_DIMS], original[CHAIN_DIMS], count = 1;
  int original_ndim = 0;
  ChainInput input[CHAIN_REGISTERS];
  ChainOutput output[CHAIN_REGISTERS];
  const double* code;
};

static Chain chain_of(const chain_args& g) {
  Chain c;
  const double* e = g.extra;
  c.ndim = c.original_ndim = (int)*e++;
  for (int d = 0; d < c.ndim; d++) {
    c.size[d] = c.original[d] = (int64_t)*e++;
    c.count *= c.size[d];
  }
  c.ninputs = (int)*e++;
  for (int i = 0; i < c.ninputs; i++) {
    c.input[i].p = resolve(g.blocks, *e++);
    c.input[i].type = (int64_t)*e++;
    for (int d = 0; d < c.ndim; d++) c.input[i].stride[d] = (int64_t)*e++;
  }
  c.noutputs = (int)*e++;
  for (int i = 0; i < c.noutputs; i++) {
    c.output[i].p = resolve(g.blocks, *e++);
    c.output[i].type = (int64_t)*e++;
    c.output[i].reg = (int64_t)*e++;
  }
  c.ninstructions = (int)*e++;
  c.code = e;
  int out = 0;  // merge dimension d into `out` when every input steps through both as through one
  for (int d = 1; d < c.ndim; d++) {
    bool merge = true;
    for (int i = 0; i < c.ninputs; i++)
      if (c.size[d] != 1 && c.size[out] != 1 && c.input[i].stride[out] != c.input[i].stride[d] * c.size[d]) merge = false;
    if (merge) {
      if (c.size[d] != 1)
        for (int i = 0; i < c.ninputs; i++) c.input[i].stride[out] = c.input[i].stride[d];
      c.size[out] *= c.size[d];
    } else {
      out++;
      c.size[out] = c.size[d];
      for (int i = 0; i < c.ninputs; i++) c.input[i].stride[out] = c.input[i].stride[d];
    }
  }
  if (c.ndim == 0) {
    c.size[0] = 1;
    for (int i = 0; i < c.ninputs; i++) c.input[i].stride[0] = 0;
  }
  c.ndim = c.ndim == 0 ? 1 : out + 1;
  return c;
}

// Elements e .. e + n - 1 of an input.
static void chain_load(const Chain& c, const ChainInput& in, int64_t e, int64_t n, float* out) {
  int64_t inner = c.size[c.ndim - 1], step = in.stride[c.ndim - 1];
  while (n > 0) {
    int64_t off = e % inner, rest = e / inner, at = step * off;
    for (int d = c.ndim - 2; d >= 0; d--) {
      at += in.stride[d] * (rest % c.size[d]);
      rest /= c.size[d];
    }
    int64_t len = min_(inner - off, n);
    if (step == 1) {
      ROW_LOOP(i, len) {
        vf v = ld(in.p, in.type, at + i, len - i);
        if (len - i >= W)
          store(out + i, v);
        else
          store_n(out + i, v, len - i);
      }
    } else if (step == 0) {
      float v = get_any(in.p, in.type, at);
      for (int64_t i = 0; i < len; i++) out[i] = v;
    } else {
      for (int64_t i = 0; i < len; i++) out[i] = get_any(in.p, in.type, at + i * step);
    }
    out += len;
    e += len;
    n -= len;
  }
}

#define BLOCK_LOOP(expression)                          \
  for (int64_t i = 0; i < CHAIN_BLOCK; i += W) {        \
    vf a = load(ra + i), b = load(rb + i), c = load(rc + i); \
    (void)a, (void)b, (void)c;                          \
    store(rd + i, expression);                          \
  }                                                     \
  break;
#define SCALAR_LOOP(expression)                         \
  for (int64_t i = 0; i < CHAIN_BLOCK; i++) {           \
    float a = ra[i], b = rb[i];                         \
    (void)b;                                            \
    rd[i] = expression;                                 \
  }                                                     \
  break;
INLINE vf truth(vi m) { return m ? splat(1.f) : splat(0.f); }

static void chain_step(const chain_args& g, const Chain& chain, const double* in, int64_t e, float (*reg)[CHAIN_BLOCK]) {
  float* rd = reg[(int)in[1]];
  const float *ra = reg[(int)in[2]], *rb = reg[(int)in[3]], *rc = reg[(int)in[4]];
  float imm = (float)in[5];
  vf one = splat(1.f), zero = splat(0.f), k = splat(imm);
  switch ((ChainOp)(int64_t)in[0]) {
    case OP_copy: BLOCK_LOOP(a)
    case OP_constant: BLOCK_LOOP(k)
    case OP_index: {
      int64_t inner = 1;
      int dim = (int)in[5];
      for (int d = dim + 1; d < chain.original_ndim; d++) inner *= chain.original[d];
      for (int64_t i = 0; i < CHAIN_BLOCK; i++) rd[i] = (float)((e + i) / inner % chain.original[dim]);
      break;
    }
    case OP_keep: {
      float t[CHAIN_BLOCK + W];
      philox_keep(philox_of(g.seed, g.stream), (uint64_t)e, CHAIN_BLOCK, imm, t);
      memcpy(rd, t, sizeof(float) * CHAIN_BLOCK);
      break;
    }
    case OP_uniform: {
      uint32_t bits[4 * W];
      Philox p = philox_of(g.seed, g.stream);
      for (int64_t i = 0; i < CHAIN_BLOCK; i++) {  // e is a multiple of the block size
        if (i % (4 * W) == 0) philox_blocks(p, (uint32_t)((uint64_t)(e + i) >> 2), bits);
        rd[i] = (float)(bits[i % (4 * W)] >> 8) * 5.9604644775390625e-8f;
      }
      break;
    }
    case OP_add: BLOCK_LOOP(a + b)
    case OP_sub: BLOCK_LOOP(a - b)
    case OP_mul: BLOCK_LOOP(a * b)
    case OP_div: BLOCK_LOOP(a / b)
    case OP_max: BLOCK_LOOP(a != a ? a : b != b ? b : vmax(a, b))
    case OP_min: BLOCK_LOOP(a != a ? a : b != b ? b : vmin(a, b))
    case OP_pow: SCALAR_LOOP(__builtin_powf(a, b))
    case OP_less: BLOCK_LOOP(truth(a < b))
    case OP_less_equal: BLOCK_LOOP(truth(a <= b))
    case OP_equal: BLOCK_LOOP(truth(a == b))
    case OP_logical_and: BLOCK_LOOP(truth((a != zero) & (b != zero)))
    case OP_logical_or: BLOCK_LOOP(truth((a != zero) | (b != zero)))
    case OP_logical_not: BLOCK_LOOP(truth(a == zero))
    case OP_select: BLOCK_LOOP(a != zero ? b : c)
    case OP_fma: BLOCK_LOOP(a * b + c)
    case OP_add_imm: BLOCK_LOOP(a + k)
    case OP_mul_imm: BLOCK_LOOP(a * k)
    case OP_neg: BLOCK_LOOP(-a)
    case OP_abs: BLOCK_LOOP(vabs(a))
    case OP_sign: BLOCK_LOOP(a > zero ? one : a < zero ? -one : a)
    case OP_exp: BLOCK_LOOP(vexp(a))
    case OP_expm1: SCALAR_LOOP(__builtin_expm1f(a))
    case OP_log: BLOCK_LOOP(vlog(a))
    case OP_log1p: SCALAR_LOOP(__builtin_log1pf(a))
    case OP_sqrt: BLOCK_LOOP(vsqrt(a))
    case OP_rsqrt: BLOCK_LOOP(one / vsqrt(a))
    case OP_reciprocal: BLOCK_LOOP(one / a)
    case OP_square: BLOCK_LOOP(a * a)
    case OP_tanh: BLOCK_LOOP(vtanh(a))
    case OP_sigmoid: BLOCK_LOOP(vsigmoid(a))
    case OP_erf: BLOCK_LOOP(verf(a))
    case OP_softplus: BLOCK_LOOP(vsoftplus(a))
    case OP_relu: BLOCK_LOOP(a < zero ? zero : a)
    case OP_sin: SCALAR_LOOP(__builtin_sinf(a))
    case OP_cos: SCALAR_LOOP(__builtin_cosf(a))
    case OP_floor: SCALAR_LOOP(__builtin_floorf(a))
    case OP_round: SCALAR_LOOP(__builtin_nearbyintf(a))
    case OP_act: BLOCK_LOOP(act((int64_t)in[5], a))
    case OP_act_grad: BLOCK_LOOP(act_grad((int64_t)in[5], a))
    case OP_round_bf16: BLOCK_LOOP(from_bf16(to_bf16(a)))
    default: break;
  }
}

static size_t chain_scratch(const chain_args&, int) { return sizeof(float) * CHAIN_BLOCK * CHAIN_REGISTERS + 64; }
static void chain(const Context& x, const chain_args& g) {
  Chain c = chain_of(g);
  const int64_t per = 64 * CHAIN_BLOCK;
  parallel(x.pool, ceil_div(c.count, per), [&](int64_t task, int thread) {
    float(*reg)[CHAIN_BLOCK] = (float(*)[CHAIN_BLOCK])(((uintptr_t)(x.scratch + thread * x.stride) + 63) & ~(uintptr_t)63);
    if (c.count < CHAIN_BLOCK) memset(reg, 0, sizeof(float) * CHAIN_BLOCK * CHAIN_REGISTERS);
    int64_t end = min_(c.count, (task + 1) * per);
    for (int64_t e = task * per; e < end; e += CHAIN_BLOCK) {
      int64_t n = min_<int64_t>(CHAIN_BLOCK, end - e);
      for (int i = 0; i < c.ninputs; i++) chain_load(c, c.input[i], e, n, reg[i]);
      for (int i = 0; i < c.ninstructions; i++) chain_step(g, c, c.code + 6 * i, e, reg);
      for (int i = 0; i < c.noutputs; i++)
        ROW_LOOP(d, n) st(c.output[i].p, c.output[i].type, e + d, load(reg[c.output[i].reg] + d), n - d);
    }
  });
}

static size_t dropout_scratch(const dropout_args&, int) { return 0; }
static void dropout(const Context& x, const dropout_args& g) {
  const int64_t per = 16384;
  parallel(x.pool, ceil_div(g.n, per), [&](int64_t task, int) {
    float keep[256 + W];
    Philox p = philox_of(g.seed, g.stream);
    for (int64_t e = task * per; e < min_(g.n, (task + 1) * per); e += 256) {
      int64_t n = min_<int64_t>(256, g.n - e);
      philox_keep(p, (uint64_t)e, n, (float)g.p, keep);
      ROW_LOOP(d, n) st(g.y, g.ytype, e + d, ld(g.x, g.xtype, e + d, n - d) * load(keep + d), n - d);
    }
  });
}

}  // namespace LEVEL
