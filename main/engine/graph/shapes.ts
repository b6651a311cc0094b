/** Shape arithmetic shared by the operations. */
import { ShapeError } from './operation.ts';
import { showType, sizeOf } from './value.ts';
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
 * The lowest precision of several values: the type of a product, whose operands are rounded to it.
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

const PRECISION: Readonly<Record<string, number>> = { f32: 2, bf16: 1, f16: 1 };

/**
 * Result type of an element-wise operation of this shape on mixed types: the highest precision among the operands that have an element for
 * every result, so that a 32-bit residual stream stays in 32 bits when 16-bit activations are added to it, while a 32-bit vector
 * or scalar that is only broadcast leaves 16-bit activations as they are. Arithmetic is always done in 32 bits.
 */
export function elementwiseType(op: string, values: readonly Value[], shape: Shape): DType {
  // Checks that there are only floating-point types, and not both 16-bit ones.
  const lowest = lowestPrecision(op, values);
  const size = sizeOf(shape);
  const full = values.filter((value) => sizeOf(value.shape) === size);
  const candidates = full.length > 0 ? full : values;
  return candidates.reduce<DType>(
    (best, { dtype }) => (PRECISION[dtype]! > PRECISION[best]! ? dtype : best),
    lowest === 'f32' ? 'f32' : candidates[0]!.dtype,
  );
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'bf16' || dtype === 'f16';
}

/** Throws a {@link ShapeError} that shows the offending values unless `ok`. */
export function requireShape(ok: boolean, op: string, rule: string, ...values: readonly Value[]): void {
  if (!ok) throw new ShapeError(`${op}: ${rule}; got ${values.map(showType).join(' and ')}`);
}
