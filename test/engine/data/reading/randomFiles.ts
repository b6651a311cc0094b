/**
 * Random texts in random files: what was put in is what must come out, whatever format, encoding, line ends, compression and container
 * it went through. The writers are those of other programs or written out here; none shares code with the reader.
 */
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import Papa from 'papaparse';
import type { Config } from '../../../../preload/contract/settings.ts';
import { hasTool } from './helpers.ts';
import type { Dice } from './helpers.ts';
import { zipOf } from './zipOf.ts';

export interface RandomFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly settings: Config;
  /** In short, for the message of a failure. */
  readonly made: string;
}

const WORDS = [
  'the',
  'naïve',
  '東京',
  '🦊',
  'a,b',
  'say "hi"',
  '"',
  '""',
  'x;y',
  '|',
  '\\',
  '\\n',
  'NaN',
  'null',
  '{',
  '[1]',
];
const ODD = [
  '\u2028',
  '\u0085',
  '\v',
  '\f',
  '\u00a0',
  '\u200b',
  '5"',
  "it's",
  '#',
  '--',
  '\x1c',
  '=1+1',
  '\ufffd',
  'é\u0301',
];

/** A text without blank lines that does not begin or end with one, so that every separator can part it from others. */
export function randomText(dice: Dice): string {
  const word = () =>
    dice.below(3) > 0
      ? dice.list(1 + dice.below(6), () => dice.of([...'abcdefgh'])).join('')
      : dice.of([...WORDS, ...ODD]);
  const line = () => dice.list(1 + dice.below(7), word).join(dice.of([' ', ' ', '  ', '\t']));
  return dice.list(1 + dice.below(4), line).join('\n');
}

function utf32(text: string, bigEndian: boolean): Buffer {
  const points = [...text].map((character) => character.codePointAt(0)!);
  const out = Buffer.alloc(4 * points.length);
  points.forEach((point, i) => (bigEndian ? out.writeUInt32BE(point, 4 * i) : out.writeUInt32LE(point, 4 * i)));
  return out;
}

const MARK = '\ufeff';
const ENCODINGS: Readonly<Record<string, (text: string) => Buffer>> = {
  'utf-8': (text) => Buffer.from(text),
  'utf-8 with a mark': (text) => Buffer.from(MARK + text),
  'utf-16le': (text) => Buffer.from(MARK + text, 'utf16le'),
  'utf-16be': (text) => Buffer.from(MARK + text, 'utf16le').swap16(),
  'utf-32le': (text) => utf32(MARK + text, false),
  'utf-32be': (text) => utf32(MARK + text, true),
};

const tool =
  (name: string) =>
  (input: Buffer): Buffer =>
    execFileSync(name, ['-c'], { input, maxBuffer: 1 << 28 });
const PACKERS: readonly (readonly [ending: string, pack: (bytes: Buffer) => Buffer])[] = [
  ['.gz', gzipSync],
  ['.zst', zstdCompressSync],
];
/** Each call starts a process: they take their turn less often. */
const TOOLS: typeof PACKERS = (['xz', 'bzip2'] as const)
  .filter(hasTool)
  .map((name) => [name === 'xz' ? '.xz' : '.bz2', tool(name)]);

type Written = readonly [ending: string, text: string, settings: Config];

function plain(dice: Dice, documents: readonly string[]): Written {
  const separator = dice.of(['\n\n', '\n<|endoftext|>\n', '<|e|>', '\n%%\n', '\u2029']);
  const text = documents.join(separator) + dice.of(separator === '\n\n' ? ['', '\n', '\n\n \n'] : ['']);
  return [
    '.txt',
    dice.of(['\n', '\n', '\r\n', '\r']) === '\n' ? text : withLineEnds(dice, text),
    { 'data.separator': separator },
  ];
}

const withLineEnds = (dice: Dice, text: string): string => text.replaceAll('\n', dice.of(['\r\n', '\r']));

/** A row of JSON with the text at a place that may lie inside of others, and fields that Python writes and JSON has not. */
function jsonRow(dice: Dice, path: readonly string[], document: string): string {
  const own = path.reduceRight<unknown>((inner, name) => ({ [name]: inner, n: 1 }), document);
  const others = { id: dice.of(['NaN', 'x "NaN"', '@bare', '@minus', 7]), tags: [{ text: 'no' }] };
  return JSON.stringify(dice.below(2) === 0 ? { ...others, ...(own as object) } : { ...(own as object), ...others })
    .replace('"@bare"', 'NaN')
    .replace('"@minus"', '-Infinity');
}

function json(dice: Dice, documents: readonly string[]): Written {
  const path = dice.of([['text'], ['body'], ['meta', 'title'], ['a', 'b', 'c']]);
  const rows = documents.map((document) => jsonRow(dice, path, document));
  const settings = { 'data.column': path.join('.') };
  const end = dice.of(['\n', '\r\n']);
  if (dice.below(2) === 0)
    return [dice.of(['.jsonl', '.ndjson']), rows.join(end) + dice.of(['', end, end + end]), settings];
  return ['.json', dice.of([`[${rows.join(', ')}]`, `{"version": 1, "data": [${rows.join(`,${end}  `)}]}`]), settings];
}

function table(dice: Dice, documents: readonly string[]): Written {
  const named = dice.of(['', ';', '|', '\u001f']);
  // In a TSV, lines inside a field that hold as many delimiters as a row does are taken for rows: such texts go into a CSV.
  const clear = documents.every(
    (document) => !document.includes('\n') || !document.includes(named === '' ? '\t' : named),
  );
  const tabs = clear && dice.below(3) === 0;
  const delimiter = named === '' ? (tabs ? '\t' : ',') : named;
  const width = 1 + dice.below(4);
  const column = dice.below(width);
  const header = dice.list(width, (i) => (i === column ? 'text' : `c${i}`));
  const other = () => (tabs ? randomText(dice).replaceAll('\n', ' ') : randomText(dice));
  const rows = documents.map((document, row) =>
    header.map((_, i) => (i === column ? document : i === 0 ? `row ${row}` : other())),
  );
  const text = Papa.unparse([header, ...rows], {
    delimiter,
    newline: dice.of(['\n', '\r\n']),
    quotes: width === 1 || dice.below(2) === 0,
  });
  return [
    tabs ? '.tsv' : '.csv',
    text,
    { 'data.column': 'text', ...(named === '' ? {} : { 'data.delimiter': named }) },
  ];
}

/** A file that holds the documents. */
export function randomFile(dice: Dice, name: string, documents: readonly string[]): RandomFile {
  const [ending, text, settings] = dice.of([plain, json, table])(dice, documents);
  const encoding = dice.of(Object.keys(ENCODINGS));
  let bytes = ENCODINGS[encoding](text);
  let full = `${name}${ending}`;
  let made = `${ending} ${encoding}`;
  if (dice.below(3) > 0) {
    const [packed, pack] = dice.of(dice.below(10) === 0 && TOOLS.length > 0 ? TOOLS : PACKERS);
    // Several members, cut anywhere.
    const cut = dice.below(2) === 0 ? bytes.length : dice.below(bytes.length);
    bytes = Buffer.concat([pack(bytes.subarray(0, cut)), ...(cut < bytes.length ? [pack(bytes.subarray(cut))] : [])]);
    full += dice.of([packed, packed.toUpperCase(), '']);
    made += ` ${packed}`;
  }
  if (dice.below(5) === 0) {
    bytes = zipOf([[basename(full), bytes, dice.of([0, 8, 93])]]);
    full += '.zip';
    made += ' .zip';
  }
  return { name: full, bytes, settings, made };
}
