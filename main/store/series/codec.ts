/** Arrays of numbers ↔ blobs; see layout.ts. Every value comes back bit for bit (NaNs as NaN). */

/** Steps in a row: `first`, `stride`, and the array only where `first + i·stride` does not give each step exactly. */
export interface EncodedSteps {
  readonly first: number;
  readonly stride: number;
  readonly steps: Uint8Array | null;
}

export function encodeSteps(steps: Float64Array): EncodedSteps {
  const first = steps[0];
  const stride = steps.length > 1 ? steps[1] - first : 0;
  for (let i = 1; i < steps.length; i++) {
    if (steps[i] !== first + i * stride) return { first, stride: 0, steps: bytes(steps) };
  }
  return { first, stride, steps: null };
}

export function decodeSteps(encoded: EncodedSteps, count: number): Float64Array {
  if (encoded.steps) return decodeNumbers(encoded.steps, count);
  const steps = new Float64Array(count);
  for (let i = 0; i < count; i++) steps[i] = encoded.first + i * encoded.stride;
  return steps;
}

/** 4 bytes per value when each is exact in 32 bits, else 8. */
export function encodeNumbers(values: Float64Array): Uint8Array {
  for (const value of values) {
    if (Math.fround(value) !== value && !Number.isNaN(value)) return bytes(values);
  }
  return bytes(Float32Array.from(values));
}

/** The width follows from the size of the blob. */
export function decodeNumbers(blob: Uint8Array, count: number): Float64Array {
  const buffer = aligned(blob);
  if (blob.byteLength === count * 8) return new Float64Array(buffer.buffer, buffer.byteOffset, count);
  if (blob.byteLength === count * 4) {
    return new Float64Array(new Float32Array(buffer.buffer, buffer.byteOffset, count));
  }
  throw new RangeError(`a block of ${count} numbers has ${blob.byteLength} bytes`);
}

/** Counts are mostly zero: then nothing is stored. */
export function encodeCounts(counts: Uint32Array): Uint8Array | null {
  return counts.every((count) => count === 0) ? null : bytes(counts);
}

export function decodeCounts(blob: Uint8Array | null, count: number): Uint32Array {
  if (!blob) return new Uint32Array(count);
  const buffer = aligned(blob);
  return new Uint32Array(buffer.buffer, buffer.byteOffset, count);
}

function bytes(array: Float64Array | Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function aligned(blob: Uint8Array): Uint8Array {
  return blob.byteOffset % 8 === 0 ? blob : blob.slice();
}
