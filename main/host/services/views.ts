/** Saved layouts of the interface: one small JSON file beside the database. Losing it loses no work. */
import { readFileSync } from 'node:fs';
import { LabError } from '../../../preload/contract/rpc.ts';
import { replaceFile } from '../../files/atomic.ts';
import { toLabError } from './errors.ts';

/** All layouts together. */
const MOST_BYTES = 8 << 20;

export class Views {
  readonly #path: string;
  readonly #onTrouble: (error: LabError | null) => void;
  #trouble = false;
  #values: Map<string, unknown>;
  #writing: Promise<void> = Promise.resolve();

  /** @param onTrouble told the error when layouts can no longer be saved, and null once they can */
  constructor(path: string, onTrouble: (error: LabError | null) => void) {
    this.#path = path;
    this.#onTrouble = onTrouble;
    this.#values = read(path);
  }

  get(key: string): unknown {
    return this.#values.get(key) ?? null;
  }

  /** Resolves when it is on disk. @throws LabError when there is too much of it */
  async set(key: string, value: unknown): Promise<void> {
    const next = new Map(this.#values);
    if (value === null) next.delete(key);
    else next.set(key, value);
    const text = JSON.stringify(Object.fromEntries(next));
    if (text.length > MOST_BYTES) throw new LabError('storage', 'The saved layouts are too large; remove some.');
    // Kept for this session even where the disk takes nothing.
    this.#values = next;
    const written = this.#writing.then(() => replaceFile(this.#path, text)).then(() => undefined);
    this.#writing = written.catch(() => undefined);
    try {
      await written;
    } catch (error) {
      if (!this.#trouble) this.#onTrouble(toLabError(error));
      this.#trouble = true;
      throw error;
    }
    if (this.#trouble) this.#onTrouble(null);
    this.#trouble = false;
  }

  close(): Promise<void> {
    return this.#writing;
  }
}

function read(path: string): Map<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return new Map(typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []);
  } catch {
    // Not there yet, or damaged: the defaults serve.
    return new Map();
  }
}
