/**
 * What pages send to be imported. Each file lies in the data folder under a number: what it is called is only said to those who read it, so that no
 * name leads anywhere. Nothing of it outlives its import, or the lab (main/host/lab.ts removes what a kill has left).
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { grouped, LIMITS } from '../../../preload/contract/limits.ts';
import { LabError } from '../../../preload/contract/rpc.ts';
import { counted, formatBytes } from '../../../preload/shared/format.ts';
import { foreignPath } from '../../lab/imports/files.ts';
import type { SentPlace } from '../../lab/imports/files.ts';

interface Sent {
  /** As the page calls it: `runs/a/metrics.csv`, or `a.csv`. */
  readonly name: string;
  readonly size: number;
  received: number;
}

export interface ToldFile {
  readonly path: string;
  readonly size: number;
}

export interface Part {
  readonly file: number;
  readonly at: number;
  readonly bytes: Uint8Array;
}

export class Upload {
  readonly #folder: string;
  readonly #assertThere: () => void;
  readonly #files: Sent[] = [];
  #told = 0;
  #received = 0;
  /** Parts are written in the order in which they came. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param assertThere throws where the data folder was removed or replaced: it is not made again */
  constructor(folder: string, assertThere: () => void) {
    this.#folder = folder;
    this.#assertThere = assertThere;
  }

  /** @returns for each file its number, or null where it need not be sent @throws LabError for more than there may be */
  tell(files: readonly ToldFile[]): (number | null)[] {
    const wanted = files.filter(({ path }) => isWanted(path));
    const count = this.#files.length + wanted.length;
    if (count > LIMITS.importFiles)
      throw new LabError(
        'invalid',
        `${counted(count, 'file')} in one import; allowed: at most ${grouped(LIMITS.importFiles)}. Import a folder of them at a time, or by its path.`,
      );
    const bytes = this.#told + wanted.reduce((sum, { size }) => sum + size, 0);
    if (bytes > LIMITS.importBytes)
      throw new LabError(
        'invalid',
        `${formatBytes(bytes)} in one import; allowed: at most ${formatBytes(LIMITS.importBytes)} that are sent. Files on the lab's machine are imported by their path, however large they are.`,
      );
    this.#told = bytes;
    return files.map(({ path, size }) =>
      isWanted(path) ? this.#files.push({ name: path.replaceAll('\\', '/'), size, received: 0 }) - 1 : null,
    );
  }

  /** @returns bytes received of all files @throws LabError for bytes that are not the next of a file that was told */
  async receive(parts: readonly Part[]): Promise<number> {
    const turn = this.#last.then(async () => {
      for (const part of parts) await this.#append(part);
    });
    this.#last = turn.catch(() => undefined);
    await turn;
    return this.#received;
  }

  async #append({ file: number, at, bytes }: Part): Promise<void> {
    const file = this.#files[number];
    if (file === undefined) throw new LabError('not-found', `There is no file ${number} in this import.`);
    if (at !== file.received || at + bytes.length > file.size)
      throw new LabError(
        'state',
        `Of ${file.name} the part from ${grouped(at)} to ${grouped(at + bytes.length)} has come; allowed: from ${grouped(file.received)} up to ${grouped(file.size)}. Has it changed since it was chosen?`,
      );
    this.#assertThere();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const handle = await open(this.#path(number), 'a', 0o600);
    try {
      await handle.writeFile(bytes);
    } finally {
      await handle.close();
    }
    file.received += bytes.length;
    this.#received += bytes.length;
  }

  #path = (number: number): string => join(this.#folder, String(number));

  /** What was sent, as the reader of files takes it. @throws LabError where something is missing */
  async places(): Promise<readonly SentPlace[]> {
    await this.#last;
    const roots = new Map<string, { path: string; inside: string }[]>();
    for (const [number, { name, size, received }] of this.#files.entries()) {
      if (received < size)
        throw new LabError('state', `Of ${name} only ${formatBytes(received)} of ${formatBytes(size)} have come.`);
      if (size === 0) await this.#empty(number);
      const slash = name.indexOf('/');
      const root = slash < 0 ? name : name.slice(0, slash);
      const files = roots.get(root) ?? [];
      roots.set(root, files);
      files.push({ path: this.#path(number), inside: name.slice(slash + 1) });
    }
    return [...roots].map(([name, files]) => ({
      name,
      files: files.sort((a, b) => (a.inside < b.inside ? -1 : a.inside > b.inside ? 1 : 0)),
    }));
  }

  async #empty(number: number): Promise<void> {
    this.#assertThere();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await (await open(this.#path(number), 'a', 0o600)).close();
  }

  async remove(): Promise<void> {
    await this.#last;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A path from a page is a name to show and to be understood, never one to open. */
function isWanted(path: string): boolean {
  const name = path.replaceAll('\\', '/');
  const slash = name.indexOf('/');
  return (
    name.split('/').every(Boolean) &&
    foreignPath(name.slice(0, Math.max(0, slash)), name.slice(slash + 1)) === undefined
  );
}
