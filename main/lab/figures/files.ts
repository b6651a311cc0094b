/** A figure as a file: SVG with its font, PNG, PDF. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { PDFDocument } from 'pdfkit';
import svgToPdf from 'svg-to-pdfkit';
import { withStyle } from '../../../preload/charts/draw/figure.ts';
import { DPI, withDensity } from '../../../preload/charts/draw/pictureSize.ts';
import { fontRules, scriptOf, SCRIPTS, trueType, WEIGHTS } from './fonts.ts';
import type { Script, Weight } from './fonts.ts';

export const FIGURE_KINDS = ['svg', 'png', 'pdf'] as const;
export type FigureKind = (typeof FIGURE_KINDS)[number];

export interface DrawnFigure {
  readonly svg: string;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** On paper; as many pixels as points when absent. */
  readonly millimetres?: number;
  readonly title: string;
}

const INCH = 25.4;
const POINTS = 72;

export async function figureFile(kind: FigureKind, figure: DrawnFigure): Promise<Uint8Array> {
  if (kind === 'svg') return Buffer.from(svgFile(figure));
  return kind === 'png' ? await pngFile(figure) : await pdfFile(figure);
}

function svgFile({ svg, width, height, millimetres }: DrawnFigure): string {
  const text = withStyle(svg, fontRules(svg));
  if (millimetres === undefined) return text;
  const high = (millimetres * height) / width;
  return text.replace(
    /^<svg([^>]*?) width="[^"]*" height="[^"]*"/u,
    (_, before: string) => `<svg${before} width="${millimetres}mm" height="${high.toFixed(2)}mm"`,
  );
}

let ready: Promise<void> | undefined;

async function pngFile({ svg, width, millimetres }: DrawnFigure): Promise<Uint8Array> {
  const wasm = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
  await (ready ??= initWasm(readFileSync(wasm)));
  const pixels = millimetres === undefined ? 2 * width : Math.round((millimetres / INCH) * DPI);
  const drawn = new Resvg(withoutMissing(svg).replaceAll(/<text[^>]*>/gu, ownFamily), {
    fitTo: { mode: 'width', value: pixels },
    font: {
      fontBuffers: SCRIPTS.flatMap((script) => WEIGHTS.map((weight) => trueType(script, weight))),
      defaultFontFamily: 'Inter',
      sansSerifFamily: 'Inter',
    },
  }).render();
  const bytes = drawn.asPng();
  drawn.free();
  return millimetres === undefined ? bytes : withDensity(bytes);
}

/** The file of bold letters names a family of its own. */
const ownFamily = (tag: string): string =>
  /font-weight(?::|=")600/u.test(tag) ? tag.replace(/(font-family(?:="|:))[^";]*/u, '$1Inter SemiBold') : tag;

/** Signs that the font of figures has not, in letters that it has. A page takes them from another font. */
const SIGNS: Readonly<Record<string, string>> = {
  '≤': '&lt;=',
  '≥': '&gt;=',
  '√': 'sqrt ',
  '→': '-&gt;',
  '←': '&lt;-',
};
const withoutMissing = (svg: string): string => svg.replaceAll(/[≤≥√→←]/gu, (sign) => SIGNS[sign]);

async function pdfFile({ svg, width, height, millimetres, title }: DrawnFigure): Promise<Uint8Array> {
  const scale = millimetres === undefined ? POINTS / 96 : (millimetres / INCH) * (POINTS / width);
  const size: [number, number] = [width * scale, height * scale];
  const document = new PDFDocument({
    size,
    margin: 0,
    // None of those that every reader brings: all that are used are in the file.
    font: null,
    info: { Title: title, Creator: 'Sweeplab' },
  });
  const pieces: Uint8Array[] = [];
  document.on('data', (piece) => pieces.push(piece));
  const ended = new Promise<void>((done) => document.on('end', done));
  for (const script of SCRIPTS)
    for (const weight of WEIGHTS) document.registerFont(`${script} ${weight}`, trueType(script, weight));
  svgToPdf(document, byScript(withoutMissing(svg)), 0, 0, {
    width: size[0],
    height: size[1],
    assumePt: false,
    fontCallback: (family: string, bold: boolean): string => fontName(family, bold ? 600 : 400),
    // No figure has pictures in it: a file that an address names is never read.
    imageCallback: () => '',
    warningCallback: () => {},
  });
  document.end();
  await ended;
  return Buffer.concat(pieces);
}

const fontName = (family: string, weight: Weight): string =>
  `${SCRIPTS.find((script) => family.includes(`script-${script}`)) ?? 'latin'} ${weight}`;

/** A PDF font draws no letters of another: each stretch of a text names the script whose file draws it. */
function byScript(svg: string): string {
  return svg.replaceAll(/(<text[^>]*>)([^<]*)(<\/text>)/gu, (whole, open: string, text: string, close: string) => {
    const stretches: { script: Script; text: string }[] = [];
    for (const letter of text) {
      const script = scriptOf(letter);
      const last = stretches.at(-1);
      if (last?.script === script) last.text += letter;
      else stretches.push({ script, text: letter });
    }
    if (stretches.every(({ script }) => script === 'latin')) return whole;
    const spans = stretches.map((each) => `<tspan font-family="script-${each.script}">${each.text}</tspan>`);
    return `${open}${spans.join('')}${close}`;
  });
}
