/** bf16 (the upper half of an f32) as raw 16-bit words. */

/** Rounds to nearest even; NaN stays NaN. */
export function toBf16(data: Float32Array): Uint16Array {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const out = new Uint16Array(data.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    out[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** Exact. */
export function fromBf16(data: Uint16Array): Float32Array {
  const out = new Float32Array(data.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < data.length; i++) bits[i] = data[i]! << 16;
  return out;
}
