import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ramp, viridis } from '../../../preload/charts/color/palette.ts';
import type { Surface } from '../../../preload/charts/color/palette.ts';
import { colorScale } from '../../../preload/charts/color/scale.ts';
import { aligned, formatTick, ticksAt, ticksOf } from '../../../preload/charts/format.ts';
import type { TickRange } from '../../../preload/charts/format.ts';
import { DASHES } from '../../../preload/charts/draw/curveItems.ts';
import { CATEGORICAL, categorical, cycleOf } from '../../../preload/charts/color/categorical.ts';

const SURFACES: Record<Surface, string[]> = { light: ['#ffffff', '#f6f7f9'], dark: ['#161920', '#0f1115'] };
type Rgb = readonly [number, number, number];
/** Linear light, 0 … 1 (IEC 61966-2-1). */
const linear = (hex: string): Rgb =>
  [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
const luminance = ([r, g, b]: Rgb): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (a: string, b: string): number => {
  const [low, high] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
/** CIE L*a*b* (D65) of linear light. */
function lab([r, g, b]: Rgb): Rgb {
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (t * (24389 / 27) + 16) / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
/** Full dichromacy: Machado, Oliveira and Fernandes (2009), severity 1. */
const SIGHT: Record<string, readonly Rgb[]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const seen = (hex: string, matrix: readonly Rgb[]): Rgb => {
  const c = linear(hex);
  return lab(
    matrix.map((row) => Math.min(1, Math.max(0, row[0] * c[0] + row[1] * c[1] + row[2] * c[2]))) as unknown as Rgb,
  );
};

const degrees = (angle: number): number => ((angle * 180) / Math.PI + 360) % 360;
const cos = (angle: number): number => Math.cos((angle * Math.PI) / 180);
/** CIEDE2000 (Sharma, Wu and Dalal 2005), with all weights 1. */
function difference([l1, a1, b1]: Rgb, [l2, a2, b2]: Rgb): number {
  const seventh = (c: number): number => Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7));
  const g = 1.5 - 0.5 * seventh((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2);
  const [c1, c2] = [Math.hypot(g * a1, b1), Math.hypot(g * a2, b2)];
  const [h1, h2] = [degrees(Math.atan2(b1, g * a1)), degrees(Math.atan2(b2, g * a2))];
  const turn = c1 * c2 === 0 ? 0 : ((h2 - h1 + 540) % 360) - 180;
  const h = c1 * c2 === 0 ? h1 + h2 : (h1 + turn / 2 + 360) % 360;
  const [l, c] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const t = 1 - 0.17 * cos(h - 30) + 0.24 * cos(2 * h) + 0.32 * cos(3 * h + 6) - 0.2 * cos(4 * h - 63);
  const dl = (l2 - l1) / (1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2));
  const dc = (c2 - c1) / (1 + 0.045 * c);
  const dh = (2 * Math.sqrt(c1 * c2) * Math.sin((turn * Math.PI) / 360)) / (1 + 0.015 * c * t);
  const rotation = -2 * seventh(c) * Math.sin((Math.PI / 3) * Math.exp(-(((h - 275) / 25) ** 2)));
  return Math.sqrt(dl ** 2 + dc ** 2 + dh ** 2 + rotation * dc * dh);
}

describe('CIEDE2000', () => {
  // Sharma, Wu and Dalal (2005), table 1: pairs that tell wrong mean hues, signs and the rotation term apart.
  it.each<[Rgb, Rgb, number]>([
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, -1.3802, -84.2814], [50, 0, -82.7485], 1],
    [[50, 2.49, -0.001], [50, -2.49, 0.0009], 7.1792],
    [[50, 2.49, -0.001], [50, -2.49, 0.0011], 7.2195],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619], 2.0373],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ])('of %j and %j is as published', (a, b, expected) => expect(difference(a, b)).toBeCloseTo(expected, 4));
});

