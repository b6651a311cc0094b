/**
 * Charts that are zoomed together are drawn together: while others still wait for their answers, drawing the first would make these come
 * late, and what a person compares would change one by one.
 */

/** So long (ms) the first chart that is ready waits for the others. */
const PATIENCE = 300;

export class Together {
  readonly #later: (milliseconds: number, action: () => void) => () => void;
  readonly #ready = new Set<() => void>();
  #reading = 0;
  #cancel: (() => void) | undefined;

  constructor(later: (milliseconds: number, action: () => void) => () => void) {
    this.#later = later;
  }

  /** A chart reads. @returns to be called once when it does no more, with what is to be done when all others are as far */
  reading(): (then?: () => void) => void {
    this.#reading++;
    return (then) => {
      this.#reading--;
      if (then !== undefined) this.#ready.add(then);
      if (this.#reading === 0) this.#go();
      else if (this.#ready.size > 0) this.#cancel ??= this.#later(PATIENCE, () => this.#go());
    };
  }

  #go(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const ready = [...this.#ready];
    this.#ready.clear();
    for (const then of ready) then();
  }
}
