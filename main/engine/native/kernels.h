// The kernels' arguments, declared once. From each list below follow the C++ struct, the decoder of program records and the
// field names that the addon shows to JavaScript (`kernels()`).
//
//   P(x) pointer (may be null)   I(x) integer   F(x) real number   E(x, Enum) one of the names of an enum
//
// Matrices are row-major; `ld*` counts elements between rows; types are DType. Unless a kernel says otherwise f32 is computed
// from the widened inputs and rounded once on the way out.
#pragma once
#include <cstddef>
#include <cstdint>

#include "enums.h"

// What records and workspaces mean: one more with each change that names and order of fields do not show (RECORD_FORMAT of addon.ts).
constexpr int kRecordFormat = 1;

// Types of elements; the other enums are in enums.h. The addon lists all names (`enums()`).
#define ENUM_DType(V) V(F32, f32) V(BF16, bf16) V(F16, f16) V(I32, i32) V(U8, u8)
#define ENUMS(N) N(DType) N(Activation) N(OptimizerKind) N(Reduction)

#define VALUE(name, text) name,
#define ENUM(name) enum name : int64_t { ENUM_##name(VALUE) };
ENUMS(ENUM)
#undef ENUM
#undef VALUE

// gemm: C[m,n] = residual + f(alpha * op(A) op(B) + beta * C + bias), for each of `batch` matrices s* elements apart.
//   op(A) is A[m,k], or A[k,m] transposed when ta; op(B) is B[k,n], or B[n,k] transposed when tb. Types f32, bf16 or f16 each.
//   compute: F32, BF16 (products of bf16-rounded operands, f32 accumulation), or F16 (operands as they are, widened). beta is 0 or 1.
//   f: act, with the pre-activation stored to aux first when aux is given; with actgrad it is v * act'(aux).
//   residual and aux may be the same memory as c.
#define FIELDS_gemm(P, I, F, E)                                                                                                  \
  P(a) P(b) P(c) P(bias) P(aux) P(residual) I(m) I(n) I(k) I(lda) I(ldb) I(ldc) I(ldaux) I(ldres) I(ta) I(tb) E(atype, DType)    \
  E(btype, DType) E(ctype, DType) E(auxtype, DType) E(restype, DType) E(compute, DType) E(act, Activation) I(actgrad) I(batch)   \
  I(sa) I(sb) I(sc) E(biastype, DType) F(alpha) F(beta)

// peak: `repeats` rounds of multiply-adds in registers, by every thread: the ceiling that no product can pass. y: f32
//   [threads + 1]: GFLOP/s of each by its own processor time, and last the operations of one round.
#define FIELDS_peak(P, I, F, E) P(y) I(repeats) E(compute, DType)

// attention: O[b,i,h] = sum_j softmax_j(s_ij) keep_ij V[b,j,h/(heads/kvheads)], s_ij = cap(scale q_i.k_j) - slope_h (i' - j).
//   i' = i + tk - tq; j <= i' when causal; j > i' - window when window > 0; keymask[b,tk] (u8) 0 hides a key; j >= starts[b,i] (i32,
//   never falling along i) when given.
//   cap(x) = softcap tanh(x / softcap) when softcap > 0. keep_ij is 0 or 1/(1-dropout) from Philox at the flat index of
//   [b,h,i,j]. Rows see strides: q at b*sqb + i*sqt + h*sqh + d (elements), likewise k, v, o. lse: f32 [b,h,tq].
//   seed: u32[4] = key lo, key hi, step, micro; stream: a constant of the call site. A row without keys gives 0, lse -inf.
#define FIELDS_attention(P, I, F, E)                                                                                             \
  P(q) P(k) P(v) P(o) P(lse) P(slopes) P(keymask) P(seed) P(starts) I(batch) I(heads) I(kvheads) I(tq) I(tk) I(d) I(dvalue)      \
  I(sqb) I(sqt) I(sqh) I(skb) I(skt) I(skh) I(svb) I(svt) I(svh) I(sob) I(sot) I(soh) I(causal) I(window) E(type, DType)         \
  E(compute, DType) I(stream) F(scale) F(softcap) F(dropout)

