/** One file as it was found: opened safely, read in chunks or at any place, and checked for having stayed the same. */
import { counted } from '../../../../preload/shared/format.ts';
import { open, stat, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import { readProblem } from '../../../files/words.ts';
import { DataError } from '../errors.ts';
import type { RandomAccess } from '../formats/format.ts';
import { assertReadable } from './confine.ts';

export interface CorpusFile {
  readonly path: string;
  /** What it is called, where that is another name: it tells the format, and messages use it. */
  readonly name?: string;
  readonly size: number;
  /** Changes whenever the file does: size, inode, and nanosecond times of change. */
  readonly version: string;
}

const READABLE = 'a readable file, folder or glob';
const CHUNK = 1 << 20;

/** File systems whose files are made up while they are read: they have no size and may never end. */
const VIRTUAL = new Map([
  [0x9fa0, '/proc'],
  [0x62656572, '/sys'],
  [0x64626720, 'debugfs'],
  [0x74726163, 'tracefs'],
  [0x73636673, 'securityfs'],
  [0x27e0eb, 'cgroup'],
  [0x63677270, 'cgroup'],
  [0x1cd1, 'devpts'],
  [0x62656570, 'configfs'],
]);

const versionOf = (info: BigIntStats) => `${info.size}:${info.ino}:${info.mtimeNs}:${info.ctimeNs}`;

/** What an entry is that is neither file nor folder; null for these. */
export function specialKind(info: {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
}): string | null {
  if (info.isFile() || info.isDirectory()) return null;
  if (info.isFIFO()) return 'a named pipe';
  if (info.isSocket()) return 'a socket';
  if (info.isCharacterDevice() || info.isBlockDevice()) return 'a device';
  return 'a special file';
}

/** Of something that was found a moment ago; whatever else stands in the way is the same for all files (files/words.ts). */
const CODES: Readonly<Record<string, string>> = {
  ENOENT: 'is not there any more: it was removed or renamed after it was found.',
  ENOTDIR: 'is not there any more: a folder above it was removed or renamed.',
  EACCES: 'may not be read by you (no permission).',
  EPERM: 'may not be read by you (no permission).',
  ELOOP: 'is a link that leads back to itself.',
  EISDIR: 'has become a folder.',
  ESTALE: 'is not there any more: the network drive has lost it.',
  ENAMETOOLONG: 'is too long for a name.',
};

/** A failed look at a file or folder, in words that name it. */
export function accessError(error: unknown, setting: string, path: string): DataError {
  const { code = '' } = error as NodeJS.ErrnoException;
  return new DataError(setting, path, CODES[code] ?? `cannot be read: ${readProblem(error)}.`, READABLE);
}

/** @throws DataError for a pipe, device, socket, or a file that the system makes up while it is read */
export async function refuseSpecial(
  info: Parameters<typeof specialKind>[0],
  path: string,
  setting: string,
): Promise<void> {
  const kind = specialKind(info);
  if (kind !== null)
    throw new DataError(setting, path, `is ${kind}, not a file: write its text to a file first.`, READABLE);
  const where = await statfs(path).catch(() => null);
  const virtual = where === null ? undefined : VIRTUAL.get(where.type);
  if (virtual !== undefined && process.platform === 'linux')
    throw new DataError(
      setting,
      path,
      `is no file on a disk (${virtual}): it has no size and may never end.`,
      READABLE,
    );
}

export async function describeFile(path: string): Promise<CorpusFile> {
  const info = await stat(path, { bigint: true });
  return { path, size: Number(info.size), version: versionOf(info) };
}

export class SourceFile implements RandomAccess {
  readonly path: string;
  readonly name: string;
  readonly byteLength: number;
  readonly #handle: FileHandle;
  readonly #version: string;
  readonly #setting: string;

  private constructor(file: CorpusFile, handle: FileHandle, setting: string) {
    this.path = file.path;
    this.name = file.name ?? file.path;
    this.byteLength = file.size;
    this.#version = file.version;
    this.#handle = handle;
    this.#setting = setting;
  }

  /** @throws DataError where it is gone, not permitted, special, or no longer what was found */
  static async open(file: CorpusFile, setting: string): Promise<SourceFile> {
    try {
      // A look before opening: to open a pipe waits for its other end.
      await refuseSpecial(await stat(file.path), file.path, setting);
      await assertReadable(file.path, setting);
      const opened = new SourceFile(file, await open(file.path, 'r'), setting);
      await opened.checkUnchanged().catch(async (error: unknown) => {
        await opened.close();
        throw error;
      });
      return opened;
    } catch (error) {
      throw error instanceof DataError ? error : accessError(error, setting, file.path);
    }
  }

  /** @throws DataError when the file is no longer as it was when it was found: what was read may be half of it */
  async checkUnchanged(): Promise<void> {
    const info = await this.#handle.stat({ bigint: true }).catch((error: unknown) => {
      throw accessError(error, this.#setting, this.path);
    });
    if (versionOf(info) === this.#version) return;
    const grown = Number(info.size) - this.byteLength;
    const how =
      grown > 0
        ? `grew by ${counted(grown, 'byte')}`
        : grown < 0
          ? `became ${counted(-grown, 'byte')} shorter`
          : 'was written to';
    throw new DataError(
      this.#setting,
      this.path,
      `${how} while it was read: is something still writing it?`,
      'a file that stays as it is',
    );
  }

  /** For libraries that read it themselves; it stays open until `close`. */
  get fd(): number {
    return this.#handle.fd;
  }

  async slice(start: number, end = this.byteLength): Promise<Buffer> {
    return await this.#fill(Buffer.allocUnsafeSlow(Math.max(0, Math.min(end, this.byteLength) - start)), start);
  }

  /**
   * The whole file in order; the next chunk is on its way while one is used. A chunk, but for the first, is valid until the next one is
   * asked for: their memory goes round, as gigabytes of new memory are given back late. `onBytes`: read so far.
   */
  async *chunks(onBytes?: (read: number) => void): AsyncGenerator<Buffer> {
    let read = 0;
    const memory: Buffer[] = [];
    let turn = 0;
    const fetch = (from: number) => {
      // The first chunk has memory of its own: its head is looked at again.
      if (from > 0) memory[(turn ^= 1)] ??= Buffer.allocUnsafeSlow(CHUNK);
      const next =
        from === 0 ? this.slice(0, CHUNK) : this.#fill(memory[turn].subarray(0, this.byteLength - from), from);
      // Where the reading ends early nobody waits for it.
      next.catch(() => undefined);
      return next;
    };
    let next = fetch(0);
    while (read < this.byteLength) {
      const chunk = await next;
      if (chunk.length === 0) break;
      read += chunk.length;
      if (read < this.byteLength) next = fetch(read);
      onBytes?.(read);
      yield chunk;
    }
    // Shorter than it was: says so.
    if (read < this.byteLength) await this.checkUnchanged();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Reads into all of `bytes`, as far as the file goes. */
  async #fill(bytes: Buffer, from: number): Promise<Buffer> {
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await this.#read(bytes, at, from + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return at === bytes.length ? bytes : bytes.subarray(0, at);
  }

  #read(bytes: Buffer, at: number, position: number): Promise<{ bytesRead: number }> {
    return this.#handle.read(bytes, at, bytes.length - at, position).catch((error: unknown) => {
      throw accessError(error, this.#setting, this.path);
    });
  }
}

/** Bytes in memory, read as a file is. */
export function inMemory(bytes: Buffer): RandomAccess {
  return { byteLength: bytes.length, slice: (start, end) => Promise.resolve(bytes.subarray(start, end)) };
}
