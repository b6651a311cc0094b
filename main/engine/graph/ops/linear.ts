/** Linear layers: y = x·wᵀ (+ b). Weights are [out, in], as in the checkpoints of most libraries. */
import { defineOperation } from '../operation.ts';
import { lowestPrecision, requireShape } from '../shapes.ts';
import { sameShape, sizeOf } from '../value.ts';
import type { Value } from '../value.ts';
import { add, gradientType } from './elementwise.ts';
import { matmul, rows } from './matmul.ts';
import { reshape } from './movement.ts';

defineOperation({
  name: 'linear',
  kind: 'composite',
  infer: ([x, w, b]) => {
    requireShape(
      w!.shape.length === 2 && w!.shape[1] === x!.shape.at(-1),
      'linear',
      'the weight must be [out, in]',
      x!,
      w!,
    );
    if (b !== undefined) requireShape(sameShape(b.shape, [w!.shape[0]!]), 'linear', 'the bias must be [out]', w!, b);
    return [{ shape: [...x!.shape.slice(0, -1), w!.shape[0]!], dtype: lowestPrecision('linear', [x!, w!]) }];
  },
  gradient: (node, [g]) => {
    const [x, w, b] = node.inputs as [Value, Value, Value | undefined];
    const dx = reshape(matmul(rows(g!), w, { out: gradientType(x) }), x.shape);
    const dw = matmul(rows(g!), rows(x), { transposeA: true, out: gradientType(w) });
    return b === undefined ? [dx, dw] : [dx, dw, g];
  },
  decompose: ([x, w, b]) => {
    const y = matmul(rows(x!), w!, { transposeB: true });
    return [reshape(b === undefined ? y : add(y, b), [...x!.shape.slice(0, -1), w!.shape[0]!])];
  },
  flops: (node) => 2 * sizeOf(node.inputs[0]!.shape) * node.inputs[1]!.shape[0]!,
});

/** x [.., in] × weight [out, in] (+ bias [out]) → [.., out]. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  return x.graph.add('linear', bias === undefined ? [x, weight] : [x, weight, bias])[0]!;
}
