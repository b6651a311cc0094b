/**
 * What an operation is. One definition holds shape rule, gradient rule, cost and, for composites, the decomposition.
 */
import { sizeOf, bytesOf, Graph } from './value.ts';
import type { Attributes, Node, Value, ValueType } from './value.ts';

export interface Cost {
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flops: number;
  /** Bytes read and written once each. */
  readonly bytes: number;
}

export interface Operation {
  readonly name: string;
  /** Leaves have no inputs and come from outside; primitives must be run by every executor; composites may be decomposed. */
  readonly kind: 'leaf' | 'primitive' | 'composite';
  /** Types of the outputs, or a {@link ShapeError}. */
  readonly infer: (inputs: readonly Value[], attrs: Attributes) => readonly ValueType[];
  /**
   * Gradients with respect to each input, given those of the outputs (`undefined`: no gradient flows there). Return
   * `undefined` for an input that has none. A gradient may have the shape to which its input was broadcast: it is then summed to
   * the input's own. A composite without a rule is differentiated through its decomposition.
   */
  readonly gradient?: (node: Node, gradients: readonly (Value | undefined)[]) => readonly (Value | undefined)[];
  /** The same computation in simpler operations, built from `inputs` (values of the graph that receives it). */
  readonly decompose?: (inputs: readonly Value[], attrs: Attributes) => readonly Value[];
  /** Floating-point operations; one per output element unless given. */
  readonly flops?: (node: Node) => number;
  /** Pairs [output, input]: the output may be written over that input (same bytes, element by element). */
  readonly inPlace?: readonly (readonly [output: number, input: number])[];
  /** The output is the input's bytes under another shape: no memory, no work. */
  readonly view?: boolean;
}

/** A shape or type that an operation cannot take. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

const operations = new Map<string, Operation>();

/** Registers an operation. Names are unique. */
export function defineOperation(operation: Operation): Operation {
  if (operations.has(operation.name)) throw new Error(`operation ${operation.name} is defined twice`);
  operations.set(operation.name, operation);
  return operation;
}

export function operationOf(name: string): Operation {
  const operation = operations.get(name);
  if (operation === undefined) throw new Error(`unknown operation ${name}`);
  return operation;
}

export function allOperations(): readonly Operation[] {
  return [...operations.values()];
}

/** A new, empty graph whose nodes are checked by the registered shape rules. */
export function newGraph(): Graph {
  return new Graph((op, inputs, attrs) => operationOf(op).infer(inputs, attrs));
}

export function costOf(node: Node): Cost {
  const operation = operationOf(node.op);
  if (operation.kind === 'leaf' || operation.view === true) return { flops: 0, bytes: 0 };
  let bytes = 0;
  let elements = 0;
  for (const input of node.inputs) bytes += bytesOf(input);
  for (const output of node.outputs) {
    bytes += bytesOf(output);
    elements += sizeOf(output.shape);
  }
  return { flops: operation.flops?.(node) ?? elements, bytes };
}
