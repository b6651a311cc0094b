/** Rotary positions. */
import { int } from '../kernel.ts';
import type { CudaKernels } from '../kernel.ts';
import { blocksFor } from '../launch.ts';

/** Turns per position of each pair, as fractions of 64 bits. */
function turns(d: number, base: number): Uint8Array {
  const fractions = BigUint64Array.from({ length: d / 2 }, (_, pair) => {
    const turn = base ** ((-2 * pair) / d) / (2 * Math.PI);
    return BigInt(Math.round((turn % 1) * 2 ** 53)) << 11n;
  });
  return new Uint8Array(fractions.buffer);
}

export const ROTARY_KERNELS: CudaKernels = {
  rotary_table: {
    launches: (fields) => {
      const [t, d] = [int(fields, 't'), int(fields, 'd')];
      const args = { positions: fields.positions ?? 0, table: fields.table!, offset: fields.offset!, t, d };
      const tables = { turns: turns(d, int(fields, 'base')) };
      return [{ fn: 'rotary_table', grid: [blocksFor((t * d) / 2, 256), 1, 1], args, tables }];
    },
  },
  rotary: {
    launches: (fields) => {
      const groups = Math.ceil(int(fields, 'd') / 2 / 8);
      const items = int(fields, 'batch') * int(fields, 't') * int(fields, 'heads') * groups;
      return [{ fn: 'rotary', grid: [blocksFor(items, 256), 1, 1], args: fields }];
    },
  },
};
