/** Kernel calls as the addon takes them: lists of numbers, pointers as block · 2^44 + byte offset. */

const BLOCK_STRIDE = 2 ** 44;
export const NULL_POINTER = -1;
export const pointer = (block: number, offset: number): number => block * BLOCK_STRIDE + offset;

/** One kernel call: its fields by name (missing pointers are null, missing numbers 0) and the numbers that follow them. */
export interface KernelCall {
  readonly kernel: string;
  readonly fields: Readonly<Record<string, number>>;
  readonly extra?: readonly number[];
}

/** What the addon says of its kernels: `p:name`, `i:name` or `f:name` for each field (pointer, integer, real), in order. */
export type KernelSignatures = Readonly<Record<string, { readonly code: number; readonly fields: readonly string[] }>>;

/** The record of a call: code, length, fields in the kernel's order, extra numbers. Throws on a field that the kernel does not have. */
export function encode(call: KernelCall, signatures: KernelSignatures): number[] {
  const signature = signatures[call.kernel];
  if (signature === undefined) throw new Error(`the native addon has no kernel ${call.kernel}`);
  const names = signature.fields.map((field) => field.slice(2));
  for (const name of Object.keys(call.fields)) {
    if (!names.includes(name)) throw new Error(`kernel ${call.kernel} has no field ${name}`);
  }
  const fields = names.map(
    (name, i) => call.fields[name] ?? (signature.fields[i]!.startsWith('p:') ? NULL_POINTER : 0),
  );
  const extra = call.extra ?? [];
  return [signature.code, 2 + fields.length + extra.length, ...fields, ...extra];
}
