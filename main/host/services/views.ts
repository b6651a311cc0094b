/** Saved layouts of the interface: one small JSON file beside the database. Losing it loses no work. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { LabError } from '../../../preload/contract/rpc.ts';

/** All layouts together. */
const MOST_BYTES = 8 << 20;

export class Views {
  readonly #path: string;
  #values: Map<string, unknown>;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
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
    this.#values = next;
    const written = this.#writing.then(async () => {
      const fresh = `${this.#path}.new`;
      await writeFile(fresh, text);
      await rename(fresh, this.#path);
    });
    this.#writing = written.catch(() => undefined);
    await written;
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
