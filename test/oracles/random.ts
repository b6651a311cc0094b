/** Seeded random numbers for tests. The seed changes every time unless SWEEPLAB_TEST_SEED is set; failures print it. */
export const SEED = Number(process.env.SWEEPLAB_TEST_SEED ?? Math.floor(Date.now() % 2 ** 31));

export interface Random {
  /** Uniform in [0, 1). */
  (): number;
  /** Integer from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  normal(): number;
  pick<T>(choices: readonly T[]): T;
  /** `n` normal numbers, times `scale`, plus `shift`. */
  normals(n: number, scale?: number, shift?: number): Float32Array;
  integers(n: number, low: number, high: number): Int32Array;
}

/** mulberry32: tiny, good enough for test data, independent of the generator under test. */
export function random(seed: number = SEED): Random {
  let word = seed >>> 0;
  const next = () => {
    word = (word + 0x6d2b79f5) | 0;
    let t = Math.imul(word ^ (word >>> 15), 1 | word);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return Object.assign(() => next(), {
    integer,
    normal,
    pick: <T>(choices: readonly T[]) => choices[integer(0, choices.length - 1)]!,
    normals: (n: number, scale = 1, shift = 0) => Float32Array.from({ length: n }, () => normal() * scale + shift),
    integers: (n: number, low: number, high: number) => Int32Array.from({ length: n }, () => integer(low, high)),
  });
}

/** How many random cases (or slow steps) a test takes: so many in `npm test`, five times as many in `npm run test:long`. */
export const repeated = (count: number): number => count * Number(process.env.SWEEPLAB_TEST_REPEATS ?? 1);
