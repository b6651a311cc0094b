/**
 * A probabilistic grammar whose text has an exactly known probability.
 *
 * A grammar is a program that talks to a `Speaker`: `say` utters fixed text, `pick` chooses one of several texts and utters
 * it at once. Two rules make the text uniquely decodable, so that the bits of the choices are the bits of the text:
 *   1. what the program does next depends only on earlier picks (and therefore on text already uttered);
 *   2. the texts of one pick are prefix-free: none is the beginning of another (checked when `Options` are made).
 * Reading from the left, at every pick exactly one option matches what follows. Hence different choices give different
 * texts, and P(text) is the product of the probabilities of its picks. `Writer` draws a text; `Reader` recovers the picks from
 * a text and recomputes the probability.
 */
import type { Stream } from '../../random/stream.ts';

/** A weighted set of texts, prefix-free. Weights are positive integers, so that drawing has exactly the stated probability. */
export class Options {
  readonly texts: readonly string[];
  readonly weights: readonly number[];
  readonly total: number;
  readonly #bits: Float64Array;

  constructor(texts: readonly string[], weights: readonly number[] = texts.map(() => 1)) {
    if (texts.length === 0 || texts.length !== weights.length) throw new Error('options need as many weights as texts');
    for (const weight of weights) {
      if (!Number.isSafeInteger(weight) || weight < 1) throw new Error(`weight ${weight} is not a positive integer`);
    }
    // After sorting, a text that is a prefix of any other is a prefix of its right neighbour.
    const sorted = texts.toSorted((a, b) => (a < b ? -1 : 1));
    for (let i = 0; i < sorted.length; i++) {
      if (sorted[i] === '') throw new Error('an option may not be empty');
      if (i > 0 && sorted[i].startsWith(sorted[i - 1]))
        throw new Error(`option "${sorted[i - 1]}" is the beginning of "${sorted[i]}": the text would be ambiguous`);
    }
    this.texts = texts;
    this.weights = weights;
    this.total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#bits = Float64Array.from(weights, (weight) => -Math.log2(weight / this.total));
  }

  /** −log2 of the probability of option `index` when option `except` (−1: none) cannot be chosen. */
  bits(index: number, except: number): number {
    if (except < 0) return this.#bits[index];
    return -Math.log2(this.weights[index] / (this.total - this.weights[except]));
  }
}

/** Options with falling weights, 1 / (rank + flatness): the first words are the common ones, as in natural text. */
export function ranked(texts: readonly string[], flatness = 100): Options {
  return new Options(
    texts,
    texts.map((_, rank) => Math.round(100_000 / (rank + flatness))),
  );
}

export interface Speaker {
  /** Utters fixed text: costs no bits. */
  say(text: string): void;
  /** Chooses an option, utters its text, returns its index. `except` is left out (−1: none). */
  pick(options: Options, except?: number): number;
}

/** Draws a text. */
export class Writer implements Speaker {
  text = '';
  /** Sum of −log2 p over the picks: the information in `text`. */
  bits = 0;
  readonly #random: Stream;

  constructor(random: Stream) {
    this.#random = random;
  }

  say(text: string): void {
    this.text += text;
  }

  pick(options: Options, except = -1): number {
    const { weights } = options;
    let ticket = this.#random.int(options.total - (except < 0 ? 0 : weights[except]));
    for (let i = 0; i < weights.length; i++) {
      if (i === except) continue;
      if (ticket < weights[i]) {
        this.text += options.texts[i];
        this.bits += options.bits(i, except);
        return i;
      }
      ticket -= weights[i];
    }
    throw new Error('weights do not add up');
  }
}

/** Recovers the picks of a text; throws where the grammar could not have produced it. */
export class Reader implements Speaker {
  readonly text: string;
  position = 0;
  bits = 0;
  readonly picks: number[] = [];

  constructor(text: string) {
    this.text = text;
  }

