/**
 * Optimizer updates, one node per parameter, all in 32 bits. Every rule sees the gradient times `gradientScale` (clipping,
 * loss-scale removal); a scale of 0 says that the gradient is unusable and leaves everything as it was. With a 16-bit `working` type the last output is the rounded copy of the new weights.
 *
 * AdamW: Loshchilov & Hutter 2019; Adam: Kingma & Ba 2015 (decay added to the gradient); SGD with momentum as in PyTorch
 * (buffer = μ·buffer + g); Adagrad: Duchi et al. 2011; RMSprop: Tieleman & Hinton 2012, centred form Graves 2013.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Attributes, DType, Node, Value, ValueType } from '../value.ts';
import { add, cast, div, greater, minimum, mul, scalar, select, sqrt, square, sub } from './elementwise.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './movement.ts';

export interface UpdateRule {
  /** Names of the moment buffers, each of the parameter's shape. */
  moments(attrs: Attributes): readonly string[];
  /** New parameter and moments. */
  apply(p: Value, g: Value, moments: readonly Value[], h: Hyper, attrs: Attributes): { p: Value; moments: Value[] };
  flopsPerElement: number;
}

/** Per-step numbers of a parameter group; all f32 scalars. */
export interface Hyper {
  gradientScale: Value;
  learningRate: Value;
  weightDecay: Value;
  /** 1 − β1^t and 1 − β2^t (Adam only; 1 elsewhere). */
  bias1: Value;
  bias2: Value;
}

const HYPER: readonly (keyof Hyper)[] = ['gradientScale', 'learningRate', 'weightDecay', 'bias1', 'bias2'];

/** old + rate·(new − old): an exponential average that is exact for rate 1. */
const towards = (old: Value, target: Value, rate: number) => add(old, mul(scalar(old, rate), sub(target, old)));
const withDecay = (g: Value, p: Value, h: Hyper) => add(g, mul(h.weightDecay, p));

function adam(decoupled: boolean): UpdateRule {
  return {
    moments: () => ['first', 'second'],
    flopsPerElement: 16,
    apply(p, g0, [m, v], h, attrs) {
      const g = decoupled ? g0 : withDecay(g0, p, h);
      const first = towards(m!, g, 1 - (attrs.beta1 as number));
      const second = towards(v!, square(g), 1 - (attrs.beta2 as number));
      const step = div(div(first, h.bias1), add(sqrt(div(second, h.bias2)), scalar(p, attrs.eps as number)));
      const kept = decoupled ? mul(p, sub(scalar(p, 1), mul(h.learningRate, h.weightDecay))) : p;
      return { p: sub(kept, mul(h.learningRate, step)), moments: [first, second] };
    },
  };
}

export const UPDATE_RULES: Readonly<Record<string, UpdateRule>> = {
  adamw: adam(true),
  adam: adam(false),
  sgd: {
    moments: (attrs) => ((attrs.momentum as number) > 0 ? ['momentum'] : []),
    flopsPerElement: 6,
    apply(p, g0, [buffer], h, attrs) {
      const g = withDecay(g0, p, h);
      if (buffer === undefined) return { p: sub(p, mul(h.learningRate, g)), moments: [] };
      const mu = scalar(p, attrs.momentum as number);
      const next = add(mul(mu, buffer), g);
      const step = attrs.nesterov === true ? add(g, mul(mu, next)) : next;
      return { p: sub(p, mul(h.learningRate, step)), moments: [next] };
    },
  },
  adagrad: {
    moments: () => ['sum'],
    flopsPerElement: 8,
    apply(p, g0, [sum], h, attrs) {
      const g = withDecay(g0, p, h);
      const next = add(sum!, square(g));
      return {
        p: sub(p, mul(h.learningRate, div(g, add(sqrt(next), scalar(p, attrs.eps as number))))),
        moments: [next],
      };
    },
  },
  rmsprop: {
    moments: (attrs) => [
      'square',
      ...(attrs.centered === true ? ['mean'] : []),
      ...((attrs.momentum as number) > 0 ? ['momentum'] : []),
    ],
    flopsPerElement: 14,
    apply(p, g0, moments, h, attrs) {
      const g = withDecay(g0, p, h);
      const rest = [...moments];
      const rate = 1 - (attrs.alpha as number);
      const second = towards(rest.shift()!, square(g), rate);
      const next = [second];
      let variance = second;
      if (attrs.centered === true) {
        const mean = towards(rest.shift()!, g, rate);
        next.push(mean);
        variance = sub(second, square(mean));
      }
      let step = div(g, add(sqrt(variance), scalar(p, attrs.eps as number)));
      if ((attrs.momentum as number) > 0) {
        step = add(mul(scalar(p, attrs.momentum as number), rest.shift()!), step);
        next.push(step);
      }
      return { p: sub(p, mul(h.learningRate, step)), moments: next };
    },
  },
};

