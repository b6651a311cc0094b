/** Compressed data: which kinds there are, told by content. To add one: a file beside this one, and its line here. */
import { bzip2 } from './bzip2.ts';
import type { Compression } from './compression.ts';
import { gzip } from './gzip.ts';
import { xz } from './xz.ts';
import { zstd } from './zstd.ts';

export { CompressionError } from './compression.ts';
export type { Compression } from './compression.ts';

export const COMPRESSIONS: readonly Compression[] = [gzip, zstd, xz, bzip2];

export const compressionOf = (head: Buffer): Compression | undefined =>
  COMPRESSIONS.find(({ matches }) => matches(head));

const ENDINGS = [...COMPRESSIONS.flatMap(({ endings }) => endings), '.zip'];

/** The ending of a name that tells a compression, in lower case; '' where there is none. */
export function compressionEnding(name: string): string {
  const lower = name.toLowerCase();
  return ENDINGS.find((ending) => lower.endsWith(ending)) ?? '';
}

/** A name without the endings that tell compressions: `a.jsonl.GZ` → `a.jsonl`. */
export function withoutCompression(name: string): string {
  let short = name;
  for (let ending = compressionEnding(short); ending !== ''; ending = compressionEnding(short))
    short = short.slice(0, -ending.length);
  return short;
}
