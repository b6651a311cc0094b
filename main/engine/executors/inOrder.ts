/** Asynchronous work done one piece after the other, in the order in which it is given. */

/**
 * Where a piece fails, those that wait behind it fail with its error, as they were given in the belief that it would succeed: an update never
 * follows gradients that were not computed. What is given afterwards is done again.
 */
export class InOrder {
  #last: Promise<unknown> | undefined;

  /** Whether anything is not done yet. */
  get busy(): boolean {
    return this.#last !== undefined;
  }

  /** Does `work` after all that was given before: at once where nothing is pending. */
  do<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last === undefined ? work() : this.#last.then(work);
    this.#last = result;
    const done = (): void => {
      if (this.#last === result) this.#last = undefined;
    };
    result.then(done, done);
    return result;
  }

  /** @throws Error while work is pending: `what` would come in between */
  assertIdle(what: string): void {
    if (this.busy) throw new Error(`${what} while runs are pending; wait for them first`);
  }
}
