/** A folder of files as one zip archive, packed while it is written. */
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { ExportFile, Piece } from './exchange.ts';

function* buffers(pieces: Iterable<Piece>): Generator<Buffer> {
  for (const piece of pieces)
    yield typeof piece === 'string'
      ? Buffer.from(piece)
      : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

/** @throws what making a piece throws */
export async function* zipped(files: Iterable<ExportFile>): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile();
  const archive = zip.outputStream as Readable;
  zip.on('error', (error) => archive.destroy(error as Error));
  // Opened one at a time, when the one before is packed.
  for (const { path, pieces } of files)
    zip.addReadStreamLazy(path, { mode: 0o100600 }, (opened) => {
      const stream = Readable.from(buffers(pieces));
      stream.on('error', (error) => archive.destroy(error));
      opened(null, stream);
    });
  zip.end();
  yield* archive as AsyncIterable<Uint8Array>;
}
