/**
 * Activations and gated activations. Gradients are operations of their own on the *inputs*, so that nothing but the
 * inputs is saved for backward.
 *
 * gelu: x·Φ(x), Φ(x) = ½(1 + erf(x/√2)). gelu_tanh: ½x(1 + tanh(√(2/π)(x + 0.044715x³))) (Hendrycks & Gimpel 2016).
 * silu: x·σ(x). relu: max(x, 0). relu2: max(x, 0)² (So et al. 2021). Gated forms (Shazeer 2020): f(a)·b; SwiGLU f = silu, GeGLU f = gelu.
 */
import { defineOperation, ShapeError } from '../operation.ts';
import { lowestPrecision, requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Attributes, Node, Value } from '../value.ts';
import { add, cast, erf, exp, greater, mul, relu, scalar, sigmoid, square, sub, tanh } from './elementwise.ts';

export type Activation = 'gelu' | 'gelu_tanh' | 'silu' | 'relu' | 'relu2';

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

interface Rule {
  forward(x: Value): Value;
  derivative(x: Value): Value;
}

const s = scalar;
const phi = (x: Value) => mul(s(x, 0.5), add(s(x, 1), erf(mul(x, s(x, Math.SQRT1_2)))));
const tanhInner = (x: Value) => tanh(mul(s(x, SQRT_2_OVER_PI), add(x, mul(s(x, 0.044715), mul(x, square(x))))));

const RULES: Record<Activation, Rule> = {
  gelu: {
    forward: (x) => mul(x, phi(x)),
    derivative: (x) => add(phi(x), mul(x, mul(s(x, INV_SQRT_2PI), exp(mul(s(x, -0.5), square(x)))))),
  },
  gelu_tanh: {
    forward: (x) => mul(mul(s(x, 0.5), x), add(s(x, 1), tanhInner(x))),
    derivative: (x) => {
      const t = tanhInner(x);
      const inner = mul(s(x, SQRT_2_OVER_PI), add(s(x, 1), mul(s(x, 3 * 0.044715), square(x))));
      return add(mul(s(x, 0.5), add(s(x, 1), t)), mul(mul(s(x, 0.5), x), mul(sub(s(x, 1), square(t)), inner)));
    },
  },
  silu: {
    forward: (x) => mul(x, sigmoid(x)),
    derivative: (x) => {
      const y = sigmoid(x);
      return mul(y, add(s(x, 1), mul(x, sub(s(x, 1), y))));
    },
  },
  relu: { forward: relu, derivative: (x) => cast(greater(x, s(x, 0)), 'f32') },
  relu2: { forward: (x) => square(relu(x)), derivative: (x) => mul(s(x, 2), relu(x)) },
};

function ruleOf(attrs: Attributes): Rule {
  const rule = RULES[attrs.fn as Activation];
  if (rule === undefined) throw new ShapeError(`activation: unknown function ${String(attrs.fn)}`);
  return rule;
}

/** Rough cost of one transcendental activation per element. */
const ACTIVATION_FLOPS = 10;
const perElement = (node: Node) => ACTIVATION_FLOPS * sizeOf(node.inputs[0]!.shape);
/** Composites compute in 32 bits and round once, as a fused kernel does. */
const wide = (x: Value) => cast(x, 'f32');

defineOperation({
  name: 'activation',
  kind: 'composite',
  infer: ([x], attrs) => {
    ruleOf(attrs);
    return [{ shape: x!.shape, dtype: lowestPrecision('activation', [x!]) }];
  },
  gradient: (node, [g]) => {
    const x = node.inputs[0]!;
    return [g!.graph.add('activationGrad', [x, cast(g!, x.dtype)], node.attrs)[0]];
  },
  decompose: ([x], attrs) => [cast(ruleOf(attrs).forward(wide(x!)), x!.dtype)],
  flops: perElement,
  inPlace: [[0, 0]],
});
defineOperation({
  name: 'activationGrad',
  kind: 'composite',
  infer: ([x, g]) => {
    requireShape(sameShape(x!.shape, g!.shape), 'activationGrad', 'shapes differ', x!, g!);
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  decompose: ([x, g], attrs) => [cast(mul(wide(g!), ruleOf(attrs).derivative(wide(x!))), x!.dtype)],
  flops: perElement,
  inPlace: [
    [0, 0],
    [0, 1],
  ],
});

/** f(x), element by element. */
export function activation(x: Value, fn: Activation): Value {
  return x.graph.add('activation', [x], { fn })[0]!;
}

defineOperation({
  name: 'gatedActivation',
  kind: 'composite',
  infer: ([a, b]) => {
    requireShape(sameShape(a!.shape, b!.shape), 'gatedActivation', 'gate and value differ in shape', a!, b!);
    return [{ shape: a!.shape, dtype: lowestPrecision('gatedActivation', [a!, b!]) }];
  },
  gradient: (node, [g]) => g!.graph.add('gatedActivationGrad', [...node.inputs, g!], node.attrs),
  decompose: ([a, b], attrs) => [
    cast(mul(ruleOf(attrs).forward(wide(a!)), wide(b!)), lowestPrecision('gatedActivation', [a!, b!])),
  ],
  flops: perElement,
  inPlace: [
    [0, 0],
    [0, 1],
  ],
});
defineOperation({
  name: 'gatedActivationGrad',
  kind: 'composite',
  infer: ([a, b]) => [
    { shape: a!.shape, dtype: a!.dtype },
    { shape: b!.shape, dtype: b!.dtype },
  ],
  decompose: ([a, b, g], attrs) => {
    const rule = ruleOf(attrs);
    const x = wide(a!);
    const dy = wide(g!);
    const da = mul(mul(dy, wide(b!)), rule.derivative(x));
    return [cast(da, a!.dtype), cast(mul(dy, rule.forward(x)), b!.dtype)];
  },
  flops: (node) => 2 * perElement(node),
  inPlace: [
    [0, 0],
    [1, 1],
  ],
});

/** f(gate)·value, element by element. */
export function gatedActivation(gate: Value, value: Value, fn: Activation): Value {
  return gate.graph.add('gatedActivation', [gate, value], { fn })[0]!;
}
