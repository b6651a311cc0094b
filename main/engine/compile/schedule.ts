/** Chooses what runs and in which order. */
import { expand } from '../graph/expand.ts';
import { fusedRule } from '../graph/ops/index.ts';
import { onGraph, wantedValues } from '../graph/program.ts';
import type { Program } from '../graph/program.ts';
import type { Node } from '../graph/value.ts';

/** What a device runs directly; composites that it does not are decomposed. */
export interface Target {
  readonly name: string;
  keeps(node: Node): boolean;
  /** Scratch bytes that a node needs while it runs, besides inputs and outputs. */
  workspaceBytes(node: Node): number;
  /** Buffers begin at multiples of this many bytes; a cache line unless given. */
  readonly alignment?: number;
  /** All inputs lie one after the other from the arena's beginning, and all outputs behind them, so that each are moved by one copy. */
  readonly packs?: boolean;
}

/** Every composite decomposed: what the reference executor interprets. */
export const PRIMITIVE_TARGET: Target = { name: 'primitives', keeps: () => false, workspaceBytes: () => 0 };

/** Every composite for which there is a kernel run directly, without scratch memory: the bound that fused kernels approach. */
export const COMPOSITE_TARGET: Target = {
  name: 'composites',
  keeps: (node) => node.op !== 'optimizerUpdate' || fusedRule(node) !== undefined,
  workspaceBytes: () => 0,
};

/**
 * The program as the target runs it: only what outputs and updates need, composites decomposed
 * where the target asks. Creation order is kept: it is valid, and it frees activations as backward walks down the layers.
 */
export function lower(source: Program, target: Target): Program {
  const { graph, map } = expand(source.graph, wantedValues(source), (node) => target.keeps(node));
  return onGraph(source, graph, map);
}
