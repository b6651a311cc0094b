/** Reads the log of W&B's offline runs; levelDbLog.ts writes it and says what it is. */
import { crc32 } from 'node:zlib';
import type { ByteSource } from './byteSource.ts';
import { BLOCK, CHUNK_HEADER, HEADER, TYPE } from './levelDbLog.ts';

/** Bytes of a record. */
const LONGEST = 256 << 20;

/** Whether a file begins as such a log. */
export const isLevelDbLog = (head: Uint8Array): boolean =>
  head.length >= HEADER.length && HEADER.subarray(0, HEADER.length - 1).every((byte, i) => head[i] === byte);

/**
 * The records that are whole. `bad` is told of what is not, with its place in bytes: a chunk whose checksum is wrong is passed over, and with it
 * the record that it belongs to; the next block begins anew.
 */
export async function* readLevelDbLog(
  from: ByteSource,
  bad: (what: string, at: number) => void,
): AsyncGenerator<Uint8Array> {
  const head = await from.take(HEADER.length);
  if (!isLevelDbLog(head)) return bad('files that do not begin as W&B writes them', 0);
  let parts: Uint8Array[] | undefined;
  let size = 0;
  const drop = (what: string, at: number): void => {
    bad(what, at);
    parts = undefined;
    size = 0;
  };
  for (let first = true; ; first = false) {
    const start = from.position;
    const block = await from.take(BLOCK - (first ? HEADER.length : 0));
    if (block.length === 0) break;
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    for (let at = 0; at < block.length;) {
      if (at + CHUNK_HEADER > block.length) {
        // What is left of a whole block and holds no header is zeros.
        if (block.length < BLOCK - (first ? HEADER.length : 0)) drop('records that break off', start + at);
        break;
      }
      const length = view.getUint16(at + 4, true);
      const type = block[at + 6]!;
      const end = at + CHUNK_HEADER + length;
      // The rest of a block may be zeros.
      if (type === 0 && length === 0) break;
      if (end > block.length) {
        drop('records that break off', start + at);
        break;
      }
      const data = block.subarray(at + CHUNK_HEADER, end);
      const sound = view.getUint32(at, true) === crc32(block.subarray(at + 6, end));
      if (!sound) drop('records that are damaged (their checksum is wrong), left out', start + at);
      else if (type === TYPE.full) {
        if (parts !== undefined) drop('records without an end, left out', start + at);
        yield data;
      } else if (type === TYPE.first) {
        if (parts !== undefined) drop('records without an end, left out', start + at);
        parts = [data];
        size = data.length;
      } else if (parts === undefined || (type !== TYPE.middle && type !== TYPE.last))
        drop('parts of records without their begin, left out', start + at);
      else if ((size += data.length) > LONGEST) drop('records that are too long, left out', start + at);
      else {
        parts.push(data);
        if (type === TYPE.last) {
          yield joined(parts, size);
          parts = undefined;
        }
      }
      at = end;
    }
  }
  if (parts !== undefined) bad('records that break off', from.position);
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
