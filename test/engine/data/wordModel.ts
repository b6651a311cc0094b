/**
 * An adaptive word model: Witten–Bell interpolation of orders 0 to `order`, new words spelt at 8 bits a letter. It knows nothing
 * of how a text was made, and its code can be decoded, so its length bounds the information of the text from above.
 */
export class WordModel {
  readonly #order: number;
  /** Per context: how often each word followed. */
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #totals = new Map<string, number>();

  constructor(order: number) {
    this.#order = order;
  }

  /** Bits that the model needs for the text, learning as it goes. */
  code(text: string): number {
    const words = text.match(/[A-Za-z]+|[^A-Za-z]/g) ?? [];
    let bits = 0;
    const history: string[] = ['', '', '', '', '', '', '', ''];
    for (const word of [...words, '<end>']) {
      const contexts = [''];
      for (let k = 1; k <= this.#order; k++) contexts.push(`${k}|${history.slice(-k).join('|')}`);
      // Order −1: any string of letters, 8 bits each and 8 for its end.
      let p = 2 ** (-8 * (word.length + 1));
      for (const context of contexts) {
        const followers = this.#counts.get(context);
        if (followers === undefined) continue;
        const total = this.#totals.get(context)!;
        p = ((followers.get(word) ?? 0) + followers.size * p) / (total + followers.size);
      }
      bits -= Math.log2(p);
      for (const context of contexts) {
        let followers = this.#counts.get(context);
        if (followers === undefined) this.#counts.set(context, (followers = new Map()));
        followers.set(word, (followers.get(word) ?? 0) + 1);
        this.#totals.set(context, (this.#totals.get(context) ?? 0) + 1);
      }
      history.push(word);
    }
    return bits;
  }
}
