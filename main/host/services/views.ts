/** Saved layouts of the interface: one small JSON file beside the database. Losing it loses no work. */
import { readFileSync } from 'node:fs';
import { grouped, LIMITS } from '../../../preload/contract/limits.ts';
import { counted } from '../../../preload/shared/format.ts';
import { LabError } from '../../../preload/contract/rpc.ts';
import { replaceFile } from '../../files/atomic.ts';
import { toLabError } from './errors.ts';

export class Views {
  readonly #path: string;
  readonly #assertThere: () => void;
  readonly #onTrouble: (error: LabError | null) => void;
  #trouble = false;
  /** As JSON: a layout that is saved is not a reason to write all others down anew. */
  #texts: Map<string, string>;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param assertThere throws where the data folder was removed or replaced: nothing is written into another
   * @param onTrouble told the error when layouts can no longer be saved, and null once they can
   */
  constructor(path: string, assertThere: () => void, onTrouble: (error: LabError | null) => void) {
    this.#path = path;
    this.#assertThere = assertThere;
    this.#onTrouble = onTrouble;
    this.#texts = read(path);
  }

  get(key: string): unknown {
    const text = this.#texts.get(key);
    return text === undefined ? null : JSON.parse(text);
  }

  /** Resolves when it is on disk. @throws LabError when there is too much of it */
  async set(key: string, value: unknown): Promise<void> {
    const next = new Map(this.#texts);
    if (value === null) next.delete(key);
    else next.set(key, JSON.stringify(value));
    const own = next.get(key)?.length ?? 0;
    if (own > LIMITS.layoutCharacters)
      throw new LabError(
        'input',
        `The layout ${key} has ${counted(own, 'character')}; allowed: at most ${grouped(LIMITS.layoutCharacters)}`,
      );
    const text = `{${[...next].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
    if (text.length > LIMITS.layoutsCharacters)
      throw new LabError(
        'storage',
        `The saved layouts have ${counted(text.length, 'character')}; allowed: at most ${grouped(LIMITS.layoutsCharacters)}. Remove some.`,
      );
    // Kept for this session even where the disk takes nothing.
    this.#texts = next;
    const written = this.#writing.then(async () => {
      this.#assertThere();
      await replaceFile(this.#path, text, { mode: 0o600 });
    });
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

function read(path: string): Map<string, string> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
    return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]));
  } catch {
    // Not there yet, or damaged: the defaults serve.
    return new Map();
  }
}
