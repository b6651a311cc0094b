// The names that kernels of every device know, declared once: V(C++ name, name in JavaScript). Arguments carry their position.
#pragma once

#define ENUM_Activation(V) V(NONE, none) V(GELU, gelu) V(GELU_TANH, gelu_tanh) V(RELU2, relu2) V(SILU, silu) V(RELU, relu)
#define ENUM_OptimizerKind(V) V(ADAMW, adamw) V(ADAM, adam) V(SGD, sgd) V(ADAGRAD, adagrad) V(RMSPROP, rmsprop)
#define ENUM_Reduction(V) V(SUM, sum) V(MEAN, mean) V(MAX, max) V(MIN, min) V(SQUARES, squares)

// Instructions of `chain` (see kernels.h).
#define CHAIN_OPS(O)                                                                                                      \
  O(copy) O(constant) O(index) O(keep) O(uniform) O(add) O(sub) O(mul) O(div) O(max) O(min) O(pow) O(less) O(less_equal)   \
  O(equal) O(logical_and) O(logical_or) O(logical_not) O(select) O(fma) O(add_imm) O(mul_imm) O(neg) O(abs) O(sign) O(exp) \
  O(expm1) O(log) O(log1p) O(sqrt) O(rsqrt) O(reciprocal) O(square) O(tanh) O(sigmoid) O(erf) O(relu) O(sin) O(cos)        \
  O(softplus) O(floor) O(round) O(act) O(act_grad) O(round_bf16)
