/**
 * Metric points on their way to the host: collected, sent in batches, and kept until the host says that they are committed, so
 * that a checkpoint can carry those that are not (see preload/contract/engine.ts).
 */
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import { largestOfPlaces } from '../../../preload/shared/metricPlace.ts';

/** Points wait no longer than this, in milliseconds … */
const FLUSH_INTERVAL = 50;
/** … and no more of them than this are in one message. */
export const FLUSH_POINTS = 1024;
/** Training pauses when so many points are not acknowledged. */
const MOST_UNACKNOWLEDGED = 100_000;

interface Point {
  readonly metric: string;
  readonly step: number;
  readonly value: number;
  /** Message that carried it; 0 while it waits. */
  seq: number;
}

/** Points as a checkpoint stores them: float64 arrays in base64, because JSON has no NaN. */
export interface StoredColumn {
  readonly metric: string;
  readonly steps: string;
  readonly values: string;
}

/** What a checkpoint of a step carries; see preload/contract/engine.ts. */
export interface CarriedPoints {
  readonly keepUpTo: number;
  readonly columns: readonly StoredColumn[];
}

export class MetricRecorder {
  readonly #send: (seq: number, columns: readonly MetricColumn[]) => void;
  readonly #now: () => number;
  /** In the order of recording, so in the order of steps. The first `#sent` have been sent. */
  #points: Point[] = [];
  #sent = 0;
  #seq = 0;
  #acknowledged = 0;
  #lastFlush: number;
  #waiting: (() => void) | undefined;
  /** Latest value of every metric; of one of layers the largest of them. */
  readonly latest = new Map<string, number>();

  constructor(
    send: (seq: number, columns: readonly MetricColumn[]) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#send = send;
    this.#now = now;
    this.#lastFlush = now();
  }

  /** Adds one point of each metric at `step`, which must not be before the last one recorded. */
  record(step: number, values: Readonly<Record<string, number>>): void {
    const last = this.#points.at(-1);
    if (last !== undefined && step < last.step) throw new Error(`point of step ${step} after one of step ${last.step}`);
    for (const [metric, value] of Object.entries(values)) {
      this.#points.push({ metric, step, value, seq: 0 });
    }
    for (const [metric, value] of largestOfPlaces(Object.entries(values))) this.latest.set(metric, value);
  }

  /** Sends what waits when it is time to. */
  tick(): void {
    const waiting = this.#points.length - this.#sent;
    if (waiting >= FLUSH_POINTS || (waiting > 0 && this.#now() - this.#lastFlush >= FLUSH_INTERVAL)) this.flush();
  }

  /** Sends everything that waits. */
  flush(): void {
    while (this.#sent < this.#points.length) {
      const batch = this.#points.slice(this.#sent, this.#sent + FLUSH_POINTS);
      const seq = ++this.#seq;
      for (const point of batch) point.seq = seq;
      this.#sent += batch.length;
      this.#send(seq, toColumns(batch));
    }
    this.#lastFlush = this.#now();
  }

  /** The host has committed every message up to `seq`. */
  acknowledge(seq: number): void {
    if (seq > this.#acknowledged) this.#acknowledged = seq;
    // Whole steps are let go: points of the newest step stay, and those of a step that is partly unacknowledged.
    const firstOpen = this.#points.find((point) => point.seq === 0 || point.seq > this.#acknowledged);
    const newest = this.#points.at(-1)?.step ?? 0;
    const keepFrom = Math.min(firstOpen?.step ?? Infinity, newest);
    const drop = this.#points.findIndex((point) => point.step >= keepFrom);
    if (drop > 0) {
      this.#points.splice(0, drop);
      this.#sent -= drop;
    }
    if (this.#unacknowledged() <= MOST_UNACKNOWLEDGED) this.release();
  }

  #unacknowledged(): number {
    const open = this.#points.findIndex((point) => point.seq === 0 || point.seq > this.#acknowledged);
    return open < 0 ? 0 : this.#points.length - open;
  }

  /** Resolves when the host is not too far behind. */
  room(): Promise<void> {
    if (this.#points.length <= MOST_UNACKNOWLEDGED || this.#unacknowledged() <= MOST_UNACKNOWLEDGED)
      return Promise.resolve();
    this.flush();
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** Ends a wait for room: the host is there again, or gone for good. */
  release(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** The points that a checkpoint of `step` must carry. */
  carry(step: number): CarriedPoints {
    const open = this.#points.find((point) => point.seq === 0 || point.seq > this.#acknowledged);
    const keepUpTo = Math.min(step, open?.step ?? Infinity) - 1;
    const columns = toColumns(this.#points.filter((point) => point.step > keepUpTo && point.step <= step));
    return {
      keepUpTo,
      columns: columns.map(({ metric, steps, values }) => ({
        metric,
        steps: toBase64(steps),
        values: toBase64(values as Float64Array),
      })),
    };
  }

  /** Takes back the points of a checkpoint; they are sent again. */
  restore(carried: CarriedPoints): void {
    const points = carried.columns.flatMap(({ metric, steps, values }) => {
      const all = fromBase64(values);
      return [...fromBase64(steps)].map((step, i): Point => ({ metric, step, value: all[i]!, seq: 0 }));
    });
    // A stable sort: within a step, metrics keep the order in which they were recorded.
    this.#points = points.sort((a, b) => a.step - b.step);
    this.#sent = 0;
  }
}

function toColumns(points: readonly Point[]): MetricColumn[] {
  const byMetric = new Map<string, Point[]>();
  for (const point of points) {
    const list = byMetric.get(point.metric);
    if (list === undefined) byMetric.set(point.metric, [point]);
    else list.push(point);
  }
  return [...byMetric].map(([metric, list]) => ({
    metric,
    steps: Float64Array.from(list, (point) => point.step),
    values: Float64Array.from(list, (point) => point.value),
  }));
}

function toBase64(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

function fromBase64(text: string): Float64Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float64Array(bytes.buffer);
}
