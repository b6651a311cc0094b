/**
 * What is inside a file: decompressions are taken off by content, archives opened, and what is no text or table refused by name.
 * Gives the texts and tables in it, one after another.
 */
import { DataError } from '../errors.ts';
import { formatNamed, formatOfName, isTokenShard, parquet, text, tokens } from '../formats/index.ts';
import type { Format, RandomAccess } from '../formats/index.ts';
import {
  COMPRESSIONS,
  CompressionError,
  compressionEnding,
  compressionOf,
  withoutCompression,
} from './compression/index.ts';
import type { Compression } from './compression/index.ts';
import { Input } from './compression/compression.ts';
import { isZip, zipMembers } from './compression/zip.ts';
import type { ZipMember } from './compression/zip.ts';
import { markOf, unmarkedEncoding } from '../../../../preload/shared/textEncoding.ts';
import { isWide, WITH_NULS } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import { furnitureOnPath } from './furniture.ts';
import { LIMITS, words } from '../limits.ts';
import { endingOf, hasDataName } from './listing.ts';
import { binaryKind, isParquet } from './magic.ts';
import type { ReadingNotes } from './notes.ts';
import { HELD_OUT_SPLITS, heldOutSplits, missingShards } from './splits.ts';
import { inMemory } from './sourceFile.ts';
import type { SourceFile } from './sourceFile.ts';

const ALLOWED = 'text, JSON lines, JSON, CSV, TSV or Parquet (also compressed: .gz .zst .xz .bz2 .zip)';

/** A text or table, ready to be read. */
export interface Content {
  /** For messages. */
  readonly name: string;
  readonly format: Format;
  readonly compressions: readonly string[];
  /** The first bytes, after decompression. */
  readonly head: Buffer;
  /** The bytes in order; once only. A chunk is valid until the next one is asked for. */
  readonly chunks: () => AsyncIterable<Buffer>;
  /** The bytes at any place, for formats that need it. */
  readonly bytes: () => Promise<RandomAccess>;
}

export interface ContentOptions {
  readonly setting: string;
  /** `data.format`: a format's name, or `auto`. */
  readonly format: string;
  /** `data.encoding`; null where the marks decide. */
  readonly encoding: Encoding | null;
  readonly notes: ReadingNotes;
  readonly onBytes?: (read: number) => void;
}

/** Bytes that come out of a file's decompressions against those on disk: archives made to fill a memory are stopped. */
class Growth {
  readonly #onDisk: number;
  #out = 0;

  constructor(onDisk: number) {
    this.#onDisk = onDisk;
  }

  async *watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#out += chunk.length;
      if (this.#out > LIMITS.growthFrom && this.#out > LIMITS.growth * this.#onDisk)
        throw new CompressionError(
          `unpacks to more than ${LIMITS.growth} times its ${words(this.#onDisk)} (over ${words(this.#out)}): no text does, so it may be made to fill the memory.`,
          'unpack it yourself if it is meant',
        );
      yield chunk;
    }
  }
}

const broken = (setting: string, name: string, error: unknown): unknown =>
  error instanceof CompressionError
    ? new DataError(setting, name, error.what, `a whole file that can be unpacked; ${error.advice}`)
    : error;

/** Words errors of decompression for the file. */
export async function* worded(setting: string, name: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw broken(setting, name, error);
  }
}

/** What the names say against what the contents are. */
function tellMisnamed(name: string, found: readonly Compression[], notes: ReadingNotes): void {
  const ending = compressionEnding(name);
  if (ending === '' || ending === '.zip') {
    if (ending === '.zip')
      notes.warn(`${name} is not a ZIP archive, in spite of its name: it is read as what it holds.`);
    return;
  }
  const meant = COMPRESSIONS.find(({ endings }) => endings.includes(ending));
  if (found.length === 0) notes.warn(`${name} is not compressed, in spite of its name: it is read as it is.`);
  else if (found[0] !== meant) notes.warn(`${name} is compressed with ${found[0].name}, in spite of its name.`);
}

