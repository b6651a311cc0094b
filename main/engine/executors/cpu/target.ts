/** What the native CPU executor runs directly, and how programs are compiled for it. */
import { fuse } from '../../compile/fuse.ts';
import { planMemory } from '../../compile/plan.ts';
import type { MemoryPlan } from '../../compile/plan.ts';
import { lower } from '../../compile/schedule.ts';
import type { Target } from '../../compile/schedule.ts';
import { attentionDimensions } from '../../graph/ops/index.ts';
import type { Program } from '../../graph/program.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Node } from '../../graph/value.ts';

const KEPT: ReadonlySet<string> = new Set([
  'gemm',
  'activation',
  'activationGrad',
  'gatedActivation',
  'gatedActivationGrad',
  'norm',
  'normGrad',
  'normGradAdd',
  'rotary',
  'dropout',
  'attention',
  'attentionGrad',
  'linearCrossEntropy',
  'linearCrossEntropyGrad',
  'crossEntropyWithGradient',
  'scatterAddTo',
  'optimizerUpdate',
  'globalNorm',
]);

/**
 * Logits are made for this many rows at a time: with few rows the weights, and their gradients, are read and written many times over; with
 * many the logits take much memory. At most 1,008 rows and 72 MiB (but not below 112 rows), in chunks of nearly equal size, which are
 * whole panels of 14 rows.
 */
export function logitRows(rows: number, vocabulary: number): number {
  const fitting = Math.floor((72 * 2 ** 20) / (4 * vocabulary * 112)) * 112;
  const most = Math.max(112, Math.min(1008, fitting));
  const even = Math.ceil(rows / Math.ceil(rows / most));
  return Math.min(rows, Math.ceil(even / 14) * 14);
}

/** Width of a row of logits in scratch memory, a multiple of 64 elements. */
const paddedVocabulary = (vocabulary: number): number => Math.ceil(vocabulary / 64) * 64;

function workspaceBytes(node: Node): number {
  switch (node.op) {
    case 'rotary': {
      const [, length, , size] = node.inputs[0]!.shape as [number, number, number, number];
      return 4 * length * size;
    }
    case 'attentionGrad': {
      const { batch, heads } = attentionDimensions(node.inputs);
      return node.attrs.hasSlope === true ? 4 * batch * heads : 0;
    }
    case 'linearCrossEntropy':
    case 'linearCrossEntropyGrad':
    case 'crossEntropyWithGradient': {
      const rows = node.inputs[0]!.shape[0]!;
      const vocabulary = node.inputs[1]!.shape[0]!;
      return 4 * logitRows(rows, vocabulary) * paddedVocabulary(vocabulary);
    }
    case 'reduceSum':
    case 'reduceMax':
      // Axes that are not neighbours are reduced one group after the other through here.
      return axisGroups(node).length > 1 ? 8 * sizeOf(node.inputs[0]!.shape) : 0;
    default:
      return 0;
  }
}

/** Runs of neighbouring reduced axes, [first, last], the last run first; axes of size 1 join any run. */
export function axisGroups(node: Node): [number, number][] {
  const { shape } = node.inputs[0]!;
  const axes = (node.attrs.axes as readonly number[]).filter((axis) => shape[axis] !== 1).sort((a, b) => a - b);
  const groups: [number, number][] = [];
  for (const axis of axes) {
    const open = groups.at(-1);
    const adjacent = open !== undefined && shape.slice(open[1] + 1, axis).every((dimension) => dimension === 1);
    if (adjacent) open[1] = axis;
    else groups.push([axis, axis]);
  }
  return groups.reverse();
}

export const CPU_TARGET: Target = { name: 'cpu', keeps: (node) => KEPT.has(node.op), workspaceBytes };

export interface Compiled {
  readonly program: Program;
  readonly plan: MemoryPlan;
}

/** Fusion, decomposition of what is not run directly, and the memory plan. */
export function compileForCpu(source: Program): Compiled {
  const program = lower(fuse(source), CPU_TARGET);
  return { program, plan: planMemory(program, CPU_TARGET) };
}
