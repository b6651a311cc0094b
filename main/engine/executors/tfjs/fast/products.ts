/**
 * Matrix products for the WASM backend, whose only fast kernel is one untransposed product. Batches are run as single products on parts of
 * a tensor's memory, given to the backend under temporary ids, so that nothing is copied.
 */
import * as tf from '@tensorflow/tfjs-core';
import { compute, elements } from '../arrays.ts';

/** A row-major matrix inside a tensor: `offset` in elements. */
export interface Part {
  readonly tensor: tf.Tensor;
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

interface WasmBackend {
  wasm: {
    tfjs: { registerTensor(id: number, size: number, offset: number): void; disposeData(id: number): void };
    cwrap(name: string, result: null, types: string[]): (...args: unknown[]) => void;
  };
  dataIdNextNumber: number;
  dataIdMap: { get(id: object): { memoryOffset: number } };
}

type WasmProduct = (
  a: number,
  aShape: Uint8Array,
  aRank: number,
  b: number,
  bShape: Uint8Array,
  bRank: number,
  transposeA: number,
  transposeB: number,
  out: number,
) => void;

const wrapped = new WeakMap<object, WasmProduct>();

function wasmProduct(backend: WasmBackend): WasmProduct {
  let f = wrapped.get(backend);
  if (f === undefined) {
    const types = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'];
    f = backend.wasm.cwrap('BatchMatMul', null, types) as WasmProduct;
    wrapped.set(backend, f);
  }
  return f;
}

/** out = a·b for each triple. Views of the heap taken before are invalid afterwards. */
export function multiplyParts(triples: readonly (readonly [a: Part, b: Part, out: Part])[]): void {
  if (tf.getBackend() !== 'wasm') {
    for (const [a, b, out] of triples) multiplyPlainly(a, b, out);
    return;
  }
  const backend = tf.backend() as unknown as WasmBackend;
  const multiply = wasmProduct(backend);
  const register = (part: Part) => {
    const id = backend.dataIdNextNumber++;
    const { memoryOffset } = backend.dataIdMap.get(part.tensor.dataId);
    backend.wasm.tfjs.registerTensor(id, part.rows * part.columns, memoryOffset + 4 * part.offset);
    return id;
  };
  const shape = (part: Part) => new Uint8Array(Int32Array.of(1, part.rows, part.columns).buffer);
  for (const [a, b, out] of triples) {
    const ids = [register(a), register(b), register(out)] as const;
    multiply(ids[0], shape(a), 3, ids[1], shape(b), 3, 0, 0, ids[2]);
    // Also drops the packed copy of b that the backend keeps with it.
    for (const id of ids) backend.wasm.tfjs.disposeData(id);
  }
}

function multiplyPlainly(a: Part, b: Part, out: Part): void {
  const x = elements(a.tensor);
  const y = elements(b.tensor);
  const z = elements(out.tensor);
  const n = b.columns;
  const row = new Float64Array(n);
  for (let i = 0; i < a.rows; i++) {
    row.fill(0);
    for (let k = 0; k < a.columns; k++) {
      const factor = x[a.offset + i * a.columns + k]!;
      const from = b.offset + k * n;
      for (let j = 0; j < n; j++) row[j]! += factor * y[from + j]!;
    }
    z.set(row, out.offset + i * n);
  }
}

const BLOCK = 16;

/** The transpose of a matrix; in blocks that stay in cache. */
export function transposed(x: tf.Tensor): tf.Tensor {
  const [rows, columns] = x.shape as [number, number];
  return compute([[columns, rows]], (y) => {
    const from = elements(x);
    for (let i0 = 0; i0 < rows; i0 += BLOCK) {
      const i1 = Math.min(rows, i0 + BLOCK);
      for (let j0 = 0; j0 < columns; j0 += BLOCK) {
        const j1 = Math.min(columns, j0 + BLOCK);
        for (let j = j0; j < j1; j++) for (let i = i0; i < i1; i++) y[j * rows + i] = from[i * columns + j]!;
      }
    }
  })[0]!;
}

/** a·b of two matrices, transposing whichever operand, or the result, has the fewest elements. */
export function product(a: tf.Tensor, b: tf.Tensor, transposeA = false, transposeB = false): tf.Tensor {
  if (tf.getBackend() !== 'wasm') return tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, transposeA, transposeB);
  if (transposeA && !transposeB) {
    const [k, m] = a.shape as [number, number];
    const n = b.shape[1]!;
    // aᵀ·b = (bᵀ·a)ᵀ
    if (m * k > n * k + m * n) return transposed(tf.matMul(transposed(b) as tf.Tensor2D, a as tf.Tensor2D));
  }
  const left = transposeA ? transposed(a) : a;
  return tf.matMul(left as tf.Tensor2D, (transposeB ? transposed(b) : b) as tf.Tensor2D);
}

/** Batched product of two arrays of equal rank, any transposition. */
export function batchedProduct(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor {
  const batchShape = a.shape.slice(0, -2);
  const batch = tf.util.sizeFromShape(batchShape);
  const flat = (x: tf.Tensor) => tf.reshape(x, x.shape.slice(-2));
  if (batch === 1) {
    const y = product(flat(a), flat(b), transposeA, transposeB);
    return a.rank === 2 ? y : tf.reshape(y, [...batchShape, ...y.shape]);
  }
  if (tf.getBackend() !== 'wasm') return tf.matMul(a, b, transposeA, transposeB);
  const swap = (x: tf.Tensor, really: boolean) => {
    const order = x.shape.map((_, axis) => axis);
    return really ? tf.transpose(x, [...order.slice(0, -2), x.rank - 1, x.rank - 2]) : x;
  };
  const left = swap(a, transposeA);
  const right = swap(b, transposeB);
  const [m, k] = left.shape.slice(-2) as [number, number];
  const n = right.shape.at(-1)!;
  const [out] = compute([[...batchShape, m, n]], () => undefined) as [tf.Tensor];
  multiplyParts(
    Array.from({ length: batch }, (_, i) => [
      { tensor: left, offset: i * m * k, rows: m, columns: k },
      { tensor: right, offset: i * k * n, rows: k, columns: n },
      { tensor: out, offset: i * m * n, rows: m, columns: n },
    ]),
  );
  return out;
}
