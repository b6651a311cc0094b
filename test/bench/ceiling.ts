/** What the processor can do at most: multiply-adds whose operands never leave the registers, at the level in use. */
import { pointer, record } from '../../main/engine/native/addon.ts';
import type { Native } from '../../main/engine/native/addon.ts';

/** GFLOP/s of one core and of all given threads together. */
export interface Ceiling {
  readonly one: number;
  readonly all: number;
}
export interface Ceilings {
  readonly f32: Ceiling;
  readonly bf16: Ceiling;
}

const SECONDS = 0.04;
const RUNS = 12;

function rate(native: Native, threads: number, compute: number): number {
  native.setThreads(threads);
  const block = native.allocate(4 * (threads + 1));
  const kernels = native.kernels();
  const timed = (repeats: number): number => {
    const program = native.compile(
      Float64Array.from(record(kernels, 'peak', { y: pointer(block, 0), repeats, compute })),
    );
    const start = performance.now();
    native.runSync(program);
    const seconds = (performance.now() - start) / 1000;
    native.release(program);
    return seconds;
  };
  timed(1000);
  const repeats = Math.ceil((100_000 * SECONDS) / timed(100_000));
  // The fastest run: whatever else the machine does only makes it slower.
  const seconds = Math.min(...Array.from({ length: RUNS }, () => timed(repeats)));
  const result = new Float32Array(threads + 1);
  native.read(block, 0, result);
  native.free(block);
  return (result[threads]! * repeats * threads) / seconds / 1e9;
}

/** Takes about two seconds. Leaves the number of threads at `threads`. */
export function measureCeilings(native: Native, threads: number): Ceilings {
  const measure = (compute: number): Ceiling => {
    const one = rate(native, 1, compute);
    return { one, all: threads === 1 ? one : rate(native, threads, compute) };
  };
  const [f32, bf16] = [measure(0), measure(1)];
  native.setThreads(threads);
  return { f32, bf16 };
}

export function showCeilings({ f32, bf16 }: Ceilings, threads: number): string {
  const show = ({ one, all }: Ceiling) => `${one.toFixed(0)} GFLOP/s on one core, ${all.toFixed(0)} on ${threads}`;
  return `Ceiling (multiply-adds in registers alone): f32 ${show(f32)}; bf16 ${show(bf16)}`;
}
