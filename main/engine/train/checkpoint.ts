/**
 * Checkpoints on disk: directories that exist completely or not at all.
 *
 *   ROOT/last-000000200-1/           kind, step, and a number that grows when the same step is saved again
 *     weights.safetensors            every parameter under its own name, float32
 *     optimizer.safetensors          moments NAME:MOMENT, float32 (kind `last` only)
 *     checkpoint.json                {"sha256": …, "body": {version, kind, step, files: {NAME: {bytes, sha256}}, state: {…}}}
 *
 * A checkpoint is written under a temporary name, its files and directory are flushed to the disk, and then it is renamed. The
 * previous one of its kind is removed only after that, so there is always a complete one. Reading goes from the newest to the
 * oldest and takes the first whose sizes and checksums are right.
 */
import { counted } from '../../../preload/shared/format.ts';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointKind } from '../../../preload/contract/runs.ts';
import { describeWriteError, isTemporary, makeFolder, writeAll } from '../../files/atomic.ts';
import { hashFile, sha256 } from '../../files/whole.ts';
import { encodeSafetensors } from './safetensors.ts';
import type { TensorSource } from './safetensors.ts';

export const WEIGHTS = 'weights.safetensors';
export const OPTIMIZER = 'optimizer.safetensors';
const MANIFEST = 'checkpoint.json';
const VERSION = 1;

interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
}

/** A complete checkpoint. */
export interface Checkpoint<State> {
  readonly kind: CheckpointKind;
  readonly step: number;
  readonly path: string;
  readonly files: Readonly<Record<string, FileRecord>>;
  readonly state: State;
}

/** What to write. `optimizer` is left out of checkpoints that are not resumed from. */
export interface CheckpointContent<State> {
  readonly kind: CheckpointKind;
  readonly step: number;
  /** Tensors to write, or a checkpoint of the same step whose weights are shared. */
  readonly weights: readonly TensorSource[] | Checkpoint<unknown>;
  readonly optimizer?: readonly TensorSource[];
  readonly state: State;
}

/** A checkpoint that cannot be used, and why. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** The file operations that can fail for want of space; replaced in tests. */
export interface CheckpointFiles {
  open(path: string, flags: string): Promise<Pick<FileHandle, 'write' | 'sync' | 'close'>>;
}

const NAME = /^(last|best)-(\d+)-(\d+)$/;
/** How earlier versions began the name of what they had not completed. */
const BEGUN_EARLIER = 'temporary-';