const ruleOf = (attrs: Attributes) => UPDATE_RULES[attrs.rule as string]!;

defineOperation({
  name: 'optimizerUpdate',
  kind: 'composite',
  infer: ([p, g, ...rest], attrs) => {
    requireShape(
      sameShape(p!.shape, g!.shape) && p!.dtype === 'f32',
      'optimizerUpdate',
      'parameter and gradient differ',
      p!,
      g!,
    );
    const moments = ruleOf(attrs).moments(attrs);
    requireShape(
      rest.length === HYPER.length + moments.length,
      'optimizerUpdate',
      `needs ${moments.length} moments`,
      p!,
    );
    const types: ValueType[] = [
      { shape: p!.shape, dtype: 'f32' },
      ...moments.map(() => ({ shape: p!.shape, dtype: 'f32' as const })),
    ];
    if (attrs.working !== undefined) types.push({ shape: p!.shape, dtype: attrs.working as DType });
    return types;
  },
  decompose: (inputs, attrs) => {
    const [p, g] = inputs as [Value, Value];
    const hyper = Object.fromEntries(HYPER.map((name, i) => [name, inputs[2 + i]!])) as unknown as Hyper;
    const moments = inputs.slice(2 + HYPER.length);
    const result = ruleOf(attrs).apply(p, mul(cast(g, 'f32'), hyper.gradientScale), moments, hyper, attrs);
    const good = greater(hyper.gradientScale, scalar(p, 0));
    const next = select(good, result.p, p);
    const out = [next, ...result.moments.map((moment, i) => select(good, moment, moments[i]!))];
    if (attrs.working !== undefined) out.push(cast(next, attrs.working as DType));
    return out;
  },
  flops: (node: Node) => ruleOf(node.attrs).flopsPerElement * sizeOf(node.inputs[0]!.shape),
  // Output 0 over the parameter, output 1 + i over moment i; the inputs beyond what a rule has are never matched.
  inPlace: [
    [0, 0],
    [1, 2 + HYPER.length],
    [2, 3 + HYPER.length],
    [3, 4 + HYPER.length],
  ],
});

export interface OptimizerUpdate {
  p: Value;
  moments: readonly Value[];
  /** Rounded copy of the new parameter, when a working type was asked for. */
  working?: Value;
}

/** One parameter's update. `attrs` holds the rule's name and its constants (beta1, eps, momentum …). */
export function optimizerUpdate(
  p: Value,
  g: Value,
  moments: readonly Value[],
  hyper: Hyper,
  attrs: Attributes & { rule: string; working?: DType },
): OptimizerUpdate {
  const out = p.graph.add('optimizerUpdate', [p, g, ...HYPER.map((name) => hyper[name]), ...moments], attrs);
  const count = moments.length;
  return {
    p: out[0]!,
    moments: out.slice(1, 1 + count),
    working: attrs.working === undefined ? undefined : out[1 + count],
  };
}

defineOperation({
  name: 'globalNorm',
  kind: 'composite',
  infer: () => [{ shape: [], dtype: 'f32' }],
  decompose: (inputs) => {
    const squares = inputs.map((x) =>
      reshape(
        reduceSum(
          square(cast(x, 'f32')),
          x.shape.map((_, axis) => axis),
        ),
        [],
      ),
    );
    return [sqrt(squares.reduce((a, b) => add(a, b)))];
  },
  flops: (node) => node.inputs.reduce((total, x) => total + 2 * sizeOf(x.shape), 0),
});

/** Euclidean norm of all the arrays together, f32 []. */
export function globalNorm(values: readonly Value[]): Value {
  return values[0]!.graph.add('globalNorm', values)[0]!;
}

/** Factor min(1, limit/(norm + 1e-6)) that brings gradients of this norm to at most `limit` (as torch.nn.utils.clip_grad_norm_). */
export function clipScale(norm: Value, limit: number): Value {
  return minimum(scalar(norm, 1), div(scalar(norm, limit), add(norm, scalar(norm, 1e-6))));
}
