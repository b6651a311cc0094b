/**
 * cuBLASLt from NVIDIA's wheel: fetched, shown with its licence, and the library alone put into the data folder. What was fetched stays
 * until it is unpacked or refused, so that whoever is interrupted goes on where it stopped.
 */
import { mkdir, open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataProgress } from '../../../preload/contract/shapes.ts';
import { formatBytes } from '../../../preload/shared/format.ts';
import { download, removeDownload } from '../../engine/data/downloads/transfer.ts';
import type { NetOptions } from '../../engine/data/downloads/transfer.ts';
import { zipMembers } from '../../engine/data/reading/compression/zip.ts';
import type { ZipMember } from '../../engine/data/reading/compression/zip.ts';
import { cudaFolder } from '../../engine/executors/dataFolder.ts';
import { cudaVersion } from '../../engine/executors/cuda/requirements.ts';
import { cublasName } from '../../engine/executors/cuda/libraries.ts';
import { describeWriteError, makeFolder, writeSynced } from '../../files/atomic.ts';
import { hashFile } from '../../files/whole.ts';
import { PhaseMeter } from '../../engine/data/progress.ts';
import { PACKAGE_FILES, WHEELS } from './wheels.ts';
import type { Wheel } from './wheels.ts';

/** There is no such library for this machine, or it cannot be had. The message is for the user. */
export class LibraryError extends Error {
  override readonly name = 'LibraryError';
}

/** Whose wheel, where, and for which machine. */
export interface Fetching {
  readonly wheel: Wheel;
  /** Sweeplab's data folder. */
  readonly home: string;
  readonly cache: string;
  /** Another server in the place of the index's, or the wheel as a file, which stays where it is. */
  readonly from?: string;
  readonly net?: NetOptions;
  readonly onProgress?: (progress: DataProgress) => void;
  readonly signal?: AbortSignal;
}

export interface Fetched {
  /** The whole text of the licence. */
  readonly licence: string;
  /** Puts library and licence into the data folder. @returns the path of the library */
  keep(watch?: Pick<Fetching, 'onProgress'>): Promise<string>;
  /** Removes what was fetched. */
  refuse(): Promise<void>;
}

/** The wheel for a CUDA on a machine. @throws LibraryError saying which there are */
export function wheelFor(major: number, platform = `${process.platform} ${process.arch}`, wheels = WHEELS): Wheel {
  const here = wheels.filter((wheel) => wheel.platform === platform);
  if (here.length === 0)
    throw new LibraryError(
      `there is no cuBLAS to fetch for ${platform}; there is one for ${[...new Set(wheels.map((wheel) => wheel.platform))].join(' and ')}`,
    );
  const found = here.find((wheel) => wheel.major === major);
  if (found !== undefined) return found;
  const majors = here.map((wheel) => wheel.major).join(' and ');
  throw new LibraryError(`--cuda is ${major}; allowed: ${majors}`);
}

/** The newest CUDA with a cuBLAS that the driver runs (`1000 · major + …`); without a driver the newest of all. @throws LibraryError */
export function newestMajor(driver: number | undefined, wheels = WHEELS): number {
  const majors = wheels.map(({ major }) => major);
  const usable = driver === undefined ? majors : majors.filter((major) => 1000 * major <= driver);
  if (usable.length > 0) return Math.max(...usable);
  throw new LibraryError(
    `the driver runs CUDA ${cudaVersion(driver!)}, and there is cuBLAS for ${[...new Set(majors)].join(' and ')}: update the NVIDIA driver`,
  );
}

const folderOf = ({ wheel, home }: Fetching): string => join(cudaFolder(home), `${wheel.major}`);
const nameOf = ({ major, platform }: Wheel): string =>
  cublasName({ platform: platform.startsWith('win32') ? 'win32' : 'linux' }, major);

/** The library where it was put before; undefined where it is not there. */
export async function keptCublas(options: Fetching): Promise<string | undefined> {
  const path = join(folderOf(options), nameOf(options.wheel));
  return await stat(path).then(
    () => path,
    () => undefined,
  );
}

/** Wheel and library lie side by side for a moment; packed, a library is about three quarters of its length. */
const ROOM = 2.5;

