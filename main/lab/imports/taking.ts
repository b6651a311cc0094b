/**
 * Takes what a source tells, in parcels of columns whose steps increase. Series that were surveyed as orderly go on as they come; those that are
 * not are held until their end, put in order, and of equal steps the last counts.
 */
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import { ImportError } from './errors.ts';
import type { Receiver, RunReceiver } from './receiver.ts';
import { LONGEST_LINE, MOST_LINES } from './survey.ts';
import type { SurveyedRun } from './survey.ts';

export interface TakenLine {
  readonly text: string;
  readonly at: number | null;
  readonly stream: 'stdout' | 'stderr';
}

/** Points and log lines of one run. */
export interface Parcel {
  /** Of the source's. */
  readonly key: string;
  readonly columns: readonly MetricColumn[];
  readonly lines: readonly TakenLine[];
}

/** Points that are sent off together, and that may be held to be put in order. */
const PARCEL = 1 << 15;
const MOST_HELD = 20_000_000;

class Growing {
  steps = new Float64Array(16);
  values = new Float64Array(16);
  length = 0;

  add(step: number, value: number): void {
    if (this.length === this.steps.length) {
      this.steps = grown(this.steps);
      this.values = grown(this.values);
    }
    this.steps[this.length] = step;
    this.values[this.length++] = value;
  }

  /** In order; of equal steps the last. */
  ordered(): { readonly steps: Float64Array; readonly values: Float64Array } {
    const order = Uint32Array.from({ length: this.length }, (_, i) => i);
    order.sort((a, b) => this.steps[a]! - this.steps[b]! || a - b);
    const kept = order.filter((at, i) => this.steps[at] !== this.steps[order[i + 1]!]);
    return {
      steps: Float64Array.from(kept, (at) => this.steps[at]!),
      values: Float64Array.from(kept, (at) => this.values[at]!),
    };
  }
}

const grown = (array: Float64Array): Float64Array<ArrayBuffer> => {
  const larger = new Float64Array(2 * array.length);
  larger.set(array);
  return larger;
};

class RunTaking implements RunReceiver {
  readonly #taking: Taking;
  readonly #known: ReadonlyMap<string, boolean>;
  readonly #columns = new Map<string, Growing>();
  readonly #held = new Map<string, Growing>();
  #lines: TakenLine[] = [];
  #lineCount = 0;
  /** Points and lines that wait. */
  waiting = 0;

  constructor(taking: Taking, { series }: SurveyedRun) {
    this.#taking = taking;
    this.#known = new Map(series.map(({ metric, disordered }) => [metric, disordered > 0]));
  }

  says(): void {
    // The survey has heard it.
  }

  line(text: string, at: number | null = null, stream: 'stdout' | 'stderr' = 'stdout'): void {
    if (this.#lineCount++ >= MOST_LINES) return;
    this.#lines.push({ text: text.slice(0, LONGEST_LINE), at, stream });
    this.#wait();
  }

  point(metric: string, step: number, value: number): void {
    const disordered = this.#known.get(metric);
    if (disordered === undefined || !Number.isFinite(step)) return;
    const where = disordered ? this.#held : this.#columns;
    let growing = where.get(metric);
    if (growing === undefined) where.set(metric, (growing = new Growing()));
    growing.add(step, value);
    if (disordered) this.#taking.hold();
    else this.#wait();
  }

  #wait(): void {
    if (this.waiting++ === 0) this.#taking.wait(this);
  }

  take(key: string): Parcel {
    const columns = [...this.#columns].map(([metric, { steps, values, length }]): MetricColumn => ({
      metric,
      steps: steps.slice(0, length),
      values: values.slice(0, length),
    }));
    const lines = this.#lines;
    this.#columns.clear();
    this.#lines = [];
    this.waiting = 0;
    return { key, columns, lines };
  }

  *rest(key: string): Generator<Parcel> {
    for (const [metric, growing] of this.#held) yield { key, columns: [{ metric, ...growing.ordered() }], lines: [] };
    this.#held.clear();
  }
}

export class Taking implements Receiver {
  readonly #surveyed: ReadonlyMap<string, SurveyedRun>;
  readonly #give: (parcel: Parcel) => Promise<void>;
  readonly #runs = new Map<string, RunTaking>();
  readonly #waiting = new Set<RunTaking>();
  #points = 0;
  #held = 0;

  /** @param give resolves when a parcel is taken; it throws where the import was cancelled */
  constructor(runs: readonly SurveyedRun[], give: (parcel: Parcel) => Promise<void>) {
    this.#surveyed = new Map(runs.map((run) => [run.key, run]));
    this.#give = give;
  }

  run(key: string): RunReceiver {
    let run = this.#runs.get(key);
    if (run === undefined) {
      const surveyed = this.#surveyed.get(key);
      if (surveyed === undefined) return UNHEARD;
      this.#runs.set(key, (run = new RunTaking(this, surveyed)));
    }
    return run;
  }

  note(): void {
    // The survey has counted it.
  }

  wait(run: RunTaking): void {
    this.#waiting.add(run);
  }

  hold(): void {
    if (++this.#held > MOST_HELD)
      throw new ImportError(
        `more than ${MOST_HELD} points stand in series whose steps do not increase; allowed: at most so many, since they are put in order in memory`,
      );
  }

  async flush(): Promise<void> {
    this.#points = 0;
    for (const run of this.#waiting) this.#points += run.waiting;
    if (this.#points >= PARCEL) await this.#send();
  }

  /** What is left. */
  async end(): Promise<void> {
    await this.#send();
    for (const [key, run] of this.#runs) for (const parcel of run.rest(key)) await this.#give(parcel);
  }

  async #send(): Promise<void> {
    for (const [key, run] of this.#runs) {
      if (!this.#waiting.has(run)) continue;
      this.#waiting.delete(run);
      await this.#give(run.take(key));
    }
  }
}

/** A run that the survey has not met is not taken. */
const UNHEARD: RunReceiver = { says: () => undefined, point: () => undefined, line: () => undefined };
