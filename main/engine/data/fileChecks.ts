/**
 * Large files of a prepared dataset are held against their checksums once, and again when they have changed: to read tens of gigabytes before
 * every run takes minutes. What was found is written beside them.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../files/atomic.ts';
import { hashFile, readWhole } from '../../files/whole.ts';

export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

const NOTE = 'checked.json';

export class FileChecks {
  readonly #folder: string;
  /** By name: the state in which the file was whole. */
  readonly #whole: Record<string, string>;
  #news = false;

  private constructor(folder: string, whole: Record<string, string>) {
    this.#folder = folder;
    this.#whole = whole;
  }

  static async of(folder: string): Promise<FileChecks> {
    const bytes = await readWhole(join(folder, NOTE)).catch(() => null);
    try {
      const whole = JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as Record<string, string>;
      return new FileChecks(folder, { ...whole });
    } catch {
      return new FileChecks(folder, {});
    }
  }

  /** False where it is missing or holds something else. */
  async isWhole(name: string, { bytes, sha256 }: FileFacts): Promise<boolean> {
    const path = join(this.#folder, name);
    const info = await stat(path, { bigint: true }).catch(() => null);
    if (info === null || Number(info.size) !== bytes) return false;
    const state = `${sha256} ${info.ino} ${info.mtimeNs} ${info.ctimeNs}`;
    if (this.#whole[name] === state) return true;
    if ((await hashFile(path)).sha256 !== sha256) return false;
    this.#whole[name] = state;
    this.#news = true;
    return true;
  }

  /** Writes down what was checked; where that fails it is checked again next time. */
  async remember(): Promise<void> {
    if (!this.#news) return;
    await replaceFile(join(this.#folder, NOTE), JSON.stringify(this.#whole)).catch(() => undefined);
  }
}
