/**
 * The queue: takes queued runs from the database, trains up to `concurrency` of them at a time, and goes on until none is left
 * or it is stopped. The database is the queue; nothing is lost with the process.
 *
 * A run that fails is recorded with its reason and the next one starts. Finished runs are never taken again.
 */
import type { EngineMessage } from '../../../preload/contract/engine.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Store } from '../../store/index.ts';
import type { LaunchEngine } from './engine.ts';
import { trainRun } from './train.ts';
import type { TrainFolders, Training } from './train.ts';

export type QueueEvent =
  | { readonly type: 'started'; readonly run: RunRecord }
  | { readonly type: 'message'; readonly runId: string; readonly message: EngineMessage }
  | { readonly type: 'ended'; readonly run: RunRecord };

export interface QueueOptions {
  readonly store: Store;
  readonly launch: LaunchEngine;
  readonly folders: TrainFolders;
  readonly plugins?: readonly string[];
  readonly codeVersion?: string;
  /** Runs trained at the same time. */
  readonly concurrency: number;
  /** Only runs of this sweep, or only this run. */
  readonly sweepId?: string;
  readonly runId?: string;
  readonly onEvent?: (event: QueueEvent) => void;
  /** Milliseconds that an engine gets to stop by itself. */
  readonly patience?: number;
}

export class RunQueue {
  readonly #options: QueueOptions;
  readonly #active = new Map<string, Training>();
  readonly #concurrency: number;
  #stopReason: string | undefined;
  #started = false;
  readonly #idle = Promise.withResolvers<void>();

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#concurrency = Math.max(1, Math.floor(options.concurrency));
  }

  /** Ids of the runs in training. */
  get active(): readonly string[] {
    return [...this.#active.keys()];
  }

  /** Works until nothing is queued, or until stopped and everything has come to its end. */
  run(): Promise<void> {
    if (!this.#started) {
      this.#started = true;
      const { store, sweepId } = this.#options;
      if (sweepId !== undefined) store.updateSweep(sweepId, { state: 'running' });
      this.#fill();
    }
    return this.#idle.promise;
  }

  /**
   * Ends the runs in training (each can be resumed) and takes no more. Called again with `urgent`, or with `kill`, it hurries.
   */
  stop(reason: string, how: 'gracefully' | 'urgent' | 'kill' = 'gracefully'): Promise<void> {
    this.#stopReason ??= reason;
    for (const training of this.#active.values()) {
      if (how === 'kill') training.kill(reason);
      else training.stop(reason, how === 'urgent');
    }
    if (!this.#started || this.#active.size === 0) this.#finish();
    return this.#idle.promise;
  }

  /** Cancels one run, whether it waits or trains. @throws StoreError `state` when it has already ended */
  async cancel(runId: string): Promise<void> {
    const training = this.#active.get(runId);
    if (training === undefined) this.#options.store.setRunState(runId, 'stopped', { reason: CANCELLED });
    else {
      training.stop(CANCELLED, true);
      await training.done;
    }
  }

  /** Cancels every run of a sweep that has not ended. */
  async cancelSweep(sweepId: string): Promise<void> {
    const { store } = this.#options;
    // Those that wait first: otherwise a place that becomes free would be taken by one of them.
    for (const run of store.listRuns({ sweepId, state: 'queued' })) await this.cancel(run.id);
    await Promise.all(store.listRuns({ sweepId, state: 'running' }).map((run) => this.cancel(run.id)));
    store.updateSweep(sweepId, { state: 'stopped' });
  }

  #fill(): void {
    const { store, sweepId, runId } = this.#options;
    while (this.#stopReason === undefined && this.#active.size < this.#concurrency) {
      const run = store.claimNext({ sweepId, runId });
      if (run === undefined) break;
      this.#train(run);
    }
    if (this.#active.size === 0) this.#finish();
  }

  #train(run: RunRecord): void {
    const { store, launch, folders, plugins = [], codeVersion = '', onEvent, patience } = this.#options;
    onEvent?.({ type: 'started', run });
    const onMessage = (message: EngineMessage): void => onEvent?.({ type: 'message', runId: run.id, message });
    const training = trainRun({ store, run, launch, folders, plugins, codeVersion, onMessage, patience });
    this.#active.set(run.id, training);
    training.done.then(
      (ended) => {
        this.#active.delete(run.id);
        onEvent?.({ type: 'ended', run: ended });
        this.#fill();
      },
      (error: unknown) => {
        // The end of a run could not be recorded: the database is gone, so there is nothing to go on with.
        this.#active.delete(run.id);
        this.#stopReason ??= 'the run database failed';
        for (const other of this.#active.values()) other.kill(this.#stopReason);
        this.#idle.reject(error);
      },
    );
  }

  #finish(): void {
    const { store, sweepId } = this.#options;
    if (sweepId !== undefined && this.#started) {
      const { counts, state } = store.getSweep(sweepId)!;
      if (state === 'running')
        store.updateSweep(sweepId, { state: counts.queued + counts.running > 0 ? 'paused' : 'finished' });
    }
    this.#idle.resolve();
  }
}

/** Recorded as the reason of a run that the user does not want any more: resuming its sweep leaves it alone. */
export const CANCELLED = 'cancelled by the user';

/**
 * Puts runs of a sweep (or one run) back into the queue: those that were stopped, and with `failed` those that failed.
 * They continue from their last checkpoints. @returns how many
 */
export function requeue(
  store: Store,
  which: { readonly sweepId: string } | { readonly runId: string },
  states: readonly ('stopped' | 'failed')[],
): number {
  const runs = store.listRuns({ ...('sweepId' in which ? which : { ids: [which.runId] }), state: states });
  let count = 0;
  for (const run of runs) {
    if ('sweepId' in which && run.state === 'stopped' && run.endReason?.startsWith(CANCELLED)) continue;
    store.setRunState(run.id, 'queued', {
      reason: run.state === 'failed' ? 'retried by the user' : 'resumed by the user',
    });
    count++;
  }
  return count;
}

/**
 * How many runs to train at once when nobody says: as many as the cores carry, each with the threads that it uses, and no more
 * than there are runs.
 */
export function defaultConcurrency(runs: number, cores: number, threadsPerRun = 1): number {
  return Math.max(1, Math.min(Math.floor(cores / Math.max(1, threadsPerRun)), runs));
}
