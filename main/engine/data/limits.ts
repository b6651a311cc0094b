/** How much the reader takes from one file. Every refusal for a limit names it. */
import { totalmem } from 'node:os';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/**
 * Bytes of memory at the peak for each byte of text: 8 to 9 measured with tokens of bytes over many short documents, 4.4 with GPT-2's and 4.7
 * with learned ones (test/long/textMemory.test.ts), and something for all else.
 */
export const MEMORY_PER_BYTE = 10;
/** Of the machine, or of the container that Sweeplab may use. */
const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity);

export const LIMITS = {
  /** Bytes that are looked at to tell what a file is. */
  head: 64 * 1024,
  /** Bytes of one row of a table, one line of JSON, one quoted field. */
  row: 256 * MiB,
  /** A quote in TSV that is not closed within so many bytes is text. */
  looseQuote: 16 * MiB,
  /** A compressed file may grow by so many times … */
  growth: 250,
  /** … once it has given so many bytes: real text never shrinks that far, archives made to fill a memory do. */
  growthFrom: 128 * MiB,
  /** Compressions inside one another (a .jsonl.gz inside a .zip are two). */
  layers: 2,
  /** Bytes of a table that has to be unpacked into memory as a whole (Parquet inside a .gz or .zip). */
  whole: GiB,
  /** Entries of a folder or archive, and folders inside one another. */
  entries: 1_000_000,
  depth: 64,
  /** Bytes of text in all: the text, its two parts and its tokens lie in memory side by side. */
  text: Math.floor(memory / MEMORY_PER_BYTE),
  /** A text is refused when more than this share of its bytes is no text … */
  undecodable: 0.01,
  /** … and there are more of them than this, or than a tenth of all. */
  undecodableFrom: 16,
} as const;

/** Sizes in messages. */
export function words(bytes: number): string {
  if (bytes >= GiB) return `${Number((bytes / GiB).toFixed(1))} GiB`;
  if (bytes >= MiB) return `${Number((bytes / MiB).toFixed(1))} MiB`;
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}
