import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  decodeHeader,
  encodeSafetensors,
  SafetensorsError,
  PIECE,
  SafetensorsFile,
} from '../../../main/engine/train/safetensors.ts';
import type { TensorSource } from '../../../main/engine/train/safetensors.ts';
import { temporaryFolder } from './helpers.ts';

async function encoded(tensors: readonly TensorSource[], metadata: Record<string, string> = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodeSafetensors(tensors, metadata)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

const tensor = (name: string, shape: readonly number[], values: ArrayLike<number>): TensorSource => ({
  name,
  shape,
  read: async (from, into) => {
    for (let i = 0; i < into.length; i++) into[i] = values[from + i]!;
  },
});
const matrix = tensor('a.weight', [2, 3], [1, -2, 3, 4, 5, NaN]);
const vector = tensor('b', [1], [0.5]);
const empty = tensor('nothing', [0, 4], []);
const vector2 = tensor('z', [1], [7]);

/** A file put together by hand from a header, independent of the writer. */
function file(header: unknown, data: Uint8Array): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

describe('safetensors', () => {
  test('bytes are those of the format description (catches a wrong length, order or offset)', async () => {
    const bytes = await encoded([matrix, vector], { format: 'sweeplab' });
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).toEqual({
      __metadata__: { format: 'sweeplab' },
      'a.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: 'F32', shape: [1], data_offsets: [24, 28] },
    });
    const data = bytes.subarray(8 + length);
    expect(data.length).toBe(28);
    expect(data.readFloatLE(4)).toBe(-2);
    expect(data.readFloatLE(24)).toBe(0.5);
  });

  test('reads back what it wrote, bit for bit, with odd names and empty tensors', async () => {
    const path = join(await temporaryFolder(), 'x.safetensors');
    const odd = tensor('ä"\\ .0', [], [-0]);
    await writeFile(path, await encoded([matrix, empty, odd, vector], { step: '7' }));
    const opened = await SafetensorsFile.open(path);
    expect(opened.header.metadata).toEqual({ step: '7' });
    expect([...(await opened.read('a.weight', [2, 3]))]).toEqual([1, -2, 3, 4, 5, NaN]);
    expect(Object.is((await opened.read('ä"\\ .0'))[0], -0)).toBe(true);
    expect(await opened.read('nothing')).toHaveLength(0);
    await expect(opened.read('b', [2])).rejects.toThrow('[1], not [2]');
    await expect(opened.read('c')).rejects.toThrow('no tensor c');
    await opened.close();
  });

  test('a tensor larger than the buffer comes back whole, and in parts (catches a part at the wrong place)', async () => {
    const path = join(await temporaryFolder(), 'large.safetensors');
    const values = Float32Array.from({ length: PIECE + 5 }, (_, i) => i);
    await writeFile(path, await encoded([vector, tensor('large', [PIECE + 5], values), vector2]));
    const opened = await SafetensorsFile.open(path);
    expect(Buffer.from((await opened.read('large')).buffer).equals(Buffer.from(values.buffer))).toBe(true);
    expect([...(await opened.read('large', undefined, PIECE - 1, new Float32Array(6)))]).toEqual([
      ...values.subarray(PIECE - 1),
    ]);
    expect((await opened.read('z'))[0]).toBe(7);
    await expect(opened.read('large', undefined, PIECE, new Float32Array(6))).rejects.toThrow('no 6 elements');
    await opened.close();
  });

  test('reads a file of another writer: header padded with spaces, tensors out of order, other types', async () => {
    const path = join(await temporaryFolder(), 'other.safetensors');
    const header = `${JSON.stringify({
      late: { dtype: 'F32', shape: [1], data_offsets: [2, 6] },
      early: { dtype: 'BF16', shape: [1], data_offsets: [0, 2] },
    })}   `;
    const data = Buffer.alloc(6);
    data.writeFloatLE(2.5, 2);
    await writeFile(path, file(header, data));
    const opened = await SafetensorsFile.open(path);
    expect((await opened.read('late'))[0]).toBe(2.5);
    await expect(opened.read('early')).rejects.toThrow('BF16, not F32');
    await opened.close();
  });

  const F32 = { dtype: 'F32', shape: [1] };
  test.each([
    ['a gap', { a: { ...F32, data_offsets: [4, 8] } }, 8, /gap or overlap/],
    ['an overlap', { a: { ...F32, data_offsets: [0, 4] }, b: { ...F32, data_offsets: [0, 4] } }, 4, /gap or overlap/],
    ['bytes after the last tensor', { a: { ...F32, data_offsets: [0, 4] } }, 8, /describes/],
    ['a file cut short', { a: { ...F32, data_offsets: [0, 4] } }, 3, /describes/],
    ['a shape that does not fit', { a: { ...F32, shape: [2], data_offsets: [0, 4] } }, 4, /needs 8/],
    ['an unknown type', { a: { ...F32, dtype: 'F3', data_offsets: [0, 4] } }, 4, /unknown type F3/],
    ['negative sizes', { a: { ...F32, shape: [-1], data_offsets: [0, 4] } }, 4, /no valid shape/],
    ['no offsets', { a: F32 }, 0, /data_offsets/],
    ['metadata that is not text', { __metadata__: { a: 1 } }, 0, /not a string/],
    ['a header that is not JSON', '{"a"', 0, /not JSON/],
    ['a header that begins elsewhere', ' {}', 0, /begin with/],
  ])('%s is refused', (_what, header, bytes, message) => {
    const whole = file(header, new Uint8Array(bytes));
    const length = Number(whole.readBigUInt64LE(0));
    const decode = () => decodeHeader(whole.subarray(8, 8 + length), whole.length);
    expect(decode).toThrow(SafetensorsError);
    expect(decode).toThrow(message);
  });

  test('a damaged length is refused without allocating it', async () => {
    const path = join(await temporaryFolder(), 'bad.safetensors');
    await writeFile(path, Buffer.alloc(16, 0xff));
    await expect(SafetensorsFile.open(path)).rejects.toThrow(/claims/);
    await writeFile(path, Buffer.alloc(3));
    await expect(SafetensorsFile.open(path)).rejects.toThrow(/3 bytes/);
  });

  test('two tensors of one name fail', async () => {
    await expect(encoded([vector, vector])).rejects.toThrow('twice');
  });
});
