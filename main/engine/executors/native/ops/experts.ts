/** Products of rows that belong to experts, and where rows stand. */
import { sizeOf } from '../../../graph/value.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { productType } from '../call.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperations } from '../operation.ts';

function places({ inputs, outputs, attrs }: Node): KernelCall[] {
  const [chosen] = inputs as [Value];
  const [token, source, place, ends] = outputs as [Value, Value, Value, Value];
  const [rows, experts] = chosen.shape as [number, number];
  const fields = { chosen, token, source, place, ends, rows, experts, active: attrs.active as number };
  return [{ kernel: 'expert_places', fields }];
}

function gatherSum({ inputs, outputs, attrs }: Node): KernelCall[] {
  const [table, index] = inputs as [Value, Value];
  const [y] = outputs as [Value];
  const terms = attrs.terms as number;
  const sizes = { rows: sizeOf(index.shape) / terms, n: table.shape[1]!, terms, vocabulary: table.shape[0]! };
  return [{ kernel: 'gather_sum', fields: { table, index, y, ...sizes, type: table.dtype } }];
}

function product({ inputs, outputs, attrs }: Node): KernelCall[] {
  const [x, w, ends] = inputs as [Value, Value, Value];
  const [y] = outputs as [Value];
  const [rows, k] = x.shape as [number, number];
  const sizes = { rows, groups: w.shape[0]!, n: y.shape[1]!, k, tb: attrs.transposed === true };
  const types = { xtype: x.dtype, wtype: w.dtype, ytype: y.dtype, compute: productType(x, w) };
  return [{ kernel: 'grouped_gemm', fields: { x, w, y, ends, ...sizes, ...types } }];
}

function outer({ inputs, outputs }: Node): KernelCall[] {
  const [x, y, ends] = inputs as [Value, Value, Value];
  const [out] = outputs as [Value];
  const [groups, m, n] = out.shape as [number, number, number];
  const types = { xtype: x.dtype, ytype: y.dtype, outtype: out.dtype, compute: productType(x, y) };
  return [{ kernel: 'grouped_outer', fields: { x, y, out, ends, rows: x.shape[0]!, groups, m, n, ...types } }];
}

export const EXPERTS: NativeOperations = {
  expertPlaces: { calls: places },
  gatherSum: { calls: gatherSum },
  groupedMatmul: { calls: product },
  groupedOuter: { calls: outer },
};
