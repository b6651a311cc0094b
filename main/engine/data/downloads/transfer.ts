/**
 * Resumable, verified transfer of one file. What has arrived is kept in `<file>.part` and continued with an HTTP range
 * request guarded by If-Range; the finished file gets a receipt `<file>.receipt.json` with its SHA-256, which is checked
 * before every later use.
 */
import { counted } from '../../../../preload/shared/format.ts';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { throwIfAborted } from '../errors.ts';
import { describeWriteError, temporaryName, writeAtomic } from '../../../files/atomic.ts';
import { renameOver } from '../../../files/renaming.ts';
import { hashFile } from '../../../files/whole.ts';
import { PhaseMeter } from '../progress.ts';
import type { OnProgress } from '../progress.ts';

export interface NetOptions {
  /** Replaces https://huggingface.co, https://datasets-server.huggingface.co and https://raw.githubusercontent.com. */
  readonly bases?: { readonly huggingface?: string; readonly datasetsServer?: string; readonly githubRaw?: string };
  /** Wait before the first retry (doubled each time), default 500 ms. */
  readonly backoffMs?: number;
  /** Attempts without any new byte before giving up, default 5. */
  readonly attempts?: number;
  /** A connection that gives nothing for so long is retried, default 60,000 ms. */
  readonly stallMs?: number;
}

