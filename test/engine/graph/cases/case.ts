/** What an example of an operation is, and the random inputs that examples are made of. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import { sizeOf } from '../../../../main/engine/graph/value.ts';
import type { DType, Graph, Shape, Value } from '../../../../main/engine/graph/value.ts';
import type { Random } from '../../../oracles/random.ts';

export interface CaseInput {
  shape: Shape;
  dtype: DType;
  data: Float32Array | Int32Array | Uint8Array;
  /** False for floating-point inputs along which the function is not smooth or no gradient is defined. */
  differentiable: boolean;
}

export interface Case {
  inputs: Readonly<Record<string, CaseInput>>;
  build(values: Readonly<Record<string, Value>>, graph: Graph): readonly Value[];
  /** Outputs that a loss may depend on; all floating-point ones unless given. */
  differentiableOutputs?: readonly number[];
}

export interface OperationCase {
  op: string;
  title: string;
  make(random: Random): Case;
  /** Calls that the shape rule must refuse. */
  bad?: readonly ((graph: Graph) => unknown)[];
}

export const f32 = (shape: Shape, data: Float32Array, differentiable = true): CaseInput => ({
  shape,
  dtype: 'f32',
  data,
  differentiable,
});
export const i32 = (shape: Shape, data: Int32Array): CaseInput => ({
  shape,
  dtype: 'i32',
  data,
  differentiable: false,
});
const u8 = (shape: Shape, data: Uint8Array): CaseInput => ({ shape, dtype: 'u8', data, differentiable: false });
export const normal = (r: Random, shape: Shape, scale = 1, shift = 0) =>
  f32(shape, r.normals(sizeOf(shape), scale, shift));
/** Positive, away from zero. */
export const positive = (r: Random, shape: Shape) =>
  f32(
    shape,
    r.normals(sizeOf(shape)).map((x) => 0.3 + Math.abs(x)),
  );
/** At least 0.2 away from zero: not near a kink. */
export const away = (r: Random, shape: Shape) =>
  f32(
    shape,
    r.normals(sizeOf(shape)).map((x) => x + Math.sign(x) * 0.2),
  );
export const bits = (r: Random, shape: Shape, chance = 0.6) =>
  u8(
    shape,
    Uint8Array.from({ length: sizeOf(shape) }, () => Number(r() < chance)),
  );
export const scalar = (x: number) => f32([], Float32Array.of(x));
export const odd = (r: Random) => r.pick([1, 3, 5, 7]);
export const shapeOf = (r: Random, rank: number) => Array.from({ length: rank }, () => odd(r));
export const key = (r: Random) => i32([4], Int32Array.of(r.integer(-1e9, 1e9), 7, r.integer(0, 1000), r.integer(0, 5)));
/** Distinct, well separated values in random order: a maximum that is unique under small steps. */
export const separated = (r: Random, shape: Shape) => {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i * 0.37 - 1);
  for (let i = data.length - 1; i > 0; i--) {
    const j = r.integer(0, i);
    [data[i], data[j]] = [data[j]!, data[i]!];
  }
  return f32(shape, data);
};

export const floats = (graph: Graph, ...shapes: Shape[]) =>
  shapes.map((shape, i) => ops.input(graph, `x${i}`, shape, 'f32'));
export const bad =
  (...shapes: Shape[]) =>
  (build: (...x: Value[]) => unknown) =>
  (graph: Graph) =>
    build(...floats(graph, ...shapes));
/** An operation by name on its inputs alone. */
export const apply = (op: string, ...x: Value[]): Value => x[0]!.graph.add(op, x)[0]!;
export const integers = (graph: Graph, shape: Shape) => ops.input(graph, 'i', shape, 'i32');
