/** When a chart reads and when it is built: over a clock and frames of the test's own, without a page. */
import { describe, expect, it } from 'vitest';
import type { Series } from '../../../preload/contract/metrics.ts';
import { ChartLoader } from '../../../renderer/charts/data/loader.ts';
import type { ChartNeed, LoaderState, Schedule } from '../../../renderer/charts/data/loader.ts';
import type { ReadQuery } from '../../../renderer/charts/data/reader.ts';

const series = (steps: readonly number[], x?: readonly number[]): Series => {
  const step = Float64Array.from(steps);
  const value = step.map((s) => 100 - s);
  return {
    step,
    value,
    min: value,
    max: value,
    nonFinite: new Uint32Array(step.length),
    bucket: 4,
    points: 4 * step.length,
    ...(x === undefined ? {} : { x: Float64Array.from(x) }),
  };
};
const column = (metric: string, ...steps: number[]) => ({
  metric,
  steps: Float64Array.from(steps),
  values: Float64Array.from(steps, (s) => 100 - s),
});

/** A page whose time and frames the test moves. */
class Page implements Schedule {
  time = 1000;
  slow = 1;
  #timers: { at: number; action: () => void }[] = [];
  #frames = new Map<object, { action: () => void; pointed: boolean }>();
  pointedFrames = 0;
  now = (): number => this.time;
  later(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.time + milliseconds, action };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((each) => each !== timer));
  }
  soon(action: () => void): void {
    void Promise.resolve().then(action);
  }
  frame(owner: object, action: () => void, pointed: boolean): void {
    this.#frames.set(owner, { action, pointed });
  }
  cancelFrame(owner: object): void {
    this.#frames.delete(owner);
  }
  pressure = (): number => this.slow;
  /** Lets time go by, and a frame after each timer. */
  async wait(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.action();
      await this.paint();
    }
    this.time = end;
    await this.paint();
  }
  /** Answers arrive, then a frame is drawn. */
  async paint(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    const due = [...this.#frames.values()];
    this.#frames.clear();
    for (const { action, pointed } of due) {
      this.pointedFrames += Number(pointed);
      action();
    }
  }
  get waiting(): number {
    return this.#timers.length + this.#frames.size;
  }
}

const NEED: ChartNeed = {
  runs: ['a', 'b'],
  metrics: ['loss'],
  x: undefined,
  range: undefined,
  envelopes: true,
  width: 300,
  visible: true,
};

function chartOf(answer: (query: ReadQuery) => Series | undefined = () => series([0, 50, 100])) {
  const page = new Page();
  const asked: ReadQuery[] = [];
  const states: LoaderState[] = [];
  const seen = {
    builds: 0,
    pointed: false,
    cost: 0,
    fail: undefined as string | undefined,
    hold: undefined as PromiseWithResolvers<void> | undefined,
    asks: (): unknown => undefined,
  };
  let curves: (number | undefined)[] = [];
  const loader = new ChartLoader(
    {
      read: async (query) => {
        asked.push(query);
        seen.asks();
        await seen.hold?.promise;
        if (seen.fail !== undefined) throw new Error(seen.fail);
        return new Map(
          query.runs.flatMap((run) => {
            const found = answer(query);
            return found === undefined ? [] : [[run, found] as const];
          }),
        );
      },
      build: () => {
        seen.builds += 1;
        page.time += seen.cost;
        curves = need.metrics.flatMap((metric) => need.runs.map((run) => loader.curve(metric, run)?.curve.x.length));
      },
      pointed: () => seen.pointed,
      changed: (state) => states.push(state),
    },
    page,
  );
  let need = NEED;
  const change = (changed: Partial<ChartNeed>): void => {
    need = { ...need, ...changed };
    loader.need(need);
  };
  const tell = (changed: Partial<ChartNeed> = {}): Promise<void> => {
    change(changed);
    return page.paint();
  };
  return { page, asked, states, seen, loader, change, tell, drawn: () => curves };
}
const points = (run: string, ...steps: number[]) => ({ run, columns: [column('loss', ...steps)], again: false });

