/** Attention forward and backward, without the length × length matrix. */
import { attentionDimensions, attentionGradInputs, attentionInputs } from '../../../graph/ops/index.ts';
import type { AttentionInputs } from '../../../graph/ops/index.ts';
import type { Node, Value } from '../../../graph/value.ts';
import { pointerInto, productType } from '../call.ts';
import type { Fields, KernelCall } from '../call.ts';
import type { NativeOperations } from '../operation.ts';

/** Strides of [batch, length, heads, size], in elements. */
const strides = (name: string, length: number, heads: number, size: number): Fields => ({
  [`s${name}b`]: length * heads * size,
  [`s${name}t`]: heads * size,
  [`s${name}h`]: size,
});

/** Fields that the kernels of dense and of sparse attention have in common. */
export function commonFields(
  { attrs, inputs }: Node,
  { q, k, v, keyMask, slope, key, starts }: AttentionInputs<Value>,
): Fields {
  const { batch, heads, kvHeads, size, valueSize } = attentionDimensions(inputs);
  return {
    q,
    k,
    v,
    slopes: slope ?? null,
    keymask: keyMask ?? null,
    seed: key ?? null,
    starts: starts ?? null,
    batch,
    heads,
    kvheads: kvHeads,
    d: size,
    dvalue: valueSize,
    type: q.dtype,
    compute: productType(q),
    stream: attrs.stream as number,
    scale: attrs.scale as number,
    softcap: attrs.softcap as number,
    dropout: attrs.rate as number,
  };
}

function fieldsOf(node: Node, named: AttentionInputs<Value>): Fields {
  const { attrs } = node;
  const { tq, tk, heads, kvHeads, size, valueSize } = attentionDimensions(node.inputs);
  return {
    ...commonFields(node, named),
    tq,
    tk,
    ...strides('q', tq, heads, size),
    ...strides('k', tk, kvHeads, size),
    ...strides('v', tk, kvHeads, valueSize),
    ...strides('o', tq, heads, valueSize),
    causal: attrs.causal === true,
    window: attrs.window as number,
  };
}

function forward(node: Node): KernelCall[] {
  const [o, lse] = node.outputs as [Value, Value];
  const fields = { ...fieldsOf(node, attentionInputs(node.inputs, node.attrs)), o, lse };
  return [{ kernel: 'attention', fields }];
}

function backward(node: Node): KernelCall[] {
  const inputs = attentionGradInputs(node.inputs, node.attrs);
  const [gq, gk, gv, dSlope] = node.outputs as [Value, Value, Value, Value | undefined];
  const fields = {
    ...fieldsOf(node, inputs),
    o: inputs.out,
    lse: inputs.lse,
    dout: inputs.g,
    gq,
    gk,
    gv,
    dslopes: dSlope === undefined ? null : pointerInto('workspace'),
  };
  const calls: KernelCall[] = [{ kernel: 'attention_backward', fields }];
  if (dSlope !== undefined) {
    const { batch, heads } = attentionDimensions(node.inputs);
    const x = pointerInto('workspace');
    const sum = { x, y: dSlope, outer: 1, n: batch, inner: heads, xtype: 'f32', ytype: 'f32', kind: 'sum', beta: 0 };
    calls.push({ kernel: 'reduce', fields: sum });
  }
  return calls;
}

/** Each sequence sums the gradient of its heads' slopes on its own. */
function slopeBytes(node: Node): number {
  const { batch, heads } = attentionDimensions(node.inputs);
  return node.attrs.hasSlope === true ? 4 * batch * heads : 0;
}

export const ATTENTION: NativeOperations = {
  attention: { calls: forward },
  attentionGrad: { workspace: slopeBytes, calls: backward },
};
