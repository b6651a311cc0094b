/** Matrix products with their epilogues. */
import { gemmInputs } from '../../../graph/ops/index.ts';
import { sizeOf } from '../../../graph/value.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { productType, typeOr } from '../call.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperations } from '../operation.ts';

function gemm(node: Node): KernelCall[] {
  const { a, b, residual, bias, aux } = gemmInputs(node.inputs, node.attrs);
  const [y, pre] = node.outputs as [Value, Value | undefined];
  const [m, n] = y.shape.slice(-2) as [number, number];
  const k = a.shape.at(node.attrs.transposeA === true ? -2 : -1)!;
  // Read by a derivative, or written where backward wants what the activation was applied to.
  const side = aux ?? pre;
  const fields = {
    a,
    b,
    c: y,
    bias: bias ?? null,
    aux: side ?? null,
    residual: residual ?? null,
    m,
    n,
    k,
    lda: a.shape.at(-1)!,
    ldb: b.shape.at(-1)!,
    ldc: n,
    ldaux: n,
    ldres: n,
    ta: node.attrs.transposeA === true,
    tb: node.attrs.transposeB === true,
    atype: a.dtype,
    btype: b.dtype,
    ctype: y.dtype,
    auxtype: typeOr(side),
    restype: typeOr(residual),
    biastype: typeOr(bias),
    compute: productType(a, b),
    act: (node.attrs.fn as string | undefined) ?? 'none',
    actgrad: aux !== undefined,
    batch: sizeOf(y.shape.slice(0, -2)),
    sa: m * k,
    sb: k * n,
    sc: m * n,
    alpha: 1,
    beta: 0,
  };
  return [{ kernel: 'gemm', fields }];
}

export const PRODUCTS: NativeOperations = { gemm: { calls: gemm }, matmul: { calls: gemm } };
