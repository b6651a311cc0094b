/**
 * Direct access to the numbers of a tensor, without copies where the backend's memory is this process's: on `wasm` a view of the
 * WebAssembly heap, on `cpu` the tensor's own array.
 *
 * Invariant: allocating may grow and so detach the heap. Create every output first, then take the views, then compute.
 */
import * as tf from '@tensorflow/tfjs-core';

interface WasmBackend {
  makeOutput(shape: readonly number[], dtype: string): tf.TensorInfo;
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array | Int32Array | Uint8Array;
}

const isWasm = () => tf.getBackend() === 'wasm';
const wasm = () => tf.backend() as unknown as WasmBackend;

/** The elements of a tensor. Read only, and valid until the next allocation. */
export function elements(x: tf.Tensor): Float32Array {
  return (isWasm() ? wasm().typedArrayFromHeap(x) : x.dataSync()) as Float32Array;
}
/** {@link elements} of an int32 tensor. */
export function integers(x: tf.Tensor): Int32Array {
  return (isWasm() ? wasm().typedArrayFromHeap(x) : x.dataSync()) as Int32Array;
}

/**
 * New float32 tensors, filled by `write`, which gets one array per shape, not cleared. `write` takes the views of its inputs
 * itself, since they are valid only after the outputs have been allocated.
 */
export function compute(
  shapes: readonly (readonly number[])[],
  write: (...outputs: Float32Array[]) => void,
): tf.Tensor[] {
  if (isWasm()) {
    const infos = shapes.map((shape) => wasm().makeOutput([...shape], 'float32'));
    write(...infos.map((info) => wasm().typedArrayFromHeap(info) as Float32Array));
    return infos.map((info) => tf.engine().makeTensorFromTensorInfo(info));
  }
  const arrays = shapes.map((shape) => new Float32Array(tf.util.sizeFromShape([...shape])));
  write(...arrays);
  return shapes.map((shape, i) => tf.tensor(arrays[i]!, [...shape], 'float32'));
}