describe('reading', () => {
  it('begins when the chart can be seen and has a width, once (would catch charts below the screen that read)', async () => {
    const { asked, seen, tell, drawn, states } = chartOf();
    await tell({ visible: false });
    await tell({ visible: true, width: 0 });
    expect([asked.length, seen.builds]).toEqual([0, 0]);
    await tell({ width: 300 });
    await tell();
    expect(asked.map(({ runs, metric }) => [runs, metric])).toEqual([[['a', 'b'], 'loss']]);
    expect([seen.builds, drawn()]).toEqual([1, [3, 3]]);
    expect(states.map(({ loading }) => loading)).toEqual([true, false]);
  });

  it('reads each metric of a chart, and forgets one that it no longer has', async () => {
    const { asked, loader, tell, drawn } = chartOf(({ metric }) =>
      metric === 'loss' ? series([1, 2, 3]) : series([1]),
    );
    await tell({ metrics: ['loss', 'other'] });
    expect(asked.map(({ metric }) => metric)).toEqual(['loss', 'other']);
    expect(drawn()).toEqual([3, 3, 1, 1]);
    await tell({ metrics: ['other'] });
    expect(loader.curve('loss', 'a')).toBeUndefined();
    expect(asked).toHaveLength(2);
  });

  it('says which metric could not be read, and takes it back when it could', async () => {
    const { seen, states, tell, loader, page } = chartOf();
    seen.fail = 'the disk is gone';
    await tell();
    expect(states.at(-1)).toMatchObject({ loading: false, problem: 'Could not read loss: the disk is gone' });
    expect(seen.builds).toBe(0);
    seen.fail = undefined;
    loader.readAgain();
    await page.paint();
    expect(states.at(-1)).toMatchObject({ loading: false, problem: undefined });
    expect(seen.builds).toBe(1);
  });

  it('asks for the steps of a range, over all metrics, with a margin', async () => {
    const { asked, seen, tell } = chartOf(() => series([0, 50, 100], [0, 5000, 10_000]));
    seen.pointed = true;
    await tell({ x: 'tokens', metrics: ['loss', 'other'] });
    await tell({ range: { min: 2500, max: 7500 } });
    expect(asked.slice(2).map(({ metric, from, to }) => [metric, from, to])).toEqual([
      ['loss', 23, 77],
      ['other', 23, 77],
    ]);
  });

  it('asks for envelopes when they get shown, though curves without them are there (would catch a least and a most of means)', async () => {
    const bare = (query: ReadQuery): Series => ({
      ...series([0, 50, 100]),
      ...(query.envelopes ? {} : { bare: true }),
    });
    const { asked, seen, tell, loader } = chartOf(bare);
    seen.hold = Promise.withResolvers();
    await tell({ envelopes: false });
    const { hold } = seen;
    seen.hold = undefined;
    // Also while the others are on their way.
    await tell({ envelopes: true });
    hold.resolve();
    await tell({ envelopes: false });
    expect(asked.map(({ envelopes }) => envelopes)).toEqual([false, true]);
    expect(loader.curve('loss', 'a')?.bare).toBe(false);
  });

  it('reads nothing for final values', async () => {
    const { asked, seen, tell } = chartOf();
    await tell({ x: null });
    expect([asked.length, seen.builds]).toEqual([0, 1]);
  });
});

