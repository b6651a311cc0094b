/** How often what crashes is started again: after growing pauses, and not any more when it goes on crashing. */

/** Before it is started again, in ms. */
const PAUSES = [250, 1000, 4000];
/** Crashes further apart than this count as the first one again, in ms. */
const CALM = 60_000;

export class Crashes {
  #times: number[] = [];

  /** Within the last minute. */
  get count(): number {
    return this.#times.length;
  }

  /** @returns how long to wait before the next start; undefined to give up */
  add(now: number): number | undefined {
    this.#times = [...this.#times.filter((time) => now - time < CALM), now];
    return PAUSES[this.#times.length - 1];
  }
}
