/** Figures that are drawn without a browser: what stands in them, in every kind of file. */
import { describe, expect, it } from 'vitest';
import { inflateSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { THEMES } from '../../../preload/charts/draw/themes.ts';
import { plainBoard } from '../../../preload/charts/board/plainBoard.ts';
import { defaultState } from '../../../preload/charts/board/boardState.ts';
import { MetricCatalog } from '../../../preload/shared/metrics.ts';
import { drawPlot, figureFile } from '../../../main/lab/figures/index.ts';
import { fontRules, measureText, scriptOf, scriptsOf, trueType } from '../../../main/lab/figures/fonts.ts';
import { runPlot } from '../../../main/lab/figures/runPlot.ts';
import type { RunPlotOptions } from '../../../main/lab/figures/runPlot.ts';
import type { Store } from '../../../main/store/index.ts';
import { randomNumbers } from '../exchange/randomRuns.ts';
import { storeInFolder } from '../exchange/storeInFolder.ts';

let store: Store;
storeInFolder((made) => ({ store } = made));

const random = randomNumbers(Number(process.env.SWEEPLAB_TEST_SEED ?? 7));

/** Two depths of three seeds; the last seed of each ends earlier, and its steps lie between those of the others. */
async function sweep(): Promise<void> {
  const planned = [2, 4].flatMap((depth) =>
    [1, 2, 3].map((seed) => ({
      name: `d${depth} s${seed}`,
      config: { 'model.depth': depth, seed },
      seed,
      settingKey: `d${depth}`,
    })),
  );
  const { runs } = store.createSweep({ name: 'depth Глубина', spec: {} }, planned);
  for (const { id, seed, config } of runs) {
    store.setRunState(id, 'running');
    const steps = Float64Array.from({ length: seed === 3 ? 5 : 9 }, (_, i) => 10 * i + (seed === 3 ? 5 : 0));
    const values = steps.map((step) => Number(config['model.depth']) + Math.exp(-step / 30) + 0.01 * random());
    await store.appendMetrics(id, [
      { metric: 'val/loss', steps, values },
      { metric: 'tokens', steps, values: steps.map((step) => 64 * step) },
    ]);
    store.setRunState(id, 'finished');
  }
}

const options = (more: Partial<RunPlotOptions> = {}): RunPlotOptions => ({
  metrics: ['val/loss'],
  x: 'tokens',
  singles: true,
  surface: 'light',
  catalog: new MetricCatalog([]),
  state: defaultState(),
  sweepName: () => undefined,
  ...more,
});

const rowsOf = (csv: string): Record<string, string>[] => {
  const [head, ...rows] = csv.trim().split(/\r?\n/u);
  return rows.map((row) => Object.fromEntries(head.split(',').map((name, i) => [name, row.split(',')[i]])));
};

describe('a plot of runs', () => {
  it('has a mean per setting over x of its own runs, never beyond the end of one (would catch a value that is held)', async () => {
    await sweep();
    const plot = runPlot(store, store.listRuns(), options());
    const means = rowsOf(plot.csv()).filter(({ line }) => line === 'depth 2');
    const at = (x: number) => means.find(({ tokens }) => Number(tokens) === x);
    // Between the first and the last step of the third seed, by interpolation; before and behind them it is not there.
    expect(at(0)?.n).toBe('2');
    expect(at(64 * 10)?.n).toBe('3');
    expect(at(64 * 80)?.n).toBe('2');
    const values = (runs: number[]) => runs.map((seed) => valueAt(seed, 10));
    const expected = values([1, 2, 3]).reduce((a, b) => a + b) / 3;
    expect(Number(at(64 * 10)!['val/loss'])).toBeCloseTo(expected, 12);
  });

  const valueAt = (seed: number, step: number): number => {
    const run = store.listRuns().find((each) => each.seed === seed && each.config['model.depth'] === 2)!;
    const points = store.readAll(run.id, 'val/loss');
    const i = points.step.indexOf(step);
    return i >= 0
      ? points.value[i]
      : (points.value[points.step.indexOf(step - 5)] + points.value[points.step.indexOf(step + 5)]) / 2;
  };

  it('draws single runs faintly, names means alone, and says both (would catch a legend of every run)', async () => {
    await sweep();
    const plot = runPlot(store, store.listRuns(), options());
    expect(plot.legend.map(({ label }) => label)).toEqual(['depth 2', 'depth 4']);
    expect(plot.notes.join('\n')).toContain('faint: single runs');
    const lines = new Set(rowsOf(plot.csv()).map(({ line }) => line));
    expect([...lines].filter((line) => line.includes('seed'))).toHaveLength(6);
    const { svg } = drawPlot(plot);
    expect(svg.match(/stroke-opacity="0.3"/gu)).toHaveLength(6);
    const alone = drawPlot(runPlot(store, store.listRuns(), options({ singles: false }))).svg;
    expect(alone).not.toContain('stroke-opacity="0.3"');
  });

  it('names the values of a setting where lines share their colours (would catch a legend that tells nothing apart)', async () => {
    await sweep();
    const state = { ...defaultState(), groupBy: 'none', colorBy: 'model.depth' };
    expect(runPlot(store, store.listRuns(), options({ state })).legend.map(({ label }) => label)).toEqual([
      'depth 2',
      'depth 4',
    ]);
  });

  it('shows a part of x, to the end where only one side is said', async () => {
    await sweep();
    const { svg } = drawPlot(runPlot(store, store.listRuns(), options({ x: 'step', range: { min: 41 } })));
    expect(svg).toContain('>50<');
    expect(svg).toContain('>80<');
    expect(svg).not.toContain('>40<');
  });

  it('is the same drawing as the board of the app would give (would catch a second way to group and colour)', async () => {
    await sweep();
    const runs = store.listRuns();
    const board = plainBoard(runs, options());
    expect(board.groups.map(({ label, color }) => ({ label, color }))).toEqual(
      runPlot(store, runs, options()).legend.map(({ label, color }) => ({ label, color })),
    );
  });
});

describe('files of figures', () => {
  it('are an SVG with its font, as wide as the paper', async () => {
    await sweep();
    const figure = drawPlot(runPlot(store, store.listRuns(), options()), 85);
    const text = Buffer.from(await figureFile('svg', figure)).toString();
    expect(text).toMatch(/^<svg[^>]* width="85mm" height="[\d.]+mm" viewBox/u);
    expect(text).toContain("@font-face{font-family:'Inter Variable'");
    expect(text).not.toMatch(/class="zr|pointer-events|https?:\/\/(?!www\.w3\.org)/u);
  });

  it('are a PNG of 300 dots per inch of paper', async () => {
    await sweep();
    const bytes = Buffer.from(await figureFile('png', drawPlot(runPlot(store, store.listRuns(), options()), 85)));
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(bytes.readUInt32BE(16)).toBe(Math.round((85 / 25.4) * 300));
    expect(bytes.toString('latin1')).toContain('pHYs');
  });

  it('are a PDF of that size with all fonts in it, and its text as text (would catch outlines, and fonts of the reader)', async () => {
    await sweep();
    const drawn = { ...runPlot(store, store.listRuns(), options()), title: 'Глубина ≤ 3, Δ' };
    const pdf = Buffer.from(await figureFile('pdf', drawPlot(drawn, 178))).toString('latin1');
    expect(pdf).toMatch(/^%PDF-/u);
    const [, width] = /\/MediaBox \[0 0 ([\d.]+) [\d.]+\]/u.exec(pdf)!;
    expect(Number(width)).toBeCloseTo((178 / 25.4) * 72, 1);
    const fonts = pdf.match(/\/BaseFont \/[A-Z]+\+Inter/gu) ?? [];
    // Latin in two weights, Cyrillic and Greek.
    expect(new Set(fonts).size).toBeGreaterThan(0);
    expect(pdf.match(/\/FontFile[23] /gu)!.length).toBeGreaterThanOrEqual(4);
    expect(pdf).not.toContain('/BaseFont /Helvetica');
    expect(contentOf(pdf)).toContain('BT');
  });

  const contentOf = (pdf: string): string =>
    [...pdf.matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/gu)]
      .map(([, stream]) => {
        try {
          return inflateSync(Buffer.from(stream, 'latin1')).toString('latin1');
        } catch {
          return '';
        }
      })
      .join('\n');
});

describe('fonts', () => {
  it('are unpacked whole: every table where the head says, as long as it says', () => {
    const font = trueType('latin', 400);
    expect(font.readUInt32BE(0)).toBe(0x00010000);
    const tags = Array.from({ length: font.readUInt16BE(4) }, (_, i) => {
      const entry = 12 + 16 * i;
      const [at, length] = [font.readUInt32BE(entry + 8), font.readUInt32BE(entry + 12)];
      expect(at % 4).toBe(0);
      expect(at + length).toBeLessThanOrEqual(font.length);
      return font.subarray(entry, entry + 4).toString();
    });
    expect(tags).toEqual(expect.arrayContaining(['cmap', 'glyf', 'head', 'hmtx', 'loca', 'maxp']));
  });

  it('are of the scripts that a text has', () => {
    expect(scriptsOf('loss ± 0.1')).toEqual(['latin']);
    expect(scriptsOf('Δ и ő')).toEqual(['latin', 'latin-ext', 'greek', 'cyrillic']);
    expect(scriptOf('語')).toBe('latin');
    expect(fontRules('Δ')).toContain('unicode-range:U+394');
  });

  it('measure as they are set: twice as large is twice as wide, and i is no w', () => {
    expect(measureText('wide', 24)).toBeCloseTo(2 * measureText('wide', 12), 9);
    expect(measureText('iiii')).toBeLessThan(measureText('wwww') / 2);
    expect(measureText('wide', 12, 600)).toBeGreaterThan(measureText('wide', 12));
  });
});

it('themes are the tokens of the interface (would catch a colour that was changed in one of the two)', () => {
  const css = readFileSync(new URL('../../../renderer/tokens/tokens.css', import.meta.url), 'utf8');
  const [light, dark] = [
    css.slice(0, css.indexOf("[data-theme='dark']")),
    css.slice(css.indexOf("[data-theme='dark']")),
  ];
  for (const [theme, text] of [
    [THEMES.light, light],
    [THEMES.dark, dark],
  ] as const)
    for (const [key, token] of [
      ['surface', 'surface-1'],
      ['line', 'line'],
      ['text', 'text'],
      ['muted', 'text-muted'],
      ['accent', 'accent'],
      ['bad', 'bad'],
    ] as const)
      expect(theme[key]).toBe(new RegExp(`--${token}: (#\\w+);`, 'u').exec(text)?.[1]);
});
