// Element by element over contiguous arrays: casts, fills, activations and gated units, dropout. Eight elements to a thread.
#include "math.h"
#include "random.h"
#include "vector.h"

#define ARGS_cast(P, I, L, F, E) P(x) P(y) L(n) E(xtype, DType) E(ytype, DType) F(scale)
#define ARGS_fill(P, I, L, F, E) P(y) L(n) E(ytype, DType) F(value)
#define ARGS_dropout(P, I, L, F, E) P(x) P(y) P(seed) L(n) E(xtype, DType) E(ytype, DType) I(stream) F(p)
#define ARGS_activation(P, I, L, F, E) P(x) P(y) L(n) E(type, DType) E(act, Activation)
#define ARGS_activation_backward(P, I, L, F, E) P(dy) P(x) P(dx) L(n) E(type, DType) E(act, Activation)
#define ARGS_glu(P, I, L, F, E) P(a) P(b) P(y) L(n) E(type, DType) E(ytype, DType) E(act, Activation)
#define ARGS_glu_backward(P, I, L, F, E) P(dy) P(a) P(b) P(da) P(db) L(n) E(type, DType) E(dytype, DType) E(act, Activation)
ARGS(cast)
ARGS(fill)
ARGS(dropout)
ARGS(activation)
ARGS(activation_backward)
ARGS(glu)
ARGS(glu_backward)

#ifndef DESCRIBE
// The first of this thread's eight elements.
DEVICE i64 first_element() { return ((i64)block_x() * 256 + thread_x()) * 8; }

DEVICE void cast_elements(const cast_args& a) {
  i64 e = first_element(), left = a.n - e;
  if (left <= 0) return;
  float v[8];
  load_some<8>(a.x, a.xtype, e, left, v);
  UNROLL for (int k = 0; k < 8; k++) v[k] *= a.scale;
  store_some<8>(a.y, a.ytype, e, left, v);
}
DEVICE void fill_elements(const fill_args& a) {
  i64 e = first_element(), left = a.n - e;
  if (left <= 0) return;
  float v[8];
  UNROLL for (int k = 0; k < 8; k++) v[k] = a.value;
  store_some<8>(a.y, a.ytype, e, left, v);
}
DEVICE void drop_elements(const dropout_args& a) {
  i64 e = first_element(), left = a.n - e;
  if (left <= 0) return;
  float v[8], scale = 1.f / (1.f - a.p);
  load_some<8>(a.x, a.xtype, e, left, v);
  UNROLL for (int k = 0; k < 8; k += 4) {
    vec4 bits = philox(a.seed, (u32)a.stream, (u32)((u64)(e + k) >> 2));
    v[k] *= keep_of(bits.x, a.p, scale), v[k + 1] *= keep_of(bits.y, a.p, scale);
    v[k + 2] *= keep_of(bits.z, a.p, scale), v[k + 3] *= keep_of(bits.w, a.p, scale);
  }
  store_some<8>(a.y, a.ytype, e, left, v);
}

// The function is chosen once for eight elements.
DEVICE void act_all(int kind, float* v) {
#define EACH(name) \
  case name: UNROLL for (int k = 0; k < 8; k++) v[k] = act(name, v[k]); return;
  switch (kind) { EACH(GELU) EACH(GELU_TANH) EACH(RELU2) EACH(SILU) EACH(RELU) default: return; }
#undef EACH
}
DEVICE void act_grad_all(int kind, float* v) {
#define EACH(name) \
  case name: UNROLL for (int k = 0; k < 8; k++) v[k] = act_grad(name, v[k]); return;
  switch (kind) { EACH(GELU) EACH(GELU_TANH) EACH(RELU2) EACH(SILU) EACH(RELU) EACH(NONE) }
#undef EACH
}
DEVICE void activate(const activation_args& a) {
  i64 e = first_element(), left = a.n - e;
  if (left <= 0) return;
  float v[8];
  load_some<8>(a.x, a.type, e, left, v);
  act_all(a.act, v);
  store_some<8>(a.y, a.type, e, left, v);
}
DEVICE void activate_backward(const activation_backward_args& a) {
  i64 e = first_element(), left = a.n - e;
  if (left <= 0) return;
  float v[8], dy[8];
  load_some<8>(a.x, a.type, e, left, v);
  load_some<8>(a.dy, a.type, e, left, dy);
  act_grad_all(a.act, v);
  UNROLL for (int k = 0; k < 8; k++) v[k] *= dy[k];
  store_some<8>(a.dx, a.type, e, left, v);
}
DEVICE void gate(const glu_args& a) {
  i64 e = first_element(), left = a.n - e;
  if (left <= 0) return;
  float v[8], b[8];
  load_some<8>(a.a, a.type, e, left, v);
  load_some<8>(a.b, a.type, e, left, b);
  act_all(a.act, v);
  UNROLL for (int k = 0; k < 8; k++) v[k] *= b[k];
  store_some<8>(a.y, a.ytype, e, left, v);
}
DEVICE void gate_backward(const glu_backward_args& a) {
  i64 e = first_element(), left = a.n - e;
  if (left <= 0) return;
  float v[8], g[8], b[8], dy[8];
  load_some<8>(a.a, a.type, e, left, v);
  load_some<8>(a.b, a.type, e, left, b);
  load_some<8>(a.dy, a.dytype, e, left, dy);
  UNROLL for (int k = 0; k < 8; k++) g[k] = v[k];
  act_grad_all(a.act, g);
  act_all(a.act, v);
  UNROLL for (int k = 0; k < 8; k++) {
    g[k] *= dy[k] * b[k];
    v[k] *= dy[k];
  }
  if (a.da) store_some<8>(a.da, a.type, e, left, g);
  if (a.db) store_some<8>(a.db, a.type, e, left, v);
}
#endif
KERNEL(cast, cast_args, 256, cast_elements(a))
KERNEL(fill, fill_args, 256, fill_elements(a))
KERNEL(dropout, dropout_args, 256, drop_elements(a))
KERNEL(activation, activation_args, 256, activate(a))
KERNEL(activation_backward, activation_backward_args, 256, activate_backward(a))
KERNEL(glu, glu_args, 256, gate(a))
KERNEL(glu_backward, glu_backward_args, 256, gate_backward(a))
