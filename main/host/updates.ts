/**
 * Whether there is a newer version: one question a day to the feed that a package was made with, which can be turned off. It carries nothing
 * but itself; nothing is installed. A checkout has no feed and asks nobody.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { UpdateState } from '../../preload/contract/shapes.ts';
import { replaceFile } from '../files/atomic.ts';
import { packageVersion, ROOT } from './version.ts';

const DAY = 24 * 3600 * 1000;
const PATIENCE = 15_000;
const MOST_BYTES = 64 << 10;
const MOST_HOPS = 5;
const NONE = 'its answer is none of a feed';

const newest = z.object({
  version: z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/u),
  page: z.string().max(2000).refine(isAddress),
});
const kept = z.object({
  on: z.boolean(),
  askedAt: z.number().nullable().default(null),
  newest: newest.nullable().default(null),
});
type Kept = z.infer<typeof kept>;

function isAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === '127.0.0.1'));
}

/** What is wrong with the address of a feed, for people; undefined where nothing is. */
export const feedProblem = (text: string): string | undefined =>
  isAddress(text) ? undefined : `The address is ${JSON.stringify(text)}; allowed: one that begins with https://`;

/** The feed that this package was made with. */
export function packageFeed(root: string = ROOT): string | undefined {
  const { feed } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { feed?: unknown };
  return typeof feed === 'string' && isAddress(feed) ? feed : undefined;
}

/** Whether `a` is newer than `b`; both `1.2.3`. */
function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  const first = left.findIndex((part, i) => part !== right[i]);
  return first >= 0 && left[first] > right[first];
}

export interface UpdateOptions {
  /** Where the user's choice is kept, and when it was asked last. */
  readonly path: string;
  readonly feed?: string | undefined;
  readonly version?: string;
  readonly onState: (state: UpdateState) => void;
  readonly now?: () => number;
}

export class Updates {
  readonly #options: UpdateOptions;
  #kept: Kept;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> = Promise.resolve();
  readonly #end = new AbortController();

  constructor(options: UpdateOptions) {
    this.#options = options;
    this.#kept = read(options.path);
  }

  get state(): UpdateState {
    const { feed = null, version = packageVersion() } = this.#options;
    const { on, askedAt, newest: found } = this.#kept;
    return {
      feed,
      on,
      askedAt,
      newer: on && found !== null && isNewer(found.version, version) ? found : null,
      problem: this.#problem,
    };
  }

  /** Asks when the last time is a day ago, and again each day. */
  start(): void {
    if (this.#options.feed === undefined) return;
    this.#askWhenDue();
    this.#timer = setInterval(() => this.#askWhenDue(), DAY / 4).unref();
  }

  /** Resolves when the choice is on disk. Switched on, it asks when that is due. */
  async switch(on: boolean): Promise<UpdateState> {
    await this.#keep({ on });
    if (on) this.#askWhenDue();
    return this.state;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#end.abort();
    await this.#asking;
  }

  #askWhenDue(): void {
    const { feed, now = Date.now } = this.#options;
    const { on, askedAt } = this.#kept;
    // A clock that was set back must not silence it for years.
    if (feed === undefined || !on || (askedAt !== null && Math.abs(now() - askedAt) < DAY)) return;
    this.#asking = this.#asking.then(() => this.#ask(feed));
  }

  async #ask(feed: string): Promise<void> {
    const { now = Date.now, onState } = this.#options;
    let found: Kept['newest'] = this.#kept.newest;
    try {
      found = newest.parse(await fetchSmall(feed, AbortSignal.any([this.#end.signal, AbortSignal.timeout(PATIENCE)])));
      this.#problem = null;
    } catch (error) {
      // Without a network nobody is told anything: there is always a next day.
      this.#problem = error instanceof z.ZodError ? NONE : (error as Error).message;
    }
    if (this.#end.signal.aborted) return;
    await this.#keep({ askedAt: now(), newest: found }).catch(() => undefined);
    onState(this.state);
  }

  async #keep(change: Partial<Kept>): Promise<void> {
    this.#kept = { ...this.#kept, ...change };
    await replaceFile(this.#options.path, `${JSON.stringify(this.#kept)}\n`, { mode: 0o600 });
  }
}

/** What cannot be read is on, as for somebody who has chosen nothing. */
function read(path: string): Kept {
  try {
    return kept.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return { on: true, askedAt: null, newest: null };
  }
}

/** @throws Error for another answer than a small JSON document */
async function fetchSmall(address: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetchAnswer(address, signal);
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error('its answer is too long');
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    throw new Error(NONE, { cause: error });
  }
}

/** Where releases lie, they are handed on to other hosts, but never to where anybody could read along or answer. */
async function fetchAnswer(address: string, signal: AbortSignal): Promise<Response> {
  let at = address;
  for (let hops = 0; hops <= MOST_HOPS; hops++) {
    const headers = { accept: 'application/json' };
    const response = await fetch(at, { signal, credentials: 'omit', redirect: 'manual', headers });
    const next = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || next === null) return response;
    await response.body?.cancel();
    const to = URL.parse(next, at)?.href ?? next;
    if (!isAddress(to)) throw new Error(`it leads to ${shortened(to)}, which does not begin with https://`);
    at = to;
  }
  throw new Error('it leads from one address to the next');
}

const shortened = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);
