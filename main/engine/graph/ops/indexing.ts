/** Look-ups by integer index and their adjoint. */
import { defineOperation } from '../operation.ts';
import { requireShape } from '../shapes.ts';
import { sizeOf } from '../value.ts';
import type { DType, Value } from '../value.ts';
import { cast, gradientType } from './elementwise.ts';

defineOperation({
  name: 'gather',
  kind: 'primitive',
  infer: ([table, indices]) => {
    requireShape(
      table!.shape.length === 2 && indices!.dtype === 'i32',
      'gather',
      'needs a [rows, width] table and i32 indices',
      table!,
      indices!,
    );
    return [{ shape: [...indices!.shape, table!.shape[1]!], dtype: table!.dtype }];
  },
  gradient: (node, [g]) => {
    const [table, indices] = node.inputs as [Value, Value];
    return [cast(scatterAdd(indices, g!, table.shape[0]!), gradientType(table)), undefined];
  },
  flops: () => 0,
});
/** Rows of `table` [n, d] by `indices` [...]: [..., d]. Indices must lie in 0 … n − 1. */
export function gather(table: Value, indices: Value): Value {
  return table.graph.add('gather', [table, indices])[0]!;
}

defineOperation({
  name: 'scatterAdd',
  kind: 'primitive',
  infer: ([indices, updates], attrs) => {
    const ok = indices!.dtype === 'i32' && updates!.shape.length === indices!.shape.length + 1;
    requireShape(
      ok && sizeOf(updates!.shape.slice(0, -1)) === sizeOf(indices!.shape),
      'scatterAdd',
      'one update row per index',
      indices!,
      updates!,
    );
    return [
      { shape: [attrs.rows as number, updates!.shape.at(-1)!], dtype: (attrs.out as DType | undefined) ?? 'f32' },
    ];
  },
  gradient: (node, [g]) => [undefined, gather(g!, node.inputs[0]!)],
  flops: (node) => sizeOf(node.inputs[1]!.shape),
});
/** [rows, d] zeros with each update row [..., d] added at its index; repeated indices add up. */
export function scatterAdd(indices: Value, updates: Value, rows: number, out: DType = 'f32'): Value {
  return updates.graph.add('scatterAdd', [indices, updates], { rows, out })[0]!;
}

defineOperation({
  name: 'oneHot',
  kind: 'primitive',
  infer: ([indices], attrs) => {
    requireShape(indices!.dtype === 'i32', 'oneHot', 'needs i32 indices', indices!);
    return [{ shape: [...indices!.shape, attrs.size as number], dtype: 'f32' }];
  },
  gradient: () => [undefined],
  flops: () => 0,
});
/** f32 [..., size]: 1 at the index, else 0; all zero where the index is outside 0 … size − 1. */
export function oneHot(indices: Value, size: number): Value {
  return indices.graph.add('oneHot', [indices], { size })[0]!;
}
