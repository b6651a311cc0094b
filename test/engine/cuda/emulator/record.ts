/** Writes a launch as record.h says, for replay.cc: what tests let it run that no kernel of ours would do. */
import { appendFileSync } from 'node:fs';

export interface RecordedLaunch {
  readonly family: string;
  readonly kernel: string;
  readonly grid: readonly [number, number, number];
  /** Threads of a block. */
  readonly size: number;
  readonly shared: number;
  readonly args: Buffer;
  /** Memory of the device: blocks at multiples of a page that no other memory of a process has. */
  readonly memory: readonly { readonly address: number; readonly data: ArrayBufferView }[];
}

export function writeLaunch(path: string, launch: RecordedLaunch): void {
  const { family, kernel, grid, size, shared, args, memory } = launch;
  const head = Buffer.alloc(124);
  head.write(family, 0);
  head.write(kernel, 32);
  [...grid, size, shared, args.length, memory.length].forEach((value, i) => head.writeUInt32LE(value, 96 + 4 * i));
  const blocks = memory.flatMap(({ address, data }) => {
    const where = Buffer.alloc(16);
    where.writeBigUInt64LE(BigInt(address), 0);
    where.writeBigUInt64LE(BigInt(data.byteLength), 8);
    return [where, Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
  });
  appendFileSync(path, Buffer.concat([head, args, ...blocks]));
}
