/**
 * The queue: takes queued runs from the database in their order, trains as many at a time as their place has room for, and records how
 * each one ends. The database is the queue; nothing is lost with the process.
 *
 * A host that stays keeps one for everything: runs are added, moved, stopped while others train. A command keeps one for its own sweep or
 * run and waits until nothing of it is left. A run that fails is recorded with its reason and the next one starts. While the database
 * takes nothing the queue waits, says so, and tries again.
 */
import type { EngineMessage } from '../../../preload/contract/engine.ts';
import type { RunRecord, StopCause } from '../../../preload/contract/runs.ts';
import type { QueueState } from '../../../preload/contract/shapes.ts';
import { StoreError } from '../../store/index.ts';
import type { Store } from '../../store/index.ts';
import type { Candidate, Occupant, Place, Training } from './place.ts';
import { STOP_WORDS } from './resume.ts';

export type QueueEvent =
  | { readonly type: 'started'; readonly run: RunRecord }
  | { readonly type: 'message'; readonly runId: string; readonly message: EngineMessage }
  /** Its end is in the database. A run that the closing host ended is queued again. */
  | { readonly type: 'ended'; readonly run: RunRecord };

export interface QueueOptions {
  readonly store: Store;
  readonly place: Place;
  /** Only runs of this sweep, or only this run. Default: everything, with the switches that the user has set. */
  readonly scope?: { readonly sweepId: string } | { readonly runId: string };
  /** Begins no run until it is resumed. Default: as the user left it. */
  readonly paused?: boolean;
  readonly onEvent?: (event: QueueEvent) => void;
  /** Something of {@link RunQueue.state} is different. */
  readonly onChange?: () => void;
  /** A sweep has another state or other counts. */
  readonly onSweep?: (sweepId: string) => void;
  /** The database takes nothing, so that no run can be begun or ended; null: it does again. */
  readonly onTrouble?: (error: StoreError | null) => void;
  /** It was stopped, but the database takes nothing: after this long it ends without recording what is left. Told once. */
  readonly onGrace?: (error: StoreError, milliseconds: number) => void;
  /** Milliseconds that a queue with a scope, once stopped, waits for a database that takes nothing. */
  readonly grace?: number;
}

/** How hard training is asked to end: with a last evaluation, without, or at once. */
export type StopHow = 'gracefully' | 'urgent' | 'kill';

/** Reason of runs that were in training when the host ended. They are queued again. */
const CLOSED = 'Sweeplab was closed';
/** Trouble with the file itself: what is trained now would be kept nowhere. */
const LASTING: ReadonlySet<string> = new Set(['gone', 'read-only', 'corrupt', 'closed']);
/** Reason of runs that a command ended because nothing of them can be kept. */
const LOST = 'interrupted: the run database is gone or cannot be written';
/** Pause before the database is tried again. */
const RETRY_MS = 3000;
/** A command that was asked to end waits no longer than this for a disk that takes nothing: whoever asked may be a service manager. */
const GRACE_MS = 5000;
/** How often it is looked at while runs train. */
const WATCH_MS = 2000;

interface Stop {
  readonly reason: string;
  /** Null: the host closes, so that the run is queued again. */
  readonly cause: StopCause | null;
}

interface Active extends Occupant {
  readonly training: Training;
  /** Nothing more comes of it; what is left is to record that. */
  over: boolean;
  stop: Stop | undefined;
  /** Settled when its end is recorded, or could not be at the first try. */
  readonly recorded: PromiseWithResolvers<RunRecord>;
}

const deviceOf = ({ config }: RunRecord): string => String(config.device ?? '');

