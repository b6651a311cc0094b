/** Inter, the font of the interface, for figures: as files, and measured, without a browser. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { PDFDocument } from 'pdfkit';
import type { EmbeddedFont } from 'pdfkit';
import { echarts } from '../../../preload/charts/draw/echarts.ts';

const require = createRequire(import.meta.url);
const BY_WEIGHT = join(dirname(require.resolve('@fontsource/inter/package.json')), 'files');
const VARIABLE = join(dirname(require.resolve('@fontsource-variable/inter/package.json')), 'files');

/** The files of a font are by script; the first that has a letter draws it. */
export const SCRIPTS = ['latin', 'latin-ext', 'greek', 'greek-ext', 'cyrillic', 'cyrillic-ext', 'vietnamese'] as const;
export type Script = (typeof SCRIPTS)[number];
export type Weight = 400 | 600;
export const WEIGHTS: readonly Weight[] = [400, 600];

const unpacked = new Map<string, Buffer>();

/** One of its files as TrueType. */
export function trueType(script: Script, weight: Weight): Buffer {
  const name = `inter-${script}-${weight}-normal.woff`;
  const known = unpacked.get(name);
  if (known !== undefined) return known;
  const font = withoutPacking(readFileSync(join(BY_WEIGHT, name)));
  unpacked.set(name, font);
  return font;
}

/** WOFF 1.0 (https://www.w3.org/TR/WOFF/): the tables of a font, each packed by zlib where that makes it smaller. */
function withoutPacking(woff: Buffer): Buffer {
  const count = woff.readUInt16BE(12);
  const tables = Array.from({ length: count }, (_, i) => {
    const entry = 44 + 20 * i;
    const [from, packed, length] = [4, 8, 12].map((at) => woff.readUInt32BE(entry + at));
    const bytes = woff.subarray(from, from + packed);
    return {
      tag: woff.subarray(entry, entry + 4),
      sum: woff.readUInt32BE(entry + 16),
      bytes: packed < length ? inflateSync(bytes) : bytes,
    };
  });
  const head = Buffer.alloc(12 + 16 * count);
  woff.copy(head, 0, 4, 8);
  head.writeUInt16BE(count, 4);
  const power = Math.floor(Math.log2(count));
  head.writeUInt16BE(16 * 2 ** power, 6);
  head.writeUInt16BE(power, 8);
  head.writeUInt16BE(16 * (count - 2 ** power), 10);
  let at = head.length;
  const parts: Buffer[] = [head];
  for (const [i, { tag, sum, bytes }] of tables.entries()) {
    const entry = 12 + 16 * i;
    tag.copy(head, entry);
    head.writeUInt32BE(sum, entry + 4);
    head.writeUInt32BE(at, entry + 8);
    head.writeUInt32BE(bytes.length, entry + 12);
    // Each begins at a multiple of four.
    const padding = -bytes.length & 3;
    parts.push(bytes, Buffer.alloc(padding));
    at += bytes.length + padding;
  }
  return Buffer.concat(parts);
}

/** A rule with the font in it, for SVG and HTML that open anywhere; of the scripts that the text needs. */
export function fontRules(text: string): string {
  return scriptsOf(text)
    .map((script) => {
      const file = readFileSync(join(VARIABLE, `inter-${script}-wght-normal.woff2`));
      const range = script === 'latin' ? '' : `unicode-range:${rangesOf(script, text)};`;
      return `@font-face{font-family:'Inter Variable';font-weight:100 900;${range}src:url(data:font/woff2;base64,${file.toString('base64')}) format('woff2')}`;
    })
    .join('');
}

/** The letters of a text that this script's file draws. */
const rangesOf = (script: Script, text: string): string =>
  lettersOf(text)
    .filter((letter) => scriptOf(letter) === script)
    .map((letter) => `U+${letter.codePointAt(0)!.toString(16)}`)
    .join(',');

const lettersOf = (text: string): string[] => [...new Set(text)];

/** Scripts of which a text has letters; Latin always. */
export const scriptsOf = (text: string): Script[] => {
  const found = new Set<Script>(['latin', ...lettersOf(text).map(scriptOf)]);
  return SCRIPTS.filter((script) => found.has(script));
};

const scriptOfLetter = new Map<string, Script>();

/** Whose file draws a letter; Latin, with its sign for what is missing, where none does. */
export function scriptOf(letter: string): Script {
  const known = scriptOfLetter.get(letter);
  if (known !== undefined) return known;
  const code = letter.codePointAt(0)!;
  const found = SCRIPTS.find((script) => pdfFont(script, 400).font.hasGlyphForCodePoint(code)) ?? 'latin';
  scriptOfLetter.set(letter, found);
  return found;
}

const measured = new Map<string, EmbeddedFont>();

function pdfFont(script: Script, weight: Weight): EmbeddedFont {
  const name = `${script} ${weight}`;
  const known = measured.get(name);
  if (known !== undefined) return known;
  const font = new PDFDocument({ autoFirstPage: false, font: null }).font(trueType(script, weight))._font;
  measured.set(name, font);
  return font;
}

const widths = new Map<string, number>();

/** Width of a letter of 1000 px: kerning changes a line of text by less than its distance from the next. */
function widthOf(letter: string, weight: Weight): number {
  const name = `${letter}${weight}`;
  const known = widths.get(name);
  if (known !== undefined) return known;
  const width = pdfFont(scriptOf(letter), weight).widthOfString(letter, 1000);
  widths.set(name, width);
  return width;
}

/** Width of a text in pixels. */
export function measureText(text: string, size = 12, weight: Weight = 400): number {
  let sum = 0;
  for (const letter of text) sum += widthOf(letter, weight);
  return (sum * size) / 1000;
}

/** ECharts guesses where there is no canvas. */
echarts.setPlatformAPI({
  measureText: (text: string, font = '12px') => ({
    width: measureText(text, Number(/([\d.]+)px/u.exec(font)?.[1] ?? 12), /\b(?:600|bold)\b/u.test(font) ? 600 : 400),
  }),
});
