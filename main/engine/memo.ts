/** A map that forgets what was not asked for longest. */
export class Memo<T> {
  readonly #entries = new Map<string, T>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is known, without making it; it counts as asked for. */
  peek(key: string): T | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: T): void {
    if (!this.#entries.delete(key) && this.#entries.size >= this.#limit)
      this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, value);
  }

  get(key: string, make: () => T): T {
    const known = this.peek(key);
    if (known !== undefined) return known;
    const value = make();
    this.set(key, value);
    return value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
