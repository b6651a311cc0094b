/** gzip (RFC 1952): members one after another, zero bytes between and after them are padding. */
import { createGunzip } from 'node:zlib';
import { Input, damaged, endsEarly, followed } from './compression.ts';
import type { Compression } from './compression.ts';
import { through } from './zlibStream.ts';

const isGzip = (head: Buffer) => head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;

/** Passes over zero bytes. Returns whether anything is left. */
async function skipZeros(input: Input): Promise<boolean> {
  for (;;) {
    const chunk = await input.next();
    if (chunk === null) return false;
    const at = chunk.findIndex((byte) => byte !== 0);
    if (at < 0) continue;
    input.putBack(chunk.subarray(at));
    return true;
  }
}

async function* decompress(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new Input(chunks);
  let members = 0;
  try {
    while (await skipZeros(input)) {
      if (!isGzip(await input.peek(2)))
        throw members > 0 ? followed('gzip') : damaged('it does not begin as gzip does');
      const engine = createGunzip({ chunkSize: 1 << 18 });
      try {
        for await (const chunk of through(input, engine)) yield chunk;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'Z_BUF_ERROR') throw endsEarly();
        // Node goes on with the next member by itself: what is none is found as one with a wrong header (the first has a right one).
        if (message === 'incorrect header check') throw followed('gzip');
        if (code?.startsWith('Z_') === true) throw damaged(message);
        throw error;
      }
      members++;
    }
  } finally {
    await input.close();
  }
}

export const gzip: Compression = {
  name: 'gzip',
  endings: ['.gz', '.gzip'],
  matches: (head) => isGzip(head) && head[2] === 8,
  decompress,
};
