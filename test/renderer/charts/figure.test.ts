import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { layoutFigure, panelSize, svgOfFigure, withStyle } from '../../../preload/charts/draw/figure.ts';
import { onPaper, SCREEN, withDensity } from '../../../preload/charts/draw/pictureSize.ts';
import type { Figure } from '../../../preload/charts/draw/figure.ts';

const theme = {
  surface: '#fff',
  line: '#eee',
  text: '#333',
  muted: '#777',
  accent: '#00f',
  bad: '#b91c1c',
  font: '"Inter Variable", sans-serif',
};
const figure = (parts: number, legend: number): Figure => ({
  title: 'val/loss <nats> & more',
  parts: Array.from({ length: parts }, (_, i) => ({
    title: parts === 1 ? '' : `depth ${i}`,
    picture: new Blob([]),
    width: 300,
    height: 200,
  })),
  legend: Array.from({ length: legend }, (_, i) => ({ label: `width ${i}`, color: '#123456' })),
  notes: [],
  theme,
});
const measure = (text: string): number => 7 * text.length;

describe('a chart in a file', () => {
  it('places no panel over another, nor the legend over a panel or beyond the edge', () => {
    const layout = layoutFigure(figure(5, 9), measure);
    const boxes = layout.places.map(({ x, y }) => ({ x, y, right: x + 300, bottom: y + 200 }));
    for (const [i, a] of boxes.entries())
      for (const b of boxes.slice(i + 1))
        expect(a.right <= b.x || b.right <= a.x || a.bottom <= b.y || b.bottom <= a.y).toBe(true);
    const lowest = Math.max(...boxes.map(({ bottom }) => bottom));
    for (const { x, y } of layout.swatches) {
      expect(y).toBeGreaterThanOrEqual(lowest);
      expect(y + 10).toBeLessThan(layout.height);
      expect(x + 16 + measure('width 0')).toBeLessThanOrEqual(layout.width);
    }
  });
  it('names at most 40 lines and says how many more there are', () => {
    const { swatches, texts } = layoutFigure(figure(1, 45), measure);
    expect(swatches).toHaveLength(40);
    expect(texts.at(-1)?.text).toBe('and 5 more lines');
  });
  it('breaks the swatch of a broken line (catches two groups of one colour that a picture cannot tell apart)', () => {
    const legend = [
      { label: 'a', color: '#111' },
      { label: 'b', color: '#111', dash: 1 },
    ];
    const { swatches } = layoutFigure({ ...figure(1, 0), legend }, measure);
    expect(swatches.map(({ width }) => width)).toEqual([10, 4, 4]);
    expect(swatches[2].x - swatches[1].x).toBe(6);
    expect(svgOfFigure(layoutFigure({ ...figure(1, 0), legend }, measure), [], theme)).toContain(
      'width="4" height="10"',
    );
  });
  it('carries rules before its parts, and is otherwise as it was (would catch a font that is inside a panel alone)', () => {
    const svg = '<?xml version="1.0"?><svg width="9" height="9"><rect width="9"/><svg x="1"></svg></svg>';
    expect(withStyle(svg, '@font-face{}')).toBe(
      '<?xml version="1.0"?><svg width="9" height="9"><style>@font-face{}</style><rect width="9"/><svg x="1"></svg></svg>',
    );
  });
  it('is one well-formed SVG: names are escaped, panels keep their own drawing at their places', () => {
    const layout = layoutFigure(figure(2, 1), measure);
    const svg = svgOfFigure(
      layout,
      ['<?xml version="1.0"?><svg width="300"><g id="a"/></svg>', '<svg width="300"/>'],
      theme,
    );
    expect(svg).toContain('val/loss &lt;nats&gt; &amp; more');
    expect(svg).not.toContain('<?xml');
    expect(svg).toContain(`<svg x="${layout.places[1].x}" y="${layout.places[1].y}" width="300"/>`);
    expect(svg).toContain('font-family="&quot;Inter Variable&quot;, sans-serif"');
  });
});

describe('a picture for paper', () => {
  const column = onPaper(85);
  it('is as wide as a column, and so are its panels and words (would catch a note that runs out of the picture)', () => {
    expect(Math.round(column.width! * column.scale)).toBe(1004);
    expect(panelSize({ width: 1400, height: 300 }, column)).toEqual({ width: 297, height: 134, scale: 3.125 });
    const panel = panelSize({ width: 300, height: 900 }, column, 4);
    expect(panel).toEqual({ width: 297, height: 223, scale: 3.125 });
    expect(panelSize({ width: 300, height: 200 }, onPaper(178), 4).width).toBe(216);
    const drawn = figure(4, 3);
    const wordy = {
      ...drawn,
      title: 'val/loss, train/loss, train/accuracy and tokens_per_second of a chart with a long name',
      parts: drawn.parts.map((part) => ({ ...part, ...panel })),
      legend: [{ label: 'depth 4, width 128, heads 4, optimizer muon and a learning rate of 0.001', color: '#111' }],
      notes: ['lines: means, bands: ± sample standard deviation (n − 1), N 3, smoothed as an exponential average'],
      width: column.width!,
    };
    const layout = layoutFigure(wordy, measure);
    expect(layout.width).toBe(column.width);
    expect(new Set(layout.places.map(({ x }) => x)).size).toBe(1);
    for (const { x, text, size } of layout.texts)
      expect(x + (measure(text) * size) / 12, text).toBeLessThanOrEqual(layout.width);
    expect(Math.max(...layout.texts.map(({ y }) => y))).toBeLessThan(layout.height);
    expect(new Set(layout.texts.map(({ x, y }) => `${x} ${y}`)).size).toBe(layout.texts.length);
  });
  it('is on the screen as it was', () => {
    expect(panelSize({ width: 640, height: 210 }, SCREEN, 3)).toEqual({ width: 640, height: 210, scale: 2 });
  });
  it('says its density in a chunk of its own behind the header (would catch a file that programs take for another size)', async () => {
    const png = Uint8Array.from({ length: 60 }, (_, i) => i);
    const bytes = Buffer.from(withDensity(png));
    expect(Buffer.concat([bytes.subarray(0, 33), bytes.subarray(54)])).toEqual(Buffer.from(png));
    expect(bytes.readUInt32BE(33)).toBe(9);
    expect(bytes.subarray(37, 41).toString()).toBe('pHYs');
    expect([bytes.readUInt32BE(41), bytes.readUInt32BE(45), bytes[49]]).toEqual([11811, 11811, 1]);
    expect(bytes.readUInt32BE(50)).toBe(crc32(bytes.subarray(37, 50)));
  });
});
