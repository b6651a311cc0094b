/**
 * What a writer that can write no more (the disk is full) still says of its runs: in a file beside the database, `<database>.last`, whose
 * space is taken while there is some, as writing over it takes none. Whoever looks next, reader or writer, tells the runs' ends by it; a
 * session names itself by a UUID, so that words of an earlier one are of nobody.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { StopCause } from '../../preload/contract/runs.ts';

export interface LastWord {
  readonly id: string;
  readonly cause: StopCause;
  readonly reason: string;
}

export interface LastWords {
  readonly session: string;
  /** When they were said, milliseconds. */
  readonly at: number;
  readonly runs: readonly LastWord[];
}

const BYTES = 16_384;
const NOTHING: LastWords = { session: '', at: 0, runs: [] };
const fileOf = (database: string): string => `${database}.last`;

/** Takes the space for them. A disk that has none now may have it at the next start. */
export function reserveLastWords(database: string): void {
  try {
    const file = openSync(fileOf(database), 'a+', 0o600);
    try {
      const { length } = readFileSync(file);
      if (length < BYTES) writeSync(file, Buffer.alloc(BYTES - length, ' '));
    } finally {
      closeSync(file);
    }
  } catch {
    // Without it the end of a run is told as that of any whose process is gone.
  }
}

/** @returns whether they are kept. Runs beyond the space are left out. */
export function leaveLastWords(database: string, words: LastWords): boolean {
  for (let { length } = words.runs; length > 0; length = Math.floor(length / 2)) {
    const text = Buffer.from(JSON.stringify({ ...words, runs: words.runs.slice(0, length) }));
    if (text.length > BYTES) continue;
    try {
      const file = openSync(fileOf(database), 'r+');
      try {
        writeSync(file, Buffer.concat([text, Buffer.alloc(BYTES - text.length, ' ')]), 0, BYTES, 0);
        fsyncSync(file);
        return true;
      } finally {
        closeSync(file);
      }
    } catch {
      return false;
    }
  }
  return false;
}

export function readLastWords(database: string): LastWords {
  try {
    const words = JSON.parse(readFileSync(fileOf(database), 'utf8')) as LastWords;
    return typeof words.session === 'string' && Array.isArray(words.runs) ? words : NOTHING;
  } catch {
    return NOTHING;
  }
}
