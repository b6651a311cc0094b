/** The run database as its users see it. Opened by open.ts. */
import type { MetricBatch, MetricState, Points, Series, SeriesQuery } from '../../preload/contract/metrics.ts';
import type { PlacedPoints } from '../../preload/contract/metrics.ts';
import type {
  CheckpointKind,
  CheckpointRecord,
  NewRun,
  NewRunEvent,
  NewSweep,
  RunEvent,
  RunFilter,
  RunPatch,
  RunProgress,
  RunRecord,
  RunState,
  SweepRecord,
  SweepState,
} from '../../preload/contract/runs.ts';
import { Checkpoints } from './checkpoints.ts';
import { CommitQueue } from './commits.ts';
import type { SeriesTable } from '../../preload/contract/seriesTable.ts';
import type { Commit } from './commits.ts';
import type { Connection } from './connection.ts';
import { StoreError } from './errors.ts';
import { Events } from './events.ts';
import type { EventQuery } from './events.ts';
import { databaseSize, integrityProblems, watchFile } from './file.ts';
import type { WriterLock } from './lock.ts';
import { type LastWord, leaveLastWords } from './lastWords.ts';
import { orphansOf } from './orphans.ts';
import { Outside } from './outside.ts';
import { applyPending, checkBatch, checkProgress, pendingPoints, PendingSteps } from './pending.ts';
import type { Beside, PendingWrite } from './pending.ts';
import { LOCAL, Queue } from './queue.ts';
import type { ClaimOptions, QueueSwitches, TransitionOptions } from './queue.ts';
import { type CompleteConfig, type RunLine, Runs } from './runs.ts';
import { OverviewMaker } from './series/overviewMaker.ts';
import { keepMany, readMany, readTable } from './series/many.ts';
import { Middles } from './series/middles.ts';
import { readPlaces } from './series/places.ts';
import { metricState, SeriesReader } from './series/reader.ts';
import type { ManyQuery } from './series/reader.ts';
import { SeriesWriter } from './series/writer.ts';
import { Sweeps } from './sweeps.ts';
import type { SweepPatch } from './sweeps.ts';

/** Bytes of series that a reading store keeps in memory at most: a board of 500 runs with three metrics of 10,000 points in each of two threads. */
const MIDDLES = 96 * 2 ** 20;

/**
 * Reads are synchronous and see what is committed. Changes are synchronous, durable when the call returns, and all or
 * nothing. Points and log lines, which come in streams, are batched: their promises resolve when they are durable.
 */
export class Store {
  /** The copy made before the file was migrated by this open, if it was. */
  readonly backup: string | null;
  /** @throws StoreError `gone` or `read-only` when what is written now would be lost, or can be written no more */
  readonly assertThere: () => void;
  /** Runs and sweeps of other programs. */
  readonly outside: Outside;
  readonly #connection: Connection;
  readonly #lock: WriterLock | null;
  readonly #reader: SeriesReader;
  readonly #middles = new Middles(MIDDLES);
  readonly #writer: SeriesWriter;
  readonly #overviews: OverviewMaker;
  readonly #runs: Runs;
  readonly #sweeps: Sweeps;
  readonly #events: Events;
  readonly #checkpoints: Checkpoints;
  readonly #queue: Queue;
  readonly #commits: CommitQueue<PendingWrite>;
  readonly #pendingSteps = new PendingSteps();
  readonly #commitListeners = new Set<(commit: Commit) => void>();
  readonly #troubleListeners = new Set<(error: StoreError | null) => void>();

