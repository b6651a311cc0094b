/** The random method: draw n of a sweep is a function of (sweep seed, setting, n), so any draw can be repeated alone. */
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { Stream } from '../../engine/random/stream.ts';
import { quantile } from '../../../preload/shared/sweeps/quantiles.ts';
import type { BoundParameter } from './check.ts';

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

/** Draw 0, 1, 2 … of all parameters, in the order given. Endless. */
export function* draws(parameters: readonly BoundParameter[], sweepSeed: number): Generator<SettingValue[]> {
  const sources = parameters.map(({ name }) => uniformsOf(sweepSeed, name));
  for (let i = 0; ; i++) yield parameters.map(({ distribution }, at) => quantile(distribution, sources[at].uniform(i)));
}
