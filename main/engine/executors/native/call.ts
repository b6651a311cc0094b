/** Kernel calls before any device is involved: pointers are values of the graph, types and functions are names. */
import { DTYPE_BYTES } from '../../graph/value.ts';
import type { DType, Value } from '../../graph/value.ts';
import type { Argument, EnumName } from '../../native/encode.ts';

/** Where bytes lie: those of a value, of a state by name, or of the node's workspace. */
export type Place = Value | { readonly state: string } | 'workspace';

export interface Pointer {
  readonly to: Place;
  readonly bytes: number;
}

/** A whole value, or a part of one; `null` for nothing; a name for an enum's value; a truth is 1 or 0. */
export type Field = number | boolean | string | Value | Pointer | null;
export type Fields = Readonly<Record<string, Field>>;

export interface KernelCall {
  readonly kernel: string;
  /** By name, as kernels.h declares them. Pointers may be left out, numbers and names may not. */
  readonly fields: Fields;
  /** What follows the fields. */
  readonly extra?: readonly (number | EnumName | Value)[];
}

/** Numbers that a device's pointers have. */
export type AddressOf = (to: Place, bytes: number) => number;

export const pointerInto = (to: Place, bytes = 0): Pointer => ({ to, bytes });
export const typeName = (dtype: DType): EnumName => ({ enum: 'DType', name: dtype });

/** The call as the encoder of kernel arguments takes it. */
export function addressed(
  { fields, extra = [] }: KernelCall,
  address: AddressOf,
): { args: Record<string, Argument>; extra: (number | EnumName)[] } {
  const args: Record<string, Argument> = {};
  for (const [name, field] of Object.entries(fields)) args[name] = argument(field, address);
  return { args, extra: extra.map((each) => (isValue(each) ? address(each, 0) : each)) };
}

function argument(field: Field, address: AddressOf): Argument {
  if (typeof field === 'boolean') return field ? 1 : 0;
  // What is undefined in spite of its type is left to the encoder, which refuses it by name.
  if (typeof field !== 'object' || field === null) return field;
  return isValue(field) ? address(field, 0) : address(field.to, field.bytes);
}

export const isValue = (x: unknown): x is Value => typeof x === 'object' && x !== null && 'node' in x;

/** Products of 16-bit operands are taken in 16 bits and summed in 32. */
export function productType(...operands: readonly Value[]): DType {
  return operands.find(({ dtype }) => DTYPE_BYTES[dtype] === 2)?.dtype ?? 'f32';
}

/** Type of an optional argument: of no consequence where there is none. */
export const typeOr = (value: Value | undefined): DType => value?.dtype ?? 'f32';
