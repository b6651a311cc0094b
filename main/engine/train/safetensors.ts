/**
 * Reading and writing of the safetensors format (https://huggingface.co/docs/safetensors, format description):
 *
 *   8 bytes   N, the length of the header, unsigned, little-endian
 *   N bytes   JSON: {"__metadata__": {string: string}, NAME: {"dtype": "F32", "shape": […], "data_offsets": [BEGIN, END]}, …},
 *             beginning with `{`, padded at the end with spaces
 *   the rest  the tensors, row-major, little-endian, without gaps; offsets count from here
 *
 * This writer pads the header so that the data begins at a multiple of 8 bytes, and reads back what any other writer makes.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

/** Bytes per element of every type of the format that Sweeplab can meet. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

/** The format's own limit, which keeps a damaged length from being believed. */
const LARGEST_HEADER = 100_000_000;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data begins in the file. */
  readonly dataOffset: number;
}

/** A file that is not valid safetensors, and why. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

/** A float32 tensor to write; `data` is asked for when its turn comes, so that one tensor at a time is in memory. */
export interface TensorSource {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: () => Promise<Float32Array> | Float32Array;
}

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Length prefix and header for float32 tensors laid out in the given order. */
export function encodeHeader(
  tensors: readonly Pick<TensorSource, 'name' | 'shape'>[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape } of tensors) {
    if (Object.hasOwn(header, name)) throw new SafetensorsError(`tensor ${name} is given twice`);
    const end = offset + 4 * elements(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, 8);
  return out;
}

/** The bytes of a float32 array in little-endian order (a view where the machine is little-endian). */
function littleEndian(data: Float32Array): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (NATIVE_LITTLE_ENDIAN) return bytes;
  return new Uint8Array(Buffer.from(bytes).swap32());
}

const NATIVE_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Chunks of a safetensors file with these float32 tensors, in order. */
export async function* encodeSafetensors(
  tensors: readonly TensorSource[],
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  yield encodeHeader(tensors, metadata);
  for (const { name, shape, data } of tensors) {
    const values = await data();
    if (values.length !== elements(shape))
      throw new SafetensorsError(`tensor ${name} has ${values.length} elements, not those of [${shape.join(', ')}]`);
    yield littleEndian(values);
  }
}

/** Checks a header against the rules of the format. `fileBytes` is the size of the whole file. */
export function decodeHeader(json: Uint8Array, fileBytes: number): SafetensorsHeader {
  const dataOffset = 8 + json.length;
  const parsed = parseJson(json);
  const metadata: Record<string, string> = {};
  const tensors: TensorInfo[] = [];
  for (const [name, entry] of Object.entries(parsed)) {
    if (name === '__metadata__') {
      for (const [key, value] of Object.entries(entry as object)) {
        if (typeof value !== 'string') throw new SafetensorsError(`metadata ${key} is not a string`);
        metadata[key] = value;
      }
    } else tensors.push(tensorInfo(name, entry));
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let offset = 0;
  for (const { name, begin, end } of tensors) {
    if (begin !== offset)
      throw new SafetensorsError(`tensor ${name} begins at ${begin}, not at ${offset}: gap or overlap`);
    offset = end;
  }
  if (dataOffset + offset !== fileBytes)
    throw new SafetensorsError(`the file has ${fileBytes} bytes where its header describes ${dataOffset + offset}`);
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata, dataOffset };
}

function parseJson(json: Uint8Array): Record<string, unknown> {
  if (json[0] !== 0x7b) throw new SafetensorsError('the header does not begin with {');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)) as Record<string, unknown>;
  } catch (error) {
    throw new SafetensorsError(`the header is not JSON: ${(error as Error).message}`);
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function tensorInfo(name: string, entry: unknown): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const size = typeof dtype === 'string' ? ELEMENT_BYTES[dtype] : undefined;
  if (size === undefined) throw new SafetensorsError(`tensor ${name} has the unknown type ${String(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(isCount)) throw new SafetensorsError(`tensor ${name} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw new SafetensorsError(`tensor ${name} has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  if (end - begin !== size * elements(shape))
    throw new SafetensorsError(
      `tensor ${name} takes ${end - begin} bytes where its shape needs ${size * elements(shape)}`,
    );
  return { name, dtype: dtype as string, shape, begin, end };
}

/** An open safetensors file. Close it after use. */
export class SafetensorsFile {
  readonly header: SafetensorsHeader;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, header: SafetensorsHeader) {
    this.#file = file;
    this.header = header;
  }

  static async open(path: string): Promise<SafetensorsFile> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const prefix = new Uint8Array(8);
      if (size < 8) throw new SafetensorsError(`the file has ${size} bytes, fewer than the length of a header`);
      await readFully(file, prefix, 0);
      const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
      if (length > LARGEST_HEADER || 8 + length > size)
        throw new SafetensorsError(`the header claims ${length} bytes in a file of ${size}`);
      const json = new Uint8Array(length);
      await readFully(file, json, 8);
      return new SafetensorsFile(file, decodeHeader(json, size));
    } catch (error) {
      await file.close();
      throw error instanceof SafetensorsError ? new SafetensorsError(`${path}: ${error.message}`) : error;
    }
  }

  /** A float32 tensor; `shape` is checked when given. */
  async read(name: string, shape?: readonly number[]): Promise<Float32Array> {
    const info = this.header.tensors.get(name);
    if (info === undefined) throw new SafetensorsError(`there is no tensor ${name}`);
    if (info.dtype !== 'F32') throw new SafetensorsError(`tensor ${name} is ${info.dtype}, not F32`);
    if (shape !== undefined && (shape.length !== info.shape.length || shape.some((size, i) => size !== info.shape[i])))
      throw new SafetensorsError(`tensor ${name} is [${info.shape.join(', ')}], not [${shape.join(', ')}]`);
    const bytes = new Uint8Array(info.end - info.begin);
    await readFully(this.#file, bytes, this.header.dataOffset + info.begin);
    if (!NATIVE_LITTLE_ENDIAN) Buffer.from(bytes.buffer).swap32();
    return new Float32Array(bytes.buffer);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, Math.min(into.length - done, 1 << 30), position + done);
    if (bytesRead === 0) throw new SafetensorsError(`the file ends at byte ${position + done}`);
    done += bytesRead;
  }
}
