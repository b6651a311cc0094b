/** Kernel calls as the addon takes them: lists of numbers, pointers as block · 2^44 + byte offset. */

/** Memory blocks of a session. */
export const ARENA_BLOCK = 0;
export const STATE_BLOCK = 1;

const BLOCK_STRIDE = 2 ** 44;
export const NULL_POINTER = -1;
export const pointer = (block: number, offset: number): number => block * BLOCK_STRIDE + offset;

/** One kernel call: its fields by name (missing pointers are null, missing numbers 0) and the numbers that follow them. */
export interface KernelCall {
  readonly kernel: string;
  readonly fields: Readonly<Record<string, number>>;
  readonly extra?: readonly number[];
}

/** What the addon says of its kernels: `P:name`, `I:name` or `F:name` for each field, in order. */
export type KernelSignatures = Readonly<Record<string, { readonly code: number; readonly fields: readonly string[] }>>;

/** Fields of a call in the order of the kernel's signature. Throws on a field that the kernel does not have. */
export function encodeFields(call: KernelCall, signatures: KernelSignatures): number[] {
  const signature = signatures[call.kernel];
  if (signature === undefined) throw new Error(`the native addon has no kernel ${call.kernel}`);
  const known = new Set(signature.fields.map((field) => field.slice(2)));
  for (const name of Object.keys(call.fields)) {
    if (!known.has(name)) throw new Error(`kernel ${call.kernel} has no field ${name}`);
  }
  return signature.fields.map((field) => call.fields[field.slice(2)] ?? (field.startsWith('P:') ? NULL_POINTER : 0));
}
