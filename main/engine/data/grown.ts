/** Typed arrays that grow: at least twice as long each time, so that what is copied stays in proportion to what is added. */
export type Growing =
  | Uint8Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** The array, or one with the same beginning and room for so many. */
export function grown<T extends Growing>(array: T, needed: number): T {
  if (needed <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(2 * array.length, needed));
  larger.set(array);
  return larger;
}
