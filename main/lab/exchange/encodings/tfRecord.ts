/**
 * TFRecord files: each record is u64 length, u32 masked CRC-32C of the length, the data, u32 masked CRC-32C of the data, all little-endian
 * (tensorflow/core/lib/io/record_writer.h).
 */
import { crc32c } from './crc32c.ts';

/** Bytes of a piece, unless a record is longer. */
const PIECE = 1 << 18;
export const HEAD = 12;
export const FRAME = HEAD + 4;

/** Rotated and shifted, so that a CRC over data that holds CRCs stays sound. */
export const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/** @param records read one after another: each may reuse the memory of the one before */
export function* tfRecords(records: Iterable<Uint8Array>): Generator<Uint8Array> {
  let piece = new Uint8Array(PIECE);
  let view = new DataView(piece.buffer);
  let used = 0;
  for (const data of records) {
    const size = data.length + FRAME;
    if (used + size > piece.length) {
      if (used > 0) yield piece.subarray(0, used);
      // What was handed over may still be on its way to the disk.
      piece = new Uint8Array(Math.max(PIECE, size));
      view = new DataView(piece.buffer);
      used = 0;
    }
    view.setUint32(used, data.length, true);
    view.setUint32(used + 4, 0, true);
    view.setUint32(used + 8, masked(crc32c(piece, used, used + 8)), true);
    piece.set(data, used + HEAD);
    view.setUint32(used + HEAD + data.length, masked(crc32c(data)), true);
    used += size;
  }
  if (used > 0) yield piece.subarray(0, used);
}
