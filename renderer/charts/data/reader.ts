/**
 * Curves of many runs for one chart: read in one call, kept, continued by live points, read again when zoomed or when the live tail
 * has grown long.
 */
import type { MetricBatch, Series } from '../../../preload/contract/metrics.ts';
import { valueAt } from '../series/line.ts';
import { LiveCurve } from './live.ts';

export interface ReadQuery {
  readonly runs: readonly string[];
  readonly metric: string;
  readonly x?: string;
  readonly from?: number;
  readonly to?: number;
  readonly maxPoints: number;
}

/** Answers one entry per run that was asked for, undefined for runs without the metric. */
export type ReadSeries = (query: ReadQuery, signal: AbortSignal) => Promise<ReadonlyMap<string, Series>>;

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Points on a chart beyond which nobody sees more, and everybody waits. */
const POINTS_PER_CHART = 100_000;

export function pointsPerRun(runs: number, width: number): number {
  return Math.round(Math.max(100, Math.min(width * 1.2, POINTS_PER_CHART / Math.max(1, runs))));
}

export class ChartReader {
  readonly #read: ReadSeries;
  readonly #metric: string;
  readonly #curves = new Map<string, LiveCurve>();
  #x: string | undefined;
  #steps: Range | undefined;
  #abort: AbortController | undefined;
  #pending = new Set<string>();
  #maxPoints = 0;

  constructor(read: ReadSeries, metric: string) {
    this.#read = read;
    this.#metric = metric;
  }

  get(run: string): LiveCurve | undefined {
    return this.#curves.get(run);
  }

  /** Whether a read is under way. */
  get busy(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * Makes sure that the curves of `runs` are there on x, at least as fine as asked. `steps` limits the range read (zoom). Resolves to
   * whether anything new came.
   */
  async need(runs: readonly string[], x: string | undefined, width: number, steps?: Range): Promise<boolean> {
    if (x !== this.#x || !sameRange(steps, this.#steps)) {
      this.#cancel();
      // Zooming keeps the coarse curves on screen until the fine ones are there; another x makes them meaningless.
      if (x !== this.#x) this.#curves.clear();
      else for (const curve of this.#curves.values()) curve.stale = true;
      this.#x = x;
      this.#steps = steps;
    }
    const maxPoints = pointsPerRun(runs.length, width);
    const tooLong = (curve: LiveCurve): boolean => curve.appended > 2 * Math.max(maxPoints, this.#maxPoints);
    const missing = runs.filter((run) => {
      if (this.#pending.has(run)) return false;
      const curve = this.#curves.get(run);
      return curve === undefined || curve.stale || tooLong(curve);
    });
    if (missing.length === 0) return false;
    this.#maxPoints = maxPoints;
    for (const run of missing) this.#pending.add(run);
    this.#abort ??= new AbortController();
    const { signal } = this.#abort;
    try {
      const found = await this.#read(
        { runs: missing, metric: this.#metric, x, from: steps?.from, to: steps?.to, maxPoints },
        signal,
      );
      if (signal.aborted) return false;
      for (const run of missing) {
        const series = found.get(run);
        if (series !== undefined) this.#curves.set(run, new LiveCurve(series, x));
        else if (!this.#curves.has(run) || steps !== undefined) this.#curves.set(run, emptyCurve(x));
      }
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      if (!signal.aborted) for (const run of missing) this.#pending.delete(run);
    }
  }

  /** Live points. While zoomed they wait in the database: the range on screen does not move. */
  append(run: string, batch: MetricBatch): boolean {
    if (this.#steps !== undefined) return false;
    return this.#curves.get(run)?.append(this.#metric, batch) ?? false;
  }

  /** What was read of a run no longer holds. */
  outdate(run: string): void {
    const curve = this.#curves.get(run);
    if (curve !== undefined) curve.stale = true;
  }

  /** Runs whose curves need the database again. */
  get stale(): boolean {
    for (const curve of this.#curves.values()) if (curve.stale) return true;
    return false;
  }

  /** The steps that lie inside a range of x in any run, with a point's margin on both sides; undefined for the whole. */
  stepsOf(range: Range): Range | undefined {
    let from = Infinity;
    let to = -Infinity;
    for (const curve of this.#curves.values()) {
      const { x } = curve.curve;
      const { step } = curve;
      if (x.length === 0 || !curve.increasing) continue;
      if (x[x.length - 1] < range.from || x[0] > range.to) continue;
      const low = range.from <= x[0] ? step[0] : valueAt(x, step, range.from);
      const high = range.to >= x[x.length - 1] ? step[step.length - 1] : valueAt(x, step, range.to);
      from = Math.min(from, low);
      to = Math.max(to, high);
    }
    if (from > to) return undefined;
    const margin = 0.02 * (to - from) + 1;
    return { from: Math.max(0, Math.floor(from - margin)), to: Math.ceil(to + margin) };
  }

  forget(): void {
    this.#cancel();
    this.#curves.clear();
  }

  #cancel(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#pending.clear();
  }
}

function sameRange(a: Range | undefined, b: Range | undefined): boolean {
  return a?.from === b?.from && a?.to === b?.to;
}

function emptyCurve(x: string | undefined): LiveCurve {
  const none = new Float64Array();
  const series = { step: none, value: none, min: none, max: none, nonFinite: new Uint32Array(), bucket: 1, points: 0 };
  return new LiveCurve(x === undefined ? series : { ...series, x: none }, x);
}