// attention_backward: gradients of the above. gq, gk, gv have the strides of q, k, v; dout has those of o; all of `type`.
//   dslopes: f32 [batch,heads] partial sums when given (sum over batch for the gradient of a slope).
#define FIELDS_attention_backward(P, I, F, E) P(dout) P(gq) P(gk) P(gv) P(dslopes) FIELDS_attention(P, I, F, E)

// sparse_attention: attention over the keys j <= i that the pattern of head h lets query i see, all of one length t, [batch,t,heads,size]
//   contiguous. patterns: 2 bits for each of `turns` heads in turn (0 all, 1 local: i - j < block, 2 strided: (i - j) % block == 0,
//   3 fixed: own block, and of each block the columns block - (v + 1) summary <= j % block < block - v summary, v = (h / turns) % groups).
//   With scores, thresholds (f32) and expiry (i32), all [batch,t]: keys beyond the pattern count while i < expiry_j, their
//   probabilities times clip(score_j - threshold_i, 0, 1). The rest as attention.
#define FIELDS_sparse_attention(P, I, F, E)                                                                                      \
  P(q) P(k) P(v) P(o) P(lse) P(slopes) P(keymask) P(seed) P(starts) P(scores) P(thresholds) P(expiry) I(batch) I(heads)          \
  I(kvheads) I(t) I(d) I(dvalue) I(patterns) I(turns) I(block) I(summary) I(groups) E(type, DType) E(compute, DType) I(stream)   \
  F(scale) F(softcap) F(dropout)
// sparse_attention_backward: gradients of the above, f32 partial sums per head [batch,heads] of slopes and [batch,heads,t] of scores
//   and thresholds when given.
#define FIELDS_sparse_attention_backward(P, I, F, E)                                                                             \
  P(dout) P(gq) P(gk) P(gv) P(dslopes) P(dscores) P(dthresholds) FIELDS_sparse_attention(P, I, F, E)

// sparse_select: for each prefix of scores [batch,t] (f32; from starts[b,i] on when given) the threshold with
//   sum clip(score - threshold, 0, 1) = k, -1e30 where there are no more than k; expiry (i32): the first position at which a score is no longer among the k largest, t at most.
#define FIELDS_sparse_select(P, I, F, E) P(scores) P(starts) P(thresholds) P(expiry) I(batch) I(t) I(k)
// sparse_select_backward: dscores [batch,t] from dthresholds: each threshold is the mean, up to constants, of the scores strictly between
//   it and it + 1.
#define FIELDS_sparse_select_backward(P, I, F, E) P(scores) P(starts) P(thresholds) P(dthresholds) P(dscores) I(batch) I(t)

// norm: y = (x - mean) rstd gain + bias over rows of n (rms: mean = 0); gain, bias f32 or null.
#define FIELDS_norm(P, I, F, E) P(x) P(gain) P(bias) P(y) I(rows) I(n) E(xtype, DType) E(ytype, DType) I(rms) F(eps)
// norm_backward: dx = add + rstd (g - mean(g) - xhat mean(g xhat)), g = dy gain (rms: no mean(g)); dgain = sum dy xhat,
//   dbias = sum dy over rows in chunks of 64 added in order; dgain/dbias f32, added to when beta = 1. mean and rstd are
//   computed again from x with eps while the row is in cache. dx may alias dy, x or add (each row is read before it is written).
#define FIELDS_norm_backward(P, I, F, E)                                                                                         \
  P(dy) P(x) P(gain) P(add) P(dx) P(dgain) P(dbias) I(rows) I(n) E(xtype, DType) E(dytype, DType) E(dxtype, DType)               \
  E(addtype, DType) I(rms) F(beta) F(eps)

