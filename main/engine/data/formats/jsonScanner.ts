/** Finds where JSON values end in bytes that come in pieces, so that a list of any length is read value by value. */

const QUOTE = 34;
const BACKSLASH = 92;
const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
/** [ and { differ from ] and } by the same bits. */
const opens = (byte: number) => byte === 0x5b || byte === 0x7b;
const closes = (byte: number) => byte === 0x5d || byte === 0x7d;
/** Ends a number or word. */
const ends = (byte: number) => byte === 44 || closes(byte) || isSpace(byte);

/** End of the white space at `at`. */
export function skipSpace(bytes: Buffer, at: number): number {
  let next = at;
  while (next < bytes.length && isSpace(bytes[next])) next++;
  return next;
}

/** The place behind the string whose opening quote is before `at`; −1 when it goes on. */
function stringEnd(bytes: Buffer, at: number): number {
  for (let quote = bytes.indexOf(QUOTE, at); quote >= 0; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let slashes = 0;
    while (quote - slashes - 1 >= at && bytes[quote - slashes - 1] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return -1;
}

/** Backslashes at the end: together with what follows they tell whether a quote ends the string. */
function trailingSlashes(bytes: Buffer): number {
  let count = 0;
  while (count < bytes.length && bytes[bytes.length - 1 - count] === BACKSLASH) count++;
  return count;
}

/** Where one value ends. Keeps its place between calls, so that no byte is looked at twice. */
export class ValueScanner {
  #at = 0;
  #inString = false;
  #depth = 0;
  #inside = false;

  /** The end of the value that begins at byte 0 of `bytes`, −1 when it goes on. `last`: nothing more comes. */
  end(bytes: Buffer, last: boolean): number {
    while (this.#at < bytes.length) {
      const byte = bytes[this.#at];
      if (this.#inString || byte === QUOTE) {
        const end = stringEnd(bytes, this.#inString ? this.#at : this.#at + 1);
        this.#inString = end < 0;
        this.#at = end < 0 ? bytes.length - (last ? 0 : trailingSlashes(bytes)) : end;
        if (end < 0) return last ? this.#finish() : -1;
        if (this.#depth === 0) return this.#finish();
      } else if (opens(byte)) {
        this.#depth++;
        this.#at++;
      } else if (closes(byte) && this.#depth > 0) {
        this.#depth--;
        this.#at++;
        if (this.#depth === 0) return this.#finish();
      } else if (this.#depth === 0 && this.#inside && ends(byte)) return this.#finish();
      else {
        this.#inside = true;
        this.#at++;
      }
    }
    return last ? this.#finish() : -1;
  }

  #finish(): number {
    const end = this.#at;
    this.#at = 0;
    this.#inString = false;
    this.#depth = 0;
    this.#inside = false;
    return end;
  }
}
