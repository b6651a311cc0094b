/**
 * Operations that only the compiler makes: several graph operations in one pass over memory. Each has a decomposition, so a fused
 * program can be checked against the plain one by any executor.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape } from '../value.ts';
import type { Attributes, DType, Node, Value, ValueType } from '../value.ts';
import type { Activation } from './activation.ts';
import { add, cast } from './elementwise.ts';
import { scatterAdd } from './indexing.ts';
import { matmul } from './matmul.ts';

export interface GemmOptions {
  transposeA?: boolean;
  transposeB?: boolean;
  out: DType;
  /** Added at the end; may be overwritten in place. [.., m, n] */
  residual?: Value;
  /** [n] */
  bias?: Value;
  /** f applied to the biased product; its input is returned as `pre` when `savePre`. */
  activation?: Activation;
  savePre?: boolean;
  /** Multiplies the product by f'(aux), aux [.., m, n]: the gradient of an activation folded into the product that feeds it. */
  derivativeOf?: { activation: Activation; aux: Value };
}

interface GemmInputs {
  a: Value;
  b: Value;
  residual?: Value;
  bias?: Value;
  aux?: Value;
}

/** The inputs of a gemm node by name. */
export function gemmInputs(inputs: readonly Value[], attrs: Attributes): GemmInputs {
  const [a, b, ...rest] = inputs as [Value, Value, ...Value[]];
  let next = 0;
  const take = (present: unknown) => (present === true ? rest[next++] : undefined);
  return { a, b, residual: take(attrs.hasResidual), bias: take(attrs.hasBias), aux: take(attrs.hasAux) };
}

function productShape({ a, b }: GemmInputs, attrs: Attributes): number[] {
  const m = a.shape.at(attrs.transposeA === true ? -1 : -2)!;
  const n = b.shape.at(attrs.transposeB === true ? -2 : -1)!;
  return [...a.shape.slice(0, -2), m, n];
}

function gemmFlops(node: Node): number {
  const { a, b } = gemmInputs(node.inputs, node.attrs);
  const k = a.shape.at(node.attrs.transposeA === true ? -2 : -1)!;
  return 2 * k * productShape({ a, b }, node.attrs).reduce((x, y) => x * y, 1);
}

defineOperation({
  name: 'gemm',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const named = gemmInputs(inputs, attrs);
    const shape = productShape(named, attrs);
    const k = named.a.shape.at(attrs.transposeA === true ? -2 : -1);
    requireShape(
      k === named.b.shape.at(attrs.transposeB === true ? -1 : -2),
      'gemm',
      'inner dimensions differ',
      named.a,
      named.b,
    );
    for (const same of [named.residual, named.aux]) {
      if (same) requireShape(sameShape(same.shape, shape), 'gemm', `needs [${shape}]`, same);
    }
    const result: ValueType = { shape, dtype: attrs.out as DType };
    return attrs.savePre === true ? [result, result] : [result];
  },
  decompose: (inputs, attrs) => {
    const { a, b, residual, bias, aux } = gemmInputs(inputs, attrs);
    const out = attrs.out as DType;
    // With an epilogue the product stays in 32 bits until the end, as in a fused kernel.
    const plain = residual === undefined && bias === undefined && attrs.fn === undefined;
    const options = { transposeA: attrs.transposeA === true, transposeB: attrs.transposeB === true };
    const product = matmul(a, b, { ...options, out: plain ? out : 'f32' });
    if (plain) return [product];
    const biased = bias === undefined ? product : add(product, cast(bias, 'f32'));
    const pre = cast(biased, out);
    let y = biased;
    if (aux !== undefined) y = y.graph.add('activationGrad', [cast(aux, 'f32'), y], { fn: attrs.fn })[0]!;
    else if (attrs.fn !== undefined) y = y.graph.add('activation', [y], { fn: attrs.fn })[0]!;
    if (residual !== undefined) y = add(y, cast(residual, 'f32'));
    return attrs.savePre === true ? [cast(y, out), pre] : [cast(y, out)];
  },
  flops: gemmFlops,
  // Residual, bias and aux are each read where the result is written.
  inPlace: [
    [0, 2],
    [0, 3],
    [0, 4],
  ],
});

/** a·b with an epilogue; see {@link GemmOptions}. */
export function gemm(a: Value, b: Value, options: GemmOptions): { y: Value; pre?: Value } {
  const { residual, bias, derivativeOf } = options;
  const inputs = [a, b, residual, bias, derivativeOf?.aux].filter((value) => value !== undefined);
  const [y, pre] = a.graph.add('gemm', inputs, {
    transposeA: options.transposeA ?? false,
    transposeB: options.transposeB ?? false,
    out: options.out,
    fn: options.activation ?? derivativeOf?.activation,
    savePre: options.savePre ?? false,
    hasResidual: residual !== undefined,
    hasBias: bias !== undefined,
    hasAux: derivativeOf !== undefined,
  });
  return { y: y!, pre };
}

defineOperation({
  name: 'normGradAdd',
  kind: 'composite',
  infer: (inputs, attrs) => {
    const [x, gain] = inputs as [Value, Value];
    const vector: ValueType = { shape: gain.shape, dtype: 'f32' };
    const dx: ValueType = { shape: x.shape, dtype: x.dtype };
    return attrs.bias === true ? [dx, vector, vector] : [dx, vector];
  },
  decompose: (inputs, attrs) => {
    const [x, gain, g, addend] = inputs as [Value, Value, Value, Value];
    const [dx, ...rest] = x.graph.add('normGrad', [x, gain, g], attrs) as [Value, ...Value[]];
    return [add(dx, addend), ...rest];
  },
  flops: (node) => 15 * node.inputs[0]!.shape.reduce((a, b) => a * b, 1),
  inPlace: [
    [0, 0],
    [0, 2],
    [0, 3],
  ],
});

defineOperation({
  name: 'scatterAddTo',
  kind: 'composite',
  infer: ([base]) => [{ shape: base!.shape, dtype: base!.dtype }],
  decompose: ([base, indices, updates]) => [add(base!, scatterAdd(indices!, updates!, base!.shape[0]!, base!.dtype))],
  flops: (node) => node.inputs[2]!.shape.reduce((a, b) => a * b, 1),
  inPlace: [[0, 0]],
});

defineOperation({
  name: 'crossEntropyWithGradient',
  kind: 'composite',
  infer: ([hidden, weight, targets], attrs) => {
    const perRow: ValueType = { shape: targets!.shape, dtype: 'f32' };
    return [
      perRow,
      perRow,
      { shape: hidden!.shape, dtype: attrs.outHidden as DType },
      { shape: weight!.shape, dtype: 'f32' },
    ];
  },
  decompose: (inputs, attrs) => {
    const [hidden, weight, targets, g, base] = inputs as [Value, Value, Value, Value, Value | undefined];
    const [loss, correct] = hidden.graph.add('linearCrossEntropy', [hidden, weight, targets], {
      softcap: attrs.softcap,
    });
    const [dHidden, dWeight] = hidden.graph.add('linearCrossEntropyGrad', [hidden, weight, targets, g], attrs);
    return [loss!, correct!, dHidden!, base === undefined ? dWeight! : add(dWeight!, base)];
  },
  flops: (node) => {
    const [n, width] = node.inputs[0]!.shape as [number, number];
    return n * node.inputs[1]!.shape[0]! * (6 * width + 6);
  },
  inPlace: [[3, 4]],
});
