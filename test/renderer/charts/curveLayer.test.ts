/** What is painted on the canvas of a chart against the items that a file in SVG gets. */
import { describe, expect, it } from 'vitest';
import { bandEdge, curveItems } from '../../../preload/charts/draw/curveItems.ts';
import type { CurveItem } from '../../../preload/charts/draw/curveItems.ts';
import { paintCurves } from '../../../renderer/charts/draw/curveLayer.ts';
import { buildCurve } from '../../../preload/charts/draw/curves.ts';
import type { DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import { scalesOf } from '../../../preload/charts/draw/lineOption.ts';

interface Stroke {
  readonly path: string;
  readonly what: 'fill' | 'stroke';
  readonly look: Readonly<Record<string, unknown>>;
  readonly clip: string;
}

/** A canvas that only remembers: each fill and stroke with all that it depends on. */
function recorder() {
  const made: Stroke[] = [];
  const fresh = { globalAlpha: 1, fillStyle: '', strokeStyle: '', lineWidth: 1, lineJoin: 'miter', lineCap: 'butt' };
  const state = { ...fresh, dash: [] as readonly number[], clip: 'none' };
  const kept: (typeof state)[] = [];
  let path: string[] = [];
  const finish = (what: 'fill' | 'stroke') => (): void => {
    const { clip, globalAlpha: alpha, fillStyle, strokeStyle, dash, lineWidth, lineJoin, lineCap } = state;
    const look =
      what === 'fill' ? { alpha, fillStyle } : { alpha, strokeStyle, dash: [...dash], lineWidth, lineJoin, lineCap };
    made.push({ path: path.join(' '), what, look, clip });
  };
  const ctx = {
    save: () => kept.push({ ...state }),
    restore: () => Object.assign(state, kept.pop()),
    beginPath: () => (path = []),
    rect: (...frame: number[]) => path.push(frame.join()),
    clip: () => (state.clip = path.join()),
    moveTo: (x: number, y: number) => path.push(`M${x},${y}`),
    lineTo: (x: number, y: number) => path.push(`L${x},${y}`),
    closePath: () => path.push('Z'),
    setLineDash: (dash: readonly number[]) => (state.dash = dash),
    fill: finish('fill'),
    stroke: finish('stroke'),
  };
  const set = (_: object, key: string, value: unknown): boolean => {
    if (!(key in fresh)) throw new Error(`${key} is nothing that a canvas has`);
    Object.assign(state, { [key]: value });
    return true;
  };
  return { made, ctx: new Proxy(ctx, { set }) as unknown as CanvasRenderingContext2D };
}

const pathOf = ({ shape }: CurveItem): string => {
  const path: string[] = [];
  buildCurve(
    {
      moveTo: (x, y) => path.push(`M${x},${y}`),
      lineTo: (x, y) => path.push(`L${x},${y}`),
      closePath: () => path.push('Z'),
    },
    shape.curve,
  );
  return path.join(' ');
};

const seed = Math.floor(Math.random() * 2 ** 31);
let at = seed;
const random = (): number => (at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;

function lineOf(id: number): DrawnLine {
  const length = 1 + Math.floor(random() * 12);
  const y = Float64Array.from({ length }, () => (random() < 0.25 ? Number.NaN : 5 * random()));
  const kind = random();
  return {
    id: String(id),
    group: String(id),
    label: '',
    color: `#00${String(id).padStart(4, '0')}`,
    x: Float64Array.from({ length }, (_, i) => i),
    y,
    increasing: true,
    ...(random() < 0.3 ? { dash: 1 + Math.floor(random() * 3) } : {}),
    ...(random() < 0.3 ? { raw: y.map((v) => v + 0.2) } : {}),
    ...(kind < 0.6 ? { low: y.map((v) => v - 1), high: y.map((v) => v + 1) } : {}),
    ...(kind < 0.4 ? { n: new Uint32Array(length).map(() => 1 + Math.floor(2 * random())), runs: 2 } : {}),
    ...(random() < 0.2 ? { markers: true } : {}),
  };
}

describe(`curves on a canvas; seed ${seed}`, () => {
  it('are those of the file, with the same looks and above one another alike (catches: dashes or opacity of the curve before)', () => {
    for (let round = 0; round < 100; round++) {
      const model: LineModel = {
        lines: Array.from({ length: 1 + Math.floor(random() * 8) }, (_, id) => lineOf(id)),
        x: { label: 'x', log: false, min: 0, max: 8 },
        y: { label: 'y', log: random() < 0.3, min: 0.5, max: 5 },
        references: [],
        notes: [],
        outside: [],
      };
      const scales = scalesOf(model, 400, 200);
      const items = curveItems(model, scales, '#ffffff');
      const { made, ctx } = recorder();
      paintCurves(ctx, items, scales);
      const expected = [0, 1, 2, 3, 4, 5]
        .flatMap((z) => items.filter(({ z2 }) => z2 === z))
        .map((item): Stroke => {
          const { fill, stroke, opacity: alpha = 1, ...look } = item.style;
          return {
            path: pathOf(item),
            ...(fill === null
              ? {
                  what: 'stroke',
                  look: {
                    alpha,
                    strokeStyle: stroke,
                    dash: look.lineDash ?? [],
                    lineWidth: look.lineWidth,
                    lineJoin: look.lineJoin ?? 'miter',
                    lineCap: look.lineCap ?? 'butt',
                  },
                }
              : { what: 'fill', look: { alpha, fillStyle: fill } }),
            clip: item.whole === true ? 'none' : `${scales.x.from},8,${scales.x.to - scales.x.from},156`,
          };
        });
      expect(made).toEqual(expected);
      expect(expected.length).toBeGreaterThan(0);
    }
  });
});

describe(`the edges of a band of many points; seed ${seed}`, () => {
  it('have a point for each of the line, at the same places (catches: edges that are thinned apart, so that a band ends early at gaps)', () => {
    const length = 5000;
    const y = Float64Array.from({ length }, () => (random() < 0.01 ? Number.NaN : 2 + random()));
    const line: DrawnLine = {
      ...lineOf(1),
      x: Float64Array.from({ length }, (_, i) => i),
      y,
      low: y.map((v) => v - random()),
      high: y.map((v) => v + random()),
    };
    const axis = { label: '', log: false, min: 0, max: length };
    const model: LineModel = { lines: [line], x: axis, y: { ...axis, max: 5 }, references: [], notes: [], outside: [] };
    const scales = scalesOf(model, 360, 200);
    const [low, high] = [line.low!, line.high!].map((edge) => bandEdge(line, edge, scales));
    expect(low).toHaveLength(2 * length);
    expect(high).toHaveLength(2 * length);
    for (let i = 0; i < 2 * length; i += 2) expect(low![i]).toBe(high![i]);
  });
});
