/**
 * Output layer and cross-entropy as one operation, so that executors can work through the vocabulary in pieces and never
 * hold all logits. Backward makes the logits again from the hidden states.
 *
 * logits = hidden·weightᵀ (soft-capped c·tanh(l/c) when c > 0); loss = log Σ exp(logits) − logits[target], in nats.
 * A negative target is ignored: loss 0, no gradient, not counted as correct.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import type { Attributes, Value } from '../value.ts';
import {
  add,
  cast,
  equal,
  exp,
  gradientType,
  greaterEqual,
  log,
  mul,
  scalar,
  select,
  square,
  sub,
  tanh,
} from './elementwise.ts';
import { oneHot } from './indexing.ts';
import { fill } from './leaves.ts';
import { matmul } from './matmul.ts';
import { reshape } from './movement.ts';
import { argMax, reduceMax, reduceSum } from './reduce.ts';

interface Logits {
  logits: Value;
  capSlope?: Value;
}

function logitsOf(hidden: Value, weight: Value, attrs: Attributes): Logits {
  const raw = matmul(hidden, weight, { transposeB: true, out: 'f32' });
  const cap = attrs.softcap as number;
  if (cap === 0) return { logits: raw };
  const t = tanh(mul(raw, scalar(raw, 1 / cap)));
  return { logits: mul(t, scalar(raw, cap)), capSlope: sub(scalar(raw, 1), square(t)) };
}

/** log Σ exp along the last axis, [n, 1], and the values it was taken of. */
function logSumExp(x: Value): Value {
  const top = reduceMax(x, [1]);
  return add(top, log(reduceSum(exp(sub(x, top)), [1])));
}

/** The inputs of a cross-entropy node by name; `g` where a gradient is made, `base` where the weight's is added to one. */
export function crossEntropyInputs<T>(inputs: readonly T[]): { hidden: T; weight: T; targets: T; g?: T; base?: T } {
  const [hidden, weight, targets, g, base] = inputs as [T, T, T, T | undefined, T | undefined];
  return { hidden, weight, targets, g, base };
}

const isScored = (targets: Value) => greaterEqual(targets, fill(targets.graph, [], 0, 'i32'));

const headFlops = (products: number) => (node: { inputs: readonly Value[] }) => {
  const [n, width] = node.inputs[0]!.shape as [number, number];
  return n * node.inputs[1]!.shape[0]! * (2 * width * products + 6);
};

defineOperation({
  name: 'linearCrossEntropy',
  kind: 'composite',
  infer: ([hidden, weight, targets]) => {
    const ok = hidden!.shape.length === 2 && weight!.shape.length === 2 && weight!.shape[1] === hidden!.shape[1];
    requireShape(ok, 'linearCrossEntropy', 'needs hidden [n, width] and weight [vocabulary, width]', hidden!, weight!);
    const matches = targets!.dtype === 'i32' && targets!.shape.length === 1 && targets!.shape[0] === hidden!.shape[0];
    requireShape(matches, 'linearCrossEntropy', 'one i32 target per row', hidden!, targets!);
    const perRow = { shape: targets!.shape, dtype: 'f32' } as const;
    return [perRow, perRow];
  },
  gradient: (node, [g]) => {
    if (g === undefined) return [undefined, undefined, undefined];
    const [hidden, weight] = node.inputs as [Value, Value];
    const attrs = { ...node.attrs, outHidden: gradientType(hidden) };
    const [dHidden, dWeight] = g.graph.add('linearCrossEntropyGrad', [...node.inputs, g], attrs);
    return [dHidden, cast(dWeight!, gradientType(weight)), undefined];
  },
  decompose: ([hidden, weight, targets], attrs) => {
    const n = targets!.shape[0]!;
    const { logits } = logitsOf(hidden!, weight!, attrs);
    const scored = isScored(targets!);
    const picked = reduceSum(mul(oneHot(targets!, weight!.shape[0]!), logits), [1]);
    const loss = reshape(sub(logSumExp(logits), picked), [n]);
    const correct = cast(equal(argMax(logits), targets!), 'f32');
    return [select(scored, loss, scalar(loss, 0)), correct];
  },
  flops: headFlops(1),
});

defineOperation({
  name: 'linearCrossEntropyGrad',
  kind: 'composite',
  infer: ([hidden, weight], attrs) => [
    { shape: hidden!.shape, dtype: attrs.outHidden as 'f32' },
    // Summed over all rows, so in 32 bits.
    { shape: weight!.shape, dtype: 'f32' },
  ],
  decompose: ([hidden, weight, targets, g], attrs) => {
    const n = targets!.shape[0]!;
    const { logits, capSlope } = logitsOf(hidden!, weight!, attrs);
    const p = exp(sub(logits, logSumExp(logits)));
    const rowScale = reshape(select(isScored(targets!), g!, scalar(g!, 0)), [n, 1]);
    let d = mul(sub(p, oneHot(targets!, weight!.shape[0]!)), rowScale);
    if (capSlope) d = mul(d, capSlope);
    const low = cast(d, hidden!.dtype);
    return [
      matmul(low, weight!, { out: attrs.outHidden as 'f32' }),
      matmul(low, hidden!, { transposeA: true, out: 'f32' }),
    ];
  },
  flops: headFlops(3),
});

/**
 * Cross-entropy of hidden [n, width] through weight [vocabulary, width] against targets i32 [n]. Returns per-row loss (nats) and
 * 1 where the most likely token is the target, both f32 [n].
 */
export function linearCrossEntropy(
  hidden: Value,
  weight: Value,
  targets: Value,
  options: { softcap?: number } = {},
): { loss: Value; correct: Value } {
  const [loss, correct] = hidden.graph.add('linearCrossEntropy', [hidden, weight, targets], {
    softcap: options.softcap ?? 0,
  });
  return { loss: loss!, correct: correct! };
}
