/** One run's curve of one metric on one x, as read from the database and continued by live points. */
import type { MetricBatch, Series } from '../../contract/metrics.ts';
import type { Curve } from '../series/line.ts';
import { curveOf, isIncreasing, loggedSpacing, valueAt } from '../series/line.ts';
import { Growing } from './growing.ts';

/** What charts know of one run's curve. */
export interface RunCurve {
  readonly curve: Curve;
  /** The same where only the range that was read finer is looked at. */
  readonly near: Curve;
  readonly step: Float64Array;
  /** Mean distance in steps between logged points. */
  readonly spacing: number;
  /** Logged points, those behind reduced ones included. */
  readonly points: number;
  /** Logged points behind each point. */
  readonly bucket: number;
  readonly increasing: boolean;
  /** Reduced, and read without its envelope. */
  readonly bare: boolean;
}

export class LiveCurve implements RunCurve {
  readonly #step: Growing;
  readonly #x: Growing;
  readonly #y: Growing;
  /** Put together when they are first asked for: mostly they are not, and may have come in fewer bytes. */
  #envelope: { readonly min: Growing; readonly max: Growing } | undefined;
  readonly #series: Series;
  readonly #xMetric: string | undefined;
  #curve: Curve | undefined;
  readonly bare: boolean;
  readonly spacing: number;
  points: number;
  bucket: number;
  increasing: boolean;
  /** Points that came live since the curve was read: reading again would reduce them. */
  appended = 0;
  /** Set when live points could not be placed on x and the database has to be asked. */
  stale = false;

  constructor(series: Series, xMetric?: string) {
    const stepAware = curveOf(series);
    this.#series = series;
    const finite =
      series.x === undefined ? undefined : series.x.map((v, i) => (Number.isFinite(v) ? series.step[i] : Number.NaN));
    this.#step = new Growing(finite === undefined ? series.step : finite.filter(Number.isFinite));
    this.#x = new Growing(stepAware.x);
    this.#y = new Growing(stepAware.y);
    this.#xMetric = xMetric;
    this.spacing = loggedSpacing(series);
    this.points = series.points;
    this.bucket = series.bucket;
    this.bare = series.bare === true;
    // Steps always are.
    this.increasing = series.x === undefined || isIncreasing(stepAware.x);
  }

  get step(): Float64Array {
    return this.#step.view;
  }

  get curve(): Curve {
    return (this.#curve ??= this.#curveNow());
  }

  #curveNow(): Curve {
    const y = this.#y.view;
    if (!this.#hasEnvelope) return { x: this.#x.view, y, min: y, max: y };
    const envelope = (): { readonly min: Growing; readonly max: Growing } => this.#envelopes();
    const { length } = y;
    // Points that come in later do not belong to it.
    const now = ({ view }: Growing): Float64Array => (view.length === length ? view : view.subarray(0, length));
    return {
      x: this.#x.view,
      y,
      get min() {
        return now(envelope().min);
      },
      get max() {
        return now(envelope().max);
      },
    };
  }

  get near(): Curve {
    return this.curve;
  }

  /** Apart from its values. */
  get #hasEnvelope(): boolean {
    return this.bucket > 1 && !this.bare;
  }

  #envelopes(): { readonly min: Growing; readonly max: Growing } {
    if (this.#envelope === undefined) {
      const { min, max } = curveOf(this.#series);
      this.#envelope = { min: new Growing(min), max: new Growing(max) };
    }
    return this.#envelope;
  }

  /** Adds the points of `metric` after the last step. Returns whether anything changed. */
  append(metric: string, batch: MetricBatch): boolean {
    const column = batch.find((each) => each.metric === metric);
    if (column === undefined) return false;
    const known = this.#step.length > 0 ? this.#step.view[this.#step.length - 1] : -Infinity;
    let from = 0;
    while (from < column.steps.length && column.steps[from] <= known) from++;
    if (from === column.steps.length) return false;
    const steps = column.steps.subarray(from);
    const values = column.values.subarray(from);
    let xs: Float64Array = steps;
    if (this.#xMetric !== undefined) {
      const place = batch.find((each) => each.metric === this.#xMetric);
      if (place === undefined) {
        this.stale = true;
        return false;
      }
      xs = steps.map((step) => valueAt(place.steps, place.values, step));
      if (!xs.every(Number.isFinite)) {
        this.stale = true;
        return false;
      }
    }
    const last = this.#x.length > 0 ? this.#x.view[this.#x.length - 1] : -Infinity;
    if (!(xs[0] > last) || !isIncreasing(xs)) this.increasing = false;
    this.#step.push(steps);
    this.#x.push(xs);
    const { min, max } = this.#hasEnvelope ? this.#envelopes() : {};
    for (const column of [this.#y, min, max]) column?.push(values);
    this.#curve = undefined;
    this.points += steps.length;
    this.appended += steps.length;
    return true;
  }
}
