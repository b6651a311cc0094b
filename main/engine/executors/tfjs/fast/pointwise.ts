/** Activations, norms and optimizer updates in one loop each. */
import { updateParts } from '../../../graph/ops/index.ts';
import type { Activation } from '../../../graph/ops/index.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { compute, elements } from '../arrays.ts';
import type { Kernel } from '../primitives.ts';
import { exp, normalCdf, sigmoid, tanh } from './math.ts';

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

interface Scalar {
  forward(x: number): number;
  derivative(x: number): number;
}

/** The formulas of graph/ops/activation.ts on numbers. */
const FUNCTIONS: Readonly<Record<Activation, Scalar>> = {
  gelu: {
    forward: (x) => x * normalCdf(x, exp(-0.5 * x * x)),
    derivative: (x) => {
      const e = exp(-0.5 * x * x);
      return normalCdf(x, e) + x * INV_SQRT_2PI * e;
    },
  },
  gelu_tanh: {
    forward: (x) => 0.5 * x * (1 + tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x))),
    derivative: (x) => {
      const t = tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
    },
  },
  silu: {
    forward: (x) => x * sigmoid(x),
    derivative: (x) => {
      const y = sigmoid(x);
      return y * (1 + x * (1 - y));
    },
  },
  relu: { forward: (x) => (x > 0 ? x : 0), derivative: (x) => (x > 0 ? 1 : 0) },
  relu2: { forward: (x) => (x > 0 ? x * x : 0), derivative: (x) => (x > 0 ? 2 * x : 0) },
};
const functionOf = (node: Node) => FUNCTIONS[node.attrs.fn as Activation];

const activation: Kernel = ([x], node) => {
  const { forward } = functionOf(node);
  return compute([node.outputs[0]!.shape], (y) => {
    const a = elements(x!);
    for (let i = 0; i < y.length; i++) y[i] = forward(a[i]!);
  });
};

const activationGrad: Kernel = ([x, g], node) => {
  const { derivative } = functionOf(node);
  return compute([node.outputs[0]!.shape], (y) => {
    const a = elements(x!);
    const d = elements(g!);
    for (let i = 0; i < y.length; i++) y[i] = d[i]! * derivative(a[i]!);
  });
};

const gatedActivation: Kernel = ([gate, value], node) => {
  const { forward } = functionOf(node);
  return compute([node.outputs[0]!.shape], (y) => {
    const a = elements(gate!);
    const b = elements(value!);
    for (let i = 0; i < y.length; i++) y[i] = forward(a[i]!) * b[i]!;
  });
};

const gatedActivationGrad: Kernel = ([gate, value, g], node) => {
  const { forward, derivative } = functionOf(node);
  return compute([node.outputs[0]!.shape, node.outputs[1]!.shape], (da, db) => {
    const a = elements(gate!);
    const b = elements(value!);
    const d = elements(g!);
    for (let i = 0; i < da.length; i++) {
      da[i] = d[i]! * b[i]! * derivative(a[i]!);
      db[i] = d[i]! * forward(a[i]!);
    }
  });
};

/** Mean (0 for RMS) and reciprocal deviation of one row. */
function statistics(x: Float32Array, from: number, width: number, node: Node): { mean: number; scale: number } {
  let mean = 0;
  if (node.attrs.kind === 'layer') {
    for (let j = 0; j < width; j++) mean += x[from + j]!;
    mean /= width;
  }
  let squares = 0;
  for (let j = 0; j < width; j++) squares += (x[from + j]! - mean) ** 2;
  return { mean, scale: 1 / Math.sqrt(squares / width + (node.attrs.eps as number)) };
}

const norm: Kernel = ([x, gain, bias], node) =>
  compute([node.outputs[0]!.shape], (y) => {
    const a = elements(x!);
    const w = elements(gain!);
    const b = bias === undefined ? undefined : elements(bias);
    const width = w.length;
    for (let from = 0; from < y.length; from += width) {
      const { mean, scale } = statistics(a, from, width, node);
      if (b === undefined) for (let j = 0; j < width; j++) y[from + j] = (a[from + j]! - mean) * scale * w[j]!;
      else for (let j = 0; j < width; j++) y[from + j] = (a[from + j]! - mean) * scale * w[j]! + b[j]!;
    }
  });

/** Also normGradAdd: with a fourth input, what is added to the gradient of x. */
const normGrad: Kernel = ([x, gain, g, addend], node) =>
  compute(
    node.outputs.map((output) => output.shape),
    (dx, dGain, dBias) => {
      const a = elements(x!);
      const w = elements(gain!);
      const d = elements(g!);
      const base = addend === undefined ? undefined : elements(addend);
      const width = w.length;
      const gains = new Float64Array(width);
      const biases = new Float64Array(width);
      const centred = node.attrs.kind === 'layer';
      for (let from = 0; from < dx!.length; from += width) {
        const { mean, scale } = statistics(a, from, width, node);
        let sum = 0;
        let along = 0;
        for (let j = 0; j < width; j++) {
          const dy = d[from + j]!;
          const hat = (a[from + j]! - mean) * scale;
          gains[j]! += dy * hat;
          biases[j]! += dy;
          sum += dy * w[j]!;
          along += dy * w[j]! * hat;
        }
        sum = centred ? sum / width : 0;
        along /= width;
        for (let j = 0; j < width; j++) {
          const hat = (a[from + j]! - mean) * scale;
          const own = scale * (d[from + j]! * w[j]! - sum - hat * along);
          dx![from + j] = base === undefined ? own : own + base[from + j]!;
        }
      }
      dGain!.set(gains);
      dBias?.set(biases);
    },
  );

/** Adam and AdamW in one pass (optim/optimizers/adam.ts has the formulas). */
const adamUpdate: Kernel = (inputs, node) => {
  const { p, g, moments, gradientScale, hyper, fused } = updateParts(node);
  if (fused?.rule !== 'adamw' && fused?.rule !== 'adam')
    throw new Error(`no kernel for the update rule ${String(fused?.rule)}`);
  const { beta1, beta2, eps, rule } = fused;
  const of = (value: Value): Float32Array => elements(inputs[node.inputs.indexOf(value)]!);
  return compute(
    node.outputs.map((output) => output.shape),
    (p2, m2, v2, working) => {
      const [w, d, m, v] = [p, g, moments[0]!, moments[1]!].map(of) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const [scale, lr, decay, b1, b2] = [gradientScale, hyper.lr, hyper.decay, hyper.bias1!, hyper.bias2!].map(
        (value) => of(value)[0]!,
      ) as [number, number, number, number, number];
      const decoupled = rule === 'adamw';
      if (!(scale > 0)) {
        p2!.set(w);
        m2!.set(m);
        v2!.set(v);
      } else {
        const kept = decoupled ? 1 - lr * decay : 1;
        const coupled = decoupled ? 0 : decay;
        for (let i = 0; i < w.length; i++) {
          const gradient = d[i]! * scale + coupled * w[i]!;
          const nextM = m[i]! + (1 - beta1) * (gradient - m[i]!);
          const nextV = v[i]! + (1 - beta2) * (gradient * gradient - v[i]!);
          m2![i] = nextM;
          v2![i] = nextV;
          p2![i] = w[i]! * kept - (lr * nextM) / b1 / (Math.sqrt(nextV / b2) + eps);
        }
      }
      working?.set(p2!);
    },
  );
};

export const POINTWISE = {
  activation,
  activationGrad,
  gatedActivation,
  gatedActivationGrad,
  norm,
  normGrad,
  normGradAdd: normGrad,
  optimizerUpdate: adamUpdate,
} satisfies Record<string, Kernel>;