export interface TransferOptions {
  readonly net?: NetOptions;
  /** Known SHA-256 (hex) of the whole file. */
  readonly sha256?: string;
  /** What can be done without a network, for people; default: what holds for text. */
  readonly offline?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

const OFFLINE = 'Files on disk work without a network: set data.corpus to their path.';

/** A failure that trying again will not cure. */
class FinalError extends Error {}

interface PartNote {
  readonly url: string;
  /** Strong ETag or Last-Modified: guards a continued transfer against a changed file. */
  readonly validator: string | null;
  /** SHA-256 announced by the server, if any. */
  readonly sha256: string | null;
}

interface Receipt {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

const receiptOf = (path: string) => `${path}.receipt.json`;
const noteOf = (part: string) => `${part}.json`;

async function readJson<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return null;
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (info) => info.size,
    () => -1,
  );

/** Whether an earlier transfer of `path` is whole: as long and with the same SHA-256 as its receipt says. */
export async function verified(path: string, signal?: AbortSignal): Promise<boolean> {
  const receipt = await readJson<Receipt>(receiptOf(path));
  if (receipt === null || (await sizeOf(path)) !== receipt.bytes) return false;
  return (await hashFile(path, signal)).sha256 === receipt.sha256;
}

/** What a failed request means, in words. */
function networkError(error: unknown, url: string, offline: string = OFFLINE): Error {
  const { host } = new URL(url);
  const cause = (error as { cause?: NodeJS.ErrnoException } | null)?.cause;
  const code = cause?.code ?? (error as NodeJS.ErrnoException | null)?.code ?? '';
  const why =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? `the name ${host} could not be looked up`
      : code === 'ECONNREFUSED'
        ? `${host} refuses connections`
        : (cause?.message ?? (error instanceof Error ? error.message : String(error)));
  return new Error(`No connection for ${url}: ${why}. Is this computer online? ${offline}`, { cause: error });
}

function statusError(status: number, url: string): Error {
  if (status === 404 || status === 410)
    return new FinalError(`Not found (${status}): ${url}. Was it renamed or removed?`);
  if (status === 401 || status === 403)
    return new FinalError(`No access (${status}): ${url} is private or asks for an agreement first.`);
  if (status >= 400 && status < 500 && status !== 408 && status !== 429)
    return new FinalError(`The server refused ${url} (status ${status}).`);
  return new Error(`The server failed on ${url} (status ${status}).`);
}

const MAX_REDIRECTS = 8;

interface Opened {
  readonly response: Response;
  /** SHA-256 that Hugging Face announces on its redirect. */
  readonly sha256: string | null;
}

/** Sends the request and follows redirects by hand, because the checksum is announced on the first answer only. */
async function request(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Opened> {
  let at = url;
  let sha256: string | null = null;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await fetch(at, { headers, signal, redirect: 'manual' });
    const linked = (response.headers.get('x-linked-etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
    if (/^[0-9a-f]{64}$/.test(linked)) sha256 = linked;
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return { response, sha256 };
    await response.body?.cancel();
    const next = new URL(location, at);
    if (at.startsWith('https:') && next.protocol !== 'https:')
      throw new FinalError(`${url} leads on to ${next.href}, which is not encrypted.`);
    at = next.href;
  }
  throw new FinalError(`Too many redirects from ${url}.`);
}

/** The end of an address, as people read it. */
export function fileNameOf(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) || url;
  try {
    return decodeURIComponent(name);
  } catch {
    // A `%` that is none of an escape.
    return name;
  }
}

function validatorOf(headers: Headers): string | null {
  const etag = headers.get('etag');
  if (etag !== null && !etag.startsWith('W/')) return etag;
  return headers.get('last-modified');
}

/** One attempt: continues `part` from where it ends. Resolves when the file is whole. */
async function attempt(
  url: string,
  part: string,
  meter: PhaseMeter,
  name: string,
  options: TransferOptions,
): Promise<void> {
  const stallMs = options.net?.stallMs ?? 60_000;
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(new Error(`nothing arrived for ${stallMs / 1000} s`)), stallMs);
  const signal = options.signal === undefined ? stall.signal : AbortSignal.any([options.signal, stall.signal]);
  let handle: FileHandle | null = null;
  try {
    const note = await readJson<PartNote>(noteOf(part));
    let have = Math.max(0, await sizeOf(part));
    // Without a validator nobody can tell whether the rest belongs to the same file.
    if (have > 0 && (note === null || note.url !== url || note.validator === null)) have = 0;
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (have > 0) {
      headers.range = `bytes=${have}-`;
      headers['if-range'] = note!.validator!;
    }
    const { response, sha256 } = await request(url, headers, signal);
    if (response.status === 416) {
      // Everything (or more) is here already: the checksum or a fresh start decides.
      await response.body?.cancel();
      const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? -1);
      if (total === have) return;
      await rm(part, { force: true });
      throw new Error(`${url} changed while it was downloaded.`);
    }
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      const error = statusError(response.status, url);
      const retryAfter = Number(response.headers.get('retry-after'));
      if (retryAfter > 0 && !(error instanceof FinalError)) {
        clearTimeout(timer);
        await delay(Math.min(60, retryAfter) * 1000, undefined, { signal: options.signal });
      }
      throw error;
    }
    let start = 0;
    if (response.status === 206) {
      start = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? -1);
      if (start !== have) throw new FinalError(`${url}: the server sent another range than asked for.`);
    }
    const length = Number(response.headers.get('content-length') ?? 0);
    const total = length > 0 ? start + length : 0;
    handle = await open(part, start > 0 ? 'r+' : 'w').catch((error: unknown) => {
      throw new FinalError(describeWriteError(error, part).message, { cause: error });
    });
    if (start === 0) {
      const fresh: PartNote = { url, validator: validatorOf(response.headers), sha256 };
      await writeAtomic(noteOf(part), JSON.stringify(fresh));
    }
    let at = start;
    meter.update(at, total, name, true);
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(new Error(`nothing arrived for ${stallMs / 1000} s`)), stallMs);
      for (let sent = 0; sent < chunk.length;) {
        const { bytesWritten } = await handle.write(chunk, sent, chunk.length - sent, at).catch((error: unknown) => {
          throw new FinalError(describeWriteError(error, part).message, { cause: error });
        });
        sent += bytesWritten;
        at += bytesWritten;
      }
      meter.update(at, total, name, true);
    }
    if (total > 0 && at !== total)
      throw new Error(`${url}: the connection ended after ${at} of ${counted(total, 'byte')}.`);
    await handle.truncate(at);
    await handle.sync();
  } catch (error) {
    if (stall.signal.aborted && !(options.signal?.aborted ?? false))
      throw networkError(stall.signal.reason, url, options.offline);
    if (error instanceof TypeError) throw networkError(error, url, options.offline);
    throw error;
  } finally {
    clearTimeout(timer);
    await handle?.close();
  }
}

/** Ends the name of what claims a part file; it holds the id of the process. */
const CLAIM = '.part.lock';

