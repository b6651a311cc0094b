/**
 * Layer normalisation (Ba et al. 2016) and root-mean-square normalisation (Zhang & Sennrich 2019) over the last axis.
 *
 * y = x̂·gain (+ bias), x̂ = (x − mean)·r or x·r, r = 1/√(variance + eps). Statistics are in 32 bits whatever the inputs are.
 * Backward makes x̂ again from x: dx = r·(d − [layer: mean(d)] − x̂·mean(d·x̂)), d = dy·gain.
 */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Attributes, DType, Value, ValueType } from '../value.ts';
import { add, cast, mul, rsqrt, scalar, square, sub } from './elementwise.ts';
import { reduceMean, sumTo } from './reduce.ts';

export type NormKind = 'layer' | 'rms';

function normalise(x: Value, attrs: Attributes): { normalised: Value; scale: Value } {
  const last = [x.shape.length - 1];
  const centred = attrs.kind === 'layer' ? sub(x, reduceMean(x, last)) : x;
  const scale = rsqrt(add(reduceMean(square(centred), last), scalar(x, attrs.eps as number)));
  return { normalised: mul(centred, scale), scale };
}

defineOperation({
  name: 'norm',
  kind: 'composite',
  infer: ([x, gain, bias], attrs) => {
    const width = [x!.shape.at(-1)!];
    requireShape(sameShape(gain!.shape, width), 'norm', 'the gain must be one number per feature', x!, gain!);
    if (bias !== undefined)
      requireShape(sameShape(bias.shape, width), 'norm', 'the bias must be one number per feature', x!, bias);
    return [{ shape: x!.shape, dtype: (attrs.out as DType | undefined) ?? x!.dtype }];
  },
  gradient: (node, [g]) => {
    const [x, gain] = node.inputs as [Value, Value];
    return g!.graph.add('normGrad', [x, gain, g!], { ...node.attrs, bias: node.inputs.length === 3 });
  },
  decompose: ([x, gain, bias], attrs) => {
    const y = mul(normalise(cast(x!, 'f32'), attrs).normalised, cast(gain!, 'f32'));
    return [cast(bias === undefined ? y : add(y, cast(bias, 'f32')), (attrs.out as DType | undefined) ?? x!.dtype)];
  },
  flops: (node) => 8 * sizeOf(node.inputs[0]!.shape),
  inPlace: [[0, 0]],
});

defineOperation({
  name: 'normGrad',
  kind: 'composite',
  infer: ([x, gain], attrs) => {
    const vector: ValueType = { shape: gain!.shape, dtype: 'f32' };
    const dx: ValueType = { shape: x!.shape, dtype: x!.dtype };
    return attrs.bias === true ? [dx, vector, vector] : [dx, vector];
  },
  decompose: ([x, gain, g], attrs) => {
    const dy = cast(g!, 'f32');
    const { normalised, scale } = normalise(cast(x!, 'f32'), attrs);
    const last = [x!.shape.length - 1];
    const d = mul(dy, cast(gain!, 'f32'));
    const projected = sub(d, mul(normalised, reduceMean(mul(d, normalised), last)));
    const inner = attrs.kind === 'layer' ? sub(projected, reduceMean(d, last)) : projected;
    const dx = cast(mul(scale, inner), x!.dtype);
    const dgain = sumTo(mul(dy, normalised), gain!.shape);
    return attrs.bias === true ? [dx, dgain, sumTo(dy, gain!.shape)] : [dx, dgain];
  },
  flops: (node) => 14 * sizeOf(node.inputs[0]!.shape),
  inPlace: [
    [0, 0],
    [0, 2],
  ],
});

/** Normalises x [.., d] over its last axis; `gain` and `bias` are f32 [d]. The result has x's type unless `out` is given. */
export function norm(
  x: Value,
  gain: Value,
  options: { kind: NormKind; eps: number; bias?: Value; out?: DType },
): Value {
  const inputs = options.bias === undefined ? [x, gain] : [x, gain, options.bias];
  return x.graph.add('norm', inputs, { kind: options.kind, eps: options.eps, out: options.out })[0]!;
}
