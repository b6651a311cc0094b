// Functions of one number that several families share; f32, derivatives with respect to x. Formulas as in ../vmath.h.
#pragma once
#include "device.h"

#ifndef DESCRIBE
DEVICE float sigmoid(float x) { return 1.f / (1.f + expf(-x)); }

DEVICE float act(int kind, float x) {
  switch (kind) {
    case GELU: return 0.5f * x * (1.f + erff(x * 0.70710678118654752f));
    case GELU_TANH: return x * sigmoid(x * (1.5957691216057308f + 0.0713548162726f * x * x));
    case RELU2: {
      float r = fmaxf(x, 0.f);
      return r * r;
    }
    case SILU: return x * sigmoid(x);
    case RELU: return fmaxf(x, 0.f);
    default: return x;
  }
}
DEVICE float act_grad(int kind, float x) {
  switch (kind) {
    case GELU: return 0.5f * (1.f + erff(x * 0.70710678118654752f)) + x * 0.3989422804014327f * expf(-0.5f * x * x);
    case GELU_TANH: {
      float s = sigmoid(x * (1.5957691216057308f + 0.0713548162726f * x * x));
      return s + x * s * (1.f - s) * (1.5957691216057308f + 0.2140644488178f * x * x);
    }
    case RELU2: return 2.f * fmaxf(x, 0.f);
    case SILU: {
      float s = sigmoid(x);
      return s * (1.f + x * (1.f - s));
    }
    case RELU: return x > 0.f ? 1.f : 0.f;
    default: return 1.f;
  }
}
#endif
