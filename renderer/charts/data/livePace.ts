/**
 * The beat of live charts: what comes in is handed to all charts of a board at once, and nothing more before all of them have drawn it. So
 * charts of one run stand at the same step, however long each takes.
 */
import { drawsWaiting, drawPressure, timeDrawn } from '../draw/frames.ts';

/** At most 20 times a second (ms). */
const BEAT = 50;
/** Drawing may take a third of the time. */
const REST = 2;
/** A page in the background draws nothing; after so long (ms) charts take what there is all the same. */
const LONGEST = 2000;
/** Between looks whether the charts have drawn (ms). */
const LOOK = 16;

export interface Beat {
  now(): number;
  later(milliseconds: number, action: () => void): () => void;
  /** Charts that wait for their frame. */
  waiting(): number;
  /** Time (ms) that drawing has taken since the page began. */
  drawn(): number;
  /** How many times longer than usual to wait: 1 while frames are on time. */
  pressure(): number;
}

const PAGE: Beat = {
  now: () => performance.now(),
  later: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  waiting: drawsWaiting,
  drawn: timeDrawn,
  pressure: drawPressure,
};

export class LivePace<T> {
  readonly #deliver: (changes: readonly T[]) => void;
  readonly #beat: Beat;
  #changes: T[] = [];
  #handedAt = -Infinity;
  #drawnBefore = 0;
  #cancel: (() => void) | undefined;

  constructor(deliver: (changes: readonly T[]) => void, beat = PAGE) {
    this.#deliver = deliver;
    this.#beat = beat;
  }

  push(change: T): void {
    this.#changes.push(change);
    if (this.#cancel !== undefined) return;
    this.#look(Math.max(0, this.#handedAt + BEAT - this.#beat.now()));
  }

  /** What is there now: a chart has read further than the others stand. */
  hurry(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    this.#handOn();
  }

  dispose(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#changes = [];
  }

  #look(wait: number): void {
    this.#cancel = this.#beat.later(wait, () => {
      this.#cancel = undefined;
      const { now, waiting, drawn, pressure } = this.#beat;
      const since = now() - this.#handedAt;
      const due = Math.max(BEAT, REST * (drawn() - this.#drawnBefore)) * pressure();
      if (since < LONGEST && (waiting() > 0 || since < due)) {
        this.#look(waiting() > 0 ? LOOK : Math.min(due, LONGEST) - since);
        return;
      }
      this.#handOn();
    });
  }

  #handOn(): void {
    const changes = this.#changes;
    this.#changes = [];
    this.#handedAt = this.#beat.now();
    this.#drawnBefore = this.#beat.drawn();
    this.#deliver(changes);
  }
}
