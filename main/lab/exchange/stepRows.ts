/** All metrics of a run side by side, step by step: what formats need that write rows and not curves. A few thousand points in memory. */
import type { Curve, ExportJob } from './exchange.ts';

const NONE: Curve = { step: new Float64Array(0), value: new Float64Array(0) };

/** Points of one metric, one after another. */
class Cursor {
  readonly #parts: Iterator<Curve>;
  #part = NONE;
  #at = 0;
  /** Of the point that is next; Infinity after the last one. */
  step = Infinity;

  constructor(parts: Iterable<Curve>) {
    this.#parts = parts[Symbol.iterator]();
    this.#find();
  }

  /** The value of the next point, which is then taken. */
  take(): number {
    const value = this.#part.value[this.#at++];
    this.#find();
    return value;
  }

  #find(): void {
    while (this.#at >= this.#part.step.length) {
      const next = this.#parts.next();
      if (next.done === true) {
        this.step = Infinity;
        return;
      }
      this.#part = next.value;
      this.#at = 0;
    }
    this.step = this.#part.step[this.#at];
  }
}

/** One step of a run. The same object and arrays serve for every step. */
export interface StepRow {
  step: number;
  /** Seconds of training so far, as the run measured them; 0 where it did not. */
  seconds: number;
  /** How many metrics have a value at this step. */
  count: number;
  /** Which those are, as numbers in the list of names, ascending; the first {@link count} count. */
  readonly metric: Int32Array;
  readonly value: Float64Array;
}

/** The metric that says how long a run has trained. */
const CLOCK = 'seconds';

/** @param metrics names, in any order; those without points never occur */
export function* stepRows(
  { stream }: Pick<ExportJob, 'stream'>,
  runId: string,
  metrics: readonly string[],
): Generator<Readonly<StepRow>> {
  const names = metrics.includes(CLOCK) ? metrics : [...metrics, CLOCK];
  const cursors = names.map((name) => new Cursor(stream(runId, name)));
  const clock = names.indexOf(CLOCK);
  const row: StepRow = {
    step: 0,
    seconds: 0,
    count: 0,
    metric: new Int32Array(metrics.length),
    value: new Float64Array(metrics.length),
  };
  for (;;) {
    let step = Infinity;
    for (const cursor of cursors) if (cursor.step < step) step = cursor.step;
    if (step === Infinity) return;
    row.step = step;
    row.count = 0;
    for (let i = 0; i < cursors.length; i++) {
      if (cursors[i].step !== step) continue;
      const value = cursors[i].take();
      if (i === clock && Number.isFinite(value)) row.seconds = value;
      if (i === metrics.length) continue;
      row.metric[row.count] = i;
      row.value[row.count++] = value;
    }
    if (row.count > 0) yield row;
  }
}
