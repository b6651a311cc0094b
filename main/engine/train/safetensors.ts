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
import { counted } from '../../../preload/shared/format.ts';
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

/** A float32 tensor to write. `read` fills `into` with its row-major elements from `from` on, so that little is in memory at once. */
export interface TensorSource {
  readonly name: string;
  readonly shape: readonly number[];
  readonly read: (from: number, into: Float32Array) => Promise<unknown> | void;
}

/** Elements that move between a file and the state at once: 4 MiB. A multiple of 4, as random numbers come in fours. */
export const PIECE = 2 ** 20;

/** The parts of a tensor of `size` elements, as many elements of `buffer` as each has: one buffer serves all. */
export function* pieces(size: number, buffer: Float32Array): Generator<{ from: number; part: Float32Array }> {
  for (let from = 0; from < size; from += buffer.length)
    yield { from, part: buffer.subarray(0, Math.min(buffer.length, size - from)) };
}

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Length prefix and header for float32 tensors laid out in the given order. */
function encodeHeader(
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

/** Chunks of a safetensors file with these float32 tensors, in order. A chunk is good until the next one is asked for. */
export async function* encodeSafetensors(
  tensors: readonly TensorSource[],
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  yield encodeHeader(tensors, metadata);
  const largest = tensors.reduce((most, { shape }) => Math.max(most, elements(shape)), 1);
  const buffer = new Float32Array(Math.min(PIECE, largest));
  for (const { shape, read } of tensors) {
    for (const { from, part } of pieces(elements(shape), buffer)) {
      await read(from, part);
      yield littleEndian(part);
    }
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
      `tensor ${name} takes ${counted(end - begin, 'byte')} where its shape needs ${size * elements(shape)}`,
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
      if (size < 8)
        throw new SafetensorsError(`the file has ${counted(size, 'byte')}, fewer than the length of a header`);
      await readFully(file, prefix, 0);
      const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
      if (length > LARGEST_HEADER || 8 + length > size)
        throw new SafetensorsError(`the header claims ${counted(length, 'byte')} in a file of ${size}`);
      const json = new Uint8Array(length);
      await readFully(file, json, 8);
      return new SafetensorsFile(file, decodeHeader(json, size));
    } catch (error) {
      await file.close();
      throw error instanceof SafetensorsError ? new SafetensorsError(`${path}: ${error.message}`) : error;
    }
  }

  /**
   * Elements of a float32 tensor, as many as `into` takes from element `from` on; all of them in a new array without `into`. `shape` is
   * checked when given.
   */
  async read(name: string, shape?: readonly number[], from = 0, into?: Float32Array): Promise<Float32Array> {
    const info = this.header.tensors.get(name);
    if (info === undefined) throw new SafetensorsError(`there is no tensor ${name}`);
    if (info.dtype !== 'F32') throw new SafetensorsError(`tensor ${name} is ${info.dtype}, not F32`);
    if (shape !== undefined && (shape.length !== info.shape.length || shape.some((size, i) => size !== info.shape[i])))
      throw new SafetensorsError(`tensor ${name} is [${info.shape.join(', ')}], not [${shape.join(', ')}]`);
    const values = into ?? new Float32Array(elements(info.shape));
    if (from + values.length > elements(info.shape))
      throw new SafetensorsError(`tensor ${name} has no ${counted(values.length, 'element')} from ${from} on`);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await readFully(this.#file, bytes, this.header.dataOffset + info.begin + 4 * from);
    if (!NATIVE_LITTLE_ENDIAN) Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).swap32();
    return values;
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
