/**
 * Builds the emulated device: the fake driver and, for each family of kernels, its emulated image. What has not changed is not built again.
 *
 * Flavours: `plain`; `asan` finds steps outside of memory; `tsan` races of threads.
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../../../..');
const SOURCES = join(ROOT, 'main/engine/native/cuda');
const CACHE = join(ROOT, 'node_modules/.cache/sweeplab-cuda-emulator');

export type Flavour = 'plain' | 'asan' | 'tsan';

const COMMON = ['-std=c++20', '-fno-strict-aliasing', '-march=x86-64-v3', '-ffp-contract=off', '-w', '-g1', '-fPIC'];
const FLAGS: Readonly<Record<Flavour, readonly string[]>> = {
  plain: ['-O2'],
  asan: ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer'],
  tsan: ['-O1', '-fsanitize=thread'],
};
/** The emulator itself is not watched for races: it tells the sanitizer what the device does. */
const OWN_FLAGS: Readonly<Record<Flavour, readonly string[]>> = { ...FLAGS, tsan: ['-O2', '-DEMU_TSAN'] };

/** The fake driver is found where what needs it lies. */
const BESIDE = '-Wl,-rpath,$ORIGIN';

export interface Emulator {
  /** The fake libcuda.so.1. */
  readonly driver: string;
  /** Folder of the emulated kernels, for the environment variable EMU_KERNELS. */
  readonly kernels: string;
}

/** Why kernels cannot be emulated here; undefined where they can. */
export function whyNoEmulator(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the emulated device needs Linux on x86-64';
  try {
    execFileSync('g++', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'the emulated device needs g++';
  }
}

export const families = (): string[] =>
  readdirSync(SOURCES)
    .filter((name) => name.endsWith('.cu'))
    .map((name) => name.slice(0, -3));

function hashOf(files: readonly string[], flags: readonly string[]): string {
  const hash = createHash('sha1').update(flags.join(' '));
  // By what lies where in a checkout: copies of one need not build again.
  for (const file of files) hash.update(`\0${relative(ROOT, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** A file and the headers that it includes, through each other. */
function withHeaders(file: string, found = new Set<string>()): string[] {
  if (found.has(file)) return [...found];
  found.add(file);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/^#include "(.+)"/gm)) {
    const beside = [resolve(file, '..', name!), join(HERE, name!)].find(existsSync);
    if (beside !== undefined) withHeaders(beside, found);
  }
  return [...found];
}

/** Compiles into `target` unless it is of these sources and flags already. */
async function compile(
  target: string,
  sources: readonly string[],
  flags: readonly string[],
  libraries: readonly string[],
  kind: 'library' | 'object' | 'program' = 'library',
): Promise<void> {
  const hash = hashOf(
    sources.flatMap((file) => withHeaders(file)),
    flags,
  );
  const stamp = `${target}.hash`;
  // Names the very file too: where folders share files, the stamp may have come from another that was built elsewhere.
  const stampOf = () => `${hash} ${statSync(target).mtimeMs}`;
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf()) return;
  const temporary = `${target}.${process.pid}`;
  const inputs = ['-x', 'c++', ...sources, '-x', 'none', ...libraries];
  const what = { library: ['-shared'], object: ['-c'], program: [] }[kind];
  const headers = ['-iquote', HERE, '-iquote', SOURCES];
  await run('g++', [...COMMON, ...flags, ...what, ...headers, '-o', temporary, ...inputs], {
    maxBuffer: 16 << 20,
  });
  renameSync(temporary, target);
  writeFileSync(temporary, stampOf());
  renameSync(temporary, stamp);
}

/** One process builds at a time; a lock that its owner left behind is taken over. */
async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'lock');
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 300_000) rmdirSync(lock);
      await sleep(50);
    }
  }
  // Not left behind, however long it takes.
  const held = setInterval(() => utimesSync(lock, new Date(), new Date()), 10_000);
  try {
    return await work();
  } finally {
    clearInterval(held);
    rmdirSync(lock);
  }
}

/** Builds what changed. @param wanted families; all unless given @throws with the compiler's words */
export async function buildEmulator(flavour: Flavour = 'plain', wanted = families()): Promise<Emulator> {
  const folder = join(CACHE, flavour);
  mkdirSync(folder, { recursive: true });
  return locked(folder, async () => {
    const driver = join(folder, 'libcuda.so.1');
    const own = ['fakecuda.cc', 'emulator.cc'].map((name) => join(HERE, name));
    await compile(driver, own, [...OWN_FLAGS[flavour], '-Wl,-soname,libcuda.so.1'], ['-ldl']);
    const queue = [...wanted];
    const worker = async () => {
      for (let family = queue.shift(); family !== undefined; family = queue.shift()) {
        const source = join(SOURCES, `${family}.cu`);
        await compile(join(folder, `${family}.so`), [source], [...FLAGS[flavour], BESIDE], [driver]);
      }
    };
    await Promise.all([worker(), worker()]);
    return { driver, kernels: folder };
  });
}

/** Builds the fake cuBLASLt over the fake driver. */
export async function buildCublas(): Promise<string> {
  const { driver, kernels } = await buildEmulator('plain', []);
  return locked(kernels, async () => {
    const library = join(kernels, 'libcublasLt.so.13');
    await compile(library, [join(HERE, 'fakeblas.cc')], [...FLAGS.plain, BESIDE], [driver]);
    return library;
  });
}

/** Builds `planted.cu` as a family of kernels beside the others, for programs that load it. */
export async function buildPlanted(): Promise<string> {
  const folder = join(CACHE, 'plain');
  mkdirSync(folder, { recursive: true });
  return locked(folder, async () => {
    await compile(join(folder, 'planted.so'), [join(HERE, 'planted.cu')], FLAGS.plain, []);
    return folder;
  });
}

/** Builds `NAME.cc` with the emulator in it: a program that needs no driver. Kernels that it loads find the emulator there. */
export async function buildProgram(name: 'planted' | 'replay', flavour: Flavour): Promise<string> {
  const folder = join(CACHE, flavour);
  mkdirSync(folder, { recursive: true });
  return locked(folder, async () => {
    const emulator = join(folder, 'emulator.o');
    await compile(emulator, [join(HERE, 'emulator.cc')], OWN_FLAGS[flavour], [], 'object');
    const program = join(folder, name);
    const flags = name === 'replay' ? OWN_FLAGS[flavour] : FLAGS[flavour];
    const linked = [emulator, '-rdynamic', '-ldl', ...(flavour === 'tsan' ? ['-fsanitize=thread'] : [])];
    await compile(program, [join(HERE, `${name}.cc`)], flags, linked, 'program');
    return program;
  });
}

if (process.argv[1] === import.meta.filename)
  console.log(await buildEmulator((process.argv[2] as Flavour | undefined) ?? 'plain'));
