/** Zstandard (RFC 8878): frames one after another, skippable frames among them. Node's decompressor stops after the first frame. */
import { constants, createZstdDecompress } from 'node:zlib';
import { Input, CompressionError, damaged, endsEarly, followed } from './compression.ts';
import type { Compression } from './compression.ts';
import { through } from './zlibStream.ts';

const FRAME = 0xfd2fb528;
const magic = (head: Buffer) => (head.length < 4 ? -1 : head.readUInt32LE(0));
const isSkippable = (number: number) => number >= 0x184d2a50 && number <= 0x184d2a5f;

/** Frames with a larger window take that much memory; beyond it the command line has to be asked too. */
const WINDOW_LOG_MAX = 30;

function describe(error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  // The first frame begins as it should. One that ends where a chunk ends does not end the decompressor: it takes what follows for another.
  if (code === 'ZSTD_error_prefix_unknown') return followed('zstd');
  if (code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong') return endsEarly();
  if (code.startsWith('ZSTD_error_dictionary'))
    return new CompressionError(
      'needs a dictionary that is not in the file.',
      'unpack it first: zstd -d -D dictionary',
    );
  if (code.startsWith('ZSTD_error_frameParameter'))
    return new CompressionError('needs a window of more than 1 GiB of memory.', 'unpack it first: zstd -d --long=31');
  return code.startsWith('ZSTD_') || code.startsWith('Z_') ? damaged(message) : error;
}

async function* decompress(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new Input(chunks);
  let frames = 0;
  try {
    for (;;) {
      const head = await input.peek(8);
      if (head.length === 0) return;
      const number = magic(head);
      if (isSkippable(number)) {
        if (head.length < 8 || !(await input.skip(8 + head.readUInt32LE(4)))) throw endsEarly();
      } else if (number === FRAME) {
        const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX };
        const engine = createZstdDecompress({ chunkSize: 1 << 18, params });
        try {
          for await (const chunk of through(input, engine)) yield chunk;
        } catch (error) {
          throw describe(error);
        }
      } else throw frames > 0 ? followed('zstd') : damaged('it does not begin as zstd does');
      frames++;
    }
  } finally {
    await input.close();
  }
}

export const zstd: Compression = {
  name: 'zstd',
  endings: ['.zst', '.zstd'],
  matches: (head) => magic(head) === FRAME || isSkippable(magic(head)),
  decompress,
};
