/** Optimizer updates in one pass. */
import { fusedRule, updateParts } from '../../../graph/ops/index.ts';
import type { FusedRule } from '../../../graph/ops/index.ts';
import { sizeOf } from '../../../graph/value.ts';
import type { DType, Node, Value } from '../../../graph/value.ts';
import { typeOr } from '../call.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperations, Placement } from '../operation.ts';
import { copy } from './copy.ts';

/** The rules of the kernel `optimizer`, in its order. AdamW in bytes has a kernel of its own; an update by any other rule is decomposed. */
export const OPTIMIZER_RULES: readonly FusedRule[] = ['adamw', 'adam', 'sgd', 'adagrad', 'rmsprop'];

/** What the kernel's other rules read. */
const UNUSED = { nesterov: false, centered: false, beta1: 0, beta2: 0, eps: 0, momentum: 0, alpha: 0 };

export function updateCalls(node: Node, place: Placement): KernelCall[] {
  if (keepsBytes(node)) return updateBytes(node, place);
  const { p, g, moments, gradientScale, hyper, fused } = updateParts(node);
  const { rule, ...constants } = fused!;
  const [next, ...rest] = node.outputs as [Value, ...Value[]];
  const [m, v, third] = rest.slice(0, moments.length);
  const fields = {
    ...UNUSED,
    ...constants,
    p: next,
    g,
    m: m ?? null,
    v: v ?? null,
    third: third ?? null,
    copy: rest[moments.length] ?? null,
    scale: gradientScale,
    lr: hyper.lr,
    decay: hyper.decay,
    bias1: hyper.bias1 ?? null,
    bias2: hyper.bias2 ?? null,
    n: sizeOf(p.shape),
    gtype: g.dtype,
    copytype: typeOr(rest[moments.length]),
    kind: rule,
  };
  const copies = [p, ...moments].flatMap((from, i) => copy(from, [next, m, v, third][i]!, place));
  return [...copies, { kernel: 'optimizer', fields }];
}

/** Whether it is AdamW with moments in bytes, which has a kernel of its own. */
export const keepsBytes = (node: Node): boolean => fusedRule(node) === 'adamw8';

function updateBytes(node: Node, place: Placement): KernelCall[] {
  const { p, g, moments, gradientScale, hyper, fused } = updateParts(node);
  const { rule: _, ...constants } = fused!;
  const [next, ...rest] = node.outputs as [Value, ...Value[]];
  const [m, mscale, v, vscale] = rest;
  const fields = {
    ...constants,
    p: next,
    g,
    m: m!,
    mscale: mscale!,
    v: v!,
    vscale: vscale!,
    copy: rest[moments.length] ?? null,
    scale: gradientScale,
    lr: hyper.lr,
    decay: hyper.decay,
    bias1: hyper.bias1!,
    bias2: hyper.bias2!,
    offset1: hyper.offset1!,
    offset2: hyper.offset2!,
    n: sizeOf(p.shape),
    gtype: g.dtype,
    copytype: typeOr(rest[moments.length]),
  };
  const copies = [p, ...moments].flatMap((from, i) => copy(from, [next, ...rest][i]!, place));
  return [...copies, { kernel: 'optimizer_bytes', fields }];
}

/** Whether a kernel knows the rule. */
export function hasKernel(node: Node): boolean {
  const rule = fusedRule(node);
  return rule !== undefined && (keepsBytes(node) || OPTIMIZER_RULES.includes(rule));
}

const momentTypes = (node: Node): DType[] => updateParts(node).moments.map(({ dtype }) => dtype);

export const OPTIMIZER: NativeOperations = {
  optimizerUpdate: {
    keeps: (node) =>
      hasKernel(node) &&
      node.outputs[0]!.dtype === 'f32' &&
      (keepsBytes(node) || momentTypes(node).every((type) => type === 'f32')),
    calls: updateCalls,
  },
};
