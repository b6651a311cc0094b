/**
 * Curves of many runs for one chart: read in one call, kept, continued by live points, read again when zoomed or when the live tail
 * has grown long.
 */
import type { MetricBatch, Series } from '../../../preload/contract/metrics.ts';
import { valueAt } from '../../../preload/charts/series/line.ts';
import { JoinedCurve, seamOf } from './joined.ts';
import type { Seam } from './joined.ts';
import { LiveCurve } from '../../../preload/charts/data/live.ts';
import type { RunCurve } from '../../../preload/charts/data/live.ts';

export interface ReadQuery {
  readonly runs: readonly string[];
  readonly metric: string;
  readonly x?: string;
  readonly from?: number;
  readonly to?: number;
  readonly maxPoints: number;
  /** Shorter ones are wanted as they were logged. */
  readonly loggedUpTo: number;
  readonly envelopes: boolean;
}

/** Answers one entry per run that was asked for, undefined for runs without the metric. */
export type ReadSeries = (query: ReadQuery, signal: AbortSignal) => Promise<ReadonlyMap<string, Series>>;

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Points on a chart beyond which nobody sees more, and everybody waits. */
const POINTS_PER_CHART = 100_000;
/** A chart that has room for so many times the points asks again. */
const FINER = 1.5;

/** So many times the points of a chart are read rather than reduced: they take less room than reduced ones with their envelopes. */
const AS_LOGGED = 2;

export function pointsPerRun(runs: number, width: number): number {
  return Math.round(Math.max(100, Math.min(width * 1.2, POINTS_PER_CHART / Math.max(1, runs))));
}

interface Held {
  readonly curve: LiveCurve;
  /** That were asked for. */
  readonly maxPoints: number;
}

interface Joined {
  readonly whole: LiveCurve;
  readonly fine: LiveCurve;
  readonly length: number;
  readonly curve: RunCurve;
}

export class ChartReader {
  readonly #read: ReadSeries;
  readonly #metric: string;
  /** Curves over all of x: never thrown away by a zoom, and continued by live points. */
  readonly #whole = new Map<string, Held>();
  /** Those of the range that is shown, of runs whose whole curve is reduced. */
  readonly #fine = new Map<string, Held>();
  /** What was put together of both, while neither changes. */
  readonly #joined = new Map<string, Joined>();
  #seam: Seam | undefined;
  #x: string | undefined;
  #steps: Range | undefined;
  #envelopes = false;
  #abort: AbortController | undefined;
  #pending = new Set<string>();
  /** Points that came in while a run was read: the answer may be older than they are. */
  readonly #meanwhile = new Map<string, MetricBatch[]>();
  /** What was outdated while it was read. */
  readonly #outdated = new Set<string>();

  constructor(read: ReadSeries, metric: string) {
    this.#read = read;
    this.#metric = metric;
  }

