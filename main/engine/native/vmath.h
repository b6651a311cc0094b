// Vectorised elementary functions, f32. Bounds that test/engine/native/kernels.test.ts holds at every level against double precision
// (relative to the result unless said otherwise):
//   exp   3e-7 (about 2 ulp); results below 2^-126 are 0, above the range +inf      tanh, sigmoid  4e-7
//   log   3e-7 relative + 1e-7 absolute                                             softplus       5e-7
//   erf and every activation with its derivative: 1e-6 relative + 1e-6 absolute on [-12, 12]
#pragma once
#include "simd.h"

namespace LEVEL {

// exp(x) = 2^n * exp(r), n = round(x/ln2), |r| <= ln2/2 with ln2 split in two (Cody-Waite); degree-6 minimax (Cephes expf).
INLINE vf vexp(vf x) {
  vf c = vmin(vmax(x, splat(-87.33654f)), splat(88.72283f));
  vf t = c * splat(1.44269504088896341f) + splat(12582912.f);
  vf n = t - splat(12582912.f);
  vf r = c - n * splat(0.693359375f);
  r = r - n * splat(-2.12194440e-4f);
  vf p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * (r * r) + (r + splat(1.f));
#if LEVEL_W == 16
  vf y = (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  // 2^n in two factors, because n reaches 128 just below the overflow threshold.
  vi k = (vi)t - splati(0x4b400000), half = k >> 1;
  vf y = p * (vf)((half + 127) << 23) * (vf)((k - half + 127) << 23);
#endif
  y = x < splat(-87.33654f) ? splat(0.f) : y;
  y = x > splat(88.72283f) ? splat(__builtin_inff()) : y;
  return x != x ? x : y;
}

// Natural logarithm (Cephes logf): mantissa in [sqrt(1/2), sqrt(2)).
INLINE vf vlog(vf x) {
  vi bits = (vi)x;
  vi e = (bits >> 23) - 126;
  vf m = (vf)((bits & 0x007fffff) | 0x3f000000);
  vi small = m < splat(0.707106781186547524f);
  e = e + small;
  m = small ? m + m - splat(1.f) : m - splat(1.f);
  vf fe = __builtin_convertvector(e, vf), z = m * m;
  vf p = splat(7.0376836292e-2f);
  p = p * m - splat(1.1514610310e-1f);
  p = p * m + splat(1.1676998740e-1f);
  p = p * m - splat(1.2420140846e-1f);
  p = p * m + splat(1.4249322787e-1f);
  p = p * m - splat(1.6668057665e-1f);
  p = p * m + splat(2.0000714765e-1f);
  p = p * m - splat(2.4999993993e-1f);
  p = p * m + splat(3.3333331174e-1f);
  vf y = m * z * p + fe * splat(-2.12194440e-4f) - splat(0.5f) * z;
  y = m + y + fe * splat(0.693359375f);
  y = x < splat(0.f) ? splat(__builtin_nanf("")) : y;
  y = x == splat(0.f) ? splat(-__builtin_inff()) : y;
  y = x > splat(3.4028234e38f) ? x : y;
  return x != x ? x : y;
}

// Odd polynomial below 0.625 (Cephes tanhf), 1 - 2/(exp(2|x|)+1) above.
INLINE vf vtanh(vf x) {
  vf a = vabs(x), z = x * x;
  vf p = splat(-5.70498872745e-3f);
  p = p * z + splat(2.06390887954e-2f);
  p = p * z - splat(5.37397155531e-2f);
  p = p * z + splat(1.33314422036e-1f);
  p = p * z - splat(3.33332819422e-1f);
  vf low = x * z * p + x;
  vf high = splat(1.f) - splat(2.f) / (vexp(a + a) + splat(1.f));
  high = (vf)((vi)high | ((vi)x & splati((int32_t)0x80000000)));
  vf y = a < splat(0.625f) ? low : high;
  return x != x ? x : y;
}

// log(1 + e), e >= 0, without the loss of 1 + e for small e: log(u) - ((u - 1) - e) / u, u = 1 + e.
INLINE vf vlog1p_positive(vf e) {
  vf u = splat(1.f) + e;
  return vlog(u) - ((u - splat(1.f)) - e) / u;
}
INLINE vf vsoftplus(vf x) { return vmax(x, splat(0.f)) + vlog1p_positive(vexp(-vabs(x))); }
INLINE vf vsigmoid(vf x) { return splat(1.f) / (splat(1.f) + vexp(-x)); }

// erf(x) = x P(x^2) / Q(x^2) (rational minimax as used by Eigen and XLA); +-1 from |x| = 3.85, where erf is within 6e-8 of it.
INLINE vf verf(vf x) {
  vf c = vmin(vmax(x, splat(-4.f)), splat(4.f)), z = c * c;
  vf p = splat(-2.72614225801306e-10f);
  p = p * z + splat(2.77068142495902e-08f);
  p = p * z + splat(-2.10102402082508e-06f);
  p = p * z + splat(-5.69250639462346e-05f);
  p = p * z + splat(-7.34990630326855e-04f);
  p = p * z + splat(-2.95459980854025e-03f);
  p = p * z + splat(-1.60960333262415e-02f);
  vf q = splat(-1.45660718464996e-05f);
  q = q * z + splat(-2.13374055278905e-04f);
  q = q * z + splat(-1.68282697438203e-03f);
  q = q * z + splat(-7.37332916720468e-03f);
  q = q * z + splat(-1.42647390514189e-02f);
  vf y = c * p / q, one = (vf)((vi)splat(1.f) | ((vi)x & splati((int32_t)0x80000000)));
  y = vabs(x) > splat(3.85f) ? one : y;
  return x != x ? x : y;
}

// Activations and their derivatives with respect to the pre-activation x.
//   gelu       x Phi(x),                                     derivative Phi(x) + x phi(x)
//   gelu_tanh  x/2 (1 + tanh(sqrt(2/pi)(x + 0.044715 x^3)))   = x sigmoid(2u)
//   relu2      max(x, 0)^2                                    silu  x sigmoid(x)
INLINE vf act(int64_t kind, vf x) {
  switch (kind) {
    case GELU:
      return splat(0.5f) * x * (splat(1.f) + verf(x * splat(0.70710678118654752f)));
    case GELU_TANH:
      return x * vsigmoid(x * (splat(1.5957691216057308f) + splat(0.071354816272600f) * x * x));
    case RELU2: {
      vf r = vmax(x, splat(0.f));
      return r * r;
    }
    case RELU:
      return vmax(x, splat(0.f));
    case SILU:
      return x * vsigmoid(x);
    default:
      return x;
  }
}
INLINE vf act_grad(int64_t kind, vf x) {
  switch (kind) {
    case GELU: {
      vf phi = splat(0.3989422804014327f) * vexp(splat(-0.5f) * x * x);
      return splat(0.5f) * (splat(1.f) + verf(x * splat(0.70710678118654752f))) + x * phi;
    }
    case GELU_TANH: {
      vf s = vsigmoid(x * (splat(1.5957691216057308f) + splat(0.071354816272600f) * x * x));
      vf du = splat(1.5957691216057308f) + splat(0.214064448817800f) * x * x;
      return s + x * s * (splat(1.f) - s) * du;
    }
    case RELU2:
      return splat(2.f) * vmax(x, splat(0.f));
    case RELU:
      return x > splat(0.f) ? splat(1.f) : splat(0.f);
    case SILU: {
      vf s = vsigmoid(x);
      return s * (splat(1.f) + x * (splat(1.f) - s));
    }
    default:
      return splat(1.f);
  }
}

}  // namespace LEVEL
