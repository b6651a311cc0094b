/**
 * The browsers that may speak with the lab, kept beside the database, so that a page left open finds its way back after a restart.
 * Only digests are kept: whoever reads the file has no key. A browser that has not been seen for thirty days needs a new address.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { replaceFileSync } from '../files/atomic.ts';

/** Browsers that have a session; the one not seen for longest gives way. */
const MOST_SESSIONS = 64;
export const LASTING_DAYS = 30;
const DAY = 86_400_000;

export interface SessionsOptions {
  /** The file; nothing is kept without it. */
  readonly path?: string;
  /** Replaced in tests. */
  readonly now?: () => number;
}

interface Session {
  readonly digest: Buffer;
  /** When its browser was last seen, in ms. */
  seen: number;
}

export const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
export const secret = (): string => randomBytes(24).toString('base64url');

export class Sessions {
  readonly #path: string | undefined;
  readonly #now: () => number;
  /** Those not seen for longest first. */
  #sessions: Session[] = [];
  /** Of this process alone: never written. */
  readonly #own: Buffer[] = [];

  constructor({ path, now = Date.now }: SessionsOptions = {}) {
    this.#path = path;
    this.#now = now;
    this.#sessions = path === undefined ? [] : read(path);
  }

  /** A new session; its key is told once and never kept. */
  open(): string {
    const key = secret();
    this.#sessions = [...this.#alive(), { digest: digest(key), seen: this.#now() }].slice(-MOST_SESSIONS);
    this.#save();
    return key;
  }

  /** A key for programs of this user that ends with the process. */
  openOwn(): string {
    const key = secret();
    this.#own.push(digest(key));
    return key;
  }

  has(key: string): boolean {
    const given = digest(key);
    if (this.#own.some((each) => timingSafeEqual(each, given))) return true;
    const found = this.#alive().find((each) => timingSafeEqual(each.digest, given));
    if (found === undefined) return false;
    const now = this.#now();
    // Written once a day: it decides only when the thirty days begin.
    const late = now - found.seen > DAY;
    if (late) {
      found.seen = now;
      this.#sessions = [...this.#sessions.filter((each) => each !== found), found];
      this.#save();
    }
    return true;
  }

  /** Ends all sessions of browsers. @returns how many there were */
  clear(): number {
    const { length } = this.#alive();
    this.#sessions = [];
    this.#save();
    return length;
  }

  #alive(): readonly Session[] {
    const oldest = this.#now() - LASTING_DAYS * DAY;
    return this.#sessions.filter(({ seen }) => seen > oldest);
  }

  /** A disk that takes nothing costs the memory of browsers, not the browser that asks now. */
  #save(): void {
    if (this.#path === undefined) return;
    const kept = this.#alive().map((each) => ({ digest: each.digest.toString('hex'), seen: each.seen }));
    try {
      writePrivate(this.#path, JSON.stringify({ sessions: kept }));
    } catch {
      // Asked again at the next start.
    }
  }
}

/** Replaces a file in one go; nobody but its owner can read it, at no moment. */
export function writePrivate(path: string, text: string): void {
  replaceFileSync(path, text, { mode: 0o600 });
}

function read(path: string): Session[] {
  try {
    const { sessions } = JSON.parse(readFileSync(path, 'utf8')) as { sessions?: unknown };
    if (!Array.isArray(sessions)) return [];
    return sessions
      .flatMap((each: unknown): Session[] => {
        const { digest: hex, seen } = (each ?? {}) as { digest?: unknown; seen?: unknown };
        if (typeof hex !== 'string' || !/^[0-9a-f]{64}$/u.test(hex) || typeof seen !== 'number') return [];
        return [{ digest: Buffer.from(hex, 'hex'), seen }];
      })
      .sort((a, b) => a.seen - b.seen);
  } catch {
    // Not there yet, or damaged: every browser needs an address.
    return [];
  }
}
