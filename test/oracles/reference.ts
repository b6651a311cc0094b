/**
 * A float64 interpreter of the primitive operations on plain arrays: the third oracle, independent of TensorFlow.js and of every executor.
 * Composites are decomposed first. Slow and simple on purpose.
 */
import { expand } from '../../main/engine/graph/expand.ts';
import { sizeOf } from '../../main/engine/graph/value.ts';
import type { DType, Node, Shape, Value } from '../../main/engine/graph/value.ts';
import { fillUniform } from '../../main/engine/random/philox.ts';
import { placesByDefinition } from './experts.ts';
import { sparsekByDefinition } from './sparsek.ts';

export type Numbers = ArrayLike<number>;
/** Values of inputs and states by name. */
export type Feeds = Readonly<Record<string, Numbers>>;

export interface EvaluateOptions {
  /** Round every result to its type's precision (f32 by default kept in float64). */
  rounded?: boolean;
}

/** The values of `wanted`, row-major, computed in float64. */
export function evaluate(wanted: readonly Value[], feeds: Feeds, options: EvaluateOptions = {}): Float64Array[] {
  return evaluator(wanted, options)(feeds);
}

/** {@link evaluate} for many feeds: the graph is decomposed once. */
export function evaluator(wanted: readonly Value[], options: EvaluateOptions = {}): (feeds: Feeds) => Float64Array[] {
  if (wanted.length === 0) return () => [];
  const { graph, map } = expand(wanted[0]!.graph, wanted, () => false);
  const ids = wanted.map((value) => map(value).id);
  return (feeds) => {
    const values = new Map<number, Float64Array>();
    for (const node of graph.nodes) {
      const inputs = node.inputs.map((value) => values.get(value.id)!);
      const results = evaluateNode(node, inputs, feeds);
      node.outputs.forEach((value, i) => {
        const result = results[i]!;
        if (result.length !== sizeOf(value.shape))
          throw new Error(`reference: ${node.op} made ${result.length} elements for [${value.shape}]`);
        if (options.rounded === true)
          for (let e = 0; e < result.length; e++) result[e] = roundedTo(value.dtype, result[e]!);
        values.set(value.id, result);
      });
    }
    return ids.map((id) => values.get(id)!);
  };
}

/** One primitive (or leaf) on given input values. */
export function evaluateNode(node: Node, inputs: readonly Numbers[], feeds: Feeds): Float64Array[] {
  const { op, attrs } = node;
  const shapes = node.inputs.map((value) => value.shape);
  const out = node.outputs[0]!;
  const size = sizeOf(out.shape);
  if (op === 'input' || op === 'state') {
    const data = feeds[attrs.name as string];
    if (data === undefined || data.length !== size) throw new Error(`reference: bad feed for ${String(attrs.name)}`);
    return [Float64Array.from(data)];
  }
  if (op in ELEMENTWISE) {
    const f = ELEMENTWISE[op]!;
    const index = shapes.map((shape) => broadcastIndex(shape, out.shape));
    const y = new Float64Array(size);
    for (let i = 0; i < size; i++) y[i] = f(...inputs.map((x, j) => x[index[j]![i]!]!));
    return [y];
  }
  if (op === 'sparseSelect') return sparsekByDefinition(inputs[0]!, shapes[0]![1]!, attrs.k as number, inputs[1]);
  if (op === 'expertPlaces') return placesByDefinition(inputs[0]!, shapes[0]![1]!, attrs.active as number);
  const structural = STRUCTURAL[op];
  if (structural === undefined) throw new Error(`reference: no rule for ${op}`);
  return [structural(inputs, shapes, node)];
}

export const ELEMENTWISE: Readonly<Record<string, (...x: number[]) => number>> = {
  neg: (x) => -x!,
  exp: (x) => Math.exp(x!),
  log: (x) => Math.log(x!),
  tanh: (x) => Math.tanh(x!),
  sigmoid: (x) => 1 / (1 + Math.exp(-x!)),
  erf: (x) => erf(x!),
  sqrt: (x) => Math.sqrt(x!),
  rsqrt: (x) => 1 / Math.sqrt(x!),
  relu: (x) => Math.max(x!, 0),
  square: (x) => x! * x!,
  softplus: (x) => Math.max(x!, 0) + Math.log1p(Math.exp(-Math.abs(x!))),
  sin: (x) => Math.sin(x!),
  cos: (x) => Math.cos(x!),
  add: (a, b) => a! + b!,
  sub: (a, b) => a! - b!,
  mul: (a, b) => a! * b!,
  div: (a, b) => a! / b!,
  maximum: (a, b) => Math.max(a!, b!),
  minimum: (a, b) => Math.min(a!, b!),
  greater: (a, b) => Number(a! > b!),
  greaterEqual: (a, b) => Number(a! >= b!),
  less: (a, b) => Number(a! < b!),
  equal: (a, b) => Number(a === b),
  select: (c, a, b) => (c! !== 0 ? a! : b!),
};

