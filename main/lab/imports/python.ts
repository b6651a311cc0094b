/** Objects as Python prints them: `{'loss': 0.5, 'ok': True, 'tags': ['a', None]}`, JSON with bare NaN among them. */

const DEEPEST = 32;

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw new SyntaxError(`something follows at ${this.#at}`);
    return value;
  }

  #space(): void {
    while (this.#at < this.#text.length && this.#text.charCodeAt(this.#at) <= 32) this.#at++;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #value(depth: number): unknown {
    if (depth > DEEPEST) throw new SyntaxError('too deep');
    this.#space();
    const next = this.#text[this.#at];
    if (next === '{') return this.#object(depth);
    if (next === '[' || next === '(') return this.#list(depth, next === '[' ? ']' : ')');
    if (next === "'" || next === '"') return this.#string(next);
    return this.#word();
  }

  #object(depth: number): Record<string, unknown> {
    this.#at++;
    const made: Record<string, unknown> = Object.create(null);
    while (!this.#take('}')) {
      const key = this.#value(depth + 1);
      if (!this.#take(':')) throw new SyntaxError(`no colon at ${this.#at}`);
      made[String(key)] = this.#value(depth + 1);
      if (!this.#take(',')) {
        if (this.#take('}')) break;
        throw new SyntaxError(`no comma at ${this.#at}`);
      }
    }
    return made;
  }

  #list(depth: number, end: string): unknown[] {
    this.#at++;
    const made: unknown[] = [];
    while (!this.#take(end)) {
      made.push(this.#value(depth + 1));
      if (!this.#take(',')) {
        if (this.#take(end)) break;
        throw new SyntaxError(`no comma at ${this.#at}`);
      }
    }
    return made;
  }

  #string(quote: string): string {
    let made = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at]!;
      if (character === quote) {
        this.#at++;
        return made;
      }
      if (character !== '\\') {
        made += character;
        continue;
      }
      const escaped = this.#text[++this.#at];
      const code =
        escaped === 'u' ? /^[\da-f]{4}/iu.exec(this.#text.slice(this.#at + 1, this.#at + 5))?.[0] : undefined;
      if (code !== undefined) {
        made += String.fromCharCode(Number.parseInt(code, 16));
        this.#at += 4;
      } else made += { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }[escaped ?? ''] ?? escaped ?? '';
    }
    throw new SyntaxError('a text is not closed');
  }

  #word(): unknown {
    const [word] = /^[^\s,:\]})]+/u.exec(this.#text.slice(this.#at, this.#at + 400)) ?? [];
    if (word === undefined) throw new SyntaxError(`nothing at ${this.#at}`);
    this.#at += word.length;
    const known = WORDS[word];
    if (known !== undefined || word in WORDS) return known;
    const number = Number(word);
    if (!Number.isNaN(number)) return number;
    // Numbers of NumPy and the like: np.float32(0.5), tensor(0.5.
    const inner = /^[\w.]+\((-?[\d.e+-]+)/iu.exec(word)?.[1];
    if (inner !== undefined && Number.isFinite(Number(inner))) {
      this.#take(')');
      return Number(inner);
    }
    throw new SyntaxError(`${word} is no value`);
  }
}

const WORDS: Readonly<Record<string, unknown>> = Object.assign(Object.create(null), {
  True: true,
  False: false,
  None: null,
  true: true,
  false: false,
  null: null,
  nan: Number.NaN,
  NaN: Number.NaN,
  inf: Infinity,
  Infinity: Infinity,
  '-inf': -Infinity,
  '-Infinity': -Infinity,
});

/** @throws SyntaxError for anything but one value */
export const parsePython = (text: string): unknown => new Reader(text).whole();