  /** As fine as it is known in the range that is shown; beyond it goes on as coarse as the whole is. */
  get(run: string): RunCurve | undefined {
    const whole = this.#whole.get(run)?.curve;
    const fine = this.#fine.get(run)?.curve;
    if (whole === undefined || fine === undefined || fine.curve.x.length === 0) return whole;
    const known = this.#joined.get(run);
    if (known?.whole === whole && known.fine === fine && known.length === whole.step.length) return known.curve;
    if (this.#seam?.whole !== whole.step || this.#seam.fine !== fine.step) this.#seam = seamOf(whole.step, fine.step);
    const curve = new JoinedCurve(whole, fine, this.#seam, this.#x === undefined);
    this.#joined.set(run, { whole, fine, length: whole.step.length, curve });
    return curve;
  }

  /** Over all of x, whatever is shown. */
  whole(run: string): LiveCurve | undefined {
    return this.#whole.get(run)?.curve;
  }

  /** Whether a read is under way. */
  get busy(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * Makes sure that the curves of `runs` are there on x, at least as fine as asked, and finer still within `steps` (zoom) where they are
   * reduced. Resolves to whether anything new came.
   *
   * @param envelopes whether those of reduced curves are wanted
   */
  async need(
    runs: readonly string[],
    x: string | undefined,
    width: number,
    envelopes: boolean,
    steps?: Range,
  ): Promise<boolean> {
    if (x !== this.#x) {
      this.forget();
      this.#x = x;
    }
    if (!sameRange(steps, this.#steps)) {
      this.#cancel();
      // The old range's fine curves would end within the new one.
      this.#fine.clear();
      this.#joined.clear();
      this.#steps = steps;
    }
    // What is under way comes without.
    if (envelopes && !this.#envelopes) this.#cancel();
    this.#envelopes = envelopes;
    const maxPoints = pointsPerRun(runs.length, width);
    const whole = await this.#fill(this.#whole, runs, undefined, maxPoints);
    if (steps === undefined || !sameRange(steps, this.#steps)) return whole;
    const reduced = runs.filter((run) => (this.#whole.get(run)?.curve.bucket ?? 1) > 1);
    return (await this.#fill(this.#fine, reduced, steps, maxPoints)) || whole;
  }

  /** Reads what is missing, outdated or too coarse. */
  async #fill(
    held: Map<string, Held>,
    runs: readonly string[],
    steps: Range | undefined,
    maxPoints: number,
  ): Promise<boolean> {
    const missing = runs.filter((run) => {
      if (this.#pending.has(run)) return false;
      const known = held.get(run);
      if (known === undefined || known.curve.stale || (known.curve.bare && this.#envelopes)) return true;
      const coarse = known.curve.bucket > 1 && known.maxPoints * FINER < maxPoints;
      return coarse || known.curve.appended > 2 * Math.max(maxPoints, known.maxPoints);
    });
    if (missing.length === 0) return false;
    for (const run of missing) this.#pending.add(run);
    this.#abort ??= new AbortController();
    const { signal } = this.#abort;
    const x = this.#x;
    try {
      const found = await this.#read(
        {
          runs: missing,
          metric: this.#metric,
          x,
          from: steps?.from,
          to: steps?.to,
          maxPoints,
          loggedUpTo: AS_LOGGED * maxPoints,
          envelopes: this.#envelopes,
        },
        signal,
      );
      if (signal.aborted) return false;
      for (const run of missing) {
        const series = found.get(run);
        const curve = series === undefined ? emptyCurve(x) : new LiveCurve(series, x);
        if (steps === undefined) for (const batch of this.#meanwhile.get(run) ?? []) curve.append(this.#metric, batch);
        if (this.#outdated.has(run)) curve.stale = true;
        held.set(run, { curve, maxPoints });
      }
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      if (!signal.aborted)
        for (const run of missing) {
          this.#pending.delete(run);
          this.#meanwhile.delete(run);
          this.#outdated.delete(run);
        }
    }
  }

  /** Live points; also while zoomed, where they may lie within the range. */
  append(run: string, batch: MetricBatch): boolean {
    if (this.#pending.has(run)) {
      const batches = this.#meanwhile.get(run);
      if (batches === undefined) this.#meanwhile.set(run, [batch]);
      else batches.push(batch);
    }
    return this.#whole.get(run)?.curve.append(this.#metric, batch) ?? false;
  }

  /** What was read of a run no longer holds. */
  outdate(run: string): void {
    if (this.#pending.has(run)) this.#outdated.add(run);
    this.#meanwhile.delete(run);
    for (const held of [this.#whole, this.#fine]) {
      const known = held.get(run);
      if (known !== undefined) known.curve.stale = true;
    }
  }

  /** Runs whose curves need the database again. */
  get stale(): boolean {
    for (const { curve } of this.#whole.values()) if (curve.stale) return true;
    return false;
  }

  /** The steps that lie inside a range of x in any run, with a point's margin on both sides; undefined for the whole. */
  stepsOf(range: Range): Range | undefined {
    let from = Infinity;
    let to = -Infinity;
    for (const {
      curve: { curve, step, increasing },
    } of this.#whole.values()) {
      const { x } = curve;
      if (x.length === 0 || !increasing) continue;
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
    this.#whole.clear();
    this.#fine.clear();
    this.#joined.clear();
  }

  #cancel(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#pending.clear();
    this.#meanwhile.clear();
    this.#outdated.clear();
  }
}

function sameRange(a: Range | undefined, b: Range | undefined): boolean {
  return a?.from === b?.from && a?.to === b?.to;
}

/** Lines are drawn without it. */
const NONE = new Uint32Array();

function emptyCurve(x: string | undefined): LiveCurve {
  const none = new Float64Array();
  const series = { step: none, value: none, min: none, max: none, nonFinite: NONE, bucket: 1, points: 0 };
  return new LiveCurve(x === undefined ? series : { ...series, x: none }, x);
}
