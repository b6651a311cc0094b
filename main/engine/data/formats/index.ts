/** The formats of text. To add one: a file beside this one, and its line here. */
import { basename } from 'node:path';
import { csv, tsv } from './csv.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { jsonl } from './jsonl.ts';
import { parquet } from './parquet.ts';
import { text } from './text.ts';
import { isTokenShard, tokens } from './tokens.ts';

export type { Format, FormatInput, RandomAccess } from './format.ts';

const FORMATS: readonly Format[] = [text, jsonl, json, csv, tsv, parquet, tokens];

/** Values of `data.format`. */
export const FORMAT_NAMES: readonly string[] = ['auto', ...FORMATS.map(({ name }) => name)];

export const formatNamed = (name: string): Format | undefined => FORMATS.find((format) => format.name === name);

/** The format that a name's ending tells; compressions come off before. Undefined for endings that tell none. */
export function formatOfName(name: string): Format | undefined {
  const lower = name.toLowerCase();
  const named = FORMATS.find(({ extensions }) => extensions.some((extension) => lower.endsWith(extension)));
  return named ?? FORMATS.find(({ names }) => names?.test(basename(lower)) === true);
}

export const EXTENSIONS: readonly string[] = FORMATS.flatMap(({ extensions }) => extensions);
export { isTokenShard, parquet, text, tokens };
