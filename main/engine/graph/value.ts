/**
 * Values and nodes of the static graph.
 *
 * A graph is append-only and in creation order, so creation order is always a valid execution order: inputs of a node
 * exist before the node. Graph rewrites (differentiation, decomposition, recomputation) build new nodes or new graphs.
 */

export type DType = 'f32' | 'bf16' | 'f16' | 'i32' | 'u8';

/** Bytes per element. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = { f32: 4, bf16: 2, f16: 2, i32: 4, u8: 1 };

export type Shape = readonly number[];

export interface ValueType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** An object is one that the operation itself knows, such as the rule of an update. */
export type Attribute = number | string | boolean | readonly number[] | object | undefined;
export type Attributes = Readonly<Record<string, Attribute>>;

/** Part of the step that a node belongs to; the memory plan labels instants and categories with it. */
export type Phase = 'forward' | 'loss' | 'backward' | 'update';

export interface Node<A = Attributes> {
  /** Position in the graph's creation order. */
  readonly id: number;
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attrs: A;
  /** Dotted path used for breakdowns, for example `block.3.attention`. */
  readonly scope: string;
  readonly phase: Phase;
}

export interface Value extends ValueType {
  readonly id: number;
  readonly node: Node;
  /** Which output of the node this is. */
  readonly index: number;
  readonly graph: Graph;
}

export type InferRule = (op: string, inputs: readonly Value[], attrs: Attributes) => readonly ValueType[];

/** An append-only list of nodes. Use the functions of `ops/` to add to it. */
export class Graph {
  readonly nodes: Node[] = [];
  scope = '';
  phase: Phase = 'forward';
  #values = 0;
  readonly #infer: InferRule;

  constructor(infer: InferRule) {
    this.#infer = infer;
  }

  /** Adds one node and returns its outputs. Shapes are checked by the operation's shape rule. */
  add(op: string, inputs: readonly Value[], attrs: Attributes = {}): readonly Value[] {
    for (const input of inputs) {
      if (input.graph !== this) throw new Error(`${op}: an input belongs to another graph`);
    }
    return this.#append(op, inputs, attrs, this.#infer(op, inputs, attrs), this.phase, this.scope);
  }

  /**
   * Adds a copy of a node of another graph, in its phase and scope, that reads `inputs` instead. Where they are of the types of its own
   * inputs, so are its outputs: the shape rule, which has accepted them once, is not asked again.
   */
  copy(node: Node, inputs: readonly Value[]): readonly Value[] {
    const alike = inputs.length === node.inputs.length && inputs.every((input, i) => sameType(input, node.inputs[i]!));
    const types = alike ? node.outputs : this.#infer(node.op, inputs, node.attrs);
    return this.#append(node.op, inputs, node.attrs, types, node.phase, node.scope);
  }

  #append(
    op: string,
    inputs: readonly Value[],
    attrs: Attributes,
    types: readonly ValueType[],
    phase: Phase,
    scope: string,
  ): readonly Value[] {
    const outputs: Value[] = [];
    const node: Node = { id: this.nodes.length, op, inputs, outputs, attrs, scope, phase };
    for (const [index, { shape, dtype }] of types.entries())
      outputs.push({ id: this.#values++, node, index, graph: this, shape, dtype });
    this.nodes.push(node);
    return outputs;
  }

  get valueCount(): number {
    return this.#values;
  }

  /** Runs `build` with `name` appended to the scope path. */
  within<T>(name: string, build: () => T): T {
    const outer = this.scope;
    this.scope = outer === '' ? name : `${outer}.${name}`;
    try {
      return build();
    } finally {
      this.scope = outer;
    }
  }

  /** Runs `build` with nodes labelled as `phase`, and under exactly `scope` when given. */
  during<T>(phase: Phase, build: () => T, scope?: string): T {
    const outer = { phase: this.phase, scope: this.scope };
    this.phase = phase;
    if (scope !== undefined) this.scope = scope;
    try {
      return build();
    } finally {
      this.phase = outer.phase;
      this.scope = outer.scope;
    }
  }
}

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** Bytes of a dense array of this type. */
export function bytesOf(type: ValueType): number {
  return sizeOf(type.shape) * DTYPE_BYTES[type.dtype];
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

function sameType(a: ValueType, b: ValueType): boolean {
  return a.dtype === b.dtype && (a.shape === b.shape || sameShape(a.shape, b.shape));
}

export function showType(type: ValueType): string {
  return `${type.dtype}[${type.shape.join(', ')}]`;
}