// chain: a fused element-wise program over an output index space of up to 8 dimensions (see chain.h). Numbers follow the fields:
//   ndim, sizes[ndim], ninputs, {pointer, type, strides[ndim]}*, noutputs, {pointer, type, register}* (outputs are contiguous),
//   ninstructions, {opcode, dst, a, b, c, immediate}*. Registers 0..ninputs-1 hold the inputs; 32 registers.
#define FIELDS_chain(P, I, F, E) P(seed) I(stream)
//   copy a | constant imm | index along dimension imm | keep: dropout factor with p = imm at the flat index | uniform [0,1)
//   select: a != 0 ? b : c | fma a b + c | add_imm, mul_imm: a with imm | act, act_grad: Activation imm of a | round_bf16 (CHAIN_OPS of enums.h)

// glu: y = act(a) * b, n contiguous elements; glu_backward: da = dy b act'(a), db = dy act(a) (da may alias a, db alias b).
#define FIELDS_glu(P, I, F, E) P(a) P(b) P(y) I(n) E(type, DType) E(ytype, DType) E(act, Activation)
#define FIELDS_glu_backward(P, I, F, E) P(dy) P(a) P(b) P(da) P(db) I(n) E(type, DType) E(dytype, DType) E(act, Activation)

// activation: y = act(x); activation_backward: dx = dy act'(x) (may alias x or dy). n contiguous elements.
#define FIELDS_activation(P, I, F, E) P(x) P(y) I(n) E(type, DType) E(act, Activation)
#define FIELDS_activation_backward(P, I, F, E) P(dy) P(x) P(dx) I(n) E(type, DType) E(act, Activation)

// rotary_table: f32 [t, d]: row i holds cos of its d/2 angles, then sin; angle = position * base^(-2 pair/d),
//   position = positions[i] (i32) or offset + i.
#define FIELDS_rotary_table(P, I, F, E) P(positions) P(table) I(t) I(d) I(offset) F(base)
// rotary on x [batch,t,heads,d] by strides: the pair (i, i + d/2) is turned by the table's angle; inverse turns back (gradient).
#define FIELDS_rotary(P, I, F, E)                                                                                                \
  P(x) P(y) P(table) I(batch) I(t) I(heads) I(d) I(sxb) I(sxt) I(sxh) I(syb) I(syt) I(syh) E(type, DType) I(inverse)

// gather: y[r] = table[index[r]] (rows of n; index < 0 gives zeros).
#define FIELDS_gather(P, I, F, E) P(table) P(index) P(y) I(rows) I(n) I(vocabulary) E(tabletype, DType) E(ytype, DType)
// scatter_add: table[index[r]] += scale dy[r] in row order (deterministic; index < 0 is skipped); beta 0 clears the table first.
#define FIELDS_scatter_add(P, I, F, E) P(dy) P(index) P(table) I(rows) I(n) I(vocabulary) E(dytype, DType) F(scale) F(beta)

// expert_places: for choices f32 [rows,experts] (not 0: chosen; `active` of them count in a row) what stands at the rows * active places,
//   by expert and within one by row: its row (token) and its index in the choices (source); the places of each row, [rows,active];
//   where each expert's places end. All i32. A missing choice is said to stand at the last place, which is nobody's then (index 0).
#define FIELDS_expert_places(P, I, F, E) P(chosen) P(token) P(source) P(place) P(ends) I(rows) I(experts) I(active)
// gather_sum: y[r] = sum over `terms` of table[index[r terms + i]], in order (rows of n; an index outside adds nothing).
#define FIELDS_gather_sum(P, I, F, E) P(table) P(index) P(y) I(rows) I(n) I(terms) I(vocabulary) E(type, DType)
// grouped_gemm: y[r] = op(w[e]) x[r] for rows r of group e, which end at ends[e] (i32): x [rows,k], y [rows,n], w [groups,k,n], or
//   [groups,n,k] with tb. Rows beyond the last end give zeros. compute as in gemm.
#define FIELDS_grouped_gemm(P, I, F, E)                                                                                          \
  P(x) P(w) P(y) P(ends) I(rows) I(groups) I(n) I(k) I(tb) E(xtype, DType) E(wtype, DType) E(ytype, DType) E(compute, DType)