export class RunQueue {
  readonly #options: QueueOptions;
  readonly #active = new Map<string, Active>();
  #paused: boolean;
  #trouble: StoreError | undefined;
  #retry: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  /** No further run is begun. */
  #ending = false;
  /** What cannot be recorded is given up. */
  #abandoned = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    const switches = options.scope === undefined ? options.store.queueSwitches() : { paused: false, places: null };
    this.#paused = options.paused ?? switches.paused;
    if (switches.places !== null) options.place.places = switches.places;
  }

  get state(): QueueState {
    const { store, place } = this.#options;
    return {
      paused: this.#paused,
      trouble: (this.#trouble ?? this.#options.store.trouble)?.message ?? null,
      concurrency: place.places,
      running: this.active,
      waiting: this.#ending ? [] : store.queuedIds(this.#claim),
    };
  }

  /** Ids of the runs in training. */
  get active(): readonly string[] {
    return [...this.#active.keys()];
  }

  get concurrency(): number {
    return this.#options.place.places;
  }

  /** Why the database takes nothing; undefined while it does. */
  get trouble(): StoreError | undefined {
    return this.#trouble;
  }

  get busy(): boolean {
    return this.#active.size > 0;
  }

  /**
   * Works until nothing of its scope waits or trains, or until stopped and everything has come to its end. While it is paused or the
   * database takes nothing it waits. @throws StoreError when it was stopped at once and an end could not be recorded
   */
  run(): Promise<void> {
    const { store, scope } = this.#options;
    this.#idle = Promise.withResolvers();
    // A paused sweep is passed over; whoever asks for it wants it to go on.
    if (scope !== undefined && 'sweepId' in scope) store.updateSweep(scope.sweepId, { state: 'running' });
    this.kick();
    return this.#idle.promise;
  }

  // --- switches ---

  setConcurrency(concurrency: number): void {
    const { place } = this.#options;
    place.places = concurrency;
    this.#remember({ places: place.places });
    this.#changed();
    this.kick();
  }

  /** Begins no further run; those in training go on. */
  pause(): void {
    this.#paused = true;
    this.#remember({ paused: true });
    this.#changed();
  }

  resume(): void {
    this.#paused = false;
    this.#remember({ paused: false });
    this.#changed();
    this.kick();
  }

  /** Puts queued runs before another queued one; null: behind all. @throws StoreError `not-found`, `state` */
  move(ids: readonly string[], before: string | null): void {
    this.#options.store.moveQueued(ids, before);
    this.#changed();
    this.kick();
  }

  /** Does what can be done now: records ends, begins runs. What a host does first. */
  kick(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const before = this.#active.size;
    try {
      this.#recordEnds();
      this.#options.store.assertThere();
      this.#fill();
      this.#finishSweeps();
      this.#recovered();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#active.size !== before) this.#changed();
    this.#watchFile();
    this.#rest();
  }

  /** Runs were queued, or taken from the queue: which wait is different. */
  added(): void {
    this.#changed();
    this.kick();
  }

  // --- stopping ---

  /**
   * Cancels a run, whether it waits or trains; resolves when its end is recorded.
   * @throws StoreError `state` when it has ended; what the database says when its end cannot be recorded now (it will be)
   */
  async stopRun(runId: string): Promise<void> {
    await this.#stopOne(runId, { reason: STOP_WORDS.cancelled, cause: 'cancelled' });
  }

  /** Ends a run for good because its search method sees no promise in it. @throws as {@link stopRun} */
  async prune(runId: string, reason: string): Promise<void> {
    await this.#stopOne(runId, { reason, cause: 'pruned' });
  }

  /** Ends every run of a sweep; resuming the sweep takes them up again. @throws as {@link stopRun} */
  async stopSweep(sweepId: string): Promise<void> {
    const { store, onSweep } = this.#options;
    const stop = { reason: STOP_WORDS.sweep, cause: 'sweep' } as const;
    // Those that wait first: otherwise a place that becomes free would be taken by one of them.
    const waiting = store.listRuns({ sweepId, state: 'queued' }).map(({ id }) => id);
    store.setRunStates(waiting, 'stopped', stop, { id: sweepId, state: 'stopped' });
    onSweep?.(sweepId);
    this.#changed();
    const training = [...this.#active.values()].filter(({ run }) => run.sweepId === sweepId);
    await Promise.all(training.map((active) => this.#end(active, stop, 'urgent')));
  }

  /**
   * Ends the runs in training and takes no more: a command was interrupted. Each run can be resumed. Called again it hurries; with `kill`
   * nothing is waited for any longer, also not a disk that is full, for which it otherwise waits a few seconds.
   */
  stop(how: StopHow = 'gracefully'): void {
    this.#ending = true;
    this.#abandoned ||= how === 'kill';
    const stop = { reason: STOP_WORDS.interrupted, cause: 'interrupted' } as const;
    if (how === 'kill') clearTimeout(this.#grace);
    for (const active of this.#active.values()) void this.#end(active, stop, how).catch(() => undefined);
    this.kick();
  }

  /** Ends the runs in training; they are queued again and go on with the next host. Never rejects: what is not recorded is found then. */
  async close(how: Exclude<StopHow, 'gracefully'> = 'urgent'): Promise<void> {
    this.#ending = true;
    const ends = [...this.#active.values()].map((active) => this.#end(active, { reason: CLOSED, cause: null }, how));
    await Promise.allSettled(ends);
    this.#leaveWord();
    clearTimeout(this.#retry);
    clearTimeout(this.#watch);
  }

  async #stopOne(runId: string, stop: Stop & { readonly cause: StopCause }): Promise<void> {
    const active = this.#active.get(runId);
    if (active !== undefined) return void (await this.#end(active, stop, 'urgent'));
    const { sweepId } = this.#options.store.setRunState(runId, 'stopped', stop);
    if (sweepId !== null) this.#options.onSweep?.(sweepId);
    this.added();
  }

  /** The first who ends a run says why. */
  #end(active: Active, stop: Stop, how: StopHow): Promise<RunRecord> {
    active.stop ??= stop;
    if (how === 'kill') active.training.kill(active.stop.reason);
    else active.training.stop(active.stop.reason, how === 'urgent');
    return active.recorded.promise;
  }

  // --- beginning and recording ---

  get #claim(): { readonly sweepId?: string; readonly runId?: string; readonly origins: Place['origins'] } {
    return { ...this.#options.scope, origins: this.#options.place.origins };
  }

  #fill(): void {
    const { store, place } = this.#options;
    // In their order: a small run does not overtake a large one that would then wait for ever. What asks for another device goes on.
    const before: Candidate[] = [];
    while (!this.#paused && !this.#ending) {
      const run = store.nextQueued({ ...this.#claim, notOn: before.map((each) => deviceOf(each.run)) });
      if (run === undefined) return;
      const limit = (run.sweepId === null ? null : store.getSweep(run.sweepId)?.concurrencyLimit) ?? Infinity;
      const slot = place.room({ run, limit }, [...this.#active.values()], before);
      if (slot === undefined) {
        before.push({ run, limit });
        continue;
      }
      const claimed = store.claimNext({ runId: run.id, origins: place.origins }, place.name)!;
      this.#begin({ run: claimed, limit, slot });
    }
  }

  #begin(occupant: Occupant): void {
    const { place, onEvent, onSweep } = this.#options;
    const { run, slot } = occupant;
    onEvent?.({ type: 'started', run });
    if (run.sweepId !== null) onSweep?.(run.sweepId);
    const training = place.begin(run, slot, (message) => onEvent?.({ type: 'message', runId: run.id, message }));
    const recorded = Promise.withResolvers<RunRecord>();
    // Whoever stops a run waits for it; nobody need.
    recorded.promise.catch(() => undefined);
    const active: Active = { ...occupant, training, over: false, stop: undefined, recorded };
    this.#active.set(run.id, active);
    void training.ended.then(() => {
      active.over = true;
      this.kick();
    });
  }

  /** @throws StoreError when the database does not take it; then it is tried again with the next kick */
  #recordEnds(): void {
    const failures: unknown[] = [];
    for (const active of [...this.#active.values()].filter(({ over }) => over)) {
      let run: RunRecord;
      try {
        run = this.#record(active);
      } catch (error) {
        // Whoever waits for the others gets an answer, too.
        failures.push(error);
        active.recorded.reject(error);
        continue;
      }
      this.#active.delete(run.id);
      this.#options.onEvent?.({ type: 'ended', run });
      active.recorded.resolve(run);
      if (run.sweepId !== null) this.#options.onSweep?.(run.sweepId);
    }
    if (failures.length > 0) throw failures[0];
  }

  #record({ run, training, stop }: Active): RunRecord {
    const { store } = this.#options;
    const { state, reason, progress } = training.conclude();
    if (state !== 'stopped') return store.setRunState(run.id, state, { reason, progress });
    // In one step, so that a kill in between cannot leave it out of the queue.
    if (stop?.cause === null) return store.setRunState(run.id, 'queued', { reason: CLOSED, progress });
    return store.setRunState(run.id, 'stopped', { reason, cause: stop?.cause, progress });
  }

  /** Sweeps without anything left to train are finished, whoever trained or removed the last run, and in which host that was. */
  #finishSweeps(): void {
    const { store, onSweep } = this.#options;
    for (const id of store.exhaustedSweeps()) {
      store.updateSweep(id, { state: 'finished' });
      onSweep?.(id);
    }
  }

  // --- resting, trouble ---

  /** Training writes on into a file that was deleted, without an error: it is looked at as long as runs train. */
  #watchFile(): void {
    clearTimeout(this.#watch);
    this.#watch = this.busy ? setTimeout(() => this.kick(), WATCH_MS).unref() : undefined;
  }

  /** Ends {@link run} when there is nothing more to do. */
  #rest(): void {
    if (this.#idle === undefined) return;
    const lasting = this.#trouble !== undefined && (this.#abandoned || !this.#trouble.retryable);
    if (lasting && [...this.#active.values()].every(({ over }) => over)) {
      this.#leaveWord();
      this.#idle.reject(this.losses(this.#trouble!));
      return;
    }
    if (this.#active.size > 0 || this.#trouble !== undefined || (this.#paused && !this.#ending)) return;
    const { store, scope } = this.#options;
    try {
      if (scope !== undefined && 'sweepId' in scope) {
        const { state, counts } = store.getSweep(scope.sweepId)!;
        if (state === 'running' && counts.queued > 0) store.updateSweep(scope.sweepId, { state: 'paused' });
      }
      this.#idle.resolve();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends that the disk does not take, where the next who looks finds them. */
  #leaveWord(): void {
    if (this.#active.size === 0 || this.#trouble === undefined) return;
    const why = `its end could not be recorded: ${this.#trouble.message}`;
    this.#options.store.leaveWord(
      [...this.#active.values()].map(({ run, stop }) => ({
        id: run.id,
        // What the closing host ended goes on with the next, as what a kill has ended.
        cause: stop?.cause ?? 'killed',
        reason: `${stop?.reason ?? STOP_WORDS.interrupted}; ${why}`,
      })),
    );
  }

  /** What the database does not take now, in numbers. @returns what tells of it with an error */
  get losses(): (error: StoreError) => StoreError {
    const points = this.#options.store.waitingPoints;
    const runs = this.#active.size;
    return ({ code, message }) => {
      if (points === 0 && runs === 0) return new StoreError(code, message);
      return new StoreError(
        code,
        `${message}; not written: ${points} ${points === 1 ? 'point or log line' : 'points and log lines'}, and the end of ${runs} ` +
          `${runs === 1 ? 'run, which goes' : 'runs, which go'} on from the last checkpoint when started again`,
      );
    };
  }

  #fail(error: unknown): void {
    const trouble = error instanceof StoreError ? error : new StoreError('internal', (error as Error).message);
    const first = this.#trouble === undefined;
    this.#trouble = trouble;
    // A host looks again: folders are mounted and unmounted.
    if (LASTING.has(trouble.code)) this.#giveUp();
    if ((trouble.retryable || this.#options.scope === undefined) && !this.#abandoned)
      this.#retry = setTimeout(() => this.kick(), RETRY_MS);
    if (first) {
      this.#options.onTrouble?.(trouble);
      this.#changed();
    }
    this.#waitBriefly(trouble);
  }

  /** Whoever asked a command to end is not kept waiting for space that nobody may ever free. */
  #waitBriefly(trouble: StoreError): void {
    const { scope, grace = GRACE_MS, onGrace } = this.#options;
    if (!this.#ending || this.#abandoned || scope === undefined || !trouble.retryable || this.#grace !== undefined)
      return;
    this.#grace = setTimeout(() => this.stop('kill'), grace);
    onGrace?.(trouble, grace);
  }

  /** Ends training at once. */
  #giveUp(): void {
    const host = this.#options.scope === undefined;
    const stop: Stop = host ? { reason: CLOSED, cause: null } : { reason: LOST, cause: 'interrupted' };
    for (const active of this.#active.values())
      if (!active.over) void this.#end(active, stop, 'kill').catch(() => undefined);
  }

  #recovered(): void {
    if (this.#trouble === undefined) return;
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.#trouble = undefined;
    this.#options.onTrouble?.(null);
    this.#changed();
  }

  /** A switch counts for this session also when it cannot be kept. */
  #remember(switches: Parameters<Store['setQueueSwitches']>[0]): void {
    if (this.#options.scope !== undefined) return;
    try {
      this.#options.store.setQueueSwitches(switches);
    } catch (error) {
      this.#fail(error);
    }
  }

  #changed(): void {
    this.#options.onChange?.();
  }
}
