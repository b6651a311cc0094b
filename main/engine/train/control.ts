/** What may interrupt training from outside. The loop looks at it between steps and between evaluation batches. */
export class TrainingControl {
  #stopping = false;
  #urgent = false;
  #abandoned = false;
  #listeners: (() => void)[] = [];

  /** A stop was asked for. */
  get stopping(): boolean {
    return this.#stopping;
  }
  /** Leave out everything but the checkpoint. */
  get urgent(): boolean {
    return this.#urgent;
  }
  /** The host is gone. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  /** Ends training after the step in progress; `urgent` leaves the last evaluation out. */
  stop(urgent = false): void {
    this.#stopping = true;
    this.#urgent ||= urgent;
    this.#notify();
  }

  /** Nobody listens any more: save and end. */
  abandon(): void {
    this.#abandoned = true;
    this.stop(true);
  }

  /** Calls `listener` at every change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
