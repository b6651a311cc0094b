/**
 * The files of an import: what paths, folders and zip archives mean, each to be read as often as it takes, with its compressions taken off. They
 * are opened, followed and confined by the reader of training text (main/engine/data/reading).
 */
import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { cleanText, TextFacts } from '../../engine/data/reading/cleanText.ts';
import { isZip, zipMembers } from '../../engine/data/reading/compression/zip.ts';
import type { ZipMember } from '../../engine/data/reading/compression/zip.ts';
import { withoutCompression } from '../../engine/data/reading/compression/index.ts';
import { decompressed, worded } from '../../engine/data/reading/contents.ts';
import { mayRead } from '../../engine/data/reading/confine.ts';
import { furniture } from '../../engine/data/reading/furniture.ts';
import {
  accessError,
  describeFile,
  inMemory,
  refuseSpecial,
  SourceFile,
} from '../../engine/data/reading/sourceFile.ts';
import type { RandomAccess } from '../../engine/data/formats/format.ts';
import { walk } from '../../engine/data/reading/walk.ts';
import { ImportError } from './errors.ts';
import type { Notes } from './notes.ts';

/** What errors of the reader call the path of an import. */
const SETTING = 'import';

/** Somewhere to read from: a file, a folder or an archive; or files that were sent, which lie here under other names. */
export type Place = { readonly path: string } | SentPlace;

export interface SentPlace {
  /** What was sent: a file, or a folder. By it it is told from others. */
  readonly name: string;
  readonly files: readonly SentFile[];
}

export interface SentFile {
  /** Where it lies. */
  readonly path: string;
  /** Its path in the folder that was sent; of a file its name. */
  readonly inside: string;
}

export const placeName = (place: Place): string => ('path' in place ? place.path : place.name);

export interface ImportFile {
  /** From what was named, with `/`; of a file its name. */
  readonly path: string;
  /** What was named: a folder, an archive, the file. */
  readonly root: string;
  /** Tells what was named from everything else, the same at the next import. */
  readonly rootIdentity: string;
  /** Bytes on the disk. */
  readonly size: number;
  /** The first bytes, without compressions. */
  head(): Promise<Buffer>;
  /** All bytes in order, without compressions. @throws DataError */
  bytes(): AsyncIterable<Buffer>;
  /** For formats that are not read from their beginning: anywhere. Files that are packed are held in memory. @throws ImportError for one that is too long for that */
  anywhere(): Promise<Anywhere>;
}

export interface Anywhere extends RandomAccess {
  close(): Promise<void>;
}

/** Bytes of a packed file that is read anywhere. */
const MOST_HELD = 512 << 20;

/** What programs leave beside their files: second names of W&B's latest run, and its own notes. */
const OF_PROGRAMS = /(?:^|\/)(?:__MACOSX|__pycache__|node_modules|wandb\/latest-run|wandb\/debug[^/]*\.log)$/u;

type Named = Pick<ImportFile, 'root' | 'rootIdentity'>;

/** Why a file or folder holds no runs, going by its name; undefined where it may. */
function foreign(root: string, inside: string): string | undefined {
  const name = inside.slice(inside.lastIndexOf('/') + 1);
  if (!name.startsWith('.') && !OF_PROGRAMS.test(`${root}/${inside}`)) return undefined;
  return furniture(name) ?? 'files of other programs';
}

/** The same for a file in a folder that was sent: any folder on its path counts. */
export function foreignPath(root: string, inside: string): string | undefined {
  for (let at = inside.indexOf('/'); at >= 0; at = inside.indexOf('/', at + 1)) {
    const what = foreign(root, inside.slice(0, at));
    if (what !== undefined) return what;
  }
  return foreign(root, inside);
}

/** The files of an import; archives stay open until it is closed. */
export class ImportFiles implements AsyncDisposable {
  readonly files: ImportFile[] = [];
  readonly #archives: SourceFile[] = [];
  /** Of the first archive that cannot be opened: the reason where there is nothing else. */
  #damaged: ImportError | undefined;

