/**
 * Batched commits: what was pushed is committed together, at most 20 times a second, and each caller's promise resolves
 * only after the commit that holds its item. An acknowledged point is a committed point.
 *
 * When the disk does not take a commit (full, I/O error, busy), nothing of it is in the database, the items stay
 * queued in order, listeners are told, and the commit is tried again with growing pauses.
 */

import { StoreError } from './errors.ts';
import { counted } from '../../preload/shared/format.ts';

/** Milliseconds between the starts of two commits. */
const COMMIT_INTERVAL = 50;
/** Commit without waiting for the timer beyond this many points. */
const EAGER_POINTS = 2 ** 18;
/** Refuse more while the disk does not take commits. */
const MAX_POINTS = 2 ** 22;
const FIRST_RETRY = 250;
const LAST_RETRY = 5000;

/** What a commit changed; readers look up the rest. */
export interface Commit {
  readonly runIds: readonly string[];
  /** The number of the newest event. */
  readonly lastEvent: number;
  /** Whether it holds all points and log lines that were appended before it. */
  readonly appended: boolean;
}

export interface CommitQueueOptions<T> {
  /** Writes all items in one transaction, or throws a StoreError and has written nothing. */
  readonly commit: (items: readonly T[]) => void;
  /** Points in an item. */
  readonly weigh: (item: T) => number;
  /** Told the error when commits begin to fail, and null when they work again. */
  readonly onTrouble: (error: StoreError | null) => void;
}

interface Entry<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

export class CommitQueue<T> {
  readonly #options: CommitQueueOptions<T>;
  #entries: Entry<T>[] = [];
  #points = 0;
  #timer: NodeJS.Timeout | null = null;
  #lastCommit = -Infinity;
  #trouble: StoreError | null = null;
  #retryDelay = FIRST_RETRY;

  constructor(options: CommitQueueOptions<T>) {
    this.#options = options;
  }

  get trouble(): StoreError | null {
    return this.#trouble;
  }

  /** What waits. */
  get points(): number {
    return this.#points;
  }

  /** @throws StoreError `backlog` when the disk takes nothing and too much waits already. */
  assertRoom(item: T): void {
    if (this.#trouble === null || this.#points + this.#options.weigh(item) <= MAX_POINTS) return;
    const message = `${counted(this.#points, 'point')} ${this.#points === 1 ? 'waits' : 'wait'} for the run database and no more are taken: ${this.#trouble.message}`;
    throw new StoreError('backlog', message, { cause: this.#trouble });
  }

  /** Resolves once the item is committed. Rejects when the store closes first. */
  push(item: T): Promise<void> {
    const weight = this.#options.weigh(item);
    const promise = new Promise<void>((resolve, reject) => {
      this.#entries.push({ item, resolve, reject });
    });
    this.#points += weight;
    if (this.#trouble === null && this.#points >= EAGER_POINTS) this.#attempt();
    else this.#schedule();
    return promise;
  }

  /** Commits everything now. Throws when that fails; the items stay queued. */
  flush(): void {
    this.#stopTimer();
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#lastCommit = performance.now();
    try {
      this.#options.commit(entries.map((entry) => entry.item));
    } catch (error) {
      const trouble = error as StoreError;
      if (trouble.retryable === true) {
        const first = this.#trouble === null;
        this.#trouble = trouble;
        this.#schedule();
        this.#retryDelay = Math.min(LAST_RETRY, this.#retryDelay * 2);
        if (first) this.#options.onTrouble(trouble);
      } else this.rejectAll(trouble);
      throw error;
    }
    this.#entries = [];
    this.#points = 0;
    this.#retryDelay = FIRST_RETRY;
    for (const entry of entries) entry.resolve();
    if (this.#trouble !== null) {
      this.#trouble = null;
      this.#options.onTrouble(null);
    }
  }

  /** Gives up everything that waits. */
  rejectAll(error: StoreError): void {
    this.#stopTimer();
    const entries = this.#entries;
    this.#entries = [];
    this.#points = 0;
    for (const entry of entries) entry.reject(error);
  }

  /** Gives up the items that `drop` chooses, for example those of a purged run. */
  discard(drop: (item: T) => boolean, error: StoreError): void {
    const dropped = this.#entries.filter((entry) => drop(entry.item));
    this.#entries = this.#entries.filter((entry) => !drop(entry.item));
    this.#points = this.#entries.reduce((sum, entry) => sum + this.#options.weigh(entry.item), 0);
    for (const entry of dropped) entry.reject(error);
  }

  #attempt(): void {
    try {
      this.flush();
    } catch {
      // The callers hear of it through their promises or onTrouble; the timer tries again.
    }
  }

  #schedule(): void {
    if (this.#timer !== null) return;
    const sinceLast = performance.now() - this.#lastCommit;
    const wait = this.#trouble ? this.#retryDelay : Math.max(1, COMMIT_INTERVAL - sinceLast);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#attempt();
    }, wait);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