// grouped_outer: out[e] = sum over the rows of group e of x[r]^T y[r]: x [rows,m], y [rows,n], out [groups,m,n].
#define FIELDS_grouped_outer(P, I, F, E)                                                                                         \
  P(x) P(y) P(out) P(ends) I(rows) I(groups) I(m) I(n) E(xtype, DType) E(ytype, DType) E(outtype, DType) E(compute, DType)

// reduce over the middle of [outer, n, inner] to [outer, inner]: kind (squares: sum of squares); y (+)= beta.
#define FIELDS_reduce(P, I, F, E) P(x) P(y) I(outer) I(n) I(inner) E(xtype, DType) E(ytype, DType) E(kind, Reduction) F(beta)
// argmax over rows of n: y i32 [rows], the first of equals.
#define FIELDS_argmax(P, I, F, E) P(x) P(y) I(rows) I(n) E(xtype, DType)

// permute: y (contiguous, type ytype) = x with its dimensions in another order. Extra: ndim, sizes of y, strides of x per y dimension.
#define FIELDS_permute(P, I, F, E) P(x) P(y) E(xtype, DType) E(ytype, DType)
// cast: contiguous conversion, scaled; fill writes `value`; copy_rows moves [rows,n] between strides.
#define FIELDS_cast(P, I, F, E) P(x) P(y) I(n) E(xtype, DType) E(ytype, DType) F(scale)
#define FIELDS_fill(P, I, F, E) P(y) I(n) E(ytype, DType) F(value)
#define FIELDS_copy_rows(P, I, F, E) P(x) P(y) I(rows) I(n) I(ldx) I(ldy) E(xtype, DType) E(ytype, DType)

// dropout: y = keep x / (1 - p), Philox at the flat index.
#define FIELDS_dropout(P, I, F, E) P(x) P(y) P(seed) I(n) E(xtype, DType) E(ytype, DType) I(stream) F(p)

// cross_entropy: from hidden [rows,d] and weight [vocabulary,d]: loss[r] = lse - logit[target]; correct[r] (f32 0 or 1, may be null) =
//   argmax equals target; target < 0 gives 0 and no gradient. cap as in attention. dloss: f32 [rows] scale per row, or null
//   for the constant dscale. dhidden [rows,d] (htype) written and dweight f32 [vocabulary,d] (beta as gemm) when given.
//   logits: scratch of chunk * ldl elements of `ltype`, ldl = vocabulary rounded up to 64; may be null where ltype has 16 bits and there are no
//   gradients. Losses are as exact with either; gradients over logits pass through `ltype`.
#define FIELDS_cross_entropy(P, I, F, E)                                                                                         \
  P(hidden) P(weight) P(target) P(loss) P(correct) P(dloss) P(dhidden) P(dweight) P(logits) I(rows) I(d) I(vocabulary)           \
  I(chunk) E(htype, DType) E(wtype, DType) E(dhtype, DType) E(ltype, DType) E(compute, DType) F(softcap) F(dscale) F(beta)