  say(text: string): void {
    if (!this.text.startsWith(text, this.position)) {
      const found = this.text.slice(this.position, this.position + 20);
      throw new Error(`not a sentence of this grammar: expected "${text}" at ${this.position}, found "${found}"`);
    }
    this.position += text.length;
  }

  pick(options: Options, except = -1): number {
    const matches: number[] = [];
    options.texts.forEach((text, i) => {
      if (i !== except && this.text.startsWith(text, this.position)) matches.push(i);
    });
    if (matches.length !== 1) throw new Error(`${matches.length} options match at ${this.position}`);
    const [index] = matches;
    this.position += options.texts[index].length;
    this.bits += options.bits(index, except);
    this.picks.push(index);
    return index;
  }
}

/** Ends the telling where the text does. */
const END = Symbol('the text ends here');

/**
 * Reads a text that may stop anywhere, and computes −log2 of the probability that a text begins so: where it stops inside a
 * choice, all options that begin with what is left are possible.
 */
export class PrefixReader implements Speaker {
  readonly text: string;
  #position = 0;
  #bits = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** −log2 P(a text of `tell` begins with this text). @throws where none does */
  measure(tell: (speaker: Speaker) => void): number {
    try {
      tell(this);
    } catch (reason) {
      if (reason !== END) throw reason;
    }
    if (this.#position < this.text.length) throw new Error(`not a text of this grammar at ${this.#position}`);
    return this.#bits;
  }

  say(text: string): void {
    const left = this.text.length - this.#position;
    if (!this.text.startsWith(text.slice(0, left), this.#position))
      throw new Error(`not a sentence of this grammar: expected "${text}" at ${this.#position}`);
    this.#position += Math.min(left, text.length);
    if (left <= text.length && this.#position === this.text.length) throw END;
  }

  pick(options: Options, except = -1): number {
    const left = this.text.slice(this.#position);
    if (left === '') throw END;
    let possible = 0;
    for (const [i, text] of options.texts.entries()) {
      if (i === except) continue;
      if (left.startsWith(text)) {
        this.#position += text.length;
        this.#bits += options.bits(i, except);
        return i;
      }
      if (text.startsWith(left)) possible += options.weights[i];
    }
    if (possible === 0) throw new Error(`no option matches at ${this.#position}`);
    this.#bits -= Math.log2(possible / (options.total - (except < 0 ? 0 : options.weights[except])));
    this.#position = this.text.length;
    throw END;
  }
}

export type Slots<State> = Readonly<Record<string, (state: State) => void>>;

/**
 * Alternatives written as templates: fixed text with `{slots}`. The fixed text before the first slot is the head that tells
 * a template from its alternatives.
 */
export class Rules<State extends { readonly speaker: Speaker }> {
  readonly heads: readonly string[];
  readonly weights: readonly number[];
  readonly #options: Options;
  readonly #rests: readonly (readonly (string | ((state: State) => void))[])[];

  constructor(slots: Slots<State>, templates: readonly (readonly [weight: number, template: string])[]) {
    const heads: string[] = [];
    this.#rests = templates.map(([, template]) => {
      const parts = template.split(/(\{[^}]*\})/).filter((part) => part !== '');
      const [head, ...rest] = parts;
      heads.push(head.startsWith('{') ? '' : head);
      return rest.map((part) => {
        if (!part.startsWith('{')) return part;
        const slot = slots[part.slice(1, -1)];
        if (slot === undefined) throw new Error(`unknown slot ${part} in "${template}"`);
        return slot;
      });
    });
    this.heads = heads;
    this.weights = templates.map(([weight]) => weight);
    this.#options = new Options(this.heads, this.weights);
  }

  /** Picks one template and utters it. Returns its index. */
  expand(state: State): number {
    const index = state.speaker.pick(this.#options);
    this.finish(state, index);
    return index;
  }

  /** Utters what follows the head of template `index`, where the head itself was picked elsewhere. */
  finish(state: State, index: number): void {
    for (const part of this.#rests[index]) {
      if (typeof part === 'string') state.speaker.say(part);
      else part(state);
    }
  }
}
