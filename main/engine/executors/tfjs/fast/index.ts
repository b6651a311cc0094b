/** Composites that run directly on the backends whose memory this process can reach; each equals its decomposition to rounding. */
import type { Target } from '../../../compile/schedule.ts';
import { attentionDimensions } from '../../../graph/ops/index.ts';
import { isFloat } from '../../../graph/shapes.ts';
import { sizeOf } from '../../../graph/value.ts';
import type { Node } from '../../../graph/value.ts';
import { PRIMITIVES } from '../primitives.ts';
import type { Kernel } from '../primitives.ts';
import { ATTENTION } from './attention.ts';
import { CROSS_ENTROPY } from './crossEntropy.ts';
import { POINTWISE } from './pointwise.ts';
import { batchedProduct } from './products.ts';

const COMPOSITES: Readonly<Record<string, Kernel>> = { ...POINTWISE, ...ATTENTION, ...CROSS_ENTROPY };

/** Kernels of {@link TFJS_FAST_TARGET}. */
export const FAST_KERNELS: Readonly<Record<string, Kernel>> = {
  ...PRIMITIVES,
  matmul: ([a, b], { attrs }) => [batchedProduct(a!, b!, attrs.transposeA === true, attrs.transposeB === true)],
  ...COMPOSITES,
};

/** Runs f32 composites directly; 16-bit ones are decomposed, since their roundings lie inside. */
export const TFJS_FAST_TARGET: Target = {
  name: 'tfjs-fast',
  keeps(node) {
    if (!(node.op in COMPOSITES)) return false;
    if (node.op === 'optimizerUpdate') return node.attrs.rule === 'adamw' || node.attrs.rule === 'adam';
    return [...node.inputs, ...node.outputs].every(({ dtype }) => dtype === 'f32' || !isFloat(dtype));
  },
  workspaceBytes: (node) => 4 * workspaceElements(node),
};

/** Elements of the matrices that a kernel makes besides its outputs. */
function workspaceElements(node: Node): number {
  if (node.op === 'attention' || node.op === 'attentionGrad') {
    const { batch, heads, tq, tk, size, valueSize } = attentionDimensions(node.inputs);
    const scores = batch * heads * tq * tk;
    const laidOut = batch * heads * (Math.max(tq, tk) * (size + valueSize) * 2);
    return node.op === 'attention' ? scores + laidOut : 2 * scores + 2 * laidOut;
  }
  if (node.op in CROSS_ENTROPY)
    return node.inputs[0]!.shape[0]! * node.inputs[1]!.shape[0]! + sizeOf(node.inputs[1]!.shape);
  return 0;
}