/** Claims the shared part file; where another process has it, a private one that cannot be resumed. */
async function claimPart(path: string): Promise<{ part: string; release: () => Promise<void> }> {
  const part = `${path}.part`;
  const lock = `${path}${CLAIM}`;
  for (let round = 0; round < 2; round++) {
    try {
      const handle = await open(lock, 'wx');
      await handle.write(String(process.pid));
      await handle.close();
      return { part, release: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw describeWriteError(error, lock);
      const owner = await ownerOf(lock);
      if (owner > 0 && isAlive(owner)) break;
      await rm(lock, { force: true });
    }
  }
  const own = temporaryName(part);
  return { part: own, release: () => Promise.resolve() };
}

/** The file that a process downloads now, where `path` is its claim. */
export async function fileOfClaim(path: string): Promise<string | undefined> {
  if (!path.endsWith(CLAIM)) return undefined;
  const owner = await ownerOf(path);
  return owner > 0 && isAlive(owner) ? path.slice(0, -CLAIM.length) : undefined;
}

const ownerOf = async (lock: string): Promise<number> => Number(await readFile(lock, 'utf8').catch(() => '0'));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Downloads `url` to `path`, or returns at once when a verified copy is there. Interrupted transfers go on where they
 * stopped, also in a later process. A file with the wrong checksum is refused and deleted.
 */
export async function download(url: string, path: string, options: TransferOptions = {}): Promise<void> {
  const { signal, net } = options;
  throwIfAborted(signal);
  if (await verified(path, signal)) return;
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw describeWriteError(error, path);
  });
  const { part, release } = await claimPart(path);
  try {
    const meter = new PhaseMeter('download', options.onProgress);
    const name = fileNameOf(url);
    const attempts = net?.attempts ?? 5;
    let failures = 0;
    for (;;) {
      const before = await sizeOf(part);
      try {
        await attempt(url, part, meter, name, options);
        break;
      } catch (error) {
        throwIfAborted(signal);
        if (error instanceof FinalError) throw error;
        // New bytes mean that the connection works at all: start counting again.
        failures = (await sizeOf(part)) > Math.max(0, before) ? 1 : failures + 1;
        if (failures >= attempts) throw error;
        const wait = (net?.backoffMs ?? 500) * 2 ** (failures - 1);
        await delay(wait * (0.75 + 0.5 * Math.random()), undefined, { signal });
      }
    }
    const note = await readJson<PartNote>(noteOf(part));
    const expected = options.sha256 ?? note?.sha256 ?? null;
    const { bytes, sha256 } = await hashFile(part, signal);
    if (expected !== null && sha256 !== expected) {
      await rm(part, { force: true });
      await rm(noteOf(part), { force: true });
      throw new Error(
        `${url} arrived with the wrong checksum (SHA-256 ${sha256}, expected ${expected}) and was deleted. ` +
          'Try again; if it happens again the file on the server has changed.',
      );
    }
    const receipt: Receipt = { url, bytes, sha256 };
    await rm(receiptOf(path), { force: true });
    await renameOver(part, path);
    await writeAtomic(receiptOf(path), `${JSON.stringify(receipt)}\n`);
    await rm(noteOf(part), { force: true });
  } finally {
    await release();
  }
}

/** Removes what was downloaded to `path`, whole or not. */
export async function removeDownload(path: string): Promise<void> {
  const part = `${path}.part`;
  for (const each of [path, receiptOf(path), part, noteOf(part)]) await rm(each, { force: true });
}

/** Fetches a JSON document with the same retries and messages. `save`: kept there, and used when the network fails. */
export async function fetchJson(url: string, save: string, options: TransferOptions): Promise<unknown> {
  const { signal, net } = options;
  const attempts = net?.attempts ?? 5;
  for (let failures = 1; ; failures++) {
    try {
      const timeout = AbortSignal.timeout(net?.stallMs ?? 60_000);
      const response = await fetch(url, {
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      const body = await response.text();
      if (!response.ok) {
        const said = /"error"\s*:\s*"([^"]*)"/.exec(body)?.[1];
        const error = statusError(response.status, url);
        throw said === undefined
          ? error
          : new (error instanceof FinalError ? FinalError : Error)(`${error.message} It says: ${said}`);
      }
      const value: unknown = JSON.parse(body);
      await writeAtomic(save, body);
      return value;
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof FinalError) throw error;
      if (failures >= attempts) {
        const kept = await readJson<unknown>(save);
        if (kept !== null) return kept;
        throw error instanceof TypeError || (error as Error).name === 'TimeoutError' ? networkError(error, url) : error;
      }
      await delay((net?.backoffMs ?? 500) * 2 ** (failures - 1), undefined, { signal });
    }
  }
}
