/** xz, by the decompressor of the Linux kernel compiled to WebAssembly (xz-decompress): streams one after another, checked. */
import { CompressionError, damaged } from './compression.ts';
import type { Compression } from './compression.ts';

/** The result codes of xz-embedded. */
const FAILURES: Readonly<Record<string, () => CompressionError>> = {
  4: () =>
    new CompressionError(
      'needs a dictionary of more memory than the built-in decompressor has.',
      'unpack it first: xz -d',
    ),
  5: () =>
    new CompressionError(
      'has something else after the end of its xz data, or is damaged.',
      'download or copy it again',
    ),
  6: () =>
    new CompressionError(
      'uses an option of xz that the built-in decompressor lacks (a SHA-256 check, or a filter).',
      'unpack it first: xz -d',
    ),
  7: () => damaged('its checksum or its data are wrong'),
  8: () => new CompressionError('ends too early, or has something else after its end.', 'download or copy it again'),
};

async function* decompress(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // A CommonJS module: its names are those of the default export.
  const library = await import('xz-decompress');
  const { XzReadableStream } = (library as unknown as { default?: typeof library }).default ?? library;
  const stream = new XzReadableStream(ReadableStream.from(chunks) as ReadableStream<Uint8Array>);
  try {
    for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>)
      if (chunk.length > 0) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  } catch (error) {
    const code = /error code (\d+)/.exec(error instanceof Error ? error.message : '')?.[1] ?? '';
    throw FAILURES[code]?.() ?? error;
  }
}

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]);

export const xz: Compression = {
  name: 'xz',
  endings: ['.xz'],
  matches: (head) => head.subarray(0, 6).equals(MAGIC),
  decompress,
};
