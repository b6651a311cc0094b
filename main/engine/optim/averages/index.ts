/** Averages of the weights, in the order in which they are offered. */
import type { Family } from '../../kind.ts';
import { AVERAGE } from './average.ts';
import type { AverageKind } from './average.ts';
import { ema } from './ema.ts';
import { mean } from './mean.ts';
import { none } from './none.ts';
import { averageSettings } from './shared.settings.ts';

export const averageFamily: Family<AverageKind> = {
  name: 'average',
  setting: AVERAGE,
  shared: averageSettings,
  kinds: [none, ema, mean],
};
