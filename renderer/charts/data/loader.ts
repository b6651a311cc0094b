/**
 * What one chart reads and when it is built: curves come from the database when the chart needs them, go on with live points, and are read
 * again where those cannot continue them; building waits for a frame, and for its turn. Free of Vue and of the DOM.
 */
import type { MetricBatch } from '../../../preload/contract/metrics.ts';
import { cancelDraw, drawPressure, requestDraw } from '../draw/frames.ts';
import type { Extent } from '../../../preload/charts/series/extent.ts';
import type { RunCurve } from '../../../preload/charts/data/live.ts';
import { ChartReader } from './reader.ts';
import type { Range, ReadSeries } from './reader.ts';
import { Together } from './together.ts';

/** What a chart needs of the curves. */
export interface ChartNeed {
  readonly runs: readonly string[];
  readonly metrics: readonly string[];
  /** Metric on x; undefined for the step, null for a chart of final values, which reads no curves. */
  readonly x: string | undefined | null;
  /** Shown part of x; everything when undefined. */
  readonly range: Extent | undefined;
  /** Whether what is drawn shows the envelopes of reduced curves. */
  readonly envelopes: boolean;
  /** CSS pixels of one panel; 0 until it is laid out. */
  readonly width: number;
  /** On screen. */
  readonly visible: boolean;
}

export interface PointsChange {
  readonly run: string;
  readonly columns: MetricBatch;
  /** What is known of the run no longer holds: it went back to a checkpoint, or points were left out on the way. */
  readonly again: boolean;
}

export interface LoaderState {
  /** Nothing was built yet, and the first curves are on their way. */
  readonly loading: boolean;
  readonly problem: string | undefined;
  /** It changed while nobody could see it: what it shows is old. */
  readonly old: boolean;
}

export interface LoaderHost {
  readonly read: ReadSeries;
  /** Builds the chart and draws it, within a frame. */
  build(): void;
  /** Someone waits for this chart: the pointer is on it. */
  pointed(): boolean;
  changed(state: LoaderState): void;
}

/** Frames and time; replaced in tests. */
export interface Schedule {
  now(): number;
  /** @returns what cancels it */
  later(milliseconds: number, action: () => void): () => void;
  /** When all that is told in the same go was told, before anything is drawn. */
  soon(action: () => void): void;
  /** In the next frame that has room. A chart that asks again before its turn is built once. */
  frame(owner: object, action: () => void, pointed: boolean, withOthers: boolean): void;
  cancelFrame(owner: object): void;
  /** How many times longer than usual live charts should wait: 1 while frames are on time. */
  pressure(): number;
}

const later = (milliseconds: number, action: () => void): (() => void) => {
  const timer = setTimeout(action, milliseconds);
  return () => clearTimeout(timer);
};

const PAGE: Schedule = {
  now: () => performance.now(),
  later,
  soon: (action) => void Promise.resolve().then(action),
  frame: requestDraw,
  cancelFrame: cancelDraw,
  pressure: drawPressure,
};

/** All charts of a page that read a part of x. */
const ZOOMED = new Together(later);

/** Live points are drawn at most 20 times a second (ms). */
const REDRAW = 50;
/** Curves that cannot be continued from live points are read again, but not more often than this (ms). */
const REREAD = 1500;
/** A chart waits so long (ms) for the points of a new range before it shows it with those that it has: where the pointer is, and elsewhere. */
const COARSE = { pointed: 200, beside: 500 };

type Timer = 'live' | 'coarse' | 'reread';

const NOTHING: ChartNeed = {
  runs: [],
  metrics: [],
  x: undefined,
  range: undefined,
  envelopes: false,
  width: 0,
  visible: false,
};

export class ChartLoader {
  readonly #host: LoaderHost;
  readonly #schedule: Schedule;
  readonly #zoomedTogether: Together;
  readonly #readers = new Map<string, ChartReader>();
  readonly #owner = {};
  /** Cancel what is to happen later, by its name. */
  readonly #timers = new Map<Timer, () => void>();
  #need = NOTHING;
  #wanted: ReadonlySet<string> = new Set();
  #builtAt = -Infinity;
  /** How long building took, ms. */
  #cost = 0;
  #built = false;
  #state: LoaderState = { loading: false, problem: undefined, old: false };
  #disposed = false;

  constructor(host: LoaderHost, schedule = PAGE, zoomedTogether = ZOOMED) {
    this.#host = host;
    this.#schedule = schedule;
    this.#zoomedTogether = zoomedTogether;
  }

  curve(metric: string, run: string): RunCurve | undefined {
    return this.#readers.get(metric)?.get(run);
  }

  /** Over all of x, whatever is shown. */
  whole(metric: string, run: string): RunCurve | undefined {
    return this.#readers.get(metric)?.whole(run);
  }

