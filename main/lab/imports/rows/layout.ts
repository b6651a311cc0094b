/**
 * What the columns of a table hold: by their names (names.ts) first, then by their values. Numbers that stay the same through every run are
 * settings unless they are called like something measured; numbers that move are metrics.
 */
import type { ColumnRole, ImportColumn } from '../../../../preload/contract/imports.ts';
import { LIMITS } from '../../../../preload/contract/limits.ts';
import { counted } from '../../../../preload/shared/format.ts';
import { ImportError } from '../errors.ts';
import { isNothing, listOf, numberOf } from '../values.ts';
import type { Cell } from '../values.ts';
import { isMeasured, isSeriesName, isSummaryName, isValueName, namedRole, settingName, stepRank } from './names.ts';
import type { RowSource } from './rows.ts';
import { RunTracker } from './tracker.ts';
import type { TrackedColumns } from './tracker.ts';

/**
 * `steps`: a row is a step of a run. `points`: a row is a point of one metric. `runs`: a row is a run, whose lists are curves. `charts`: a column
 * is a metric of one run, as W&B saves a chart.
 */
export type Shape = 'steps' | 'points' | 'runs' | 'charts';

export interface Layout {
  readonly shape: Shape;
  readonly tracked: TrackedColumns;
  /** By column; those that come later are ignored. */
  readonly roles: readonly ColumnRole[];
  readonly columns: readonly ImportColumn[];
}

interface Seen {
  numbers: number;
  texts: number;
  lists: number;
  /** In rows that have a step. */
  withStep: number;
  /** Differs within a run. */
  varies: boolean;
  example: string;
}

/** Rows that are looked at to choose the columns of steps and runs. */
const SAMPLE = 500;

class Enough extends Error {}

const nothing = (): Seen => ({ numbers: 0, texts: 0, lists: 0, withStep: 0, varies: false, example: '' });

/**
 * @param wanted by name, what the person wants columns to be
 * @param pause is awaited after every chunk; it throws where the import was cancelled
 */
export async function layoutOf(
  source: RowSource,
  wanted: Readonly<Record<string, ColumnRole>>,
  pause: () => Promise<void>,
): Promise<Layout> {
  const sample = await sampled(source);
  if (sample.length === 0) throw new ImportError(`${source.file.path} holds no row beside the names of its columns`);
  const keys = new Keys(source, sample, wanted);
  const { shape, tracked } = keys;
  const seen = await scanned(source, tracked, pause);
  const roles = source.columns.map((name, at) => keys.role(name, at, seen.columns[at] ?? nothing(), seen.mostRows));
  const holdsNumbers = (role: ColumnRole, at: number): boolean =>
    role === 'metric' || role === 'final' || role === 'value' || holdsSummary(source.columns[at]!, seen.columns[at]);
  if (!roles.some(holdsNumbers))
    throw new ImportError(
      `${source.file.path} has no column of numbers that are measured; allowed: a table with metrics, or --metric COLUMN for one of ${source.columns.slice(0, 12).join(', ')}`,
    );
  const columns = source.columns.map((name, at) => ({
    name,
    role: roles[at]!,
    example: seen.columns[at]?.example ?? '',
  }));
  return { shape, tracked, roles, columns };
}

/** `summary` of a table that pandas wrote: an object of Python with what the run ended with. */
const holdsSummary = (name: string, seen: Seen | undefined): boolean =>
  isSummaryName(name) && seen?.example.startsWith('{') === true;