function refuseBinary(
  name: string,
  head: Buffer,
  size: number,
  format: Format,
  { setting, encoding }: ContentOptions,
): void {
  if (markOf(head) !== null) return;
  const kind = binaryKind(head, size);
  if (format === tokens && (kind === null || isTokenShard(head))) return;
  if (kind !== null) throw new DataError(setting, name, `not text: it is ${kind.what}. ${kind.advice}`.trim(), ALLOWED);
  // Zeros belong to the characters of these; what does not decode is refused later.
  if (encoding !== null && isWide(encoding)) return;
  // A whole page of zeros is seen before it is read.
  if (head.includes(0) && unmarkedEncoding(head) === null && looksBinary(head))
    throw new DataError(setting, name, `not text: ${WITH_NULS}${tokensHint(name)}.`, ALLOWED);
}

/** What else a file of that name may be, behind what its bytes look like. */
export const tokensHint = (name: string) =>
  /\.(bin|ids|idx|dat|tok|tokens|npy)$/i.test(withoutCompression(name))
    ? '. If these are token ids of GPT-2 in 16 bits, set data.format to tokens; of others, give it the text that they were made from'
    : '';

function looksBinary(head: Buffer): boolean {
  let zeros = 0;
  for (const byte of head) if (byte === 0) zeros++;
  return zeros > LIMITS.undecodableFrom && zeros > LIMITS.undecodable * head.length;
}

/** Chunks that stay as they are: decompressors work on some while they ask for more. */
async function* copies(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

/** Takes the compressions off, by content. */
export async function decompressed(
  name: string,
  source: AsyncIterable<Buffer>,
  onDisk: number,
  outer: readonly string[],
  { setting }: Pick<ContentOptions, 'setting'>,
): Promise<{ input: Input; head: Buffer; found: readonly Compression[] }> {
  const growth = new Growth(onDisk);
  const found: Compression[] = [];
  let input = new Input(source);
  try {
    for (;;) {
      const head = await input.peek(LIMITS.head);
      const compression = compressionOf(head);
      if (compression === undefined) return { input, head, found };
      if (outer.length + found.length >= LIMITS.layers)
        throw new CompressionError(
          `is compressed ${outer.length + found.length + 1} times over; at most ${LIMITS.layers} are taken off.`,
          'unpack it first',
        );
      found.push(compression);
      input = new Input(growth.watch(compression.decompress(copies(input.rest()))));
    }
  } catch (error) {
    await input.close();
    throw broken(setting, name, error);
  }
}

function formatOf(name: string, head: Buffer, options: ContentOptions): Format {
  if (options.format !== 'auto') return formatNamed(options.format) ?? text;
  const named = formatOfName(withoutCompression(name));
  if (isTokenShard(head)) return tokens;
  // A text may begin with the same four letters, but it holds no zero bytes.
  return isParquet(head) && head.includes(0) ? parquet : (named ?? text);
}

/** All bytes in memory, for tables that have to be read at any place. */
async function collect(name: string, chunks: AsyncIterable<Buffer>, setting: string): Promise<RandomAccess> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > LIMITS.whole) {
      const what = `is compressed around a table that has to be unpacked as a whole, and longer than ${words(LIMITS.whole)}.`;
      throw new DataError(setting, name, what, 'a Parquet file as it is (it has its own compression)');
    }
  }
  return inMemory(Buffer.concat(parts));
}

/** The content of a stream of bytes with a name. */
async function contentOf(
  name: string,
  source: () => AsyncIterable<Buffer>,
  onDisk: number,
  outer: readonly string[],
  plain: RandomAccess | null,
  options: ContentOptions,
): Promise<Content> {
  const { setting, notes } = options;
  const { input, head, found } = await decompressed(name, source(), onDisk, outer, options);
  try {
    tellMisnamed(name, found, notes);
    const packed = outer.length + found.length > 0;
    if (packed && isZip(head))
      throw new DataError(setting, name, 'holds an archive inside a compressed file.', `${ALLOWED}; unpack it first`);
    const format = formatOf(name, head, options);
    if (format !== parquet || !isParquet(head))
      refuseBinary(name, head, found.length > 0 ? head.length : onDisk, format, options);
    const chunks = () => worded(setting, name, input.rest());
    const bytes =
      plain === null || found.length > 0
        ? () => collect(name, chunks(), setting)
        : async () => {
            await input.close();
            return plain;
          };
    return { name, format, compressions: [...outer, ...found.map((each) => each.name)], head, chunks, bytes };
  } catch (error) {
    await input.close();
    throw error;
  }
}

