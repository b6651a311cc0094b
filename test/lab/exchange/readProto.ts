/** Reads protocol buffers without schemas, from the description of the wire format alone: what writers are checked against. */

export type Field = bigint | Uint8Array;

/** Fields by number, each with its values in order: varints and fixed numbers as integers, the rest as bytes. */
export function fieldsOf(bytes: Uint8Array): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length || shift > 63n) throw new Error(`varint breaks off at ${at}`);
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): number => {
    const from = at;
    at += length;
    if (at > bytes.length) throw new Error(`field of ${length} bytes breaks off at ${from}`);
    return from;
  };
  while (at < bytes.length) {
    const key = varint();
    const type = Number(key & 7n);
    let value: Field;
    if (type === 0) value = varint();
    else if (type === 1) value = view.getBigUint64(take(8), true);
    else if (type === 5) value = BigInt(view.getUint32(take(4), true));
    else if (type === 2) {
      const length = Number(varint());
      const from = take(length);
      value = bytes.subarray(from, from + length);
    } else throw new Error(`wire type ${type}`);
    const number = Number(key >> 3n);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

/** The last value of a field, as the format wants it. */
const last = (fields: Map<number, Field[]>, number: number): Field | undefined => fields.get(number)?.at(-1);

export const integer = (fields: Map<number, Field[]>, number: number): number =>
  Number(BigInt.asIntN(64, (last(fields, number) ?? 0n) as bigint));

const scratch = new DataView(new ArrayBuffer(8));
export function double(fields: Map<number, Field[]>, number: number): number {
  scratch.setBigUint64(0, (last(fields, number) ?? 0n) as bigint);
  return scratch.getFloat64(0);
}
export function float(fields: Map<number, Field[]>, number: number): number {
  scratch.setUint32(0, Number(last(fields, number) ?? 0n));
  return scratch.getFloat32(0);
}
export const text = (fields: Map<number, Field[]>, number: number): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    (last(fields, number) as Uint8Array | undefined) ?? new Uint8Array(),
  );
export const messages = (fields: Map<number, Field[]>, number: number): Map<number, Field[]>[] =>
  (fields.get(number) ?? []).map((bytes) => fieldsOf(bytes as Uint8Array));
export const message = (fields: Map<number, Field[]>, number: number): Map<number, Field[]> =>
  fieldsOf((last(fields, number) as Uint8Array | undefined) ?? new Uint8Array());
