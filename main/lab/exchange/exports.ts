/** Exports: the one way from runs to the pieces of a file or the files of a folder, for the command line and for the interface. */
import type { RunEvent, RunRecord, SweepRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import type { Kinds } from '../../engine/kind.ts';
import { metricCatalog } from '../../engine/train/measures/index.ts';
import type { Store } from '../../store/index.ts';
import type { Curve, ExchangeKind, ExportFile, ExportJob, Piece } from './exchange.ts';
import { isOutside } from './exportedRun.ts';
import { ExportError } from './file.ts';
import { zipped } from './zip.ts';

export interface Wanted {
  readonly runs: readonly RunRecord[];
  readonly metrics?: readonly string[];
  readonly exact?: boolean;
  /** Every setting, not only those that differ from the defaults. */
  readonly allSettings?: boolean;
  /** Ends the export, with its reason, before the next piece. */
  readonly signal?: AbortSignal;
}

/** What an export reads of the run database. */
export type Source = Pick<Store, 'metricNames' | 'readAll' | 'readAfter' | 'readMany' | 'readEvents' | 'getSweep'>;

export interface SettingNames {
  readonly names: readonly string[];
  readonly defaults: Config;
  /** The kinds of metrics among them; the built-in ones when absent. */
  readonly catalog?: Kinds;
}

/** @throws ExportError for a metric that none of the runs has: a table without it would look like a run without points */
function checkMetrics(store: Pick<Store, 'metricNames'>, { runs, metrics }: Wanted): void {
  if (metrics === undefined || runs.length === 0) return;
  const recorded = new Set(runs.flatMap(({ id }) => store.metricNames(id)));
  const missing = metrics.find((name) => !recorded.has(name));
  if (missing === undefined) return;
  const near = nearestName(missing, recorded);
  const nearest = near === undefined ? '' : `; nearest: ${near}`;
  const which = runs.length === 1 ? 'the run has' : `the ${runs.length} runs have`;
  const allowed =
    recorded.size === 0 ? `none, since ${which} no points` : `what ${which}: ${[...recorded].toSorted().join(', ')}`;
  throw new ExportError(`metric is ${JSON.stringify(missing)}; allowed: ${allowed}${nearest}`);
}

/** Points that are read at a time. */
const PART = 4096;

function* streamed(store: Source, runId: string, metric: string): Generator<Curve> {
  for (let after = -Infinity; ;) {
    // By step and not by number: a run that goes on from a checkpoint meanwhile takes its last points back.
    const part = store.readAfter(runId, metric, after, PART);
    if (part.step.length > 0) yield part;
    if (part.step.length < PART) return;
    after = part.step[PART - 1];
  }
}

/** Log lines that are read at a time. */
const LINES = 1000;

function* logOf(store: Source, runId: string): Generator<RunEvent> {
  for (let after = 0; ;) {
    const lines = store.readEvents({ runId, after, kinds: ['log', 'warning', 'error'], limit: LINES });
    yield* lines;
    if (lines.length < LINES) return;
    after = lines[LINES - 1].seq;
  }
}

/** Formats look settings and values up by names that scripts have chosen: a run without `constructor` has none from JavaScript either. */
const withOwnNames = (run: RunRecord): RunRecord => ({
  ...run,
  config: ownNames(run.config),
  summary: ownNames(run.summary),
});

const ownNames = <T extends object>(names: T): T => Object.assign(Object.create(null) as T, names);

function jobOf(store: Source, { names, defaults, catalog }: SettingNames, wanted: Wanted): ExportJob {
  checkMetrics(store, wanted);
  const { metrics, exact = false, allSettings = false } = wanted;
  const runs = wanted.runs.map(withOwnNames);
  const sweeps = new Map<string, SweepRecord | undefined>();
  return {
    runs,
    settings: allSettings ? allSettingNames(runs, names) : changedSettingNames(runs, names, defaults),
    ...(metrics === undefined ? {} : { metrics }),
    exact,
    metricNames: (runId) => store.metricNames(runId),
    read: (runId, metric) => store.readAll(runId, metric),
    stream: (runId, metric) => streamed(store, runId, metric),
    log: (runId) => logOf(store, runId),
    curves: (ids, metric, query) => store.readMany(ids, metric, query),
    catalog: metricCatalog(catalog),
    sweepOf: ({ sweepId }) => {
      if (sweepId === null) return undefined;
      if (!sweeps.has(sweepId)) sweeps.set(sweepId, store.getSweep(sweepId));
      return sweeps.get(sweepId);
    },
  };
}

async function* lateUntil(signal: AbortSignal | undefined, pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    yield piece;
  }
}

function* until(signal: AbortSignal | undefined, pieces: Iterable<Piece>): Generator<Piece> {
  for (const piece of pieces) {
    signal?.throwIfAborted();
    yield piece;
  }
}

/** The files of a format that is a folder; their pieces are made while they are asked for. @throws ExportError for a metric that no run has */
export function exportFiles(
  store: Source,
  settings: SettingNames,
  format: ExchangeKind,
  wanted: Wanted,
): Iterable<ExportFile> {
  const job = jobOf(store, settings, wanted);
  if (format.files === undefined) throw new ExportError(`${format.name} makes a file and no folder`);
  return filesUntil(wanted.signal, format.files(job));
}

function* filesUntil(signal: AbortSignal | undefined, files: Iterable<ExportFile>): Generator<ExportFile> {
  for (const { path, pieces } of files) yield { path, pieces: until(signal, pieces) };
}

/**
 * The pieces of one file, made while they are asked for: the format's own, or a zip archive of a format that is a folder.
 * @throws ExportError for a metric that no run has
 */
export function exportPieces(
  store: Source,
  settings: SettingNames,
  format: ExchangeKind,
  wanted: Wanted,
): Iterable<Piece> | AsyncIterable<Piece> {
  if (format.write === undefined) return zipped(exportFiles(store, settings, format, wanted));
  const pieces = format.write(jobOf(store, settings, wanted));
  return Symbol.iterator in pieces ? until(wanted.signal, pieces) : lateUntil(wanted.signal, pieces);
}

/**
 * Settings whose value differs from the default in at least one run, and the seed: what tells runs apart and reproduces them. Defaults are
 * those of this lab: what a run of another program says of itself counts whatever it is.
 */
export function changedSettingNames(
  runs: readonly RunRecord[],
  names: readonly string[],
  defaults: RunRecord['config'],
): string[] {
  const own = names.filter(
    (name) =>
      name === 'seed' ||
      runs.some((run) => run.config[name] !== undefined && (isOutside(run) || run.config[name] !== defaults[name])),
  );
  return [...own, ...furtherNames(runs, names)];
}

/** Every setting of the lab where it has trained one of the runs, and all that the runs say themselves. */
function allSettingNames(runs: readonly RunRecord[], names: readonly string[]): string[] {
  const trained = runs.length === 0 || runs.some((run) => !isOutside(run));
  const own = names.filter(
    (name) => trained || name === 'seed' || runs.some(({ config }) => config[name] !== undefined),
  );
  return [...own, ...furtherNames(runs, names)];
}

/** Settings that the lab does not know, by name: of runs of other programs, or of a plug-in that is gone. */
function furtherNames(runs: readonly RunRecord[], names: readonly string[]): string[] {
  const further = new Set(runs.flatMap(({ config }) => Object.keys(config)));
  for (const name of names) further.delete(name);
  return [...further].sort();
}
