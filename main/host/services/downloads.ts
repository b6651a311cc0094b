/** Files made for a browser to fetch: each under a name that nobody guesses, for a while. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Download } from '../../../preload/contract/shapes.ts';
import { writeExport } from '../../lab/export/file.ts';

const KEPT_MS = 30 * 60_000;

export interface PreparedFile {
  readonly path: string;
  readonly name: string;
}

export class Downloads {
  readonly #files = new Map<string, PreparedFile & { readonly timer: NodeJS.Timeout }>();
  #folder: Promise<string> | undefined;

  /** Writes the chunks to a file that can be fetched at `download/TOKEN`. */
  async add(name: string, chunks: Iterable<string>): Promise<Download> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'sweeplab-download-'));
    const token = randomBytes(16).toString('hex');
    const path = join(await this.#folder, token);
    const bytes = await writeExport(path, chunks);
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
  }
}