/** Which folder a path means; undefined where there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return info?.isDirectory() === true ? `${info.dev} ${info.ino}` : undefined;
}

export class CheckpointStore<State> {
  readonly root: string;
  readonly #files: CheckpointFiles;
  /** Which folder `root` was when it was prepared. */
  #prepared: string | undefined;

  constructor(root: string, files: CheckpointFiles = { open }) {
    this.root = root;
    this.#files = files;
  }

  /** Makes the folder and removes what an interrupted write left behind. */
  async prepare(): Promise<void> {
    await mkdir(this.root, { recursive: true });
    this.#prepared = await identityOf(this.root);
    for (const name of await readdir(this.root)) {
      if (isTemporary(name) || name.startsWith(BEGUN_EARLIER))
        await rm(join(this.root, name), { recursive: true, force: true });
    }
  }

  /**
   * A folder that was removed while its run trained is not made again: what is saved in it would belong to nothing, and stand where somebody
   * has just cleared up.
   * @throws CheckpointError
   */
  async #assertThere(): Promise<void> {
    if (this.#prepared === undefined) return;
    const found = await identityOf(this.root);
    if (found === this.#prepared) return;
    const what = found === undefined ? 'was removed or moved away' : 'was replaced by another';
    throw new CheckpointError(`the folder of this run, ${this.root}, ${what} while it trained: no checkpoint is kept`);
  }

  /** Removes every checkpoint. */
  async clear(): Promise<void> {
    for (const { path } of await this.#list()) await rm(path, { recursive: true, force: true });
  }

  /** Writes a checkpoint and removes older ones of its kind. On an error nothing has changed. */
  async save(content: CheckpointContent<State>): Promise<Checkpoint<State>> {
    await this.#assertThere();
    const older = (await this.#list()).filter((each) => each.kind === content.kind);
    const number = 1 + Math.max(0, ...older.filter((each) => each.step === content.step).map((each) => each.number));
    const name = `${content.kind}-${String(content.step).padStart(9, '0')}-${number}`;
    const path = join(this.root, name);
    let files: Record<string, FileRecord> = {};
    const fill = async (folder: string): Promise<void> => {
      files = await this.#writeFiles(folder, content);
    };
    await makeFolder(path, fill, { parents: this.#prepared === undefined }).catch((error: unknown) => {
      throw describeWriteError(error, this.root);
    });
    for (const each of older) await rm(each.path, { recursive: true, force: true });
    return { kind: content.kind, step: content.step, path, files, state: content.state };
  }

  async #writeFiles(folder: string, content: CheckpointContent<State>): Promise<Record<string, FileRecord>> {
    const { kind, step, weights, optimizer, state } = content;
    const metadata = { format: 'sweeplab', step: String(step) };
    const files: Record<string, FileRecord> = {};
    if ('path' in weights) {
      files[WEIGHTS] = await this.#share(join(weights.path, WEIGHTS), join(folder, WEIGHTS), weights.files[WEIGHTS]!);
    } else files[WEIGHTS] = await this.#write(join(folder, WEIGHTS), encodeSafetensors(weights, metadata));
    if (optimizer !== undefined)
      files[OPTIMIZER] = await this.#write(join(folder, OPTIMIZER), encodeSafetensors(optimizer, metadata));
    const body = JSON.stringify({ version: VERSION, kind, step, files, state });
    const manifest = `{"sha256":"${sha256(body)}","body":${body}}\n`;
    await this.#write(join(folder, MANIFEST), [new TextEncoder().encode(manifest)]);
    return files;
  }

  async #write(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<FileRecord> {
    const file = await this.#files.open(path, 'wx');
    try {
      const hash = createHash('sha256');
      const bytes = await writeAll(file, hashed(chunks, hash));
      await file.sync();
      return { bytes, sha256: hash.digest('hex') };
    } finally {
      await file.close();
    }
  }

  /** The same file under a second name; a copy where the file system has no hard links. */
  async #share(from: string, to: string, record: FileRecord): Promise<FileRecord> {
    try {
      await link(from, to);
    } catch {
      const copied = await this.#write(to, createReadStream(from));
      if (copied.sha256 !== record.sha256) throw new CheckpointError(`${from} does not have its checksum`);
    }
    return record;
  }

  /** The newest complete checkpoint of a kind, and why newer ones were passed over. */
  async latest(
    kind: CheckpointKind,
  ): Promise<{ checkpoint: Checkpoint<State> | undefined; problems: readonly string[] }> {
    const problems: string[] = [];
    const newestFirst = (await this.#list())
      .filter((each) => each.kind === kind)
      .toSorted((a, b) => b.step - a.step || b.number - a.number);
    for (const { path } of newestFirst) {
      try {
        return { checkpoint: await readCheckpoint<State>(path), problems };
      } catch (error) {
        problems.push(`${path} cannot be used: ${(error as Error).message}`);
      }
    }
    return { checkpoint: undefined, problems };
  }

  async #list(): Promise<{ kind: string; step: number; number: number; path: string }[]> {
    let names: string[];
    try {
      names = await readdir(this.root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    return names.flatMap((name) => {
      const match = NAME.exec(name);
      if (match === null) return [];
      return [{ kind: match[1]!, step: Number(match[2]), number: Number(match[3]), path: join(this.root, name) }];
    });
  }
}

/** The chunks as they are, each hashed on its way. */
async function* hashed(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  hash: Hash,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Reads a checkpoint's description and checks every file against it. Throws a {@link CheckpointError}. */
export async function readCheckpoint<State>(path: string): Promise<Checkpoint<State>> {
  const { version, kind, step, files, state } = await readManifest(path);
  if (version !== VERSION)
    throw new CheckpointError(`it has format ${String(version)}, and this version of Sweeplab reads format ${VERSION}`);
  for (const [name, record] of Object.entries(files as Record<string, FileRecord>)) {
    const found = await hashFile(join(path, name)).catch((error: unknown) => {
      throw new CheckpointError(`${name} cannot be read: ${(error as Error).message}`);
    });
    if (found.bytes !== record.bytes)
      throw new CheckpointError(`${name} has ${counted(found.bytes, 'byte')} and should have ${record.bytes}`);
    if (found.sha256 !== record.sha256) throw new CheckpointError(`${name} does not have its checksum`);
  }
  return { kind, step, path, files, state } as Checkpoint<State>;
}

async function readManifest(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(join(path, MANIFEST), 'utf8');
  } catch (error) {
    throw new CheckpointError(`${MANIFEST} cannot be read: ${(error as Error).message}`);
  }
  // The checksum covers the text of the body as it was written.
  const match = /^\{"sha256":"([0-9a-f]{64})","body":(.*)\}\n$/s.exec(text);
  if (match === null || sha256(match[2]!) !== match[1])
    throw new CheckpointError(`${MANIFEST} is damaged: its checksum does not fit`);
  return JSON.parse(match[2]!) as Record<string, unknown>;
}