// global_norm: y[0] (f32) = sqrt of the sum of squares of all arrays together, f64 partial sums over chunks of 65,536 added in order.
//   Extra: {pointer, n, type}* of the arrays.
#define FIELDS_global_norm(P, I, F, E) P(y)
// optimizer: one fused update of n elements, g scaled by *scale first; *scale <= 0 (or NaN) leaves everything as it is. scale, lr, decay,
//   bias1, bias2: f32 scalars in memory (bias_i = 1 - beta_i^t). m, v, third: f32 state as the kind needs, in the order of
//   graph/ops/optimizer.ts (the momentum buffer of sgd is m; rmsprop: square, [mean when centered], [momentum]). copy: p in copytype, or null.
#define FIELDS_optimizer(P, I, F, E)                                                                                             \
  P(p) P(g) P(m) P(v) P(third) P(copy) P(scale) P(lr) P(decay) P(bias1) P(bias2) I(n) E(gtype, DType) E(copytype, DType)         \
  E(kind, OptimizerKind) I(nesterov) I(centered) F(beta1) F(beta2) F(eps) F(momentum) F(alpha)

// optimizer_bytes: adamw as above with moments in bytes, in blocks of 256 elements with a largest number each (f32 mscale, vscale): the first
//   is mscale k |k| k^2 with k = (m - 127) / 127, the second vscale k^8 with k = v / 255. offset1, offset2: f32 in [0, 1) that move the thresholds
//   by which numbers between two levels go up or down (optim/optimizers/adamwBytes.ts).
#define FIELDS_optimizer_bytes(P, I, F, E)                                                                                       \
  P(p) P(g) P(m) P(mscale) P(v) P(vscale) P(copy) P(scale) P(lr) P(decay) P(bias1) P(bias2) P(offset1) P(offset2) I(n)           \
  E(gtype, DType) E(copytype, DType) F(beta1) F(beta2) F(eps)

#define KERNELS(K)                                                                                                               \
  K(gemm) K(peak) K(attention) K(attention_backward) K(sparse_attention) K(sparse_attention_backward) K(sparse_select)           \
  K(sparse_select_backward) K(norm) K(norm_backward) K(chain) K(glu) K(glu_backward) K(activation) K(activation_backward)        \
  K(rotary_table) K(rotary) K(gather) K(scatter_add) K(expert_places) K(gather_sum) K(grouped_gemm) K(grouped_outer) K(reduce) K(argmax) K(permute) K(cast) K(fill) K(copy_rows) K(dropout)      \
  K(cross_entropy) K(global_norm) K(optimizer) K(optimizer_bytes)

#define FIELD_P(x) void* x;
#define FIELD_I(x) int64_t x;
#define FIELD_F(x) double x;
#define FIELD_E(x, e) int64_t x;
#define DECLARE(name)                                     \
  struct name##_args {                                    \
    FIELDS_##name(FIELD_P, FIELD_I, FIELD_F, FIELD_E)     \
    const double* extra; /* numbers after the fields */   \
    int64_t nextra;                                       \
    char* const* blocks; /* to resolve pointers in extra */ \
  };
KERNELS(DECLARE)
#undef DECLARE
#undef FIELD_P
#undef FIELD_I
#undef FIELD_F
#undef FIELD_E

enum KernelCode : int64_t {
#define CODE(name) CODE_##name,
  KERNELS(CODE)
#undef CODE
      KERNEL_COUNT
};

class Pool;

enum ChainOp : int64_t {
#define OP(name) OP_##name,
  CHAIN_OPS(OP)
#undef OP
      CHAIN_OP_COUNT
};

// What a kernel may use besides its arguments: the threads and scratch memory. Scratch of thread t starts at scratch + t * stride.
struct Context {
  Pool* pool;
  char* scratch;
  size_t stride;
  int threads;
};

// A pointer in a record is block * 2^44 + byte offset; negative is null.
static inline void* resolve(char* const* blocks, double p) {
  if (p < 0) return nullptr;
  int64_t v = (int64_t)p;
  return blocks[v >> 44] + (v & ((int64_t(1) << 44) - 1));
}

// One instruction level. `scratch` says how many bytes per thread a kernel needs for these arguments.
struct Level {
  const char* name;
#define SLOT(k)                                      \
  void (*k)(const Context&, const k##_args&);        \
  size_t (*k##_scratch)(const k##_args&, int threads);
  KERNELS(SLOT)
#undef SLOT
};
