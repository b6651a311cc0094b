/** A launch of a compiled kernel, and its arguments as bytes. */
import { enumNumber, familyOf, manifest } from './manifest.ts';
import type { StructField } from './manifest.ts';

export type LaunchValue = number | string | boolean | readonly number[];

export interface Launch {
  /** Name of the kernel. */
  readonly fn: string;
  /** Blocks; at most 2³¹ − 1 by 65,535 by 65,535. Their size is the kernel's own. */
  readonly grid: readonly [x: number, y: number, z: number];
  /** Bytes of shared memory; none unless given. */
  readonly shared?: number;
  /** Every field of the struct: pointers as device addresses (0 for none), enums by name, arrays no longer than declared. */
  readonly args: Readonly<Record<string, LaunchValue>>;
  /** Fields that point to constant tables, which are written to the device when the program is loaded. */
  readonly tables?: Readonly<Record<string, Uint8Array>>;
}

/** In the place of a kernel's name: cuBLASLt runs the product that the arguments describe, with `workspace`. */
export const LIBRARY_PRODUCT = 'cublasLtMatmul';

const SIZE = { P: 8, L: 8, I: 4, F: 4, E: 4 } as const;

/** Bytes of SHARED arrays in the order in which a kernel takes them: each begins at a multiple of 128. */
export const sharedBytes = (...arrays: readonly number[]): number =>
  arrays.reduce((sum, bytes) => sum + Math.ceil(bytes / 128) * 128, 0);

/** Blocks of `per` that cover `count`, at least one. */
export const blocksFor = (count: number, per: number): number => Math.max(1, Math.ceil(count / per));

export interface Layout {
  readonly bytes: number;
  readonly fields: readonly { readonly field: StructField; readonly offset: number; readonly count: number }[];
}

/** Where fields lie, by C's rules of alignment. */
export function layoutOf(fields: readonly StructField[]): Layout {
  let at = 0;
  let widest = 1;
  const placed = fields.map((field) => {
    const [, kind, more] = field;
    const size = SIZE[kind];
    const count = typeof more === 'number' ? more : 1;
    const offset = Math.ceil(at / size) * size;
    at = offset + size * count;
    widest = Math.max(widest, size);
    return { field, offset, count };
  });
  return { bytes: Math.ceil(at / widest) * widest, fields: placed };
}

const layouts = new Map<string, Layout>();

function layoutOfKernel(fn: string): Layout {
  const known = layouts.get(fn);
  if (known !== undefined) return known;
  const { structs, kernels } = manifest()[familyOf(fn)]!;
  const layout = layoutOf(structs[kernels[fn]!.struct]!);
  layouts.set(fn, layout);
  return layout;
}

/**
 * The struct of a launch as bytes; the library's products have none. @param address of a table by its field @throws Error naming kernel and field where a value is missing, too many or
 * no number
 */
export function encodeArguments(launch: Launch, address: (table: string) => number = () => 0): Buffer {
  if (launch.fn === LIBRARY_PRODUCT) return Buffer.alloc(0);
  const { bytes, fields } = layoutOfKernel(launch.fn);
  const buffer = Buffer.alloc(bytes);
  for (const { field, offset, count } of fields) {
    const [name, kind, more] = field;
    const given = launch.tables?.[name] === undefined ? launch.args[name] : address(name);
    const values = Array.isArray(given) ? (given as readonly number[]) : [given as LaunchValue | undefined];
    if (values.length > count) throw new Error(`kernel ${launch.fn}: ${name} takes ${count}, got ${values.length}`);
    values.forEach((value, i) => {
      const number = kind === 'E' ? enumNumber(familyOf(launch.fn), more as string, String(value)) : Number(value);
      if (value === undefined || Number.isNaN(number))
        throw new Error(`kernel ${launch.fn}: ${name} is ${String(value)}`);
      const at = offset + i * SIZE[kind];
      if (kind === 'P' || kind === 'L') buffer.writeBigInt64LE(BigInt(number), at);
      else if (kind === 'F') buffer.writeFloatLE(number, at);
      else buffer.writeInt32LE(number, at);
    });
  }
  for (const name of Object.keys(launch.args))
    if (!fields.some(({ field }) => field[0] === name)) throw new Error(`kernel ${launch.fn} has no argument ${name}`);
  return buffer;
}