/** Fetches the wheel, or goes on fetching it. @throws LibraryError; the reason of the signal */
export async function fetchCublas(options: Fetching): Promise<Fetched> {
  const { wheel, home, cache, from = PACKAGE_FILES, net, onProgress, signal } = options;
  await checkRoom(home, ROOM * wheel.bytes);
  const isFile = !/^https?:/iu.test(from);
  const path = isFile ? from : join(cache, 'downloads', 'wheels', fileName(wheel));
  if (isFile) await checkFile(wheel, from, signal);
  else
    await download(`${from.replace(/\/$/u, '')}/${wheel.path}`, path, {
      sha256: wheel.sha256,
      offline: `Without a network: fetch ${fileName(wheel)} on another machine and name the file: --from FILE`,
      ...(net === undefined ? {} : { net }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
  const done = async (): Promise<void> => {
    if (!isFile) await removeDownload(path);
  };
  return {
    licence: await licenceIn(path),
    keep: async (watch = {}) => {
      const library = await unpack({ ...options, ...watch }, path);
      await done();
      return library;
    },
    refuse: done,
  };
}

const fileName = ({ path }: Wheel): string => path.slice(path.lastIndexOf('/') + 1);

/** @throws LibraryError where the disk is too full */
async function checkRoom(home: string, bytes: number): Promise<void> {
  await mkdir(home, { recursive: true }).catch((error: unknown) => {
    throw describeWriteError(error, home);
  });
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < bytes)
    throw new LibraryError(
      `${formatBytes(bytes)} are needed in ${home} while it is unpacked, and ${formatBytes(bavail * bsize)} are free: free some space, or choose another data folder`,
    );
}

/** @throws LibraryError for another file */
async function checkFile(wheel: Wheel, path: string, signal: AbortSignal | undefined): Promise<void> {
  const { sha256 } = await hashFile(path, signal).catch((error: NodeJS.ErrnoException) => {
    signal?.throwIfAborted();
    throw new LibraryError(`--from is ${path}, which cannot be read (${error.code ?? error.message})`);
  });
  if (sha256 !== wheel.sha256)
    throw new LibraryError(
      `--from is ${path}, which is not ${fileName(wheel)} (SHA-256 ${sha256}, expected ${wheel.sha256})`,
    );
}

async function licenceIn(path: string): Promise<string> {
  return await withMembers(path, async (members) => {
    const pieces: Buffer[] = [];
    for await (const piece of memberCalled(members, /^licen[cs]e\.txt$/iu, path).content()) pieces.push(piece);
    return Buffer.concat(pieces).toString('utf8');
  });
}

/** Writes library and licence into the folder of the version. @returns the path of the library */
async function unpack(options: Fetching, path: string): Promise<string> {
  const { wheel, onProgress, signal } = options;
  const folder = folderOf(options);
  const name = nameOf(wheel);
  const licence = await licenceIn(path);
  await withMembers(path, async (members) => {
    const library = members.find((member) => baseName(member) === name);
    if (library === undefined) throw new LibraryError(`${path} holds no ${name}`);
    // Without the library it is of no use: somebody else's, or of an earlier version of this.
    await rm(folder, { recursive: true, force: true });
    await makeFolder(folder, async (temporary) => {
      await writeSynced(join(temporary, name), watched(library, new PhaseMeter('unpack', onProgress), signal));
      await writeSynced(join(temporary, 'License.txt'), licence);
      const source = { version: wheel.version, from: wheel.path, sha256: wheel.sha256 };
      await writeSynced(join(temporary, 'source.json'), `${JSON.stringify(source, null, 2)}\n`);
    }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw describeWriteError(error, folder);
    });
  });
  return join(folder, name);
}

async function* watched({ content, size }: ZipMember, meter: PhaseMeter, signal?: AbortSignal): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const piece of content()) {
    signal?.throwIfAborted();
    yield piece;
    done += piece.length;
    meter.update(done, size, undefined, true);
  }
}

const baseName = ({ path }: ZipMember): string => path.slice(path.lastIndexOf('/') + 1);

/** @throws LibraryError where there is none */
function memberCalled(members: readonly ZipMember[], name: RegExp, path: string): ZipMember {
  const found = members.find((member) => name.test(baseName(member)));
  if (found === undefined) throw new LibraryError(`${path} has no licence in it: nothing of it is kept`);
  return found;
}

async function withMembers<T>(path: string, work: (members: readonly ZipMember[]) => Promise<T>): Promise<T> {
  const archive = await open(path, 'r');
  try {
    return await work(await zipMembers(archive.fd));
  } finally {
    await archive.close();
  }
}