describe('a chart off screen', () => {
  it('is built when it comes back, with what changed meanwhile (would catch a chart that keeps an old look for ever)', async () => {
    const { seen, loader, tell, asked } = chartOf();
    await tell();
    expect(seen.builds).toBe(1);
    await tell({ visible: false });
    loader.redraw();
    loader.redraw();
    await tell();
    expect(seen.builds).toBe(1);
    await tell({ visible: true });
    expect(seen.builds).toBe(2);
    // Nothing was missing: the same curves in another look.
    expect(asked).toHaveLength(1);
    await tell({ visible: false });
    await tell({ visible: true });
    expect(seen.builds).toBe(2);
  });

  it('that leaves while it waits for its frame is built on its return', async () => {
    const { seen, loader, tell } = chartOf();
    await tell();
    loader.redraw();
    await tell({ visible: false });
    expect(seen.builds).toBe(1);
    await tell({ visible: true });
    expect(seen.builds).toBe(2);
  });

  it('says that what it shows is old, until it is drawn anew (would catch charts of one run at different steps)', async () => {
    const { loader, tell, states } = chartOf();
    await tell();
    await tell({ visible: false });
    expect(states.at(-1)!.old).toBe(false);
    loader.points(points('a', 101));
    expect(states.at(-1)!.old).toBe(true);
    loader.need({ ...NEED, visible: true });
    expect(states.at(-1)!.old).toBe(true);
    await tell({ visible: true });
    expect(states.at(-1)!.old).toBe(false);
  });

  it('takes live points, and draws them on its return', async () => {
    const { seen, loader, tell, page, drawn } = chartOf();
    await tell();
    await tell({ visible: false });
    loader.points(points('a', 101, 102));
    await page.wait(5000);
    expect(seen.builds).toBe(1);
    await tell({ visible: true });
    expect([seen.builds, drawn()]).toEqual([2, [5, 3]]);
  });
});

describe('live points', () => {
  it('are drawn in the next frame: the pace is that of all charts', async () => {
    const { seen, loader, tell, page, drawn } = chartOf();
    await tell();
    for (let step = 101; step <= 200; step++) loader.points(points('a', step));
    await page.paint();
    expect([seen.builds, drawn()]).toEqual([2, [103, 3]]);
  });

  it('that come while a run is read are not lost (would catch a chart that stands where its answer was)', async () => {
    const { seen, loader, tell, page, drawn, asked } = chartOf();
    seen.hold = Promise.withResolvers();
    await tell();
    loader.points(points('a', 100, 150));
    loader.points(points('a', 200));
    seen.hold.resolve();
    await page.paint();
    // 0, 50 and 100 were read.
    expect(drawn()).toEqual([5, 3]);
    // What was read before a run went back is read again.
    seen.hold = Promise.withResolvers();
    loader.readAgain();
    loader.points(points('a', 250));
    loader.points({ run: 'a', columns: [], again: true });
    seen.hold.resolve();
    await page.paint();
    await page.wait(2000);
    expect(drawn()).toEqual([3, 3]);
    expect(asked.map(({ runs }) => runs)).toEqual([['a', 'b'], ['a', 'b'], ['a']]);
  });

  it('of final values are drawn soon, and later the dearer the chart is, later still while frames are late', async () => {
    const { seen, loader, tell, page } = chartOf();
    seen.cost = 40;
    await tell({ x: null });
    loader.redrawSoon();
    await page.wait(300);
    expect(seen.builds).toBe(1);
    await page.wait(30);
    expect(seen.builds).toBe(2);
    page.slow = 3;
    loader.redrawSoon();
    await page.wait(900);
    expect(seen.builds).toBe(2);
    await page.wait(100);
    expect(seen.builds).toBe(3);
  });

  it('that cannot be placed are read, but not more often than every 1.5 s (would catch a storm of reads)', async () => {
    const { asked, loader, tell, page } = chartOf(() => series([0, 50, 100], [0, 1, 2]));
    await tell({ x: 'tokens' });
    for (let i = 0; i < 30; i++) {
      loader.points(points('a', 101 + i));
      await page.wait(100);
    }
    await page.wait(1600);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.length).toBeLessThanOrEqual(4);
    expect(asked.slice(1).every(({ runs }) => runs.join() === 'a')).toBe(true);
  });

  it('of a run that went back are read again; of a run that is not shown they are nobody’s', async () => {
    const { asked, loader, tell, page } = chartOf();
    await tell();
    loader.points({ run: 'a', columns: [], again: true });
    loader.points({ run: 'stranger', columns: [column('loss', 1)], again: false });
    await page.wait(2000);
    expect(asked.slice(1).map(({ runs }) => runs)).toEqual([['a']]);
  });
});