async function sampled(source: RowSource): Promise<(readonly Cell[])[]> {
  const rows: (readonly Cell[])[] = [];
  try {
    await source.each({
      row: ({ cells }) => {
        rows.push([...cells]);
        if (rows.length >= SAMPLE) throw new Enough();
      },
      begins: () => undefined,
      bad: () => undefined,
      pause: () => Promise.resolve(),
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return rows;
}

const CHART = /^(.+) - (.+?)(?:__(?:MIN|MAX))?$/su;

/** `run - metric` of a chart that W&B has saved; undefined for any other name. */
export function chartColumn(name: string): { readonly run: string; readonly metric: string } | undefined {
  const [, run, metric] = CHART.exec(name) ?? [];
  return run === undefined || metric === undefined || /__(?:MIN|MAX)$/u.test(name) ? undefined : { run, metric };
}

/** The columns by which rows are understood, chosen by names and a sample. */
class Keys {
  readonly shape: Shape;
  readonly tracked: TrackedColumns;
  readonly #source: RowSource;
  readonly #sample: readonly (readonly Cell[])[];
  readonly #wanted: Readonly<Record<string, ColumnRole>>;
  readonly #known = new Map<number, ColumnRole>();

  constructor(source: RowSource, sample: readonly (readonly Cell[])[], wanted: Readonly<Record<string, ColumnRole>>) {
    this.#source = source;
    this.#sample = sample;
    this.#wanted = wanted;
    const { columns, decimalComma } = source;
    for (const [at, name] of columns.entries()) {
      const role = this.#want(name) ?? namedRole(name);
      if (role !== undefined) this.#known.set(at, role);
    }
    const step = this.#step();
    if (step !== undefined) this.#known.set(step, 'step');
    this.shape = this.#shape(step);
    this.#chooseRun(step);
    const runs = this.#of('run');
    const seed = this.#of('seed').find(
      (at) => step === undefined || sample.some((row) => !isNothing(row[at]) && !isNothing(row[step])),
    );
    this.tracked = {
      runs: runs.length > 0 || this.shape !== 'points' ? runs : this.#others(),
      named: runs.length > 0,
      splits: runs.length === 0 && this.shape === 'steps',
      seed,
      step,
      decimalComma,
    };
  }

  role(name: string, at: number, seen: Seen, mostRows: number): ColumnRole {
    const known = this.#want(name) ?? this.#known.get(at);
    if (known !== undefined) return known;
    if (seen.numbers + seen.texts + seen.lists === 0) return 'ignore';
    if (this.shape === 'charts') return chartColumn(name) === undefined || name.endsWith('_step') ? 'ignore' : 'metric';
    if (settingName(name) !== undefined) return 'setting';
    const measured = isMeasured(name);
    if (this.shape === 'points') return 'setting';
    if (this.shape === 'runs') return seen.lists > 0 ? 'metric' : measured && seen.texts === 0 ? 'final' : 'setting';
    if (seen.numbers === 0) return seen.varies ? 'ignore' : 'setting';
    const once = !seen.varies && (mostRows > 1 || seen.withStep === 0);
    if (!once) return measured || seen.varies ? 'metric' : 'setting';
    if (seen.withStep > 0 || this.tracked.step === undefined) return measured ? 'metric' : 'setting';
    if (measured) return 'final';
    // Of an event that is no step and sets nothing up.
    return name.includes('/') ? 'about' : 'setting';
  }

  #want(name: string): ColumnRole | undefined {
    return Object.hasOwn(this.#wanted, name) ? this.#wanted[name] : undefined;
  }

  #of(role: ColumnRole): number[] {
    return [...this.#known].filter(([, each]) => each === role).map(([at]) => at);
  }

  /** Share of the rows of the sample whose cell is a number, among those that have one. */
  #numeric(at: number): number {
    const cells = this.#sample.map((row) => row[at]).filter((cell) => !isNothing(cell));
    const numbers = cells.filter((cell) => numberOf(cell, this.#source.decimalComma) !== undefined);
    return cells.length === 0 ? 0 : numbers.length / cells.length;
  }

  #step(): number | undefined {
    const wanted = this.#of('step')[0];
    if (wanted !== undefined) return wanted;
    const ranked = this.#source.columns
      .map((name, at) => ({ at, rank: this.#want(name) === undefined ? stepRank(name) : Infinity }))
      .filter(({ at, rank }) => rank < Infinity && this.#numeric(at) > 0.5)
      .toSorted((a, b) => a.rank - b.rank);
    return ranked[0]?.at;
  }

  #shape(step: number | undefined): Shape {
    const { columns } = this.#source;
    const others = columns.filter((_, at) => at !== step && this.#known.get(at) === undefined);
    const charts = others.filter((name) => CHART.test(name));
    if (charts.length > 0 && charts.length === others.length) return 'charts';
    const series = this.#series();
    if (series !== undefined) return 'points';
    // The first run may have no points.
    const isCurve = (cell: Cell): boolean => (listOf(cell)?.length ?? 0) > 0;
    if (this.#sample.some((row) => row.some(isCurve))) return 'runs';
    return this.#isRunTable(step) ? 'runs' : 'steps';
  }

  /** Finds the columns of a table with one line for each point, and knows them from then on. */
  #series(): true | undefined {
    const { columns } = this.#source;
    const find = (role: ColumnRole, test: (name: string) => boolean): number =>
      this.#of(role)[0] ?? columns.findIndex((name) => this.#want(name) === undefined && test(name));
    const series = find('series', isSeriesName);
    const value = find('value', isValueName);
    if (series < 0 || value < 0 || this.#numeric(series) > 0.5) return undefined;
    this.#known.set(series, 'series');
    this.#known.set(value, 'value');
    return true;
  }

  /** Each row is a run: they are named, each once; or there are no steps, but settings or a seed. */
  #isRunTable(step: number | undefined): boolean {
    const rows = this.#sample.length;
    const names = [...this.#of('run'), ...this.#of('name')];
    const different = new Set(this.#sample.map((row) => names.map((at) => row[at]).join('\n'))).size;
    if (names.length > 0 && different === rows) {
      const steps = step === undefined ? 0 : new Set(this.#sample.map((row) => row[step])).size;
      // Rows that are numbered by one column count up in another: `id` beside `step`.
      return step === undefined || steps < rows || (rows <= 2 && this.#of('state').length > 0);
    }
    if (step !== undefined) return false;
    const { columns } = this.#source;
    const free = columns.filter((_, at) => this.#known.get(at) === undefined);
    return this.#of('seed').length > 0 || free.some((name) => !isMeasured(name));
  }

  /** One column names the run; the name does where nothing else is there; a number for each row does not. */
  #chooseRun(step: number | undefined): void {
    const rows = this.#sample.length;
    const counts = (at: number): number => new Set(this.#sample.map((row) => row[at])).size;
    const wanted = this.#of('run').filter((at) => this.#want(this.#source.columns[at]!) !== undefined);
    const fit = [...this.#of('run'), ...this.#of('name')].filter(
      (at) => this.shape === 'runs' || step === undefined || rows <= 2 || counts(at) < rows,
    );
    const [chosen] = wanted.length > 0 ? [] : fit;
    for (const at of this.#of('run')) if (at !== chosen && !wanted.includes(at)) this.#known.set(at, 'about');
    if (chosen !== undefined && this.#known.get(chosen) !== 'run') {
      this.#known.set(chosen, 'run');
    }
  }

  /** Of points without a column that names the run: everything else tells runs apart. */
  #others(): number[] {
    return this.#source.columns
      .map((_, at) => at)
      .filter((at) => !['step', 'series', 'value', 'time', 'seconds'].includes(this.#known.get(at) ?? ''));
  }
}

interface Scan {
  readonly columns: readonly Seen[];
  /** Rows of the run that has most. */
  readonly mostRows: number;
}

async function scanned(source: RowSource, tracked: TrackedColumns, pause: () => Promise<void>): Promise<Scan> {
  const tracker = new RunTracker(tracked);
  const columns: Seen[] = [];
  const runs = new Map<string, { readonly first: Cell[]; rows: number }>();
  await source.each({
    row: ({ cells }) => {
      const setsUp = cells.some((cell, at) => cell !== undefined && settingName(source.columns[at]!) !== undefined);
      const key = tracker.keyOf(cells, setsUp);
      let run = runs.get(key);
      if (run === undefined) runs.set(key, (run = { first: [], rows: 0 }));
      if (runs.size > LIMITS.runs)
        throw new ImportError(
          `${source.file.path} holds more than ${counted(LIMITS.runs, 'run')}; is one of its columns wrongly taken for their names?`,
        );
      run.rows++;
      const hasStep = tracked.step !== undefined && !isNothing(cells[tracked.step]);
      for (let at = 0; at < cells.length; at++) {
        const cell = cells[at];
        if (isNothing(cell)) continue;
        const seen = (columns[at] ??= nothing());
        look(seen, cell, source.decimalComma, hasStep);
        if (run.first[at] === undefined) run.first[at] = cell;
        else if (run.first[at] !== cell) seen.varies = true;
      }
    },
    begins: () => tracker.begins(),
    bad: () => undefined,
    pause,
  });
  return { columns, mostRows: Math.max(0, ...[...runs.values()].map(({ rows }) => rows)) };
}

function look(seen: Seen, cell: Cell, decimalComma: boolean, hasStep: boolean): void {
  if (numberOf(cell, decimalComma) !== undefined) seen.numbers++;
  else if (listOf(cell) !== undefined) seen.lists++;
  else seen.texts++;
  if (hasStep) seen.withStep++;
  if (seen.example === '') seen.example = String(cell).slice(0, 60);
}
