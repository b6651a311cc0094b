/** A new size reaches both layers of a chart, and its axes and curves, in one go. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** What a chart was told, in order, with the size that it had then. */
const told: string[] = [];
const root = { style: { transform: '', transformOrigin: '' } };
vi.mock('../../../preload/charts/draw/echarts.ts', () => ({
  echarts: {
    init: (_: unknown, __: unknown, size: { width: number; height: number }) => {
      let { width, height } = size;
      return {
        getWidth: () => width,
        getHeight: () => height,
        getZr: () => ({ painter: { getViewportRoot: () => root } }),
        clear: () => told.push('clear'),
        resize: (now: { width: number; height: number }) => {
          ({ width, height } = now);
          told.push(`resize ${width}×${height}`);
        },
        setOption: () => told.push(`option at ${width}×${height}`),
        dispose: () => {},
      };
    },
  },
}));
vi.mock('../../../preload/charts/draw/curves.ts', () => ({ buildCurve: () => {}, isolatedPoints: () => [] }));

const { LineChart } = await import('../../../renderer/charts/draw/lineChart.ts');
const { drawsWaiting, forgetDraw, requestDraw, showLater } = await import('../../../renderer/charts/draw/frames.ts');

const theme = { surface: '', line: '', text: '', muted: '', accent: '', bad: '', font: '' };
const axis = { label: 'v', log: false, min: 0, max: 1 };
const model = { lines: [], x: axis, y: axis, references: [], notes: [], outside: [] };
let frames: (() => void)[];
/** Of these, what is done between two frames. */
let tasks: number;
let clock: number;
/** What a drawing takes, in ms: the machine is as slow as this says. */
let cost: number;

function nextFrame(): void {
  for (const work of frames.splice(0)) work();
}

function made(width: number, height: number) {
  const host = { clientWidth: width, clientHeight: height, dataset: {} };
  const ctx = new Proxy({}, { get: () => () => (clock += cost), set: () => true });
  const overlay = { width: 0, height: 0, addEventListener: () => {}, getContext: () => ctx };
  const nothing = (): void => {};
  const events = { hover: nothing, zoom: nothing, reset: nothing, pick: nothing };
  const chart = new LineChart(host as unknown as HTMLElement, overlay as unknown as HTMLCanvasElement, theme, events);
  chart.setModel(model);
  return { chart, host, overlay };
}

beforeEach(() => {
  [frames, tasks, clock, cost] = [[], 0, 0, 0];
  vi.stubGlobal('window', { devicePixelRatio: 2 });
  vi.stubGlobal('document', { createElement: () => ({ width: 0, height: 0, getContext: () => null }) });
  vi.stubGlobal('requestAnimationFrame', (work: () => void) => frames.push(work));
  vi.stubGlobal('setTimeout', (work: (...args: unknown[]) => void, _: number, ...args: unknown[]) => {
    tasks++;
    frames.push(() => work(...args));
  });
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => {
  for (let i = 0; i < 20; i++) nextFrame();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('a chart of a new size', () => {
  it('is drawn for it before the frame is painted (would catch old curves beside new axes)', () => {
    const { chart, host, overlay } = made(400, 300);
    nextFrame();
    expect([overlay.width, overlay.height]).toEqual([800, 600]);
    told.length = 0;
    host.clientHeight = 220;
    chart.resize();
    expect(told).toEqual(['clear', 'resize 400×220', 'option at 400×220']);
    expect([overlay.width, overlay.height]).toEqual([800, 440]);
    expect(root.style.transform).toBe('');
  });

  it('keeps both layers of the old size, stretched, until its turn on a machine that cannot keep up', () => {
    const busy = made(400, 300);
    const late = made(400, 300);
    for (let i = 0; i < 4; i++) nextFrame();
    cost = 50;
    busy.host.clientHeight = 150;
    busy.chart.resize();
    told.length = 0;
    late.host.clientWidth = 200;
    late.host.clientHeight = 150;
    late.chart.resize();
    expect(told).toEqual([]);
    expect([late.overlay.width, late.overlay.height]).toEqual([800, 600]);
    expect(root.style.transform).toBe('scale(0.5, 0.5)');
    expect(drawsWaiting()).toBe(1);
    nextFrame();
    expect(told).toEqual(['clear', 'resize 200×150', 'option at 200×150']);
    expect([late.overlay.width, late.overlay.height]).toEqual([400, 300]);
    expect(root.style.transform).toBe('');
  });
});

describe('charts that change together', () => {
  const seen: string[] = [];
  const ask = (name: string, withOthers: boolean, pointed = false, owner: object = {}): object => {
    const draw = (): void => {
      clock += 20;
      if (!showLater(owner, () => seen.push(name))) seen.push(`${name} at once`);
    };
    requestDraw(owner, draw, pointed, withOthers);
    return owner;
  };
  beforeEach(() => (seen.length = 0));

  it('are seen to change in one frame, however many it takes to draw them (would catch live charts at different steps)', () => {
    const gone = ask('gone', true);
    for (const name of ['a', 'b', 'c']) ask(name, true);
    nextFrame();
    forgetDraw(gone);
    ask('later', false);
    nextFrame();
    nextFrame();
    expect([seen, drawsWaiting()]).toEqual([[], 2]);
    nextFrame();
    expect(seen).toEqual(['a', 'b', 'c']);
    nextFrame();
    expect(seen).toEqual(['a', 'b', 'c', 'later at once']);
  });

  it('wait for a frame each, and what someone waits for does not (would catch two frames for each chart of 17 ms)', () => {
    for (const name of ['a', 'b', 'c']) ask(name, false);
    for (let i = 0; i < 3; i++) nextFrame();
    expect([seen, tasks]).toEqual([['a at once', 'b at once', 'c at once'], 1]);
    for (const name of ['a', 'b', 'c']) ask(name, true);
    for (let i = 0; i < 3; i++) nextFrame();
    expect([seen.slice(3), tasks]).toEqual([['a', 'b', 'c'], 1]);
  });

  it('do not keep back what the pointer waits for', () => {
    const drawn = ask('a', true);
    ask('b', true);
    nextFrame();
    ask('zoomed', false, true);
    ask('a zoomed', false, true, drawn);
    nextFrame();
    nextFrame();
    expect(seen).toEqual(['zoomed at once', 'a zoomed', 'a zoomed at once']);
    nextFrame();
    expect(seen.at(-1)).toBe('b');
  });
});
