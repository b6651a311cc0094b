/** The files of a folder, links followed, each file and folder once. */
import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isWithin } from '../../../files/within.ts';
import { DataError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { mayRead } from './confine.ts';
import { accessError, specialKind } from './sourceFile.ts';

export interface WalkedFile {
  /** Absolute, as it was reached. */
  readonly path: string;
  /** From the folder that the walk began at, with `/`. */
  readonly inside: string;
  /** Names the file itself, whatever links lead to it. */
  readonly identity: string;
}

export interface WalkOptions {
  readonly setting: string;
  /** Folders so deep are not entered. */
  readonly maxDepth?: number;
  /** Whether to enter a folder or take a file. */
  readonly wants: (name: string, inside: string) => boolean;
  /** Something that is no file and no folder, or cannot be followed. */
  readonly onOther: (what: string, path: string) => void;
  /** A link that leads out of the folder. */
  readonly onLinkOut: (path: string) => void;
}

const identityOf = (info: BigIntStats) => `${info.dev}:${info.ino}`;

interface Folder {
  readonly path: string;
  readonly inside: string;
  readonly depth: number;
}

class Walk {
  readonly #root: string;
  readonly #options: WalkOptions;
  readonly #seen = new Set<string>();
  readonly found: WalkedFile[] = [];
  #entries = 0;
  #realRoot = '';

  constructor(root: string, options: WalkOptions) {
    this.#root = root;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { setting } = this.#options;
    try {
      this.#realRoot = await realpath(this.#root);
      this.#seen.add(identityOf(await stat(this.#root, { bigint: true })));
    } catch (error) {
      throw accessError(error, setting, this.#root);
    }
    const folders: Folder[] = [{ path: this.#root, inside: '', depth: 0 }];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop())
      folders.push(...(await this.#enter(folder)));
  }

  /** Takes the files of one folder. Returns the folders in it. */
  async #enter(folder: Folder): Promise<Folder[]> {
    const { setting, wants, maxDepth = LIMITS.depth } = this.#options;
    let entries: Dirent[];
    try {
      entries = await readdir(folder.path, { withFileTypes: true });
    } catch (error) {
      throw accessError(error, setting, folder.path);
    }
    this.#entries += entries.length;
    if (this.#entries > LIMITS.entries)
      throw new DataError(
        setting,
        this.#root,
        `holds more than ${LIMITS.entries} files.`,
        'a smaller folder, or a glob',
      );
    const folders: Folder[] = [];
    for (const entry of entries) {
      const inside = folder.inside === '' ? entry.name : `${folder.inside}/${entry.name}`;
      if (!wants(entry.name, inside)) continue;
      const path = join(folder.path, entry.name);
      const info = await this.#look(path, entry);
      if (info === null) continue;
      const kind = specialKind(info);
      if (kind !== null) this.#options.onOther(`not a file but ${kind}`, path);
      else if (info.isFile()) this.found.push({ path, inside, identity: identityOf(info) });
      else if (folder.depth >= maxDepth) this.#tooDeep(path);
      else if (this.#isNew(info, path)) folders.push({ path, inside, depth: folder.depth + 1 });
    }
    return folders;
  }

  async #look(path: string, entry: Dirent): Promise<BigIntStats | null> {
    try {
      const info = await stat(path, { bigint: true });
      if (!entry.isSymbolicLink()) return info;
      if (!(await mayRead(path))) {
        this.#options.onOther('links that lead out of the folders that were opened for pages', path);
        return null;
      }
      await this.#tellLinkOut(path);
      return info;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (entry.isSymbolicLink() && (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR')) {
        this.#options.onOther('links that lead nowhere', path);
        return null;
      }
      // Removed since it was listed: it is as if it had never been there.
      if (code === 'ENOENT') return null;
      throw accessError(error, this.#options.setting, path);
    }
  }

  async #tellLinkOut(path: string): Promise<void> {
    const target = await realpath(path);
    if (!isWithin(this.#realRoot, target)) this.#options.onLinkOut(path);
  }

  /** Each folder is entered once: links that lead back, and a second way to the same folder, are not followed. */
  #isNew(info: BigIntStats, path: string): boolean {
    const identity = identityOf(info);
    if (!this.#seen.has(identity)) {
      this.#seen.add(identity);
      return true;
    }
    this.#options.onOther('folders that are reached a second time by a link', path);
    return false;
  }

  #tooDeep(path: string): void {
    if (this.#options.maxDepth !== undefined) return;
    this.#options.onOther(`folders more than ${LIMITS.depth} deep`, path);
  }
}

/** Files below `root`, in the order of their paths. @throws DataError for a folder that cannot be listed */
export async function walk(root: string, options: WalkOptions): Promise<WalkedFile[]> {
  const walking = new Walk(root, options);
  await walking.run();
  return walking.found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