  /** @throws ImportError, DataError for a path that is not there, or not permitted */
  static async open(places: readonly Place[], notes: Notes): Promise<ImportFiles> {
    const opened = new ImportFiles();
    try {
      for (const place of places) await opened.#add(place, notes);
      if (opened.files.length === 0 && opened.#damaged !== undefined) throw opened.#damaged;
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#archives.map((archive) => archive.close()));
  }

  async #add(place: Place, notes: Notes): Promise<void> {
    if (!('path' in place)) {
      const named = { root: place.name, rootIdentity: `dropped ${place.name}` };
      for (const { path, inside } of place.files) await this.#file(path, inside, named, notes);
      return;
    }
    const { path } = place;
    const absolute = resolve(path);
    const info = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
        throw new ImportError(`${path} is not there; allowed: a file, a folder or a zip archive`);
      throw accessError(error, SETTING, path);
    });
    const root = basename(absolute);
    const named = { root, rootIdentity: await realpath(absolute) };
    if (!(await mayRead(absolute)))
      throw new ImportError(`${path} leads out of the folders that were opened for pages; allowed: files in those`);
    if (info.isDirectory()) return this.#folder(absolute, named, notes);
    await refuseSpecial(info, absolute, SETTING);
    await this.#file(absolute, root, named, notes);
  }

  async #folder(path: string, named: Named, notes: Notes): Promise<void> {
    const found = await walk(path, {
      setting: SETTING,
      wants: (_, inside) => {
        const what = foreign(named.root, inside);
        if (what !== undefined) notes.add(what, inside);
        return what === undefined;
      },
      onOther: (what, where) => notes.add(what, where),
      onLinkOut: () => undefined,
    });
    const seen = new Set<string>();
    for (const file of found) {
      if (seen.has(file.identity)) notes.add('further names of files that are read already', file.inside);
      else await this.#file(file.path, file.inside, named, notes);
      seen.add(file.identity);
    }
  }

  async #file(at: string, path: string, named: Named, notes: Notes): Promise<void> {
    const described = await describeFile(at).catch((error: unknown) => {
      throw accessError(error, SETTING, at);
    });
    const file = { ...described, name: path };
    const read = async function* (): AsyncGenerator<Buffer> {
      const source = await SourceFile.open(file, SETTING);
      try {
        yield* source.chunks();
      } finally {
        await source.close();
      }
    };
    if (/\.zip$/iu.test(path) && (await this.#archive(file, path, named, notes))) return;
    this.files.push(
      importFile({
        path,
        ...named,
        size: file.size,
        source: read,
        ...(withoutCompression(path) === path ? { direct: () => SourceFile.open(file, SETTING) } : {}),
      }),
    );
  }

  /** @returns whether it is one */
  async #archive(
    file: Parameters<typeof SourceFile.open>[0],
    path: string,
    named: Named,
    notes: Notes,
  ): Promise<boolean> {
    const source = await SourceFile.open(file, SETTING);
    if (!isZip(await source.slice(0, 4))) {
      await source.close();
      return false;
    }
    this.#archives.push(source);
    let members: readonly ZipMember[];
    try {
      members = await membersOf(source, path);
    } catch (error) {
      this.#damaged ??= error as ImportError;
      notes.add(cannotBeRead(error), path);
      return true;
    }
    for (const member of members) {
      if (/(?:^|\/)(?:\.|__MACOSX\/)/u.test(member.path)) notes.add('hidden files', `${path}/${member.path}`);
      else
        this.files.push(
          importFile({
            ...named,
            path: path === named.root ? member.path : `${path}/${member.path}`,
            size: member.size,
            source: () => member.content(),
          }),
        );
    }
    return true;
  }
}

/** What is told of a file that is left out beside others. */
export const cannotBeRead = (error: unknown): string =>
  `files that cannot be read: ${(error as Error).message}`.slice(0, 1000);

const membersOf = async (source: SourceFile, path: string): Promise<readonly ZipMember[]> => {
  try {
    return await zipMembers(source.fd);
  } catch (error) {
    throw new ImportError(`${path} ${(error as Error).message}`);
  }
};

type Made = Omit<ImportFile, 'head' | 'bytes' | 'anywhere'> & {
  readonly source: () => AsyncIterable<Buffer>;
  /** Where its bytes lie on the disk as they are. */
  readonly direct?: () => Promise<Anywhere>;
};

