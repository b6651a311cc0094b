/** Files of runs: an address for each that is asked for, and what is put there, no larger and no further than it may. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { replaceFile } from '../../files/atomic.ts';
import { isWithin } from '../../files/within.ts';
import { boundedPieces, Refusal } from './body.ts';

const FILE_BYTES = 256 << 20;
/** Of one run, together. */
const RUN_BYTES = 1 << 30;
const RUN_FILES = 10_000;
/** Addresses that were given and not used. */
const MOST_WAITING = 20_000;
const PART = /^[^/\\:*?"<>|\p{Cc}]{1,200}$/u;
/** Names that Windows keeps for devices. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;

/** The parts of a name that is safe in every file system. @throws Refusal */
export function safeParts(name: unknown): readonly string[] {
  const parts = typeof name === 'string' && name.length <= 500 ? name.split('/') : [];
  const safe = (part: string): boolean =>
    PART.test(part) && !/^\.+$/u.test(part) && !/[. ]$/u.test(part) && !DEVICE.test(part) && !part.includes('.tmp-');
  if (parts.length === 0 || parts.length > 16 || !parts.every(safe))
    throw new Refusal(
      400,
      `file name ${JSON.stringify(String(name).slice(0, 80))}: allowed is a path within the run's folder`,
    );
  return parts;
}

interface Place {
  readonly runId: string;
  readonly path: string;
  readonly folder: string;
}

export class Uploads {
  /** A folder for each run. */
  readonly #folder: string;
  readonly #waiting = new Map<string, Place>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** An address, without the server's part, that takes one file once. @throws Refusal */
  address(runId: string, name: unknown): string {
    const folder = join(this.#folder, runId);
    const path = resolve(folder, ...safeParts(name));
    if (!isWithin(folder, path) || path === folder) throw new Refusal(400, 'the file would lie outside of its folder');
    const token = randomBytes(24).toString('hex');
    this.#waiting.set(token, { runId, path, folder });
    if (this.#waiting.size > MOST_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
    return `/upload/${token}`;
  }

  /** Whether a request carries an address that was given: that is its key. */
  knows(token: string): boolean {
    return this.#waiting.has(token);
  }

  /** The file appears whole or not at all. @returns the run and the path @throws Refusal */
  async take(token: string, request: IncomingMessage): Promise<{ readonly runId: string; readonly path: string }> {
    const place = this.#waiting.get(token);
    if (place === undefined) throw new Refusal(404, 'this address was used before, or never given');
    this.#waiting.delete(token);
    const room = RUN_BYTES - (await this.#held(place.folder));
    if (room <= 0) throw new Refusal(413, `the files of a run may hold ${RUN_BYTES / (1 << 30)} GiB together`);
    try {
      // The folder of all files is made, but no data folder that is gone.
      if (!existsSync(this.#folder)) await mkdir(this.#folder, { mode: 0o700 });
      await mkdir(dirname(place.path), { recursive: true, mode: 0o700 });
      await replaceFile(place.path, boundedPieces(request, Math.min(FILE_BYTES, room)), { mode: 0o600 });
    } catch (error) {
      // The client tries again at the same address.
      if (!(error instanceof Refusal)) this.#waiting.set(token, place);
      throw error;
    }
    return { runId: place.runId, path: place.path };
  }

  /** Bytes of a run's files. @throws Refusal when there are too many files */
  async #held(folder: string): Promise<number> {
    if (!existsSync(folder)) return 0;
    const names = await readdir(folder, { recursive: true });
    if (names.length > RUN_FILES) throw new Refusal(413, `a run may have ${RUN_FILES} files`);
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }
}
