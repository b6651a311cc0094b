// Element-wise programs (the bytecode of ../chain.h): each thread runs the program on four neighbouring elements, whose registers lie in shared memory,
// 16 bytes of each to a thread. The host merges dimensions that all inputs walk as one, and says of each input how it is walked.
#include "math.h"
#include "random.h"
#include "vector.h"

// inputs: addresses, types, walks (0 one element for all, 1 contiguous, 2 by strides) and strides[input * 8 + dimension]. sizes: the merged dimensions.
// Dimension d of the output before merging has extents[d] elements, inners[d] apart. Instruction i: ops, to, from (a | b << 8 | c << 16), immediates.
#define ARGS_chain(P, I, L, F, E)                                                                                              \
  P(seed) P(inputs, 16) P(outputs, 8) L(count) L(strides, 128) L(sizes, 8) L(inners, 8) L(extents, 8) I(types, 16) I(walks, 16) \
  I(outtypes, 8) I(outregisters, 8) I(ops, 48) I(to, 48) I(from, 48) F(immediates, 48) I(dimensions) I(ninputs) I(noutputs)     \
  I(ninstructions) I(registers) I(stream)
ARGS(chain)

#ifndef DESCRIBE
constexpr int CHAIN_THREADS = 128;
struct alignas(16) Four {
  float v[4];
};

// Where element e of an input lies, and at which place of the last dimension.
DEVICE i64 chain_offset(const chain_args& a, const i64* strides, i64 e, i64* last) {
  i64 at = 0;
  if (a.count < (i64)1 << 31) {  // division of 32 bits is several times as fast
    u32 rest = (u32)e;
    for (int d = a.dimensions - 1; d >= 0; d--) {
      u32 size = (u32)a.sizes[d], above = rest / size, i = rest - above * size;
      at += strides[d] * (i64)i;
      if (d == a.dimensions - 1) *last = (i64)i;
      rest = above;
    }
  } else {
    i64 rest = e;
    for (int d = a.dimensions - 1; d >= 0; d--) {
      i64 above = rest / a.sizes[d], i = rest - above * a.sizes[d];
      at += strides[d] * i;
      if (d == a.dimensions - 1) *last = i;
      rest = above;
    }
  }
  return at;
}
DEVICE Four chain_input(const chain_args& a, int input, i64 e, i64 left) {
  Four r;
  const void* p = a.inputs[input];
  int type = a.types[input], walk = a.walks[input];
  if (walk == 0) {
    float v = load_as(p, type, 0);
    UNROLL for (int k = 0; k < 4; k++) r.v[k] = v;
    return r;
  }
  if (walk == 1) {
    load_some<4>(p, type, e, left, r.v);
    return r;
  }
  const i64* strides = a.strides + input * 8;
  i64 last = 0, at = chain_offset(a, strides, e, &last), size = a.sizes[a.dimensions - 1], step = strides[a.dimensions - 1];
  if (step == 1 && last + 4 <= size) {
    load_some<4>(p, type, at, left, r.v);
    return r;
  }
  UNROLL for (int k = 0; k < 4; k++) {
    r.v[k] = k < left ? load_as(p, type, at) : 0.f;
    at += step;
    if (++last >= size && k + 1 < left) at = chain_offset(a, strides, e + k + 1, &last);
  }
  return r;
}

DEVICE float largest(float a, float b) { return a != a ? a : b != b ? b : fmaxf(a, b); }
DEVICE float smallest(float a, float b) { return a != a ? a : b != b ? b : fminf(a, b); }

#define CHAIN_CASE(name, expression)                                     \
  case OP_##name: UNROLL for (int k = 0; k < 4; k++) {                   \
    float a = x.v[k], b = y.v[k], c = z.v[k];                            \
    (void)a, (void)b, (void)c;                                           \
    r.v[k] = expression;                                                 \
  }                                                                      \
  break;
