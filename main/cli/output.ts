/**
 * Where things are printed. With `--json`, standard output carries one JSON document and nothing else; progress and notes
 * go to standard error. Without it, results, notes and progress go to standard output, in order.
 */
import { createRequire } from 'node:module';
import type { createLogUpdate } from 'log-update';
import { CHOSEN } from '../../preload/shared/settings/policy.ts';
import { jsonWithoutCommands } from '../../preload/shared/plainText.ts';
import { forTerminal, styled } from './styles.ts';
import type { Style } from './styles.ts';

export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string | Uint8Array): unknown;
}

/**
 * Text as it is typed: numbers that are copied into another command have a hyphen for a minus and plain spaces. Every text passes here on
 * its way to a terminal or a pipe, where commands to a terminal that names and notes may hold become visible.
 */
const typed = (text: string): string => forTerminal(text.replaceAll('\u00A0', ' ').replaceAll(/−(?=[\d∞.])/gu, '-'));

/** Loaded with the first live line, which most commands never show. */
const logUpdate = () => createRequire(import.meta.url)('log-update') as { createLogUpdate: typeof createLogUpdate };

export class Output {
  readonly json: boolean;
  readonly #out: Sink;
  readonly #err: Sink;
  readonly #colors: boolean;
  #live: ReturnType<typeof createLogUpdate> | undefined;

  constructor(json: boolean, out: Sink = process.stdout, err: Sink = process.stderr) {
    this.json = json;
    this.#out = out;
    this.#err = err;
    const { NO_COLOR, FORCE_COLOR } = process.env;
    this.#colors = !json && (NO_COLOR ?? '') === '' && (out.isTTY === true || (FORCE_COLOR ?? '0') !== '0');
  }

  /** True where lines can be redrawn. */
  get interactive(): boolean {
    return this.#notes.isTTY === true && process.env.TERM !== 'dumb';
  }

  get width(): number {
    return this.#notes.columns ?? 100;
  }

  get #notes(): Sink {
    return this.json ? this.#err : this.#out;
  }

  /** A result: text for people. Not printed with `--json`. */
  text(text: string): void {
    if (this.json) return;
    this.clearLive();
    this.#out.write(`${typed(text)}\n`);
  }

  /** A result: JSON for machines. Only printed with `--json`. NaN and infinities, which JSON lacks, become null. */
  data(value: unknown): void {
    if (this.json) this.#out.write(`${jsonWithoutCommands(JSON.stringify(value, null, 2))}\n`);
  }

  /** A result that is neither, such as CSV: as it is, but to a terminal. @returns false while the reader is slower */
  raw(piece: string | Uint8Array): boolean {
    const text =
      this.#out.isTTY === true
        ? forTerminal(typeof piece === 'string' ? piece : new TextDecoder().decode(piece))
        : piece;
    return this.#out.write(text) !== false;
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    this.clearLive();
    this.#notes.write(`${typed(text)}\n`);
  }

  /** What a configuration says of itself: that something was chosen is a note. */
  said({ code, message }: { readonly code: string; readonly message: string }): void {
    if (code === CHOSEN) this.note(message);
    else this.warn(message);
  }

  warn(text: string): void {
    this.clearLive();
    this.#err.write(typed(`${this.style('yellow', 'warning:')} ${text}\n`));
  }

  error(text: string): void {
    this.clearLive();
    this.#err.write(`${typed(text)}\n`);
  }

  /** Replaces the live region. Only call it where `interactive`. */
  live(text: string): void {
    this.#live ??= logUpdate().createLogUpdate(this.json ? process.stderr : process.stdout, { showCursor: true });
    this.#live(typed(text));
  }

  /** Takes the live region away. */
  clearLive(): void {
    this.#live?.clear();
    this.#live?.done();
    this.#live = undefined;
  }

  style(style: Style, text: string): string {
    return this.#colors ? styled(style, text) : text;
  }
}
