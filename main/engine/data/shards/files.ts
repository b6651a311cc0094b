/** The files of a dataset in shards, and of one that is being prepared. */
import { join } from 'node:path';
import { hashFile, readWhole, sha256 } from '../../../files/whole.ts';
import type { DataStats } from '../../../../preload/contract/shapes.ts';
import type { FileFacts } from '../fileChecks.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';

/** What a folder among `datasets/partial` is of. */
export const PARTIAL_NOTE = 'preparing.json';

export type Side = 'train' | 'validation';
export const SIDES: readonly Side[] = ['train', 'validation'];

/** One side of a shard. */
export interface SideNote {
  readonly tokens: number;
  readonly documents: number;
  readonly textBytes: number;
  readonly ids: FileFacts;
  /** For each document its tokens and what tells it apart. */
  readonly list: FileFacts;
}

/** A finished shard. */
export interface ShardNote {
  readonly train?: SideNote;
  readonly validation?: SideNote;
  /** SHA-256 of how often each id occurs on each side. */
  readonly counts: string;
}

/** Everything that a dataset in shards is made of. */
export interface FinishedShards {
  readonly shards: readonly ShardNote[];
  readonly stats: DataStats;
  readonly tokenizer: Tokenizer;
  /** Names the tokenizer by content. */
  readonly id: string;
  readonly merges: Int32Array | null;
}

const numbered = (number: number): string => String(number).padStart(5, '0');

export const namesOf = (side: Side, shard: number): { readonly ids: string; readonly list: string } => ({
  ids: `${side}-${numbered(shard)}.bin`,
  list: `${side}-${numbered(shard)}.documents.bin`,
});

export const noteName = (shard: number, ending: 'json' | 'counts'): string => `shard-${numbered(shard)}.${ending}`;

export const documentsOf = ({ train, validation }: ShardNote): number =>
  (train?.documents ?? 0) + (validation?.documents ?? 0);

export const textOf = ({ train, validation }: ShardNote): number =>
  (train?.textBytes ?? 0) + (validation?.textBytes ?? 0);

export async function readCounts(folder: string, shard: number, { counts }: ShardNote): Promise<Float64Array | null> {
  const bytes = await readWhole(join(folder, noteName(shard, 'counts')));
  return bytes === null || sha256(bytes) !== counts ? null : new Float64Array(bytes.buffer);
}

/** Pairs of a document's tokens and what tells it apart. */
export async function readList(folder: string, side: Side, shard: number): Promise<Float64Array> {
  const bytes = await readWhole(join(folder, namesOf(side, shard).list));
  return new Float64Array(bytes!.buffer);
}

/** The shards in a folder that are finished, up to the first that is not, as their notes tell. */
export async function notedShards(folder: string): Promise<ShardNote[]> {
  const notes: ShardNote[] = [];
  for (;;) {
    const bytes = await readWhole(join(folder, noteName(notes.length, 'json')));
    if (bytes === null) return notes;
    notes.push(JSON.parse(Buffer.from(bytes).toString('utf8')) as ShardNote);
  }
}

/** The shards in a folder that are finished and whole, up to the first that is not. */
export async function finishedShards(folder: string, signal?: AbortSignal): Promise<ShardNote[]> {
  const notes: ShardNote[] = [];
  for (const note of await notedShards(folder)) {
    for (const side of SIDES) {
      const own = note[side];
      if (own === undefined) continue;
      const names = namesOf(side, notes.length);
      for (const [name, facts] of [
        [names.ids, own.ids],
        [names.list, own.list],
      ] as const)
        if ((await hashFile(join(folder, name), signal).catch(() => null))?.sha256 !== facts.sha256) return notes;
    }
    if ((await readCounts(folder, notes.length, note)) === null) return notes;
    notes.push(note);
  }
  return notes;
}
