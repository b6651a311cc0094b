/** Counts what a source tells, and keeps nothing of it but what runs say of themselves: what a preview shows, and what the taking relies on. */
import { crc32 } from 'node:zlib';
import { createHash } from 'node:crypto';
import type { ImportSeries } from '../../../preload/contract/imports.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import { counted } from '../../../preload/shared/format.ts';
import { ImportError } from './errors.ts';
import type { Notes } from './notes.ts';
import { together } from './receiver.ts';
import type { Receiver, RunReceiver, RunSays } from './receiver.ts';

/** Metrics of one run, and of all together: more are a mistake in how the file was understood. */
export const MOST_METRICS = 20_000;
const MOST_SERIES = 400_000;
export const LONGEST_NAME = 200;
/** Lines of its log that are kept of a run, and characters of each. */
export const MOST_LINES = 200_000;
export const LONGEST_LINE = 10_000;

export interface SurveyedRun {
  readonly key: string;
  readonly says: RunSays;
  readonly series: readonly ImportSeries[];
  /** The value at the last step of each series. */
  readonly last: Readonly<Record<string, number>>;
  readonly lines: number;
  /** Equal for the same run, told the same. */
  readonly fingerprint: string;
}

interface Growing {
  points: number;
  first: number;
  last: number;
  lastValue: number;
  nonFinite: number;
  disordered: number;
  low: number;
  high: number;
}

const scratch = new Float64Array(2);
const words = new Uint32Array(scratch.buffer);

class RunSurvey implements RunReceiver {
  readonly series = new Map<string, Growing>();
  says_: RunSays = {};
  lines = 0;
  #lineSum = 0;
  readonly #key: string;
  readonly #survey: Survey;

  constructor(key: string, survey: Survey) {
    this.#key = key;
    this.#survey = survey;
  }

  says(more: RunSays): void {
    this.says_ = together(this.says_, more);
  }

  line(text: string): void {
    this.lines++;
    this.#lineSum = crc32(text, this.#lineSum);
  }

  point(metric: string, step: number, value: number): void {
    let series = this.series.get(metric);
    if (series === undefined) {
      const fresh = this.#begin(metric, step);
      if (fresh === undefined) return;
      series = fresh;
    } else if (!(step > series.last)) {
      if (!Number.isFinite(step))
        return this.#survey.note('points whose step is no finite number, left out', this.#key);
      series.disordered++;
    } else if (step === Infinity)
      return this.#survey.note('points whose step is no finite number, left out', this.#key);
    series.points++;
    if (!Number.isFinite(value)) series.nonFinite++;
    if (step < series.first) series.first = step;
    if (step >= series.last) {
      series.last = step;
      series.lastValue = value;
    }
    scratch[0] = step;
    scratch[1] = value;
    series.low = Math.imul(series.low ^ words[0]! ^ Math.imul(words[2]!, 0x85ebca6b), 0x9e3779b1) + words[1]!;
    series.high = Math.imul(series.high ^ words[3]! ^ Math.imul(words[1]!, 0xc2b2ae35), 0x27d4eb2f) + words[2]!;
  }

  #begin(metric: string, step: number): Growing | undefined {
    if (!Number.isFinite(step)) {
      this.#survey.note('points whose step is no finite number, left out', this.#key);
      return undefined;
    }
    if (metric === '' || metric.length > LONGEST_NAME) {
      this.#survey.note(`points of metrics without a name of at most ${LONGEST_NAME} characters, left out`, this.#key);
      return undefined;
    }
    if (this.series.size >= MOST_METRICS) {
      this.#survey.note(`points beyond the first ${MOST_METRICS} metrics of a run, left out`, this.#key);
      return undefined;
    }
    this.#survey.countSeries();
    const made: Growing = {
      points: 0,
      first: step,
      last: -Infinity,
      lastValue: Number.NaN,
      nonFinite: 0,
      disordered: 0,
      low: 1,
      high: 2,
    };
    this.series.set(metric, made);
    return made;
  }

  get surveyed(): SurveyedRun {
    const series = [...this.series].map(([metric, growing]): ImportSeries => {
      const { points, first: firstStep, last: lastStep, nonFinite, disordered } = growing;
      return { metric, points, firstStep, lastStep, nonFinite, disordered };
    });
    const last = Object.fromEntries([...this.series].map(([metric, { lastValue }]) => [metric, lastValue]));
    return { key: this.#key, says: this.says_, series, last, lines: this.lines, fingerprint: this.#fingerprint() };
  }

  #fingerprint(): string {
    const points = [...this.series].map(([metric, { points: n, low, high }]) => [metric, n, low | 0, high | 0]);
    const text = JSON.stringify([this.says_, points.sort(), this.lines, this.#lineSum]);
    return createHash('sha256').update(text).digest('hex').slice(0, 32);
  }
}

export class Survey implements Receiver {
  readonly #notes: Notes;
  readonly #pause: () => Promise<void>;
  readonly #runs = new Map<string, RunSurvey>();
  #series = 0;

  /** @param pause is awaited after every chunk; it throws where the import was cancelled */
  constructor(notes: Notes, pause: () => Promise<void>) {
    this.#notes = notes;
    this.#pause = pause;
  }

  run(key: string): RunSurvey {
    let run = this.#runs.get(key);
    if (run === undefined) {
      if (this.#runs.size >= LIMITS.runs)
        throw new ImportError(`more than ${counted(LIMITS.runs, 'run')} in one file; allowed: at most so many`);
      this.#runs.set(key, (run = new RunSurvey(key, this)));
    }
    return run;
  }

  note(what: string, where: string, count?: number): void {
    this.#notes.add(what, where, count);
  }

  flush(): Promise<void> {
    return this.#pause();
  }

  countSeries(): void {
    if (++this.#series > MOST_SERIES)
      throw new ImportError(
        `more than ${counted(MOST_SERIES, 'metric')} of runs in one file; are its columns understood rightly?`,
      );
  }

  /** What was told, at its end. */
  runs(): SurveyedRun[] {
    const told = [...this.#runs.values()].map((run) => run.surveyed);
    for (const run of told)
      if (saysNothing(run)) this.note('runs of which nothing is said but a name, left out', run.says.name ?? run.key);
    return told.filter((run) => !saysNothing(run));
  }
}

/** What a run is called, or belongs to, is no reason to have it: a broken row of a table has that too. */
const NAMES: ReadonlySet<string> = new Set(['name', 'names', 'environment', 'group', 'sweeplabId']);

const saysNothing = ({ says, series, lines }: SurveyedRun): boolean =>
  series.length === 0 &&
  lines === 0 &&
  Object.entries(says).every(
    ([key, value]) =>
      NAMES.has(key) || value === undefined || (key === 'config' && Object.keys(value as object).length === 0),
  );
