/**
 * The native kernels as a release has them, for a checkout on a machine without a compiler. They are taken where they load here and were built
 * from the sources that are here; nothing is fetched unless somebody asks.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { download, removeDownload } from '../../engine/data/downloads/transfer.ts';
import type { NetOptions } from '../../engine/data/downloads/transfer.ts';
import { whyStale } from '../../engine/native/addon.ts';
import { CHECKSUMS, releasedAddon } from '../../engine/native/released.ts';
import { hashOfSources } from '../../engine/native/sources.js';
import { describeWriteError, replaceFile } from '../../files/atomic.ts';
import type { DataProgress } from '../../../preload/contract/shapes.ts';
import { LibraryError } from './cublas.ts';

export interface KernelFetching {
  /** The address of a release's files, or the file itself. */
  readonly from: string;
  readonly cache: string;
  /** Of the native sources; the addon is put where a build of them would put it. */
  readonly folder?: string;
  readonly net?: NetOptions;
  readonly onProgress?: (progress: DataProgress) => void;
  readonly signal?: AbortSignal;
}

const FOLDER = fileURLToPath(new URL('../../engine/native', import.meta.url));

/** @returns the path of the addon @throws LibraryError; the reason of the signal */
export async function fetchKernels(options: KernelFetching): Promise<string> {
  const { from, folder = FOLDER } = options;
  const sources = hashOfSources(folder);
  if (sources === undefined)
    throw new LibraryError('a package of the desktop app carries its kernels: install it again');
  if (!/^https?:/iu.test(from)) return await keep(from, folder, sources);
  const path = await fetched(options, releasedAddon(process.platform, process.arch, sources));
  try {
    return await keep(path, folder, sources);
  } finally {
    await removeDownload(path);
  }
}

async function fetched({ from, cache, net, onProgress, signal }: KernelFetching, name: string): Promise<string> {
  const base = from.replace(/\/$/u, '');
  const downloads = join(cache, 'downloads', 'kernels');
  const watch = { ...(net === undefined ? {} : { net }), ...(signal === undefined ? {} : { signal }) };
  const offline = `Without a network: fetch ${name} of a release on another machine and name the file: --from FILE`;
  const list = join(downloads, CHECKSUMS);
  // Of another release, perhaps.
  await removeDownload(list);
  await download(`${base}/${CHECKSUMS}`, list, { ...watch, offline });
  const sums = new Map(
    (await readFile(list, 'utf8'))
      .split('\n')
      .map((line) => /^([0-9a-f]{64}) [ *](.+)$/u.exec(line))
      .flatMap((found) => (found === null ? [] : [[found[2], found[1]] as const])),
  );
  await removeDownload(list);
  const sha256 = sums.get(name);
  if (sha256 === undefined) {
    const others = [...sums.keys()].filter((each) => each.endsWith('.node'));
    throw new LibraryError(
      `${base} has no ${name}, which these sources on this system need; it has ${others.length === 0 ? 'no kernels' : others.join(', ')}. Take the release of this version (git describe), or build them: npm run build:native`,
    );
  }
  const path = join(downloads, name);
  await download(`${base}/${name}`, path, {
    ...watch,
    sha256,
    offline,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return path;
}

/** Puts a file where the addon is looked for, once it is known to work here. */
async function keep(file: string, folder: string, sources: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new LibraryError(`--from is ${file}, which cannot be read (${error.code ?? error.message})`);
  });
  const place = join(folder, 'build', 'Release', 'sweeplab.node');
  // Beside its place, and with the ending by which Node knows addons.
  const trial = join(dirname(place), `trial-${process.pid}.node`);
  try {
    await mkdir(dirname(place), { recursive: true });
    await replaceFile(trial, bytes);
    const why = await whyNotHere(trial, sources);
    if (why !== undefined) throw new LibraryError(`${basename(file)} cannot be used here: ${why}`);
    await replaceFile(place, bytes);
  } catch (error) {
    throw error instanceof LibraryError ? error : describeWriteError(error, place);
  } finally {
    await rm(trial, { force: true });
  }
  return place;
}

const LOAD = 'const { sources, format } = require(process.argv[1]); console.log(JSON.stringify({ sources, format }))';

/** In a process of its own: what it does while it is loaded is not known yet. */
async function whyNotHere(path: string, sources: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', LOAD, path]);
    return whyStale(JSON.parse(stdout) as Parameters<typeof whyStale>[0], sources)?.reason;
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    return /^Error: (.*)$/mu.exec(stderr)?.[1] ?? message.split('\n')[0];
  }
}
