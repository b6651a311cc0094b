/** What the processor can do at most: multiply-adds whose operands never leave the registers, at the level in use. */
import { pointer, record, signaturesOf } from '../../main/engine/native/addon.ts';
import type { Native } from '../../main/engine/native/addon.ts';

/** GFLOP/s of one core and of all given threads together, each by its own processor time. */
export interface Ceiling {
  readonly one: number;
  readonly all: number;
}
export interface Ceilings {
  readonly f32: Ceiling;
  readonly bf16: Ceiling;
}

/** Some 20 ms of one core; the first runs are short, to wake the threads. */
const REPEATS = [1000, 1000, ...Array.from({ length: 12 }, () => 2_000_000)];

function rate(native: Native, threads: number, compute: 'f32' | 'bf16'): number {
  native.setThreads(threads);
  const block = native.allocate(4 * (threads + 1));
  const result = new Float32Array(threads + 1);
  const rates = REPEATS.map((repeats) => {
    const call = record(signaturesOf(native), 'peak', { y: pointer(block, 0), repeats, compute });
    const program = native.compile(Float64Array.from(call));
    native.runSync(program);
    native.release(program);
    native.read(block, 0, result);
    return result.subarray(0, threads).reduce((sum, one) => sum + one, 0);
  });
  native.free(block);
  // The fastest run: whatever else the machine does only makes it slower.
  return Math.max(...rates.slice(2));
}

/** Takes a second or two. Leaves the number of threads at `threads`. */
export function measureCeilings(native: Native, threads: number): Ceilings {
  const measure = (compute: 'f32' | 'bf16'): Ceiling => {
    const one = rate(native, 1, compute);
    return { one, all: threads === 1 ? one : rate(native, threads, compute) };
  };
  const [f32, bf16] = [measure('f32'), measure('bf16')];
  native.setThreads(threads);
  return { f32, bf16 };
}

export function showCeilings({ f32, bf16 }: Ceilings, threads: number): string {
  const show = ({ one, all }: Ceiling) => `${one.toFixed(0)} GFLOP/s on one core, ${all.toFixed(0)} on ${threads}`;
  return `Ceiling (multiply-adds in registers alone): f32 ${show(f32)}; bf16 ${show(bf16)}`;
}
