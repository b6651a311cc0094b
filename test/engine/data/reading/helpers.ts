/** Reads files as the lab does and gives the documents as text. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ReadingReport } from '../../../../preload/contract/reading.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Corpus } from '../../../../main/engine/data/corpus.ts';
import { corpusHash, documentBytes, documentCount } from '../../../../main/engine/data/corpus.ts';
import { corpusSource } from '../../../../main/engine/data/corpora/index.ts';

export const textsOf = (corpus: Corpus): string[] =>
  Array.from({ length: documentCount(corpus) }, (_, d) => Buffer.from(documentBytes(corpus, d)).toString('utf8'));

export interface ReadResult {
  readonly texts: string[];
  readonly hash: string;
  readonly corpus: Corpus;
  readonly report: ReadingReport;
}

/** All documents of a path, folder or glob. `settings`: those that differ from the defaults. */
export async function read(path: string, settings: Config = {}): Promise<ReadResult> {
  const source = await corpusSource({ 'data.corpus': path, ...settings }, 'data.corpus', { cacheDir: '' });
  const { corpus, report } = await source.load();
  return { texts: textsOf(corpus), hash: corpusHash(corpus), corpus, report: report! };
}

/** A folder for one test file. */
export class Folder {
  path = '';

  async make(): Promise<void> {
    this.path = await mkdtemp(join(tmpdir(), 'sweeplab-reading-'));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  at(name: string): string {
    return join(this.path, name);
  }

  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = this.at(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    return path;
  }
}

/** Whether a program of the system is there: the real tools are asked where they are. */
export function hasTool(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Random numbers with a seed that a failing test prints. */
export class Dice {
  readonly seed: number;
  #state: number;

  constructor(seed = Math.floor(Math.random() * 2 ** 31)) {
    this.seed = seed;
    this.#state = seed;
  }

  /** 0 … below − 1 (mulberry32). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  list<T>(length: number, make: (i: number) => T): T[] {
    return Array.from({ length }, (_, i) => make(i));
  }
}