/** Archives of programs that are files of one kind: told by their members. */
function refuseKnownArchive(setting: string, name: string, members: readonly ZipMember[]): void {
  const paths = members.map(({ path }) => path);
  const has = (test: RegExp) => paths.some((path) => test.test(path));
  const what = has(/^\[Content_Types\]\.xml$/)
    ? 'a document of Word, Excel or PowerPoint'
    : has(/^mimetype$/) && has(/^(META-INF\/|content\.(opf|xml)|OEBPS\/)/)
      ? 'a document (EPUB or OpenDocument)'
      : paths.length > 0 && paths.every((path) => path.endsWith('.npy'))
        ? 'an archive of NumPy arrays (.npz)'
        : has(/(^|\/)data\.pkl$/)
          ? 'a checkpoint of PyTorch'
          : has(/^META-INF\/MANIFEST\.MF$/)
            ? 'a program (Java)'
            : null;
  if (what !== null) throw new DataError(setting, name, `not text: it is ${what}.`, ALLOWED);
}

/** The members of an archive that are data, by the rules of a folder. */
function dataMembers(name: string, members: readonly ZipMember[], options: ContentOptions): readonly ZipMember[] {
  const { notes, setting } = options;
  const sorted = members.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const kept = sorted.filter(({ path }) => {
    const reason = furnitureOnPath(path);
    if (reason !== null) notes.count('leftOut', reason, `${name}/${path}`);
    return reason === null;
  });
  // A single member is what was meant, whatever its name.
  if (kept.length <= 1) return kept.length === 1 ? kept : sorted.slice(0, 1);
  const data = kept.filter(({ path }) => {
    const named = hasDataName(path);
    if (!named)
      notes.count('leftOut', `files that are no text or table by their ending (${endingOf(path)})`, `${name}/${path}`);
    return named;
  });
  if (data.length === 0) throw new DataError(setting, name, 'is an archive without text or table files.', ALLOWED);
  const held = setting === 'data.corpus' ? heldOutSplits(data.map(({ path }) => path)) : new Set();
  const wanted = data.filter(({ path }) => {
    if (held.has(path)) notes.count('leftOut', HELD_OUT_SPLITS, `${name}/${path}`);
    return !held.has(path);
  });
  for (const sentence of missingShards(wanted.map(({ path }) => path))) notes.warn(`${name}: ${sentence}`);
  return wanted;
}

async function* contentsOfZip(file: SourceFile, options: ContentOptions): AsyncGenerator<Content> {
  const { setting, onBytes } = options;
  const { name } = file;
  const listed = await zipMembers(file.fd).catch((error: unknown) => {
    throw broken(setting, name, error);
  });
  refuseKnownArchive(setting, name, listed);
  const members = dataMembers(name, listed, options);
  const total = members.reduce((sum, { size }) => sum + size, 0);
  const growth = new Growth(file.byteLength);
  let done = 0;
  for (const member of members) {
    const inner = `${name}/${member.path}`;
    const source = async function* () {
      let read = 0;
      for await (const chunk of growth.watch(member.content())) {
        read += chunk.length;
        if (total > 0) onBytes?.(Math.round((file.byteLength * (done + read)) / total));
        yield chunk;
      }
    };
    yield await contentOf(inner, source, Math.max(1, member.size), ['zip'], null, options);
    done += member.size;
  }
}

/** The texts and tables in a file, in order. @throws DataError for what is none, naming what it is */
export async function* contentsOf(file: SourceFile, options: ContentOptions): AsyncGenerator<Content> {
  const head = await file.slice(0, 4);
  if (isZip(head)) yield* contentsOfZip(file, options);
  else yield await contentOf(file.name, () => file.chunks(options.onBytes), file.byteLength, [], file, options);
}