/** Bytes that are looked at to tell what a file is. */
const HEAD = 16 << 10;

function importFile({ source, direct, ...file }: Made): ImportFile {
  /** Ends the reading at its source: what stands between does not. */
  const reading = async function* <T>(use: (opened: Opened) => AsyncIterable<T>): AsyncGenerator<T> {
    const chunks = source()[Symbol.asyncIterator]();
    const once = { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
    try {
      yield* use(await decompressed(file.path, once, Math.max(1, file.size), [], { setting: SETTING }));
    } finally {
      await chunks.return?.();
    }
  };
  return {
    ...file,
    head: async () => {
      for await (const head of reading(justHead)) return head.subarray(0, HEAD);
      return Buffer.alloc(0);
    },
    bytes: () => reading(({ input }) => worded(SETTING, file.path, input.rest())),
    anywhere:
      direct ??
      (() =>
        held(
          file.path,
          reading(({ input }) => worded(SETTING, file.path, input.rest())),
        )),
  };
}

async function held(path: string, bytes: AsyncIterable<Buffer>): Promise<Anywhere> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > MOST_HELD)
      throw new ImportError(
        `${path} is longer than ${MOST_HELD} bytes; allowed: at most so many where it is packed, else unpack it`,
      );
    parts.push(part);
  }
  return { ...inMemory(Buffer.concat(parts)), close: () => Promise.resolve() };
}

type Opened = Awaited<ReturnType<typeof decompressed>>;

async function* justHead({ head }: Opened): AsyncGenerator<Buffer> {
  yield head;
}

/** Its bytes as UTF-8 without marks, lines ended by \n. @throws ImportError for what is no text */
export async function* textOf(file: ImportFile): AsyncGenerator<Buffer> {
  const facts = new TextFacts();
  let done = false;
  for await (const chunk of cleanText(file.bytes(), await file.head(), null, facts)) {
    refuseNoText(file, facts, done);
    yield chunk;
  }
  done = true;
  refuseNoText(file, facts, done);
}

function refuseNoText({ path }: ImportFile, facts: TextFacts, whole: boolean): void {
  const refusal = facts.refusal(whole);
  if (refusal !== null) throw new ImportError(`${path} ${refusal.what}`);
}

/** The whole text, of a file that is small. @throws ImportError for a longer one */
export async function wholeText(file: ImportFile, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of textOf(file)) {
    length += chunk.length;
    if (length > most) throw new ImportError(`${file.path} is longer than ${most} bytes, which no such file is`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The name of a run whose file says none: that of the file. */
export const stemOf = (path: string): string => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.replace(/(?:\.(?:gz|zst|xz|bz2))?$/iu, '').replace(/\.[a-z0-9]{1,6}$/iu, '') || name;
};

/** Short and the same at every import. */
export const identityHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

/** Bytes of a line. */
const LONGEST_LINE = 64 << 20;
const NEWLINE = 10;

/** The lines of a text, some at a time, with the number of the first. `onLong` is told of lines that are left out for their length. */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  onLong: (line: number) => void,
): AsyncGenerator<{ readonly first: number; readonly lines: readonly string[] }> {
  let open: Buffer[] = [];
  let length = 0;
  let next = 1;
  let long = false;
  for await (const chunk of chunks) {
    const lines: string[] = [];
    const first = next;
    let begin = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, begin)) {
      const end = chunk.subarray(begin, at);
      lines.push(long ? '' : (open.length === 0 ? end : Buffer.concat([...open, end])).toString('utf8'));
      if (long) onLong(next);
      open = [];
      length = 0;
      long = false;
      begin = at + 1;
      next++;
    }
    length += chunk.length - begin;
    long ||= length > LONGEST_LINE;
    if (long) open = [];
    else if (begin < chunk.length) open.push(chunk.subarray(begin));
    if (lines.length > 0) yield { first, lines };
  }
  if (long) onLong(next);
  else if (open.length > 0) yield { first: next, lines: [Buffer.concat(open).toString('utf8')] };
}
