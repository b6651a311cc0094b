/**
 * Metric series as they travel between the engine, the host, the run database and the charts: typed arrays, never
 * one object per point; and what a metric is, beside its points.
 *
 * A series belongs to one run and one metric name (`train/loss`, `val/bpb`, `lr`, …) and is a list of points
 * (step, value) with strictly increasing steps. Values may be NaN or infinite; they are kept as they are. Other
 * x-axes (`tokens`, `epoch`, `seconds`) are metrics of the run themselves, joined by step.
 */

export type Goal = 'minimize' | 'maximize';

/**
 * What two runs must have in common for their values to be comparable: the validation `text`, the `tokenizer` (for everything per token), or
 * all of the training and validation `data`.
 */
export type Basis = 'text' | 'tokenizer' | 'data';

/**
 * What a metric has a value for each of: layers of the model; heads or experts of each layer; positions in the context, or tokens by how frequent
 * they are, in classes.
 */
export type PlaceKind = 'layer' | 'head' | 'expert' | 'position' | 'frequency';

export interface MetricSpec {
  /** As it is logged, such as `val/loss`; in a family each `*` stands for anything: `layer/*`. */
  readonly name: string;
  /** `nats/token`, `bytes`, `s` …; `share` is shown in per cent. Empty when it has none. */
  readonly unit: string;
  /** Which direction is better; undefined when neither is, and then settings cannot be ranked by it. */
  readonly better?: 'lower' | 'higher';
  /** Heading under which its chart stands. */
  readonly section: string;
  readonly within?: readonly Basis[];
  /** Set when it can be the x-axis of charts: what the axis is called. */
  readonly axis?: string;
  /** Its values differ by factors: charts have a logarithmic y unless told otherwise. */
  readonly log?: true;
  /** What it nearly always is: where all runs say this, a line of text stands for its chart. */
  readonly usual?: number;
  /** False: has no chart of its own, because it serves as x or sums up another. */
  readonly chart?: false;
  /** Set where it has a value for each of several places: see `preload/shared/metricPlace.ts`. */
  readonly by?: PlaceKind;
  /** False: only the series is kept, and the lists of runs do not carry its latest value. For metrics of which there are very many. */
  readonly summary?: false;
  /** One line for people. */
  readonly help: string;
}

/** New points of one metric. `steps` and `values` have the same length; steps strictly increase. */
export interface MetricColumn {
  readonly metric: string;
  readonly steps: Float64Array;
  readonly values: Float64Array | Float32Array;
}

/** New points of one run: each metric has its own steps, so metrics logged at different cadences share a batch. */
export type MetricBatch = readonly MetricColumn[];

/** Exact points, as logged. */
export interface Points {
  readonly step: Float64Array;
  readonly value: Float64Array;
}

export interface SeriesQuery {
  /** First step wanted, inclusive. Default: the beginning. */
  readonly from?: number;
  /** Last step wanted, inclusive. Default: the end. */
  readonly to?: number;
  /** At most so many points come back (≥ 3). Default: all of them. */
  readonly maxPoints?: number;
  /**
   * Where the range holds no more points than this they come back as logged, however few `maxPoints` are: twice as many points take less room
   * than their envelope in half the buckets, and say all there is.
   */
  readonly loggedUpTo?: number;
  /**
   * What comes back reduced comes in whole buckets, which reach a little beyond the range: its first and last points need not be read, and do
   * not stand for themselves. For the part of a curve that lies within a whole one.
   */
  readonly wholeBuckets?: boolean;
  /** False: what comes back reduced comes without its envelope, in a third of the bytes. For means of curves. */
  readonly envelopes?: boolean;
  /** A metric of the same run whose values are returned as `x` beside each step, for example `tokens`. */
  readonly x?: string;
}

/**
 * A series ready to draw. All arrays have the same length.
 *
 * When the range holds at most `maxPoints` points (or `loggedUpTo`) they come back as logged (`value` = `min` = `max`, `bucket` = 1).
 * Otherwise the first and the last point come back as logged and the points between them in buckets of `bucket`
 * neighbours: `step` and `value` are the means of the bucket (of its finite values), `min` and `max` its envelope, so
 * a spike of a single step stays visible. `nonFinite` counts the NaN and infinite values in a bucket.
 */
export interface Series {
  readonly step: Float64Array;
  readonly value: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly nonFinite: Uint32Array;
  /** Points per bucket; 1 when nothing was reduced. */
  readonly bucket: number;
  /** Points of the series inside the range asked for. */
  readonly points: number;
  /** Set where the envelope was not asked for: `min` and `max` are the values. */
  readonly bare?: true;
  /** With `SeriesQuery.x`: the x metric at each step (interpolated between its points, NaN outside of them). */
  readonly x?: Float64Array;
}

/** One metric of a run in all its places (preload/shared/metricPlace.ts): a value for each place at each step. */
export interface PlacedPoints {
  /** Of each place. */
  readonly layer: Float64Array;
  /** −1: the whole layer. */
  readonly head: Float64Array;
  /** Rising: where any place has a point. */
  readonly step: Float64Array;
  /** Place by place, so many as there are steps; NaN where a place has none. */
  readonly value: Float64Array;
}

/** Where a series stands, without reading its points. NaN values are skipped by `min` and `max`. */
export interface MetricState {
  readonly points: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
}
