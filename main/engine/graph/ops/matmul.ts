/** Matrix products. */
import { defineOperation } from '../operation.ts';
import { lowestPrecision, requireShape } from '../shapes.ts';
import { sizeOf } from '../value.ts';
import type { DType, Node, Value } from '../value.ts';
import { gradientType } from './elementwise.ts';
import { reshape } from './movement.ts';

interface MatmulOptions {
  /** Use aᵀ (last two axes). */
  transposeA?: boolean;
  /** Use bᵀ (last two axes). */
  transposeB?: boolean;
  /** Type of the result; the lowest precision of the inputs unless given. Accumulation is always in 32 bits. */
  out?: DType;
}

function dims(node: { inputs: readonly Value[]; attrs: MatmulOptions }): {
  m: number;
  n: number;
  k: number;
  batch: number;
} {
  const [a, b] = node.inputs as [Value, Value];
  const [am, ak] = a.shape.slice(-2) as [number, number];
  const [bk, bn] = b.shape.slice(-2) as [number, number];
  return {
    m: node.attrs.transposeA ? ak : am,
    k: node.attrs.transposeA ? am : ak,
    n: node.attrs.transposeB ? bk : bn,
    batch: sizeOf(a.shape.slice(0, -2)),
  };
}

defineOperation({
  name: 'matmul',
  kind: 'primitive',
  infer: (inputs, attrs) => {
    const [a, b] = inputs as [Value, Value];
    requireShape(
      a.shape.length >= 2 && b.shape.length === a.shape.length,
      'matmul',
      'needs two arrays of equal rank ≥ 2',
      a,
      b,
    );
    const { m, n, k } = dims({ inputs, attrs });
    const bk = b.shape.at(attrs.transposeB ? -1 : -2);
    const sameBatch = a.shape.slice(0, -2).every((d, axis) => d === b.shape[axis]);
    requireShape(sameBatch && k === bk, 'matmul', 'inner or batch dimensions differ', a, b);
    const dtype = (attrs.out as DType | undefined) ?? lowestPrecision('matmul', inputs);
    return [{ shape: [...a.shape.slice(0, -2), m, n], dtype }];
  },
  gradient: (node, [g]) => {
    const [a, b] = node.inputs as [Value, Value];
    const { transposeA = false, transposeB = false } = node.attrs as MatmulOptions;
    const da = transposeA
      ? matmul(b, g!, { transposeA: transposeB, transposeB: true, out: gradientType(a) })
      : matmul(g!, b, { transposeB: !transposeB, out: gradientType(a) });
    const db = transposeB
      ? matmul(g!, a, { transposeA: true, transposeB: transposeA, out: gradientType(b) })
      : matmul(a, g!, { transposeA: !transposeA, out: gradientType(b) });
    return [da, db];
  },
  flops: (node: Node) => {
    const { m, n, k, batch } = dims(node as unknown as { inputs: readonly Value[]; attrs: MatmulOptions });
    return 2 * batch * m * n * k;
  },
});

/** a·b over the last two axes; leading axes are equal batch axes. [.., m, k] × [.., k, n] → [.., m, n]. */
export function matmul(a: Value, b: Value, options: MatmulOptions = {}): Value {
  return a.graph.add('matmul', [a, b], { ...options })[0]!;
}

/** x [.., k] with its leading axes flattened: [rows, k]. */
export function rows(x: Value): Value {
  return reshape(x, [-1, x.shape.at(-1)!]);
}
