/** Files made for a browser to fetch: each under a name that nobody guesses, for a while. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Download } from '../../../preload/contract/shapes.ts';
import { temporaryName } from '../../files/atomic.ts';
import { noteTemporary } from '../../files/leftovers.ts';
import { writeExport } from '../../lab/exchange/file.ts';

const KEPT_MS = 30 * 60_000;

export interface PreparedFile {
  readonly path: string;
  readonly name: string;
}

export class Downloads {
  readonly #files = new Map<string, PreparedFile & { readonly timer: NodeJS.Timeout }>();
  readonly #notes: string;
  #folder: Promise<string> | undefined;
  #forget: (() => Promise<void>) | undefined;

  /** `notes`: the folder where what a kill would leave is noted. */
  constructor(notes: string) {
    this.#notes = notes;
  }

  /** Writes the pieces to a file that can be fetched at `download/TOKEN`. */
  async add(name: string, pieces: Parameters<typeof writeExport>[1]): Promise<Download> {
    this.#folder ??= this.#makeFolder();
    const token = randomBytes(16).toString('hex');
    const path = join(await this.#folder, token);
    const bytes = await writeExport(path, pieces);
    const timer = setTimeout(() => {
      this.#files.delete(token);
      void rm(path, { force: true });
    }, KEPT_MS).unref();
    this.#files.set(token, { path, name, timer });
    return { url: `download/${token}`, name, bytes };
  }

  get(token: string): PreparedFile | undefined {
    return this.#files.get(token);
  }

  async close(): Promise<void> {
    for (const { timer } of this.#files.values()) clearTimeout(timer);
    this.#files.clear();
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
    await this.#forget?.();
  }

  /** A folder that nobody else may read. */
  async #makeFolder(): Promise<string> {
    const folder = temporaryName(join(tmpdir(), 'sweeplab-download'));
    this.#forget = await noteTemporary(this.#notes, folder);
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }
}
