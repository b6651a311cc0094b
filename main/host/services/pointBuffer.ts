/**
 * Points on their way to one client. What does not fit is dropped and remembered as a gap, which is read from the database when the
 * client takes frames again: a slow client costs neither memory nor points.
 */
import type { Events } from '../../../preload/contract/api.ts';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { Store } from '../../store/index.ts';

/** Points of one metric that are read after a gap; more come as means of neighbours. */
export const POINTS_AFTER_GAP = 2000;

interface RunPoints {
  keepUpTo: number | undefined;
  readonly columns: Map<string, MetricColumn[]>;
  /** First missing step by metric. */
  readonly gaps: Map<string, number>;
}

export class PointBuffer {
  readonly #most: number;
  #runs = new Map<string, RunPoints>();
  /** Runs whose points are others than before. */
  #renewed = new Set<string>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  get empty(): boolean {
    return this.#runs.size === 0 && this.#renewed.size === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(runId: string, columns: readonly MetricColumn[]): void {
    const run = this.#run(runId);
    for (const column of columns) {
      if (column.steps.length === 0) continue;
      const { metric } = column;
      if (run.gaps.has(metric)) continue;
      const bytes = column.steps.byteLength + column.values.byteLength;
      if (this.#bytes + bytes > this.#most) {
        this.#drop();
        if (run.gaps.has(metric)) continue;
        // More than may wait at all.
        if (bytes > this.#most) {
          run.gaps.set(metric, column.steps[0]!);
          continue;
        }
      }
      const list = run.columns.get(metric);
      if (list === undefined) run.columns.set(metric, [column]);
      else list.push(column);
      this.#bytes += bytes;
    }
  }

  /** The run goes on from `step`: what came after it is void. */
  truncate(runId: string, step: number): void {
    this.#runs.delete(runId);
    this.#run(runId).keepUpTo = step;
  }

  /** All of its points have to be read again. */
  renew(runId: string): void {
    this.#renewed.add(runId);
  }

  forget(): void {
    this.#runs = new Map();
    this.#renewed = new Set();
    this.#bytes = 0;
  }

  /** Everything that waits, as one frame; the buffer is empty then. */
  take(store: Store): Events['points'] {
    const runs = this.#runs;
    const resync = [...this.#renewed];
    this.forget();
    if ([...runs.values()].some(({ gaps }) => gaps.size > 0)) store.flush();
    const taken = [...runs].map(([runId, { keepUpTo, columns, gaps }]) => {
      const list = [...columns].map(([metric, parts]) => join(metric, parts));
      // A run that was purged meanwhile has nothing to show.
      if (gaps.size > 0 && store.getRun(runId) !== undefined) {
        resync.push(runId);
        for (const [metric, from] of gaps) {
          const { step, value } = store.readSeries(runId, metric, { from, maxPoints: POINTS_AFTER_GAP });
          list.push({ metric, steps: step, values: value });
        }
      }
      return { runId, ...(keepUpTo === undefined ? {} : { keepUpTo }), columns: list };
    });
    return { runs: taken, resync };
  }

  #run(runId: string): RunPoints {
    let run = this.#runs.get(runId);
    if (run === undefined) {
      run = { keepUpTo: undefined, columns: new Map(), gaps: new Map() };
      this.#runs.set(runId, run);
    }
    return run;
  }

  /** Gives all waiting points up. */
  #drop(): void {
    for (const { columns, gaps } of this.#runs.values()) {
      for (const [metric, parts] of columns) gaps.set(metric, parts[0]!.steps[0]!);
      columns.clear();
    }
    this.#bytes = 0;
  }
}

function join(metric: string, parts: readonly MetricColumn[]): MetricColumn {
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, { steps }) => sum + steps.length, 0);
  const steps = new Float64Array(length);
  const values = new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    steps.set(part.steps, at);
    values.set(part.values, at);
    at += part.steps.length;
  }
  return { metric, steps, values };
}
