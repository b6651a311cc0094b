/**
 * The log of W&B's offline runs: LevelDB's (leveldb/doc/log_format.md) with a header of its own and another checksum. Blocks of 32 KiB,
 * counted from the beginning of the file, hold chunks of u32 checksum, u16 length, u8 type, all little-endian, and the data; a record that
 * does not fit is parted. The checksum is the CRC-32 of type and data, unmasked.
 */
import { crc32 } from 'node:zlib';

/** `:W&B`, u16 magic number, u8 version. */
export const HEADER = Uint8Array.of(0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0);
export const BLOCK = 1 << 15;
/** Whole blocks, so that the place in a piece tells that in the file. */
const PIECE = 8 * BLOCK;
export const CHUNK_HEADER = 7;
export const TYPE = { full: 1, first: 2, middle: 3, last: 4 } as const;
/** Of the type alone, which the data's goes on from. */
const TYPE_SUMS = [0, 1, 2, 3, 4].map((type) => crc32(Uint8Array.of(type)));

/** @param records read one after another: each may reuse the memory of the one before */
export function* levelDbLog(records: Iterable<Uint8Array>): Generator<Uint8Array> {
  let piece = new Uint8Array(PIECE);
  let view = new DataView(piece.buffer);
  piece.set(HEADER);
  let used = HEADER.length;
  for (const record of records) {
    let done = 0;
    let begins = true;
    do {
      // What is left of a block and holds no header stays zero.
      if (BLOCK - (used % BLOCK) < CHUNK_HEADER) used += BLOCK - (used % BLOCK);
      if (used === PIECE) {
        yield piece;
        // What was handed over may still be on its way to the disk.
        piece = new Uint8Array(PIECE);
        view = new DataView(piece.buffer);
        used = 0;
      }
      const data = record.subarray(done, done + BLOCK - (used % BLOCK) - CHUNK_HEADER);
      const ends = done + data.length === record.length;
      const type = begins ? (ends ? TYPE.full : TYPE.first) : ends ? TYPE.last : TYPE.middle;
      view.setUint32(used, crc32(data, TYPE_SUMS[type]), true);
      view.setUint16(used + 4, data.length, true);
      piece[used + 6] = type;
      piece.set(data, used + CHUNK_HEADER);
      used += CHUNK_HEADER + data.length;
      done += data.length;
      // Also where the first chunk held nothing, since no more than its header had room.
      begins = false;
    } while (done < record.length);
  }
  yield piece.subarray(0, used);
}
