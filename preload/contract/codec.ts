/**
 * Messages as bytes, for carriers that know only bytes (a WebSocket): JSON, followed by the contents of its typed arrays as they lie
 * in memory. Everything that structured clone keeps of plain data survives: NaN, infinities, −0, nested typed arrays; entries that are
 * undefined are left out of objects and become null in lists.
 *
 *     u32  format, 0x31504C53 ("SLP1", little endian)
 *     u32  bytes of the JSON
 *     JSON, in which {"\u0000a": [kind, offset, length]} stands for an array and {"\u0000n": text} for a number that JSON lacks
 *     padding to 8, then the arrays, each beginning at a multiple of 8 (offsets count from the first)
 *
 * An array that a message holds several times is sent once, and is one array again on the other side.
 */

import { grouped, LIMITS } from './limits.ts';
import type { ErrorMessage } from './rpc.ts';

const FORMAT = 0x31504c53;
const HEADER = 8;
const ARRAY = '\u0000a';
const NUMBER = '\u0000n';
const NUL = String.raw`\u0000`;

const KINDS = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;
type Kind = keyof typeof KINDS;
type TypedArray = InstanceType<(typeof KINDS)[Kind]>;

/** A message that is not of this format, or does not hold what it says. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** A message that holds more than one may. */
export class OversizeError extends CodecError {
  /** Of the call that it asks for; 0 where that cannot be told. */
  readonly id: number;

  constructor(message: string, id: number) {
    super(message);
    this.id = id;
  }
}

/** What the client that sent it is told. */
export const oversizeReply = ({ id, message }: OversizeError): ErrorMessage => ({
  kind: 'reply',
  id,
  ok: false,
  code: 'input',
  message,
});

const align = (bytes: number): number => (bytes + 7) & ~7;

function kindOf(array: ArrayBufferView): Kind {
  for (const [kind, type] of Object.entries(KINDS)) if (array instanceof type) return kind as Kind;
  throw new CodecError(`${array.constructor.name} cannot be sent`);
}

/** @throws CodecError for what is no plain data; `bounded`: OversizeError for more bytes than a client may send */
export function encode(
  message: unknown,
  { bounded = false }: { readonly bounded?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const arrays = new Map<TypedArray, { readonly offset: number; readonly reference: object }>();
  let size = 0;
  const json = JSON.stringify(message, function (this: Record<string, unknown>, key, given: unknown) {
    // Node's Buffer would turn itself into a list of numbers first.
    const own = this[key];
    const value = ArrayBuffer.isView(own) ? own : given;
    if (typeof value === 'number') {
      if (Number.isFinite(value)) return Object.is(value, -0) ? { [NUMBER]: '-0' } : value;
      return { [NUMBER]: String(value) };
    }
    if (typeof value === 'bigint' || typeof value === 'function')
      throw new CodecError(`a ${typeof value} cannot be sent`);
    if (!ArrayBuffer.isView(value)) return value;
    const array = value as TypedArray;
    const known = arrays.get(array);
    if (known !== undefined) return known.reference;
    const offset = size;
    const reference = { [ARRAY]: [kindOf(array), offset, array.length] };
    arrays.set(array, { offset, reference });
    size = align(size + array.byteLength);
    return reference;
  });
  const text = new TextEncoder().encode(json ?? 'null');
  const begin = align(HEADER + text.length);
  if (bounded) assertShort(begin + size, text);
  const bytes = new Uint8Array(begin + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, FORMAT, true);
  view.setUint32(4, text.length, true);
  bytes.set(text, HEADER);
  for (const [array, { offset }] of arrays)
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), begin + offset);
  return bytes;
}

/**
 * @param owned nobody else will use the bytes again: the arrays of the message stay where they are in them
 * @throws CodecError; `bounded`: OversizeError for more than a client may send, before anything is made of it
 */
