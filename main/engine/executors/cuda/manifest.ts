/** What is known of the compiled kernels: their families, structs and enums, as `native/cuda/build.js` wrote them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { sha256 } from '../../../files/whole.ts';
import { ExecutorUnavailableError } from '../executor.ts';

/** Name, kind (P pointer, I int32, L int64, F float, E enum), and the enum's name or the length of an array. */
export type StructField = readonly [name: string, kind: 'P' | 'I' | 'L' | 'F' | 'E', more?: string | number];

export interface CompiledKernel {
  readonly struct: string;
  /** Threads of a block. */
  readonly threads: number;
  /** Registers of a thread, by architecture. */
  readonly registers: Readonly<Record<string, number>>;
}

export interface KernelFamily {
  /** Hash of the sources. */
  readonly sources: string;
  /** SHA-256 of the PTX. */
  readonly ptx: string;
  /** Names of each enum's values in the order of their numbers. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
  readonly structs: Readonly<Record<string, readonly StructField[]>>;
  readonly kernels: Readonly<Record<string, CompiledKernel>>;
}

/** By name. */
export type Manifest = Readonly<Record<string, KernelFamily>>;

const FOLDER = join(import.meta.dirname, '../../../../resources/cuda');

const [FACTS, CODE] = ['.json', '.ptx.br'];

let read: Manifest | undefined;

/** @throws ExecutorUnavailableError naming what is missing or damaged */
export const manifest = (): Manifest => (read ??= readManifest(FOLDER));

/** Of a folder of families, each with its code. @throws ExecutorUnavailableError naming what is missing or damaged */
export function readManifest(folder: string): Manifest {
  const names = whole(folder, () => readdirSync(folder));
  const known = (end: string): string[] =>
    names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
  const [families, compiled] = [known(FACTS), known(CODE)];
  for (const [has, lacks, end] of [
    [compiled, families, FACTS],
    [families, compiled, CODE],
  ] as const)
    for (const name of has) if (!lacks.includes(name)) throw damaged(join(folder, name + end), 'it is missing');
  return Object.fromEntries(
    families.map((name) => {
      const path = join(folder, name + FACTS);
      return [name, whole(path, () => JSON.parse(readFileSync(path, 'utf8')) as KernelFamily)];
    }),
  );
}

const damaged = (path: string, why: string): ExecutorUnavailableError =>
  new ExecutorUnavailableError(`cuda: ${path} cannot be used (${why}): install Sweeplab again`);

function whole<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw damaged(path, (error as Error).message);
  }
}

/** Names what all kernels were compiled from. */
export const kernelsHash = (): string =>
  sha256(JSON.stringify(Object.values(manifest()).map(({ sources }) => sources))).slice(0, 12);

let families: ReadonlyMap<string, string> | undefined;

/** The family that holds a kernel. @throws Error naming a kernel that there is not */
export function familyOf(kernel: string): string {
  families ??= new Map(
    Object.entries(manifest()).flatMap(([name, { kernels }]) => Object.keys(kernels).map((each) => [each, name])),
  );
  const family = families.get(kernel);
  if (family === undefined) throw new Error(`there is no CUDA kernel ${kernel}`);
  return family;
}

/** The number of an enum's value in a family. @throws Error naming both */
export function enumNumber(family: string, of: string, name: string): number {
  const index = manifest()[family]?.enums[of]?.indexOf(name) ?? -1;
  if (index < 0) throw new Error(`${name} is no ${of} of the kernels`);
  return index;
}

/** PTX of a family, ending with a zero byte as the driver wants it. @throws ExecutorUnavailableError where it is missing or damaged */
export function ptxOf(family: string, folder = FOLDER): Buffer {
  const known = folder === FOLDER ? manifest() : readManifest(folder);
  const path = join(folder, family + CODE);
  const ptx = whole(path, () => brotliDecompressSync(readFileSync(path)));
  // Code that was changed may still compile, and compute something else.
  if (sha256(ptx) !== known[family]?.ptx) throw damaged(path, 'it is not what was built');
  return Buffer.concat([ptx, Buffer.alloc(1)]);
}