type Structural = (inputs: readonly Numbers[], shapes: readonly Shape[], node: Node) => Float64Array;

const STRUCTURAL: Readonly<Record<string, Structural>> = {
  fill: (_, __, { outputs, attrs }) => new Float64Array(sizeOf(outputs[0]!.shape)).fill(attrs.value as number),
  iota: (_, __, { attrs }) => Float64Array.from({ length: attrs.size as number }, (_unused, i) => i),
  cast: ([x], _, { inputs, outputs }) => {
    const toInteger = isInteger(outputs[0]!.dtype) && !isInteger(inputs[0]!.dtype);
    return Float64Array.from(x!, (element) => (toInteger ? Math.trunc(element) : element));
  },
  reshape: ([x]) => Float64Array.from(x!),
  broadcastTo: ([x], [shape], { outputs }) => pick(x!, broadcastIndex(shape!, outputs[0]!.shape)),
  transpose: ([x], [shape], { attrs, outputs }) => {
    const order = attrs.order as number[];
    const stride = strides(shape!);
    return fromCoordinates(
      outputs[0]!.shape,
      (at) =>
        x![
          dot(
            at,
            order.map((axis) => stride[axis]!),
          )
        ]!,
    );
  },
  slice: ([x], [shape], { attrs, outputs }) => {
    const stride = strides(shape!);
    const start = (attrs.begin as number) * stride[attrs.axis as number]!;
    return fromCoordinates(outputs[0]!.shape, (at) => x![start + dot(at, stride)]!);
  },
  concat: (inputs, shapes, { attrs, outputs }) => {
    const axis = attrs.axis as number;
    return fromCoordinates(outputs[0]!.shape, (at) => {
      const local = [...at];
      let part = 0;
      while (local[axis]! >= shapes[part]![axis]!) local[axis]! -= shapes[part++]![axis]!;
      return inputs[part]![dot(local, strides(shapes[part]!))]!;
    });
  },
  reduceSum: ([x], [shape], { outputs }) => {
    const y = new Float64Array(sizeOf(outputs[0]!.shape));
    broadcastIndex(outputs[0]!.shape, shape!).forEach((to, from) => (y[to]! += x![from]!));
    return y;
  },
  reduceMax: ([x], [shape], { outputs }) => {
    const y = new Float64Array(sizeOf(outputs[0]!.shape)).fill(-Infinity);
    broadcastIndex(outputs[0]!.shape, shape!).forEach((to, from) => (y[to] = Math.max(y[to]!, x![from]!)));
    return y;
  },
  argMax: ([x], [shape], { outputs }) => {
    const width = shape!.at(-1)!;
    return Float64Array.from({ length: sizeOf(outputs[0]!.shape) }, (_, row) => {
      let best = 0;
      for (let j = 1; j < width; j++) if (x![row * width + j]! > x![row * width + best]!) best = j;
      return best;
    });
  },
  matmul: ([a, b], [shapeA, shapeB], { attrs, outputs }) => {
    const [m, n] = outputs[0]!.shape.slice(-2) as [number, number];
    const [rowsA, columnsA] = shapeA!.slice(-2) as [number, number];
    const [rowsB, columnsB] = shapeB!.slice(-2) as [number, number];
    const inner = attrs.transposeA === true ? rowsA : columnsA;
    const batches = sizeOf(shapeA!.slice(0, -2));
    const y = new Float64Array(batches * m * n);
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < inner; k++) {
            const atA = batch * rowsA * columnsA + (attrs.transposeA === true ? k * columnsA + i : i * columnsA + k);
            const atB = batch * rowsB * columnsB + (attrs.transposeB === true ? j * columnsB + k : k * columnsB + j);
            sum += a![atA]! * b![atB]!;
          }
          y[(batch * m + i) * n + j] = sum;
        }
      }
    }
    return y;
  },
  gather: ([table, indices], [shape], { outputs }) => {
    const width = shape![1]!;
    return Float64Array.from(
      { length: sizeOf(outputs[0]!.shape) },
      (_, i) => table![indices![Math.floor(i / width)]! * width + (i % width)]!,
    );
  },
  scatterAdd: ([indices, updates], _, { outputs }) => {
    const width = outputs[0]!.shape[1]!;
    const y = new Float64Array(sizeOf(outputs[0]!.shape));
    for (let i = 0; i < updates!.length; i++)
      y[indices![Math.floor(i / width)]! * width + (i % width)]! += updates![i]!;
    return y;
  },
  oneHot: ([indices], _, { attrs, outputs }) => {
    const width = attrs.size as number;
    return Float64Array.from({ length: sizeOf(outputs[0]!.shape) }, (_unused, i) =>
      Number(indices![Math.floor(i / width)] === i % width),
    );
  },
  uniform: ([key], _, { attrs, outputs }) => {
    const y = new Float32Array(sizeOf(outputs[0]!.shape));
    const [seedLo, seedHi, step, micro] = Array.from(key!) as [number, number, number, number];
    fillUniform(y, { seedLo: seedLo >>> 0, seedHi: seedHi >>> 0 }, attrs.stream as number, step, micro);
    return Float64Array.from(y);
  },
};

