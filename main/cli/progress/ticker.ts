/** Draws a live region a few times a second where lines can be redrawn; elsewhere prints a plain line now and then. */
import type { Output } from '../output.ts';

const FRAME = 200;
const PLAIN_INTERVAL = 10_000;

export class Ticker implements Disposable {
  readonly #output: Output;
  readonly #draw: () => string;
  readonly #plain: () => string;
  readonly #timer: NodeJS.Timeout;
  #paused = false;

  /** `draw` gives the live region, `plain` the line for logs. Empty texts are not printed. */
  constructor(output: Output, draw: () => string, plain: () => string) {
    this.#output = output;
    this.#draw = draw;
    this.#plain = plain;
    this.#timer = setInterval(() => this.#tick(), output.interactive ? FRAME : PLAIN_INTERVAL);
    this.#timer.unref();
  }

  #tick(): void {
    if (this.#paused) return;
    const text = this.#output.interactive ? this.#draw() : this.#plain();
    if (text === '') return;
    if (this.#output.interactive) this.#output.live(text);
    else this.#output.note(text);
  }

  /** Nothing more is drawn. */
  [Symbol.dispose](): void {
    this.#paused = true;
    clearInterval(this.#timer);
    this.#output.clearLive();
  }
}
