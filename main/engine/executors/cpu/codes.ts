/** Numbers by which the native kernels know types and functions. */
import { ShapeError } from '../../graph/operation.ts';
import type { DType } from '../../graph/value.ts';
import { ACTIVATION, DTYPE } from '../../native/addon.ts';

/** Code of an element type. Throws for f16, which has no native kernels. */
export function typeCode(dtype: DType): number {
  if (dtype === 'f16') throw new ShapeError('the native CPU executor has no f16 (precision.policy fp16)');
  return DTYPE[dtype];
}

/** Code of an activation; 0 for none. */
export function activationCode(fn: unknown): number {
  if (fn === undefined) return ACTIVATION.none;
  const code = ACTIVATION[fn as keyof typeof ACTIVATION];
  if (code === undefined) throw new ShapeError(`no native kernel for the activation ${String(fn)}`);
  return code;
}
