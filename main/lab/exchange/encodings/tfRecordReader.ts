/** Reads TFRecord files; tfRecord.ts writes them and says what they are. */
import type { ByteSource } from './byteSource.ts';
import { crc32c } from './crc32c.ts';
import { FRAME, HEAD, masked } from './tfRecord.ts';

/** Bytes of a record. */
const LONGEST = 256 << 20;

/**
 * The records that are whole. `bad` is told of those that are not, with their place in bytes: one whose checksum is wrong is passed over; where
 * the length itself cannot be right, nothing that follows can be found.
 */
export async function* readTfRecords(
  from: ByteSource,
  bad: (what: string, at: number) => void,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const at = from.position;
    const head = await from.take(HEAD);
    if (head.length === 0) return;
    if (head.length < HEAD) return bad('records that break off at the end of the file', at);
    const view = new DataView(head.buffer, head.byteOffset, HEAD);
    const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
    if (view.getUint32(8, true) !== masked(crc32c(head, 0, 8)) || length > LONGEST)
      return bad('records whose length is damaged: what follows is left out', at);
    const body = await from.take(length + FRAME - HEAD);
    if (body.length < length + FRAME - HEAD) return bad('records that break off at the end of the file', at);
    const data = body.subarray(0, length);
    const sum = new DataView(body.buffer, body.byteOffset + length, 4).getUint32(0, true);
    if (sum === masked(crc32c(data))) yield data;
    else bad('records that are damaged (their checksum is wrong), left out', at);
  }
}
