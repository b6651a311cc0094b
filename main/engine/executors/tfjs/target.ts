/** What the TensorFlow.js executors run directly, apart from the kernels that do it: plans need no TensorFlow.js. */
import { fuse } from '../../compile/fuse.ts';
import { lower, PRIMITIVE_TARGET } from '../../compile/schedule.ts';
import type { Target } from '../../compile/schedule.ts';
import { attentionDimensions, fusedRule } from '../../graph/ops/index.ts';
import type { Program } from '../../graph/program.ts';
import { isFloat } from '../../graph/shapes.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Node } from '../../graph/value.ts';

const CROSS_ENTROPY = ['linearCrossEntropy', 'linearCrossEntropyGrad', 'crossEntropyWithGradient'] as const;

/** Composites for which `fast/` has a kernel. */
const FAST_COMPOSITES = [
  'activation',
  'activationGrad',
  'gatedActivation',
  'gatedActivationGrad',
  'norm',
  'normGrad',
  'normGradAdd',
  'optimizerUpdate',
  'attention',
  'attentionGrad',
  'groupedMatmul',
  'groupedOuter',
  ...CROSS_ENTROPY,
] as const;
export type FastComposite = (typeof FAST_COMPOSITES)[number];

const among = (names: readonly string[], { op }: Node): boolean => names.includes(op);

/** Runs f32 composites directly; 16-bit ones are decomposed, since their roundings lie inside. */
const TFJS_FAST_TARGET: Target = {
  name: 'tfjs-fast',
  keeps(node) {
    if (!among(FAST_COMPOSITES, node)) return false;
    if (node.op === 'optimizerUpdate') return ['adamw', 'adam'].includes(fusedRule(node) ?? '');
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
  if (among(CROSS_ENTROPY, node))
    return node.inputs[0]!.shape[0]! * node.inputs[1]!.shape[0]! + sizeOf(node.inputs[1]!.shape);
  // Matrices or rows that are transposed first.
  if (node.op === 'groupedMatmul') return node.attrs.transposed === true ? sizeOf(node.inputs[1]!.shape) : 0;
  if (node.op === 'groupedOuter') return sizeOf(node.inputs[0]!.shape);
  return 0;
}

/** How programs are made ready: everything decomposed, or composites kept and the compiler's fusions applied. */
export interface TfjsCompiler {
  readonly target: Target;
  readonly fused: boolean;
}

export const PLAIN: TfjsCompiler = { target: PRIMITIVE_TARGET, fused: false };
export const FAST: TfjsCompiler = { target: TFJS_FAST_TARGET, fused: true };

export function compileForTfjs({ target, fused }: TfjsCompiler, source: Program): Program {
  return lower(fused ? fuse(source) : source, target);
}
