/**
 * The queue of a host that stays: it goes on when runs are added, and can be paused, resumed and given more or fewer places while
 * runs train. Each run has a {@link RunQueue} of its own, which knows how to train and to stop it.
 */
import type { QueueState } from '../../../preload/contract/shapes.ts';
import type { RunQueue, QueueEvent } from '../../lab/queue/queue.ts';
import { CANCELLED } from '../../lab/queue/queue.ts';
import type { Lab } from '../lab.ts';

export interface LongQueueOptions {
  readonly lab: Lab;
  readonly concurrency: number;
  readonly onEvent: (event: QueueEvent) => void;
  /** Something of {@link LongQueue.state} is different. */
  readonly onChange: () => void;
  /** A sweep has another state. */
  readonly onSweep: (sweepId: string) => void;
  /** The database failed, so that no run can be begun; the queue is paused then. */
  readonly onFailure: (error: Error) => void;
}

/** Recorded with runs that were stopped together with their sweep: resuming the sweep takes them up again. */
const WITH_SWEEP = 'stopped with its sweep';
/** Reason of runs that were in training when the host ended. They are queued again. */
export const CLOSED = 'Sweeplab was closed';

export class LongQueue {
  readonly #options: LongQueueOptions;
  readonly #active = new Map<string, { readonly queue: RunQueue; readonly ended: Promise<void> }>();
  /** How many runs may train beside the runs of a sweep: more do not fit into the memory. */
  readonly #limits = new Map<string, number>();
  #concurrency: number;
  #paused = false;
  #closed = false;

  constructor(options: LongQueueOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
  }

  get state(): QueueState {
    const waiting = this.#closed ? [] : this.#options.lab.store.listRuns({ state: 'queued' }).map(({ id }) => id);
    return { paused: this.#paused, concurrency: this.#concurrency, running: [...this.#active.keys()], waiting };
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  get busy(): boolean {
    return this.#active.size > 0;
  }

  setConcurrency(concurrency: number): void {
    this.#concurrency = Math.max(1, Math.floor(concurrency));
    this.#options.onChange();
    this.kick();
  }

  /** Begins no further run; those in training go on. */
  pause(): void {
    this.#paused = true;
    this.#options.onChange();
  }

  resume(): void {
    this.#paused = false;
    this.#options.onChange();
    this.kick();
  }

  /** At most so many runs at a time while a run of this sweep is next. */
  limit(sweepId: string, most: number): void {
    this.#limits.set(sweepId, most);
  }

  /** Runs were queued: begins what can be begun. */
  added(): void {
    this.#options.onChange();
    this.kick();
  }

  /** Which runs wait has changed, none was added. */
  changed(): void {
    this.#options.onChange();
  }

  /** Begins what can be begun. */
  kick(): void {
    const { lab } = this.#options;
    let begun = false;
    try {
      while (!this.#paused && !this.#closed && this.#active.size < this.#concurrency) {
        const run = lab.store.nextQueued();
        if (run === undefined) break;
        if (run.sweepId !== null && this.#active.size >= (this.#limits.get(run.sweepId) ?? Infinity)) break;
        this.#begin(run.id, run.sweepId);
        begun = true;
      }
    } catch (error) {
      this.#paused = true;
      this.#options.onFailure(error as Error);
    }
    if (begun || this.#paused) this.#options.onChange();
  }

  /** Cancels a run, whether it waits or trains; resolves when its end is recorded. @throws StoreError `state` when it has ended */
  async stopRun(runId: string): Promise<void> {
    const { lab, onChange } = this.#options;
    const active = this.#active.get(runId);
    if (active === undefined) {
      const { sweepId } = lab.store.setRunState(runId, 'stopped', { reason: CANCELLED });
      this.#settle(sweepId);
      onChange();
      return;
    }
    await active.queue.cancel(runId);
    await active.ended;
  }

  /** Cancels every run of a sweep that has not ended. */
  async stopSweep(sweepId: string): Promise<void> {
    const { lab, onSweep, onChange } = this.#options;
    // Those that wait first: otherwise a place that becomes free would be taken by one of them.
    for (const { id } of lab.store.listRuns({ sweepId, state: 'queued' }))
      lab.store.setRunState(id, 'stopped', { reason: WITH_SWEEP });
    lab.store.updateSweep(sweepId, { state: 'stopped' });
    onSweep(sweepId);
    onChange();
    const training = lab.store.listRuns({ sweepId, state: 'running' }).flatMap(({ id }) => this.#active.get(id) ?? []);
    await Promise.all(
      training.map(async ({ queue, ended }) => {
        await queue.stop(WITH_SWEEP, 'urgent');
        await ended;
      }),
    );
  }

  /** Ends all runs in training; they are queued again and go on with the next host. */
  async close(how: 'urgent' | 'kill' = 'urgent'): Promise<void> {
    this.#closed = true;
    const active = [...this.#active];
    await Promise.all(
      active.map(async ([, { queue, ended }]) => {
        await queue.stop(CLOSED, how);
        await ended;
      }),
    );
    for (const [id] of active) {
      const run = this.#options.lab.store.getRun(id);
      // One that the user had cancelled a moment before stays cancelled.
      if (run?.state === 'stopped' && run.endReason?.startsWith(CLOSED) === true)
        this.#options.lab.store.setRunState(id, 'queued', { reason: CLOSED });
    }
  }

  #begin(runId: string, sweepId: string | null): void {
    const { lab, onEvent, onSweep } = this.#options;
    const queue = lab.queue({ concurrency: 1, runId, onEvent });
    const ended = queue.run().then(
      () => this.#ended(runId, sweepId),
      (error: Error) => {
        this.#active.delete(runId);
        this.#paused = true;
        this.#options.onFailure(error);
      },
    );
    this.#active.set(runId, { queue, ended });
    if (sweepId !== null && lab.store.getSweep(sweepId)?.state !== 'running') {
      lab.store.updateSweep(sweepId, { state: 'running' });
      onSweep(sweepId);
    }
  }

  #ended(runId: string, sweepId: string | null): void {
    this.#active.delete(runId);
    this.#settle(sweepId);
    this.#options.onChange();
    this.kick();
  }

  /** A sweep without anything left to train is finished. */
  #settle(sweepId: string | null): void {
    if (sweepId === null) return;
    const { lab, onSweep } = this.#options;
    const sweep = lab.store.getSweep(sweepId);
    if (sweep?.state === 'running' && sweep.counts.queued + sweep.counts.running === 0)
      lab.store.updateSweep(sweepId, { state: 'finished' });
    onSweep(sweepId);
  }
}