  constructor(
    connection: Connection,
    lock: WriterLock | null,
    backup: string | null,
    completeConfig: CompleteConfig = (config) => config,
  ) {
    this.#connection = connection;
    this.#lock = lock;
    this.backup = backup;
    this.assertThere = watchFile(connection.path);
    this.#reader = new SeriesReader(connection);
    this.#writer = new SeriesWriter(connection, this.#reader);
    this.#overviews = new OverviewMaker(connection, this.#reader);
    this.#runs = new Runs(connection, this.#reader, this.#writer, completeConfig);
    this.#sweeps = new Sweeps(connection);
    this.#events = new Events(connection);
    this.#checkpoints = new Checkpoints(connection);
    this.#queue = new Queue(connection, this.#events);
    this.outside = new Outside(
      connection,
      this.#runs,
      this.#sweeps,
      (ids, body) => this.#write(ids, body),
      (run) => this.#sealed(run),
    );
    this.#commits = new CommitQueue<PendingWrite>({
      commit: (items) => {
        const runIds = items.flatMap((item) => item.runId ?? []);
        try {
          this.#write(runIds, () => applyPending(items, this.#runs, this.#writer, this.#events, this.outside), true);
          for (const { run } of items) if (run !== null) this.#overviews.note(run);
          this.#pendingSteps.clear();
        } catch (error) {
          // What cannot be retried is given up, so it no longer counts.
          if (!(error as StoreError).retryable) this.#pendingSteps.clear();
          throw error;
        }
      },
      weigh: pendingPoints,
      onTrouble: (error) => this.#notify(this.#troubleListeners, error),
    });
  }

  get path(): string {
    return this.#connection.path;
  }

  get readOnly(): boolean {
    return this.#connection.readOnly;
  }

  // --- sweeps ---

  /** Creates a sweep with all its runs, or nothing. */
  createSweep(sweep: NewSweep, runs: readonly NewRun[] = []): { sweep: SweepRecord; runs: RunRecord[] } {
    return this.#write([], () => {
      const id = this.#sweeps.create(sweep);
      const created = this.#runs.create(runs, id);
      return { sweep: this.#sweeps.get(id)!, runs: created };
    });
  }

  getSweep(id: string): SweepRecord | undefined {
    return this.#sweeps.get(id);
  }

  listSweeps(): SweepRecord[] {
    return this.#sweeps.list();
  }

  /** Ids of Sweeplab's own sweeps that run although nothing of them waits or trains. */
  exhaustedSweeps(): string[] {
    return this.#sweeps.exhausted();
  }

  updateSweep(id: string, patch: SweepPatch): SweepRecord {
    this.#write([], () => this.#sweeps.update(id, patch));
    return this.#sweeps.get(id)!;
  }

  // --- runs ---

  createRun(run: NewRun): RunRecord {
    return this.createRuns([run])[0];
  }

  /** Creates all of the runs, in order, or none. */
  createRuns(runs: readonly NewRun[]): RunRecord[] {
    return this.#write([], () => this.#runs.create(runs));
  }

  getRun(id: string): RunRecord | undefined {
    return this.#runs.get(id);
  }

  /** As `getRun` finds it, without reading the record. */
  hasRun(id: string): boolean {
    return this.#runs.has(id);
  }

  /** Those of many ids that are there, in their order. */
  existing(ids: readonly string[]): string[] {
    return this.#runs.existing(ids);
  }

  /** A run by id, beginning of an id, or exact name. @throws StoreError `not-found` or `ambiguous` */
  resolveRun(text: string): RunRecord {
    return this.#runs.resolve(text);
  }

  listRuns(filter: RunFilter = {}): RunRecord[] {
    return this.#connection.read(() => this.#runs.list(filter));
  }

  /** The same runs, with what a line of a list shows of each: a tenth of the bytes. */
  listRunLines(filter: RunFilter = {}): RunLine[] {
    return this.#runs.lines(filter);
  }

  countRuns(filter: RunFilter = {}): number {
    return this.#runs.count(filter);
  }

  updateRun(id: string, patch: RunPatch): RunRecord {
    this.#write([id], () => this.#runs.update(this.#runs.key(id), patch));
    return this.#runs.get(id)!;
  }

  tagRuns(ids: readonly string[], tags: readonly string[]): void {
    this.#write(ids, () => ids.forEach((id) => this.#runs.tag(this.#runs.key(id), tags)));
  }

  untagRuns(ids: readonly string[], tags: readonly string[]): void {
    this.#write(ids, () => ids.forEach((id) => this.#runs.untag(this.#runs.key(id), tags)));
  }

  /** Moves runs to the bin. @throws StoreError `state` when one of them is running */
  deleteRuns(ids: readonly string[]): void {
    this.#write(ids, () => this.#runs.delete(ids, Date.now()));
  }

  /** Takes runs out of the bin. */
  restoreRuns(ids: readonly string[]): void {
    this.#write(ids, () => this.#runs.restore(ids));
  }

  /** Removes runs of the bin for good and gives their space back to the disk. */
  purgeRuns(ids: readonly string[]): void {
    const keys = new Set(ids.map((id) => this.#runs.key(id)));
    this.#write(ids, () => this.#runs.purge(ids));
    this.#commits.discard(
      (item) => item.run !== null && keys.has(item.run),
      new StoreError('not-found', 'the run was purged'),
    );
    for (const key of keys) this.#pendingSteps.clear(key);
    this.#connection.exec('PRAGMA incremental_vacuum');
  }

  // --- states and queue ---

  /**
   * Changes the state of a run, after committing its points, together with its last numbers. `place`: where one begins that becomes `running`.
   * @throws StoreError `state` when that is not allowed
   */
  setRunState(
    id: string,
    to: RunState,
    options: TransitionOptions & { readonly progress?: RunProgress } = {},
    place?: string,
  ): RunRecord {
    this.#commits.flush();
    return this.#write([id], () => {
      const key = this.#runs.key(id);
      if (options.progress !== undefined) this.#runs.progress(key, options.progress);
      this.#transition(key, to, options, place);
      return this.#runs.get(id)!;
    });
  }

  /** Changes the state of several runs, and of their sweep, all at once or not at all. @throws StoreError `state` */
  setRunStates(
    ids: readonly string[],
    to: RunState,
    options: TransitionOptions = {},
    sweep?: { readonly id: string; readonly state: SweepState },
  ): void {
    this.#commits.flush();
    this.#write(ids, () => {
      for (const id of ids) this.#transition(this.#runs.key(id), to, options);
      if (sweep !== undefined) this.#sweeps.update(sweep.id, { state: sweep.state });
    });
  }

  /** The queued run (not of a paused sweep) whose turn it is, without claiming it. */
  nextQueued(options: ClaimOptions = {}): RunRecord | undefined {
    const id = this.#queue.next(options);
    return id === undefined ? undefined : this.#runs.get(id);
  }

  /** The ids of the queued runs (not of paused sweeps) in the order in which they are taken. */
  queuedIds(options: ClaimOptions = {}): string[] {
    return this.#queue.waiting(options);
  }

  /**
   * Takes the queued run (not of a paused sweep, unless it is named) whose turn it is and makes it running at a place, owned by this
   * store; its sweep runs with it.
   */
  claimNext(options: ClaimOptions = {}, place: string = LOCAL): RunRecord | undefined {
    // Looked up first so that polling an empty queue writes nothing.
    if (this.#queue.next(options) === undefined) return undefined;
    return this.#write([], () => {
      const id = this.#queue.next(options)!;
      this.#queue.transition(this.#runs.key(id), 'running', {}, place);
      this.#sweeps.begin(id);
      return this.#runs.get(id)!;
    });
  }

  /**
   * Puts queued runs before another queued one; null: behind all.
   * @throws StoreError `not-found` or `state` for a run that does not wait; nothing is moved then
   */
  moveQueued(ids: readonly string[], before: string | null): void {
    this.#write([], () => this.#queue.move(ids, before));
  }

  queueSwitches(): QueueSwitches {
    return this.#queue.switches();
  }

  setQueueSwitches(switches: Partial<QueueSwitches>): void {
    this.#write([], () => this.#queue.setSwitches(switches));
  }

  /**
   * Runs that trained at the place in a process that is gone are stopped, as readers see them already, and the sweeps that ran with them paused;
   * runs of other origins are not touched. @returns them, with their last checkpoints
   */
  stopOrphans(place: string = LOCAL): RunRecord[] {
    const orphans = orphansOf(this.#connection, this.#queue.session, place);
    if (orphans.length === 0) return [];
    const ids = orphans.map(({ id }) => id);
    this.#write(ids, () => {
      for (const { key, pauses, ...end } of orphans) {
        this.#transition(key, 'stopped', end);
        if (pauses !== null) this.#sweeps.update(pauses, { state: 'paused' });
      }
    });
    return ids.map((id) => this.#runs.get(id)!);
  }

  /** Tells whoever opens the database next how runs of this writer ended that the disk does not let it record. */
  leaveWord(runs: readonly LastWord[]): boolean {
    return leaveLastWords(this.path, { session: this.#queue.session, at: Date.now(), runs });
  }

  // --- metrics ---

  /**
   * Adds points to a run. The arrays are copied. Resolves when the points, and the progress given with them, are
   * durable. While the disk is full the promise waits (see `onTrouble`).
   * @throws StoreError (rejection) `order` for a step not after the last one of its series, `invalid`, `backlog`
   */
  async appendMetrics(runId: string, batch: MetricBatch, progress?: RunProgress, beside: Beside = {}): Promise<void> {
    this.#assertWritable();
    const run = this.#runs.key(runId);
    const columns = checkBatch(runId, batch, (metric) =>
      this.#pendingSteps.last(run, metric, () => this.#writer.lastStep(run, metric)),
    );
    const item: PendingWrite = { kind: 'points', run, runId, columns, progress: checkProgress(progress), beside };
    this.#commits.assertRoom(item);
    this.#pendingSteps.note(run, columns);
    await this.#commits.push(item);
  }

  /** Why points cannot be written now; null: they can. */
  get trouble(): StoreError | null {
    return this.#commits.trouble;
  }

  /** Points and log lines that were taken and are not committed yet. */
  get waitingPoints(): number {
    return this.#commits.points;
  }

  /** Commits everything that waits. @throws StoreError when that fails; what waits keeps waiting. */
  flush(): void {
    this.#commits.flush();
  }

  /** Removes the points of a run after `step`, before a resumed run writes them again. */
  truncateAfter(runId: string, step: number): void {
    this.#commits.flush();
    this.#write([runId], () => {
      const key = this.#runs.key(runId);
      this.#writer.truncate(key, step);
      this.#connection.run('UPDATE runs SET steps = min(steps, ?) WHERE key = ?', Math.max(0, Math.floor(step)), key);
      // A run that begins anew has no last values: what it does not log again would count as its result.
      if (step < 0) this.#connection.run("UPDATE runs SET summary = '{}' WHERE key = ?", key);
    });
  }

  metricNames(runId: string): string[] {
    return this.#reader.rows(this.#runs.key(runId)).map((row) => row.metric);
  }

  /** Every metric of a run: how many points, the last value, the range. */
  metricStates(runId: string): Record<string, MetricState> {
    const rows = this.#reader.rows(this.#runs.key(runId));
    return Object.fromEntries(rows.map((row) => [row.metric, metricState(row)]));
  }

  /** A series to draw; empty when the run has no such metric. */
  readSeries(runId: string, metric: string, query: SeriesQuery = {}): Series {
    return this.readMany([runId], metric, query)[0];
  }

  /** The same metric of many runs, in their order. */
  readMany(runIds: readonly string[], metric: string, query: ManyQuery = {}): Series[] {
    return this.#connection.read(() => {
      const keys = runIds.map((id) => this.#runs.key(id));
      return readMany(this.#reader, keys, metric, query);
    });
  }

  /** A metric in all its places, by their order: layers, and heads within them. At most `maxPoints` of each come back, means of neighbours. */
  readPlaces(runId: string, metric: string, maxPoints: number): PlacedPoints {
    return this.#connection.read(() => readPlaces(this.#reader, this.#runs.key(runId), metric, maxPoints));
  }

  /** The same of those of the runs that exist, as charts get it; quickly where it was prepared for (`keepMany`). */
  readTable(runIds: readonly string[], metric: string, query: ManyQuery): SeriesTable {
    return this.#connection.read(() => {
      const known = this.existing(runIds);
      const keys = known.map((id) => this.#runs.key(id));
      return readTable(this.#reader, known, keys, metric, query, this.#middles);
    });
  }

  /**
   * Prepares for reading parts of these series (`wholeBuckets`), for about so long: what that takes is kept in memory until `forgetKept`.
   * @returns whether there is more to do
   */
  keepMany(runIds: readonly string[], metric: string, milliseconds: number): boolean {
    return this.#connection.read(() => {
      const keys = this.existing(runIds).map((id) => this.#runs.key(id));
      return keepMany(this.#reader, keys, metric, this.#middles, milliseconds);
    });
  }

  forgetKept(): void {
    this.#middles.forget();
  }

  /** Every point as logged, bit for bit; empty when the run has no such metric. */
  readAll(runId: string, metric: string): Points {
    return this.readSince(runId, metric, 0);
  }

  /** The points from the `index`-th on, as logged: what a live chart lacks. */
  readSince(runId: string, metric: string, index: number): Points {
    return this.#connection.read(() => {
      const row = this.#reader.row(this.#runs.key(runId), metric);
      if (!row) return { step: new Float64Array(0), value: new Float64Array(0) };
      return this.#reader.points(row, Math.min(Math.max(0, index), row.points), row.points);
    });
  }

  /** The next points after a step, at most `count`, as logged: for whoever reads a long series in parts. */
  readAfter(runId: string, metric: string, step: number, count: number): Points {
    return this.#connection.read(() => {
      const row = this.#reader.row(this.#runs.key(runId), metric);
      if (!row) return { step: new Float64Array(0), value: new Float64Array(0) };
      const from = this.#reader.indexOf(row, step, true);
      return this.#reader.points(row, from, Math.min(row.points, from + count));
    });
  }

  /**
   * Makes what boards of many ended runs are read from, for about so many milliseconds. Nothing depends on it but how fast that is.
   * @returns whether there may be more to do
   */
  sumUp(milliseconds: number): boolean {
    return this.#write([], () => this.#overviews.advance(milliseconds));
  }

  // --- events and checkpoints ---

  /** Adds a log line or a warning; batched with the points. Resolves when it is durable. */
  async appendEvent(event: NewRunEvent): Promise<void> {
    this.#assertWritable();
    const run = event.runId === null ? null : this.#runs.key(event.runId);
    const item: PendingWrite = { kind: 'event', run, runId: event.runId, event, at: event.at ?? Date.now() };
    this.#commits.assertRoom(item);
    await this.#commits.push(item);
  }

  readEvents(query: EventQuery = {}): RunEvent[] {
    return this.#events.read(query);
  }

  lastEvent(): number {
    return this.#events.lastSeq();
  }

  /** Records a checkpoint, after committing the points up to it; replaces the record of the same kind. */
  setCheckpoint(checkpoint: CheckpointRecord): void {
    this.#commits.flush();
    this.#write([checkpoint.runId], () => {
      const key = this.#runs.key(checkpoint.runId);
      this.#checkpoints.set(key, checkpoint);
      this.#runs.seen(key, Date.now());
    });
  }

  checkpoints(runId: string): CheckpointRecord[] {
    return this.#checkpoints.list(this.#runs.key(runId), runId);
  }

  removeCheckpoint(runId: string, kind: CheckpointKind): void {
    this.#write([runId], () => this.#checkpoints.remove(this.#runs.key(runId), kind));
  }

  // --- the file ---

  /** Called after every commit of this store. @returns a function that ends it */
  onCommit(listener: (commit: Commit) => void): () => void {
    this.#commitListeners.add(listener);
    return () => this.#commitListeners.delete(listener);
  }

  /** Called with the error when points can no longer be written, and with null once they can. */
  onTrouble(listener: (error: StoreError | null) => void): () => void {
    this.#troubleListeners.add(listener);
    return () => this.#troubleListeners.delete(listener);
  }

  /** Lets the file grow up to `bytes`; Infinity removes the limit. */
  limitSize(bytes: number): void {
    const pages = Number.isFinite(bytes) ? Math.ceil(bytes / Number(this.#connection.pragma('page_size'))) : 0xfffffffe;
    this.#connection.pragma(`max_page_count = ${Math.max(1, pages)}`);
  }

  /** Rows that hold the not yet full blocks of a run's series: what a live run costs its readers. */
  tailRows(runId: string): number {
    return this.#connection.get<{ n: number }>(
      'SELECT count(*) AS n FROM tails WHERE series IN (SELECT key FROM series WHERE run = ?)',
      this.#runs.key(runId),
    )!.n;
  }

  /** In bytes, with the write-ahead log. */
  readonly sizeOnDisk = (): number => databaseSize(this.path);

  /** Walks through the whole file. @returns what is wrong with it; empty when nothing is. */
  check(): string[] {
    return integrityProblems(this.#connection);
  }

  /**
   * Commits what waits and lets go of the file. When that last commit fails, the file is closed all the same, the
   * promises of what was not written reject, and the error is thrown.
   */
  close(): void {
    if (!this.#connection.isOpen) return;
    let failure: StoreError | undefined;
    try {
      this.#commits.flush();
    } catch (error) {
      failure = error as StoreError;
      this.#commits.rejectAll(failure);
    }
    this.#connection.close();
    this.#lock?.release();
    if (failure) throw failure;
  }

  #transition(key: number, to: RunState, options: TransitionOptions, place?: string): void {
    this.#queue.transition(key, to, options, place);
    if (to !== 'running') this.#sealed(key);
  }

  /** A run has all its points. */
  #sealed(key: number): void {
    this.#writer.seal(key);
    this.#overviews.note(key);
  }

  #assertWritable(): void {
    if (!this.#connection.isOpen) throw new StoreError('closed', `the run database ${this.path} is closed`);
    if (this.readOnly) throw new StoreError('read-only', `the run database ${this.path} was opened for reading only`);
  }

  /** @param appended whether `body` writes everything that waited */
  #write<T>(runIds: readonly string[], body: () => T, appended = false): T {
    let result: T;
    try {
      result = this.#connection.write(body);
    } catch (error) {
      // What these remember may have been rolled back.
      this.#writer.forget();
      this.#overviews.forget();
      this.#runs.forget();
      throw error;
    }
    if (this.#commitListeners.size > 0) {
      this.#notify(this.#commitListeners, {
        runIds: [...new Set(runIds)],
        lastEvent: this.#events.lastSeq(),
        appended,
      });
    }
    return result;
  }

  /** In a microtask: a listener that throws must not look like a failed commit. */
  #notify<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
    for (const listener of listeners) queueMicrotask(() => listener(value));
  }
}