it('a group keeps its hue when the surface changes (would catch slate that becomes taupe)', () => {
  const hue = (hex: string): number => {
    const [, a, b] = lab(linear(hex));
    return degrees(Math.atan2(b, a));
  };
  CATEGORICAL.light.forEach((color, i) => {
    const turn = Math.abs(((hue(color) - hue(CATEGORICAL.dark[i]) + 540) % 360) - 180);
    expect(turn, `${i}`).toBeLessThan(20);
  });
});

it('more than five lines differ in dashes too, and no two of thirty look the same', () => {
  const looks = Array.from(
    { length: 30 },
    (_, i) => `${categorical(i, 'light')} ${DASHES[cycleOf(i) % DASHES.length]}`,
  );
  expect(new Set(looks).size).toBe(30);
  expect([0, 4, 5, 9, 10].map(cycleOf)).toEqual([0, 0, 1, 1, 2]);
});

it('the page has the same colours as the charts (would catch a swatch beside a line of another colour)', () => {
  const css = readFileSync(new URL('../../../renderer/tokens/tokens.css', import.meta.url), 'utf8');
  const [light, dark] = css.split(":root[data-theme='dark']");
  const of = (text: string): string[] => [...text.matchAll(/--data-\d: (#\w{6})/gu)].map(([, color]) => color);
  expect(of(light)).toEqual(CATEGORICAL.light);
  expect(of(dark)).toEqual(CATEGORICAL.dark);
});

describe.each(['light', 'dark'] as const)('colours on the %s surface', (surface) => {
  it('every categorical colour has 3 : 1 against panel and page', () => {
    for (const color of CATEGORICAL[surface])
      for (const under of SURFACES[surface]) expect(contrast(color, under), color).toBeGreaterThanOrEqual(3);
  });
  it.each(Object.keys(SIGHT))('stay apart for %s sight: the first eight most (CIEDE2000)', (sight) => {
    const colors = CATEGORICAL[surface].map((color) => seen(color, SIGHT[sight]));
    for (let i = 0; i < colors.length; i++)
      for (let j = 0; j < i; j++)
        expect(difference(colors[i], colors[j]), `${i} ${j}`).toBeGreaterThan(i < 8 ? 13 : 10);
  });
  it('continuous scales keep their contrast over their whole length, and change steadily in lightness', () => {
    const steps = Array.from({ length: 21 }, (_, i) => i / 20);
    for (const t of steps) {
      expect(contrast(viridis(t, surface), SURFACES[surface][0]), `viridis ${t}`).toBeGreaterThanOrEqual(2);
      expect(contrast(ramp(t, surface), SURFACES[surface][0]), `ramp ${t}`).toBeGreaterThanOrEqual(2);
    }
    const light = steps.map((t) => lab(linear(viridis(t, surface)))[0]);
    for (let i = 1; i < light.length; i++) expect(light[i]).toBeGreaterThan(light[i - 1]);
  });
});

describe('colour of a value', () => {
  it('is logarithmic for learning rates and linear for depths', () => {
    expect(colorScale([1e-4, 1e-3, 1e-2]).kind).toBe('log');
    expect(colorScale([1e-4, 1e-3, 1e-2]).at(1e-3)).toBeCloseTo(0.5, 12);
    expect(colorScale([1, 2, 3, 4]).kind).toBe('linear');
    expect(colorScale([0, 10, 100]).kind).toBe('linear');
    expect(colorScale([7]).at(7)).toBe(0.5);
  });
});

describe('numbers', () => {
  it('tick labels are short and differ', () => {
    expect([2, 2.05, 2.1].map((v) => formatTick(v, 0.05))).toEqual(['2.00', '2.05', '2.10']);
    expect([1000, 1500, 2000].map((v) => formatTick(v, 500))).toEqual(['1k', '1.5k', '2k']);
    expect(formatTick(12_500, 500)).toBe('12.5k');
    expect(formatTick(-2_000_000, 1_000_000)).toBe('−2M');
    expect([1e30, 1.5e38, -2e307].map((v) => formatTick(v, 1e29))).toEqual(['1e30', '1.5e38', '−2e307']);
  });
  const labels = (range: Partial<TickRange>, count = 5): string[] =>
    ticksOf({ min: 0, max: 1, log: false, ...range }, count).map(({ label }) => label.replaceAll('\u00A0', ' '));
  it.each([
    ['losses share their decimals', { min: 3, max: 6 }, ['3.0', '3.5', '4.0', '4.5', '5.0', '5.5', '6.0']],
    ['beyond the letters comes the power of ten', { max: 4e38 }, ['0', '1e38', '2e38', '3e38', '4e38']],
    ['to the largest number', { max: 1e308 }, ['0', '2e307', '4e307', '6e307', '8e307', '1e308']],
    [
      'a small part of a large number is told apart',
      { min: 1e9, max: 1e9 + 2 },
      ['1,000,000,000.0', '1,000,000,000.5', '1,000,000,001.0', '1,000,000,001.5', '1,000,000,002.0'],
    ],
    ['shares are per cent', { max: 0.4, unit: 'share' }, ['0 %', '10 %', '20 %', '30 %', '40 %']],
    [
      'memory is binary, at round numbers of it',
      { min: 124e6, max: 126.5e6, unit: 'bytes' },
      ['118.5 MiB', '119.0 MiB', '119.5 MiB', '120.0 MiB', '120.5 MiB'],
    ],
    ['time in what it is long', { max: 5000, unit: 's' }, ['0 min', '20 min', '40 min', '60 min', '80 min']],
    ['steps are whole', { min: 39, max: 41, unit: 'step' }, ['39', '40', '41']],
    [
      'small numbers keep their zeros in one line',
      { max: 0.003 },
      ['0', '0.0005', '0.0010', '0.0015', '0.0020', '0.0025', '0.0030'],
    ],
    ['decades are written alone', { min: 1e-4, max: 1, log: true }, ['1e−4', '0.001', '0.01', '0.1', '1']],
    [
      'less than a decade has common decimals, so that no two are written alike',
      { min: 0.99999, max: 0.9999903, log: true },
      ['0.99999000', '0.99999005', '0.99999010', '0.99999015', '0.99999020', '0.99999025', '0.99999030'],
    ],
    ['also three hundred of them', { min: 1e-300, max: 1e300, log: true }, ['1e−300', '1e−150', '1', '1e150', '1e300']],
  ])('ticks: %s', (_, range, expected) => {
    const found = labels(range, range.log && range.max === 1e300 ? 4 : 5);
    expect(found).toEqual(expected);
    expect(new Set(found).size).toBe(found.length);
  });
  it('values of a setting stand as they were given (would catch 0.3000, 1, 1.500)', () => {
    const of = (...values: number[]): string[] => ticksAt(values).map(({ label }) => label);
    expect(of(0.3, 1, 1.5, 2)).toEqual(['0.3', '1', '1.5', '2']);
    expect(of(0.001, 0.003, 0.01)).toEqual(['0.001', '0.003', '0.01']);
    expect(of(128, 1024, 65_536, 1e-5)).toEqual(['128', '1,024', '65,536', '1e−5']);
  });
  it('in a column have common decimals: those of the smallest spread', () => {
    const of = (values: number[], halves: number[], unit = ''): string[] =>
      aligned(values, halves, unit).map((text) => text.replaceAll('\u00A0', ' '));
    expect(of([2.0273, 2.38, 5], [0.0084, 0.15, Number.NaN])).toEqual(['2.0273 ± 0.0084', '2.3800 ± 0.1500', '5.0000']);
    expect(of([2.0273, 12.38], [Number.NaN, Number.NaN])).toEqual(['2.03', '12.38']);
    expect(of([3, 120], [Number.NaN, Number.NaN])).toEqual(['3', '120']);
    expect(of([0.4213, 0.5], [0.012, 0.02], 'share')).toEqual(['42.1 ± 1.2 %', '50.0 ± 2.0 %']);
    expect(of([2 ** 27, 2 ** 30], [2 ** 20, Number.NaN], 'bytes')).toEqual(['128 MiB ± 1.00 MiB', '1.00 GiB']);
    expect(of([2.5, 1e38], [Number.NaN, Number.NaN])).toEqual(['2.500', '1e38']);
    expect(of([0, 0], [0, Number.NaN])).toEqual(['0 ± 0', '0']);
  });
});
