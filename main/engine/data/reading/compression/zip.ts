/** ZIP archives: a folder in a file. Its members are read as the files of a folder are. */
import { crc32, createInflateRaw } from 'node:zlib';
import type { Readable } from 'node:stream';
import type { Entry, ZipFile } from 'yauzl';
import { LIMITS } from '../../limits.ts';
import { bzip2 } from './bzip2.ts';
import { CompressionError, damaged, endsEarly } from './compression.ts';
import { xz } from './xz.ts';
import { zstd } from './zstd.ts';

export const isZip = (head: Buffer): boolean =>
  head.length >= 4 && (head.readUInt32BE(0) === 0x504b0304 || head.readUInt32BE(0) === 0x504b0506);

export interface ZipMember {
  /** Path inside the archive, with `/`. */
  readonly path: string;
  /** Bytes of its content as the archive says; checked while it is read. */
  readonly size: number;
  readonly content: () => AsyncIterable<Buffer>;
}

/** Compression methods of the ZIP specification (APPNOTE 4.4.5). */
const METHODS: Readonly<Record<number, string>> = {
  9: 'Deflate64',
  14: 'LZMA',
  96: 'JPEG',
  98: 'PPMd',
  99: 'AES encryption',
};

function describe(error: unknown): unknown {
  if (error instanceof CompressionError) return error;
  const { message, code = '' } = error as NodeJS.ErrnoException;
  if (/end of central directory|unexpected end|too few bytes|unexpected EOF/i.test(message)) return endsEarly();
  if (code.startsWith('Z_') || code === '' || /invalid|expected|bytes/i.test(message)) return damaged(message);
  return error;
}

async function* unpacked(archive: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  const raw = (await archive.openReadStreamPromise(entry, { decodeFileData: false })) as Readable;
  switch (entry.compressionMethod) {
    case 0:
      yield* raw as AsyncIterable<Buffer>;
      return;
    case 8: {
      const inflate = createInflateRaw({ chunkSize: 1 << 18 });
      raw.on('error', (error) => inflate.destroy(error));
      try {
        yield* raw.pipe(inflate) as AsyncIterable<Buffer>;
      } finally {
        raw.destroy();
      }
      return;
    }
    case 12:
      yield* bzip2.decompress(raw as AsyncIterable<Buffer>);
      return;
    case 93:
    case 20:
      yield* zstd.decompress(raw as AsyncIterable<Buffer>);
      return;
    case 95:
      yield* xz.decompress(raw as AsyncIterable<Buffer>);
      return;
    default: {
      const method = METHODS[entry.compressionMethod] ?? `method ${entry.compressionMethod}`;
      throw new CompressionError(`is compressed in a way that is not read here (${method}).`, 'unpack it first');
    }
  }
}

/** The content of a member; its size and checksum are those that the archive states. */
async function* content(archive: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  if (entry.isEncrypted()) throw new CompressionError('is encrypted.', 'unpack it first');
  let sum = 0;
  let size = 0;
  try {
    for await (const chunk of unpacked(archive, entry)) {
      sum = crc32(chunk, sum);
      size += chunk.length;
      if (size > entry.uncompressedSize) throw damaged('it is longer than the archive says');
      yield chunk;
    }
  } catch (error) {
    throw describe(error);
  }
  if (size !== entry.uncompressedSize) throw endsEarly();
  if (sum !== entry.crc32) throw damaged('its checksum is wrong');
}

/** The members of the archive in an open file (which stays open), in its order; folders are none. @throws CompressionError */
export async function zipMembers(fd: number): Promise<readonly ZipMember[]> {
  try {
    const { default: yauzl } = await import('yauzl');
    const archive = await yauzl.fromFdPromise(fd, { autoClose: false, lazyEntries: true });
    if (archive.entryCount > LIMITS.entries)
      throw new CompressionError(
        `holds ${archive.entryCount} files; at most ${LIMITS.entries} are read.`,
        'unpack it first',
      );
    const members: ZipMember[] = [];
    for await (const entry of archive.eachEntry())
      if (!entry.fileName.endsWith('/'))
        members.push({ path: entry.fileName, size: entry.uncompressedSize, content: () => content(archive, entry) });
    return members;
  } catch (error) {
    throw describe(error);
  }
}
