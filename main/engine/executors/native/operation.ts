/** What a native executor knows of an operation, and what follows from a set of them. */
import type { Target } from '../../compile/schedule.ts';
import { ShapeError } from '../../graph/operation.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import type { KernelCall } from './call.ts';

/** What a node's calls may ask of the memory plan. */
export interface Placement {
  /** Whether two values lie at the same place: one was made in place over the other. */
  together(a: Value, b: Value): boolean;
}

/** How one operation runs on native kernels. A composite that has such a record is not decomposed. */
export interface NativeOperation {
  /** Whether there is a kernel for this very node; always, unless given. A composite without one is decomposed. */
  keeps?(node: Node): boolean;
  /** Bytes of scratch memory that the plan holds while the node runs; none, unless given. */
  workspace?(node: Node): number;
  /** The kernel calls that run the node, in order. */
  calls(node: Node, place: Placement): readonly KernelCall[];
}

/** By name of the operation. */
export type NativeOperations = Readonly<Record<string, NativeOperation>>;

/** What an executor with these operations runs directly, and the scratch memory that it needs. */
export function nativeTarget(name: string, operations: NativeOperations): Target {
  return {
    name,
    keeps: (node) => {
      const operation = operations[node.op];
      return operation !== undefined && operation.keeps?.(node) !== false;
    },
    workspaceBytes: (node) => operations[node.op]?.workspace?.(node) ?? 0,
  };
}

/** The kernel calls that run one node of a lowered program; none when it makes no element. */
export function callsOf(operations: NativeOperations, node: Node, place: Placement): readonly KernelCall[] {
  if (node.outputs.length > 0 && node.outputs.every((value) => sizeOf(value.shape) === 0)) return [];
  const operation = operations[node.op];
  if (operation === undefined) throw new ShapeError(`no native kernel runs the operation ${node.op}`);
  return operation.calls(node, place);
}
