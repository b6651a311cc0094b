/** Work that nobody waits for, in slices between what the lab is asked. */

/** After the last change it begins so much later (ms): what follows a change at once goes first. */
const QUIET = 1000;
/** Of a slice, and between two (ms). */
const SLICE = 8;
const PAUSE = 50;

export class Upkeep {
  readonly #work: (milliseconds: number) => boolean;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param work does some of it; says whether there may be more. What it throws is tried again after the next change. */
  constructor(work: (milliseconds: number) => boolean) {
    this.#work = work;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#timer === undefined) this.#later(QUIET);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #later(milliseconds: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      try {
        if (this.#work(SLICE)) this.#later(PAUSE);
      } catch {
        // A full disk, a file that is gone: whoever has something to lose says so.
      }
    }, milliseconds).unref();
  }
}
