/** Numbers by which the native kernels know types and functions (main/engine/native/kernels.h). */
import { ShapeError } from '../../graph/operation.ts';
import type { DType } from '../../graph/value.ts';

/** f16 has no native kernels. */
export const DTYPE_CODES: Readonly<Record<DType, number>> = { f32: 0, bf16: 1, i32: 2, u8: 3, f16: -1 };

const ACTIVATION_CODES: Readonly<Record<string, number>> = { gelu: 1, gelu_tanh: 2, relu2: 3, silu: 4 };

/** Code of an activation; 0 for none. */
export function activationCode(fn: unknown): number {
  if (fn === undefined) return 0;
  const code = ACTIVATION_CODES[fn as string];
  if (code === undefined) throw new ShapeError(`no native kernel for the activation ${String(fn)}`);
  return code;
}

export const OPTIMIZER_CODES: Readonly<Record<string, number>> = { adamw: 0, adam: 1, sgd: 2, adagrad: 3, rmsprop: 4 };
export const REDUCE_CODES = { reduceSum: 0, reduceMax: 2 } as const;