export function decode(
  bytes: Uint8Array,
  { bounded = false, owned = false }: { readonly bounded?: boolean; readonly owned?: boolean } = {},
): unknown {
  if (bytes.length < HEADER) throw new CodecError('the message is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== FORMAT) throw new CodecError('the message has another format');
  const length = view.getUint32(4, true);
  if (HEADER + length > bytes.length) throw new CodecError('the message is cut off');
  const json = bytes.subarray(HEADER, HEADER + length);
  if (bounded) {
    assertShort(bytes.length, json);
    assertBounded(json);
  }
  // One copy: the buffer of a socket is used again, and need not be aligned. (`slice` of a Buffer would be no copy.)
  const own = bytes.subarray(Math.min(bytes.length, align(HEADER + length)));
  const payload = owned && bytes.byteOffset % 8 === 0 ? own : new Uint8Array(own);
  const arrays = new Map<string, TypedArray>();
  const revive = (_key: string, value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Object.hasOwn(value, ARRAY)) return readArray(payload, arrays, (value as Record<string, unknown>)[ARRAY]);
    if (Object.hasOwn(value, NUMBER)) return Number((value as Record<string, unknown>)[NUMBER]);
    return value;
  };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(json);
    // Both marks begin with a NUL, which JSON can only write in this way.
    return (text.includes(NUL) ? JSON.parse(text, revive) : JSON.parse(text)) as unknown;
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError(`the message cannot be read: ${(error as Error).message}`);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** `[` and `]`; `{` and `}` have the bit of {@link BRACE} too. */
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BRACE = 0x20;

/** @throws OversizeError for a message of so many bytes */
function assertShort(bytes: number, json: Uint8Array): void {
  if (bytes > LIMITS.messageBytes)
    throw new OversizeError(
      `The input is too long: ${grouped(bytes)} bytes in one message; allowed: at most ${grouped(LIMITS.messageBytes)}`,
      idOf(json),
    );
}

/** Counts without parsing; what is no JSON at all is left to the parser. @throws OversizeError */
function assertBounded(json: Uint8Array): void {
  let depth = 0;
  let values = 1;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (byte === QUOTE) {
      while (++i < json.length && json[i] !== QUOTE) if (json[i] === BACKSLASH) i++;
    } else if (byte === COMMA) values++;
    else if ((byte | BRACE) === (OPEN | BRACE)) {
      values++;
      if (++depth > LIMITS.depth)
        throw new OversizeError(
          `The input is nested too deep; allowed: at most ${LIMITS.depth} lists and maps inside one another`,
          idOf(json),
        );
    } else if ((byte | BRACE) === (CLOSE | BRACE)) depth--;
    if (values > LIMITS.messageValues)
      throw new OversizeError(
        `The input has too many values; allowed: at most ${grouped(LIMITS.messageValues)} numbers, texts, lists and maps together`,
        idOf(json),
      );
  }
}

/** The number of a call from the beginning of its message, as our clients write it. */
function idOf(json: Uint8Array): number {
  const head = new TextDecoder().decode(json.subarray(0, 100));
  return Number(/^\{"kind":"request","id":(\d{1,15})[,}]/u.exec(head)?.[1] ?? 0);
}

function readArray(payload: Uint8Array, arrays: Map<string, TypedArray>, reference: unknown): TypedArray {
  const [kind, offset, length] = Array.isArray(reference) ? (reference as unknown[]) : [];
  const type = typeof kind === 'string' && Object.hasOwn(KINDS, kind) ? KINDS[kind as Kind] : undefined;
  if (type === undefined || !Number.isSafeInteger(offset) || !Number.isSafeInteger(length))
    throw new CodecError('the message refers to an array of no known kind');
  const from = offset as number;
  const to = from + (length as number) * type.BYTES_PER_ELEMENT;
  if (from < 0 || from % 8 !== 0 || (length as number) < 0 || to > payload.length)
    throw new CodecError('the message refers to an array outside of it');
  const name = `${kind as Kind} ${from} ${length as number}`;
  let array = arrays.get(name);
  if (array === undefined) {
    array = new type(payload.buffer as ArrayBuffer, payload.byteOffset + from, length as number);
    arrays.set(name, array);
  }
  return array;
}