  /** Tells what the chart needs now; what is not there yet is read. */
  need(next: ChartNeed): void {
    const before = this.#need;
    this.#need = next;
    if (next.runs !== before.runs) this.#wanted = new Set(next.runs);
    if (next.metrics !== before.metrics) this.#keepReaders(next.metrics);
    if (this.#visible && this.#state.old) this.redraw();
    if (!sameExtent(next.range, before.range)) this.#zoomed();
    this.#load();
  }

  /**
   * At the next frame: how it is drawn changed. While it is off screen this is remembered.
   * @param withOthers all charts change, and are seen to do so at the same time
   */
  redraw(withOthers = false): void {
    this.#cancel('live');
    this.#cancel('coarse');
    if (!this.#visible) this.#tell({ old: true });
    else this.#schedule.frame(this.#owner, () => this.#build(), this.#host.pointed(), withOthers);
  }

  /** Soon, and not more often than the machine can bear: live points may take an eighth of the time per chart. */
  redrawSoon(): void {
    if (this.#timers.has('live')) return;
    const wait = Math.max(REDRAW, 8 * this.#cost) * this.#schedule.pressure();
    this.#later('live', Math.max(0, this.#builtAt + wait - this.#schedule.now()), () => this.redraw());
  }

  /** Points that came in. */
  points({ run, columns, again }: PointsChange): void {
    let grown = false;
    let stale = false;
    for (const reader of this.#readers.values()) {
      if (again) reader.outdate(run);
      else if (reader.append(run, columns)) grown = true;
      stale ||= reader.stale || (this.#wanted.has(run) && reader.get(run) === undefined);
    }
    // Points come at the pace of all charts: see livePace.ts.
    if (grown) this.redraw(true);
    if (stale) this.#rereadSoon();
  }

  #rereadSoon(): void {
    if (this.#need.visible && !this.#timers.has('reread')) this.#later('reread', REREAD, () => this.#load());
  }

  /** Points may have been missed: everything is read again, and stays on screen meanwhile only as it was drawn. */
  readAgain(): void {
    for (const reader of this.#readers.values()) reader.forget();
    this.#load();
  }

  dispose(): void {
    this.#disposed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#schedule.cancelFrame(this.#owner);
    for (const reader of this.#readers.values()) reader.forget();
  }

  get #visible(): boolean {
    return this.#need.visible && this.#need.width > 0;
  }

  #keepReaders(metrics: readonly string[]): void {
    for (const [metric, reader] of this.#readers)
      if (!metrics.includes(metric)) {
        reader.forget();
        this.#readers.delete(metric);
      }
    for (const metric of metrics)
      if (!this.#readers.has(metric)) this.#readers.set(metric, new ChartReader(this.#host.read, metric));
  }

  #build(): void {
    if (this.#disposed) return;
    // It left the screen while it waited for its frame.
    this.#tell({ old: !this.#visible });
    if (!this.#visible) return;
    const begin = this.#schedule.now();
    this.#built = true;
    this.#host.build();
    this.#builtAt = this.#schedule.now();
    this.#cost = this.#builtAt - begin;
  }

  /** A new range is shown when its points are there: to draw it before would make these come later. */
  #zoomed(): void {
    this.#later('coarse', COARSE[this.#host.pointed() ? 'pointed' : 'beside'], () => this.redraw());
  }

  #load(): void {
    // The chart under the pointer asks before the others.
    if (this.#need.range === undefined || this.#host.pointed()) void this.#read();
    else this.#schedule.soon(() => void this.#read());
  }

  async #read(): Promise<void> {
    if (!this.#visible || this.#disposed) return;
    const { runs, x, width, envelopes, range } = this.#need;
    if (x === null) {
      this.redraw();
      return;
    }
    this.#tell({ loading: !this.#built });
    const steps = range === undefined ? undefined : x === undefined ? wholeSteps(range) : this.#stepsOf(range);
    const done = range === undefined ? (then?: () => void) => then?.() : this.#zoomedTogether.reading();
    const answers = await Promise.all(
      [...this.#readers].map(async ([metric, reader]) => {
        try {
          return { changed: await reader.need(runs, x, width, envelopes, steps), problem: undefined };
        } catch (error) {
          return { changed: false, problem: `Could not read ${metric}: ${(error as Error).message}` };
        }
      }),
    );
    if (this.#disposed || !sameExtent(range, this.#need.range)) return done();
    const problem = answers.find((answer) => answer.problem !== undefined)?.problem;
    const changed = answers.some((answer) => answer.changed);
    // A range of which every point is there already waits for nothing.
    const known = this.#timers.has('coarse') && !this.#busy;
    // What it would show without them is not worth a drawing any more.
    if (changed || known) this.#cancel('coarse');
    const settled = changed || known || (!this.#built && problem === undefined);
    done(settled ? () => !this.#disposed && this.redraw() : undefined);
    // Which steps a range has only the curves could say.
    if (changed && range !== undefined && steps === undefined) this.#load();
    // A run went back while it was read.
    if ([...this.#readers.values()].some(({ stale }) => stale)) this.#rereadSoon();
    this.#tell({ loading: !this.#built && this.#busy, problem });
  }

  get #busy(): boolean {
    return [...this.#readers.values()].some(({ busy }) => busy);
  }

  /** Steps of a range of x, over all metrics; undefined when no curve is there to say. */
  #stepsOf({ min, max }: Extent): Range | undefined {
    const found = [...this.#readers.values()].flatMap((reader) => reader.stepsOf({ from: min, to: max }) ?? []);
    if (found.length === 0) return undefined;
    return { from: Math.min(...found.map(({ from }) => from)), to: Math.max(...found.map(({ to }) => to)) };
  }

  #tell(change: Partial<LoaderState>): void {
    const now = { ...this.#state, ...change };
    const { loading, problem, old } = this.#state;
    if (now.loading === loading && now.problem === problem && now.old === old) return;
    this.#state = now;
    this.#host.changed(now);
  }

  #later(name: Timer, milliseconds: number, action: () => void): void {
    this.#cancel(name);
    const run = (): void => {
      this.#timers.delete(name);
      action();
    };
    this.#timers.set(name, this.#schedule.later(milliseconds, run));
  }

  #cancel(name: Timer): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}

const sameExtent = (a: Extent | undefined, b: Extent | undefined): boolean => a?.min === b?.min && a?.max === b?.max;

function wholeSteps({ min, max }: Extent): Range {
  const margin = 0.02 * (max - min) + 1;
  return { from: Math.max(0, Math.floor(min - margin)), to: Math.ceil(max + margin) };
}
