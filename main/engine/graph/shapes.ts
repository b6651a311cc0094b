/** Shape arithmetic shared by the operations. */
import { ShapeError } from './operation.ts';
import { showType } from './value.ts';
import type { DType, Shape, Value } from './value.ts';

/** NumPy broadcasting of two shapes. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const da = a[axis - rank + a.length] ?? 1;
    const db = b[axis - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) throw new ShapeError(`${op}: shapes [${a}] and [${b}] do not broadcast`);
    out.push(da === 1 ? db : da);
  }
  return out;
}

/**
 * Result type of an element-wise operation on mixed types: the lowest precision wins, so that a 32-bit vector (a norm's
 * gain, a bias) applied to 16-bit activations leaves them in 16 bits. Arithmetic is always done in 32 bits.
 */
export function lowestPrecision(op: string, values: readonly Value[]): DType {
  let result: DType = 'f32';
  for (const { dtype } of values) {
    if (dtype === 'bf16' || dtype === 'f16') {
      if (result !== 'f32' && result !== dtype) throw new ShapeError(`${op}: bf16 and f16 cannot be mixed`);
      result = dtype;
    } else if (dtype !== 'f32') {
      throw new ShapeError(`${op}: needs floating-point inputs, got ${dtype}`);
    }
  }
  return result;
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'bf16' || dtype === 'f16';
}

/** Throws a {@link ShapeError} that shows the offending values unless `ok`. */
export function requireShape(ok: boolean, op: string, rule: string, ...values: readonly Value[]): void {
  if (!ok) throw new ShapeError(`${op}: ${rule}; got ${values.map(showType).join(' and ')}`);
}