DEVICE Four chain_step(const chain_args& args, int i, i64 e, Four x, Four y, Four z) {
  float imm = args.immediates[i];
  Four r = x;
  switch (args.ops[i]) {
    CHAIN_CASE(copy, a)
    CHAIN_CASE(constant, imm)
    case OP_index: {
      i64 inner = args.inners[(int)imm], extent = args.extents[(int)imm];
      UNROLL for (int k = 0; k < 4; k++) r.v[k] = (float)((e + k) / inner % extent);
      break;
    }
    case OP_keep: {
      vec4 bits = philox(args.seed, (u32)args.stream, (u32)((u64)e >> 2));
      float scale = 1.f / (1.f - imm);
      r = Four{{keep_of(bits.x, imm, scale), keep_of(bits.y, imm, scale), keep_of(bits.z, imm, scale), keep_of(bits.w, imm, scale)}};
      break;
    }
    case OP_uniform: {
      vec4 bits = philox(args.seed, (u32)args.stream, (u32)((u64)e >> 2));
      r = Four{{uniform_of(bits.x), uniform_of(bits.y), uniform_of(bits.z), uniform_of(bits.w)}};
      break;
    }
    CHAIN_CASE(add, a + b)
    CHAIN_CASE(sub, a - b)
    CHAIN_CASE(mul, a * b)
    CHAIN_CASE(div, a / b)
    CHAIN_CASE(max, largest(a, b))
    CHAIN_CASE(min, smallest(a, b))
    CHAIN_CASE(pow, powf(a, b))
    CHAIN_CASE(less, a < b ? 1.f : 0.f)
    CHAIN_CASE(less_equal, a <= b ? 1.f : 0.f)
    CHAIN_CASE(equal, a == b ? 1.f : 0.f)
    CHAIN_CASE(logical_and, a != 0.f && b != 0.f ? 1.f : 0.f)
    CHAIN_CASE(logical_or, a != 0.f || b != 0.f ? 1.f : 0.f)
    CHAIN_CASE(logical_not, a == 0.f ? 1.f : 0.f)
    CHAIN_CASE(select, a != 0.f ? b : c)
    CHAIN_CASE(fma, a * b + c)
    CHAIN_CASE(add_imm, a + imm)
    CHAIN_CASE(mul_imm, a * imm)
    CHAIN_CASE(neg, -a)
    CHAIN_CASE(abs, fabsf(a))
    CHAIN_CASE(sign, a > 0.f ? 1.f : a < 0.f ? -1.f : a)
    CHAIN_CASE(exp, expf(a))
    CHAIN_CASE(expm1, expm1f(a))
    CHAIN_CASE(log, logf(a))
    CHAIN_CASE(log1p, log1pf(a))
    CHAIN_CASE(sqrt, sqrtf(a))
    CHAIN_CASE(rsqrt, 1.f / sqrtf(a))
    CHAIN_CASE(reciprocal, 1.f / a)
    CHAIN_CASE(square, a * a)
    CHAIN_CASE(tanh, tanhf(a))
    CHAIN_CASE(sigmoid, sigmoid(a))
    CHAIN_CASE(erf, erff(a))
    CHAIN_CASE(relu, a < 0.f ? 0.f : a)
    CHAIN_CASE(sin, sinf(a))
    CHAIN_CASE(cos, cosf(a))
    CHAIN_CASE(softplus, fmaxf(a, 0.f) + log1pf(expf(-fabsf(a))))
    CHAIN_CASE(floor, floorf(a))
    CHAIN_CASE(round, rintf(a))
    CHAIN_CASE(act, act((int)imm, a))
    CHAIN_CASE(act_grad, act_grad((int)imm, a))
    CHAIN_CASE(round_bf16, to_float(to_bf16(a)))
  }
  return r;
}

DEVICE void chain_run(const chain_args& a) {
  SHARED_BEGIN
  SHARED(Four, registers, a.registers * CHAIN_THREADS)
  i64 e = ((i64)block_x() * CHAIN_THREADS + thread_x()) * 4, left = a.count - e;
  if (left <= 0) return;
  Four* own = registers + thread_x();
  for (int r = 0; r < a.ninputs; r++) own[r * CHAIN_THREADS] = chain_input(a, r, e, left);
  for (int i = 0; i < a.ninstructions; i++) {
    int from = a.from[i];
    Four x = own[(from & 255) * CHAIN_THREADS], y = own[(from >> 8 & 255) * CHAIN_THREADS], z = own[(from >> 16) * CHAIN_THREADS];
    own[a.to[i] * CHAIN_THREADS] = chain_step(a, i, e, x, y, z);
  }
  for (int o = 0; o < a.noutputs; o++)
    store_some<4>(a.outputs[o], a.outtypes[o], e, left, own[a.outregisters[o] * CHAIN_THREADS].v);
}
#endif
KERNEL(chain, chain_args, 128, chain_run(a))