describe('zooming', () => {
  it('shows the range when it is read or that takes long, which is sooner where the pointer is', async () => {
    const { seen, tell, page, asked } = chartOf();
    await tell();
    seen.pointed = true;
    await tell({ range: { min: 10, max: 20 } });
    expect([seen.builds, page.pointedFrames]).toEqual([2, 1]);
    seen.hold = Promise.withResolvers();
    await tell({ range: { min: 20, max: 30 } });
    await page.wait(190);
    expect(seen.builds).toBe(2);
    await page.wait(20);
    expect([seen.builds, page.pointedFrames]).toEqual([3, 2]);
    seen.hold.resolve();
    await page.wait(0);
    seen.builds = 2;
    seen.pointed = false;
    seen.hold = Promise.withResolvers();
    await tell({ range: { min: 30, max: 40 } });
    expect([seen.builds, asked.length]).toEqual([2, 4]);
    await page.wait(400);
    expect(seen.builds).toBe(2);
    await page.wait(200);
    expect(seen.builds).toBe(3);
    seen.hold.resolve();
    await page.wait(0);
    expect(seen.builds).toBe(4);
    // Read in time it is drawn once.
    seen.hold = undefined;
    await tell({ range: { min: 50, max: 60 } });
    await page.wait(1000);
    expect(seen.builds).toBe(5);
  });

  it('shows at once a range of which it has every point (would catch a wait for nothing)', async () => {
    const { seen, tell, page, asked } = chartOf(() => ({ ...series([0, 50, 100]), bucket: 1 }));
    await tell();
    await tell({ range: { min: 10, max: 20 } });
    expect([seen.builds, asked.length]).toEqual([2, 1]);
    await page.wait(1000);
    expect(seen.builds).toBe(2);
  });

  it('shows nothing of a range that was left while it was read', async () => {
    const { seen, tell, page } = chartOf();
    await tell();
    seen.hold = Promise.withResolvers();
    await tell({ range: { min: 10, max: 20 } });
    const { hold } = seen;
    seen.hold = Promise.withResolvers();
    await tell({ range: { min: 30, max: 40 } });
    hold.resolve();
    await page.paint();
    expect(seen.builds).toBe(1);
    seen.hold.resolve();
    await page.wait(1000);
    expect(seen.builds).toBe(2);
  });

  it('asks first for the chart where the pointer is, and for all before any is drawn', async () => {
    const [other, pointed] = [chartOf(), chartOf()];
    await Promise.all([other.tell(), pointed.tell()]);
    pointed.seen.pointed = true;
    const order: string[] = [];
    other.seen.asks = () => order.push('other');
    pointed.seen.asks = () => order.push('pointed');
    pointed.seen.builds = 0;
    other.change({ range: { min: 1, max: 20 } });
    pointed.change({ range: { min: 1, max: 20 } });
    for (let i = 0; i < 20; i++) await Promise.resolve();
    expect(order).toEqual(['pointed', 'other']);
    expect(pointed.seen.builds).toBe(0);
    await Promise.all([other.page.paint(), pointed.page.paint()]);
    expect(pointed.seen.builds).toBe(1);
  });

  it('back to the same range is no change', async () => {
    const { seen, tell, page } = chartOf();
    await tell({ range: { min: 1, max: 2 } });
    await page.wait(1000);
    const { builds } = seen;
    await tell({ range: { min: 1, max: 2 } });
    await page.wait(1000);
    expect(seen.builds).toBe(builds);
  });
});

describe('the end', () => {
  it('leaves nothing behind (would catch timers of charts that are gone)', async () => {
    const { seen, loader, tell, page } = chartOf();
    await tell();
    loader.points(points('a', 101));
    loader.points({ run: 'a', columns: [], again: true });
    void tell({ range: { min: 1, max: 2 } });
    loader.dispose();
    expect(page.waiting).toBe(0);
    await page.wait(5000);
    expect(seen.builds).toBe(1);
  });
});
