/** How a kernel call of a native operation (`../native`) runs on a GPU: as launches of compiled kernels. */
import type { Launch } from './launch.ts';

/** Fields of a call (main/engine/native/kernels.h) with addresses: 0 where there is nothing. Enums are names, truths 1 or 0. */
export type CallFields = Readonly<Record<string, number | string>>;

/** What follows the fields: numbers, addresses, and enums by their names. */
export type CallExtra = readonly (number | string)[];

/** A kernel call as rules take it. */
export interface CudaCall {
  readonly fields: CallFields;
  readonly extra: CallExtra;
}

/** Rule of one kernel of kernels.h. Everything here follows from shapes and types alone, so that the plan needs no card. */
export interface CudaKernel {
  /** Bytes of scratch memory besides the arguments; none unless given. Addresses among the fields are only known to be 0 or not. */
  scratch?(fields: CallFields, extra: CallExtra): number;
  /** What runs, in order. `scratch` is the address of the scratch memory, a multiple of 256. */
  launches(fields: CallFields, extra: CallExtra, scratch: number): readonly Launch[];
  /** The same for several calls that touch nothing of each other's and take no scratch memory, in fewer launches. */
  joined?(calls: readonly CudaCall[]): readonly Launch[];
}

/** By the kernel's name in kernels.h. */
export type CudaKernels = Readonly<Record<string, CudaKernel>>;

/** A number among the fields of a call. */
export const int = (fields: CallFields, name: string): number => fields[name] as number;
