/** The random method: draw n of a sweep is a function of (sweep seed, setting, n), so any draw can be repeated alone. */
import { counted } from '../../../preload/shared/format.ts';
import { quantile } from '../../../preload/shared/sweeps/quantiles.ts';
import { Stream } from '../../engine/random/stream.ts';
import { defineSearch } from './search.ts';

/** Uniform numbers in [0, 1), addressed by position. */
export interface UniformSource {
  uniform(i: number): number;
}

/** 53-bit uniforms of one setting; adding a parameter to a sweep leaves the draws of the others as they were. */
export function uniformsOf(sweepSeed: number, name: string): UniformSource {
  const stream = new Stream(sweepSeed, `sweep/${name}`);
  return {
    uniform(i) {
      stream.position = 2 * i;
      const high = stream.nextUint32() >>> 5;
      const low = stream.nextUint32() >>> 6;
      return (high * 2 ** 26 + low) * 2 ** -53;
    },
  };
}

/** A list that repeats a value, in words for its note. */
function repeated(values: readonly unknown[]): string | undefined {
  const repeats = values.length - new Set(values).size;
  return repeats > 0 ? `${counted(repeats, 'value')} given twice or more: drawn more often than the others` : undefined;
}

export const random = defineSearch({
  name: 'random',
  label: 'Random',
  help: 'Independent draws, the same for the same sweep seed.',
  draws: true,
  *propose({ parameters, seed }, tried, n) {
    const sources = parameters.map(({ name }) => uniformsOf(seed, name));
    for (let i = tried.length; i < tried.length + n; i++)
      yield parameters.map(({ distribution }, at) => quantile(distribution, sources[at]!.uniform(i)));
  },
  note: (d) => (d.kind === 'categorical' ? repeated(d.values) : undefined),
});
