/** Lines of a stream, none longer than it may be; what a progress bar writes over is one line. */
import { StringDecoder } from 'node:string_decoder';

const LONGEST = 1 << 20;

export class Lines {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  /** In a line that is too long: it is skipped to its end. */
  #skipping = false;
  /** Lines that were left out because they were too long. */
  skipped = 0;

  take(piece: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(piece)).split('\n');
    this.#rest = lines.pop()!;
    if (this.#skipping && lines.length > 0) {
      lines.shift();
      this.#skipping = false;
    }
    if (this.#skipping) this.#rest = '';
    else if (this.#rest.length > LONGEST) {
      // A bar that writes over its line for hours has said nothing but the last of it.
      const newest = this.#rest.slice(this.#rest.lastIndexOf('\r') + 1);
      this.#skipping = newest.length > LONGEST;
      if (this.#skipping) this.skipped++;
      this.#rest = this.#skipping ? '' : newest;
    }
    return lines.map(visible);
  }

  /** What came after the last line end. */
  end(): string[] {
    const rest = this.#skipping ? '' : visible(this.#rest + this.#decoder.end());
    this.#rest = '';
    return rest === '' ? [] : [rest];
  }
}

const visible = (line: string): string => {
  const whole = line.endsWith('\r') ? line.slice(0, -1) : line;
  return whole.slice(whole.lastIndexOf('\r') + 1);
};
