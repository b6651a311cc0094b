/**
 * Who may speak with the server. It listens on this machine only, but any page in the user's browser and any program of another user
 * of the machine can reach it, so:
 *
 * - `Host` must be our own address: a name that was pointed at 127.0.0.1 (DNS rebinding) is refused.
 * - `Origin`, where there is one, must be ours; a WebSocket must have one.
 * - Everything needs a session: a cookie that only this browser has (HttpOnly, SameSite=Strict). It is given for the token in the
 *   address that Sweeplab prints; each token works once. `sessions.ts` remembers which browsers have one.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { digest, LASTING_DAYS, secret } from './sessions.ts';
import type { Sessions } from './sessions.ts';

const NAMES = ['127.0.0.1', 'localhost'] as const;
/** Tokens that were printed and not used. */
const MOST_TOKENS = 16;

/** Browsers share cookies between the ports of a machine: the name keeps two Sweeplabs apart. */
export const cookieName = (port: number): string => `sweeplab-${port}`;

export class Access {
  readonly #port: number;
  readonly #sessions: Sessions;
  // Digests, in the order of their making.
  #tokens: Buffer[] = [];

  constructor(port: number, sessions: Sessions) {
    this.#port = port;
    this.#sessions = sessions;
  }

  /** A new token, for one use. */
  token(): string {
    const token = secret();
    this.#tokens = [...this.#tokens, digest(token)].slice(-MOST_TOKENS);
    return token;
  }

  /** Spends a token, whoever opened its address. @returns whether it was good */
  spend(token: string): boolean {
    const given = digest(token);
    const found = this.#tokens.findIndex((each) => timingSafeEqual(each, given));
    if (found >= 0) this.#tokens.splice(found, 1);
    return found >= 0;
  }

  /** The `Set-Cookie` line for a token that is good; undefined otherwise. The token is spent. */
  redeem(token: string): string | undefined {
    if (!this.spend(token)) return undefined;
    const key = this.#sessions.open();
    const lasting = `Max-Age=${LASTING_DAYS * 86_400}`;
    return `${cookieName(this.#port)}=${key}; ${lasting}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** Ends every browser's session, and addresses that were not used yet. @returns how many sessions there were */
  forget(): number {
    this.#tokens = [];
    return this.#sessions.clear();
  }

  hostIsOurs({ headers }: IncomingMessage): boolean {
    return NAMES.some((name) => headers.host?.toLowerCase() === `${name}:${this.#port}`);
  }

  /** @param needed whether a request without an origin is refused */
  originIsOurs({ headers }: IncomingMessage, needed: boolean): boolean {
    const { origin } = headers;
    if (origin === undefined) return !needed;
    return NAMES.some((name) => origin === `http://${name}:${this.#port}`);
  }

  hasSession({ headers }: IncomingMessage): boolean {
    const cookies = (headers.cookie ?? '').split(';').map((part) => part.trim());
    const prefix = `${cookieName(this.#port)}=`;
    return cookies.some((cookie) => cookie.startsWith(prefix) && this.#sessions.has(cookie.slice(prefix.length)));
  }
}