const isInteger = (dtype: DType) => dtype === 'i32' || dtype === 'u8';
const pick = (x: Numbers, index: Int32Array) => Float64Array.from(index, (i) => x[i]!);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

function strides(shape: Shape): number[] {
  const result = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) result[axis] = result[axis + 1]! * shape[axis + 1]!;
  return result;
}

function fromCoordinates(shape: Shape, f: (at: number[]) => number): Float64Array {
  const stride = strides(shape);
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
    f(shape.map((d, axis) => Math.floor(i / stride[axis]!) % d)),
  );
}

/** For each element of an array of shape `to`, the element of one of shape `from` that NumPy broadcasting puts there. */
export function broadcastIndex(from: Shape, to: Shape): Int32Array {
  const own = strides(from);
  const shift = to.length - from.length;
  const stride = strides(to);
  return Int32Array.from({ length: sizeOf(to) }, (_, i) => {
    let at = 0;
    from.forEach((d, axis) => {
      if (d > 1) at += (Math.floor(i / stride[axis + shift]!) % to[axis + shift]!) * own[axis]!;
    });
    return at;
  });
}

/** erf to about 1e-16: Maclaurin series near zero, continued fraction of erfc in the tail (Abramowitz & Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    // erf z = 2/√π e^(−z²) Σ 2ⁿ z^(2n+1) / (2n+1)!!: all terms positive, so nothing cancels.
    let term = z;
    let sum = z;
    for (let n = 1; term > sum * 1e-18; n++) {
      term *= (2 * z * z) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
  }
  let fraction = z;
  for (let n = 120; n >= 1; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction);
}

/** Nearest value of the type, ties to even; written from the formats' definitions, not shared with any executor. */
export function roundedTo(dtype: DType, x: number): number {
  if (isInteger(dtype) || !Number.isFinite(x) || x === 0) return x;
  const single = Math.fround(x);
  if (dtype === 'f32') return single;
  const { bits, lowest, largest } = dtype === 'bf16' ? BFLOAT16 : HALF;
  let exponent = Math.floor(Math.log2(Math.abs(single)));
  if (2 ** exponent > Math.abs(single)) exponent--;
  if (2 ** (exponent + 1) <= Math.abs(single)) exponent++;
  const step = 2 ** (Math.max(exponent, lowest) - bits);
  const units = single / step;
  const down = Math.floor(units);
  const rest = units - down;
  const rounded = (rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down) * step;
  if (rounded === 0) return single < 0 ? -0 : 0;
  return Math.abs(rounded) > largest ? Math.sign(single) * Infinity : rounded;
}
const BFLOAT16 = { bits: 7, lowest: -126, largest: (2 - 2 ** -7) * 2 ** 127 };
const HALF = { bits: 10, lowest: -14, largest: 65504 };
