/**
 * Whether the endpoint is open, on which port, and its key: one file in the data folder that only its owner can read. The file is the truth;
 * whoever changes it (a page, the command line, a text editor) is heard within a second.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { replaceFileSync } from '../../files/atomic.ts';

export interface EndpointAccess {
  readonly on: boolean;
  /** The one to take, where it is free. */
  readonly port: number;
  /** As the client wants it: 40 hexadecimal digits. */
  readonly key: string;
}

/** Beside the usual one of the interface, and none of those that OpenTelemetry uses. */
export const USUAL_PORT = 4321;
const KEY = /^[0-9a-f]{40}$/u;
const LOOK_MS = 1000;

export const newKey = (): string => randomBytes(20).toString('hex');

/** Undefined where there is none yet, or nothing that can be read. */
export function readAccess(path: string): EndpointAccess | undefined {
  try {
    const { on, port, key } = JSON.parse(readFileSync(path, 'utf8')) as Partial<EndpointAccess>;
    if (typeof key !== 'string' || !KEY.test(key)) return undefined;
    const known = Number.isInteger(port) && port! >= 1 && port! <= 65_535;
    return { on: on === true, port: known ? port! : USUAL_PORT, key };
  } catch {
    return undefined;
  }
}

/** Changes what is given; a key is made where there is none. @throws what the file system says */
export function writeAccess(path: string, change: Partial<EndpointAccess>): EndpointAccess {
  const before = readAccess(path) ?? { on: false, port: USUAL_PORT, key: newKey() };
  const access = { ...before, ...change };
  if (JSON.stringify(access) !== JSON.stringify(readAccess(path)))
    replaceFileSync(path, `${JSON.stringify(access)}\n`, { mode: 0o600 });
  return access;
}

/** The client's own pause is 15 seconds, which is long for a live chart. */
const REPORT_SECONDS = 2;

/** What a script needs in its environment. */
export const wandbVariables = (url: string, key: string): Readonly<Record<string, string>> => ({
  WANDB_BASE_URL: url,
  WANDB_API_KEY: key,
  WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL: String(REPORT_SECONDS),
});

/**
 * Calls back when the file has changed since this call. The first look is taken here: one that is taken later would see what was written in between as
 * what there was. @returns a function that ends it
 */
export function watchAccess(path: string, onChange: () => void): () => void {
  let seen = marksOf(path);
  const timer = setInterval(() => {
    const now = marksOf(path);
    if (now === seen) return;
    seen = now;
    onChange();
  }, LOOK_MS).unref();
  return () => clearInterval(timer);
}

/** What changes with a file; nothing where there is none, or none that can be seen. */
function marksOf(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch {
    return '';
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether a request carries the key, as the password of its basic authorization. Takes as long for every key. */
export function isLetIn(authorization: string | undefined, key: string): boolean {
  const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=]{1,200})$/u.exec(authorization ?? '') ?? [];
  const given = Buffer.from(encoded, 'base64').toString();
  return timingSafeEqual(digest(given.slice(given.indexOf(':') + 1)), digest(key));
}
