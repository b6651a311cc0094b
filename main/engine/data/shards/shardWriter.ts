/** Writes encoded blocks, in order, to shards. */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describeWriteError, writeAtomic, writeSynced } from '../../../files/atomic.ts';
import { sha256 } from '../../../files/whole.ts';
import type { TokenArray, TokenArrayType } from '../tokenArray.ts';
import type { FileFacts } from '../fileChecks.ts';
import { isClosing, isHeldOut } from './blocks.ts';
import type { TokenBlock } from './blocks.ts';
import { grown } from '../grown.ts';
import { namesOf, noteName, SIDES } from './files.ts';
import type { ShardNote, Side, SideNote } from './files.ts';

/** Ids of a shard, about: 128 MiB of 16 bits. */
export const SHARD_IDS = 2 ** 26;

/** One side of the shard that is being written. */
class SideWriter {
  readonly path: string;
  readonly #file: number;
  readonly #hash: Hash = createHash('sha256');
  /** For each document: its tokens, and what tells it apart. */
  #documents: Float64Array<ArrayBuffer> = new Float64Array(1 << 12);
  documents = 0;
  tokens = 0;
  textBytes = 0;
  #bytes = 0;
  /** Tokens of the document that is not closed yet, and whether it came in several parts. */
  #open = 0;
  #parted = false;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, 'w');
  }

  write(ids: TokenArray): void {
    const bytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
    for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.tokens += ids.length;
  }

  part(tokens: number, bytes: number, closes: boolean, digest: number): void {
    this.#open += tokens;
    this.textBytes += bytes;
    if (!closes) {
      this.#parted = true;
      return;
    }
    this.#documents = grown(this.#documents, 2 * this.documents + 2);
    this.#documents[2 * this.documents] = this.#open;
    this.#documents[2 * this.documents + 1] = this.#parted ? -1 : digest;
    this.documents++;
    this.#open = 0;
    this.#parted = false;
  }

  /** Everything on the disk. */
  async finish(documentsPath: string): Promise<SideNote> {
    fsyncSync(this.#file);
    closeSync(this.#file);
    const documents = new Uint8Array(this.#documents.buffer, 0, 16 * this.documents);
    await writeSynced(documentsPath, documents);
    const facts = (bytes: number, sum: string): FileFacts => ({ bytes, sha256: sum });
    return {
      tokens: this.tokens,
      documents: this.documents,
      textBytes: this.textBytes,
      ids: facts(this.#bytes, this.#hash.digest('hex')),
      list: facts(documents.length, sha256(documents)),
    };
  }

  close(): void {
    closeSync(this.#file);
  }
}

export interface ShardWriterOptions {
  readonly folder: string;
  readonly Ids: TokenArrayType;
  readonly vocabularySize: number;
  /** Shards that are finished. */
  readonly finished: readonly ShardNote[];
  readonly shardIds?: number | undefined;
}

export class ShardWriter {
  readonly notes: ShardNote[];
  readonly #options: ShardWriterOptions;
  #sides: Partial<Record<Side, SideWriter>> = {};
  /** How often each id occurs on each side of the shard. */
  #counts: Float64Array<ArrayBuffer>;

  constructor(options: ShardWriterOptions) {
    this.#options = options;
    this.notes = [...options.finished];
    this.#counts = new Float64Array(2 * options.vocabularySize);
  }

  /** @throws Error in words where the disk is full */
  async add({ ids, parts }: TokenBlock): Promise<void> {
    const most = this.#options.shardIds ?? SHARD_IDS;
    let run = 0;
    let at = 0;
    const { bytes, marks, tokens, digests } = parts;
    for (let i = 0; i < marks.length; i++) {
      const closes = isClosing(marks[i]);
      const held = isHeldOut(marks[i]);
      const side = this.#side(held ? 'validation' : 'train');
      side.part(tokens[i], bytes[i], closes, digests[i]);
      at += tokens[i];
      const full = closes && this.#tokens + at - run >= most;
      // Neighbours of one side are written together.
      if (!full && i + 1 < marks.length && isHeldOut(marks[i + 1]) === held) continue;
      this.#write(side, held, ids.subarray(run, at));
      run = at;
      if (full) await this.finish();
    }
  }

  get #tokens(): number {
    return SIDES.reduce((sum, side) => sum + (this.#sides[side]?.tokens ?? 0), 0);
  }

  #side(name: Side): SideWriter {
    return this.#sides[name] ?? this.#open(name);
  }

  #open(name: Side): SideWriter {
    const path = join(this.#options.folder, namesOf(name, this.notes.length).ids);
    try {
      return (this.#sides[name] = new SideWriter(path));
    } catch (error) {
      throw describeWriteError(error, path);
    }
  }

  #write(side: SideWriter, held: boolean, ids: TokenArray): void {
    const counts = this.#counts.subarray(held ? this.#options.vocabularySize : 0);
    for (let i = 0; i < ids.length; i++) counts[ids[i]]++;
    try {
      side.write(ids);
    } catch (error) {
      throw describeWriteError(error, side.path);
    }
  }

  /** Ends the shard. */
  async finish(): Promise<void> {
    if (this.#tokens === 0) return;
    const { folder } = this.#options;
    const number = this.notes.length;
    const sides: { train?: SideNote; validation?: SideNote } = {};
    try {
      for (const side of SIDES) {
        const writer = this.#sides[side];
        if (writer !== undefined) sides[side] = await writer.finish(join(folder, namesOf(side, number).list));
      }
      this.#sides = {};
      const counts = new Uint8Array(this.#counts.buffer);
      await writeSynced(join(folder, noteName(number, 'counts')), counts);
      const note: ShardNote = { ...sides, counts: sha256(counts) };
      await writeAtomic(join(folder, noteName(number, 'json')), JSON.stringify(note));
      this.notes.push(note);
      this.#counts = new Float64Array(2 * this.#options.vocabularySize);
    } catch (error) {
      throw describeWriteError(error, folder);
    }
  }

  /** Gives up what is not finished. */
  abandon(): void {
    for (const side of SIDES) {
      const writer = this.#sides[side];
      writer?.close();
      if (writer !== undefined) rmSync(writer.path, { force: true });
    }
    this.#sides = {};
  }
}
