/**
 * Who may speak with the server. It listens on this machine only, but any page in the user's browser and any program of another user
 * of the machine can reach it, so:
 *
 * - `Host` must be our own address: a name that was pointed at 127.0.0.1 (DNS rebinding) is refused.
 * - `Origin`, where there is one, must be ours; a WebSocket must have one.
 * - Everything needs a session: a cookie that only this browser has (HttpOnly, SameSite=Strict). It is given for the token in the
 *   address that Sweeplab prints; each token works once.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const NAMES = ['127.0.0.1', 'localhost'] as const;
/** Tokens that were printed and not used. */
const MOST_TOKENS = 16;
/** Browsers that have a session. */
const MOST_SESSIONS = 64;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const secret = (): string => randomBytes(24).toString('base64url');

export class Access {
  readonly #port: number;
  // Digests, in the order of their making.
  #tokens: Buffer[] = [];
  #sessions: Buffer[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** A new token, for one use. */
  token(): string {
    const token = secret();
    this.#tokens = [...this.#tokens, digest(token)].slice(-MOST_TOKENS);
    return token;
  }

  /** The `Set-Cookie` line for a token that is good; undefined otherwise. The token is spent. */
  redeem(token: string): string | undefined {
    const given = digest(token);
    const found = this.#tokens.findIndex((each) => timingSafeEqual(each, given));
    if (found < 0) return undefined;
    this.#tokens.splice(found, 1);
    const session = secret();
    this.#sessions = [...this.#sessions, digest(session)].slice(-MOST_SESSIONS);
    // Browsers share cookies between the ports of a machine: the name keeps two Sweeplabs apart.
    return `${this.#cookie}=${session}; HttpOnly; SameSite=Strict; Path=/`;
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
    const prefix = `${this.#cookie}=`;
    return cookies.some((cookie) => {
      if (!cookie.startsWith(prefix)) return false;
      const given = digest(cookie.slice(prefix.length));
      return this.#sessions.some((each) => timingSafeEqual(each, given));
    });
  }

  get #cookie(): string {
    return `sweeplab-${this.#port}`;
  }
}
