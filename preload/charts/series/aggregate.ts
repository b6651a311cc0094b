/** The seeds of one setting as one curve: mean and band at every x, with the number of runs behind each. */
import type { Band } from '../../shared/statistics/describe.ts';
import { halfWidth, meanOf, sdOf } from '../../shared/statistics/describe.ts';
import { align } from './align.ts';
import type { Curve } from './line.ts';

export interface MeanCurve {
  readonly x: Float64Array;
  readonly mean: Float64Array;
  /** Ends of the band; NaN where there is none (a single run, or no band asked for). */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Runs with a finite value at each x. */
  readonly n: Uint32Array;
  /** Runs of the group with any point. */
  readonly runs: number;
}

/** @param log spaces the common grid for a logarithmic x axis */
export function aggregate(curves: readonly Curve[], band: Band, log = false): MeanCurve {
  const { x, rows, low: lows, high: highs } = align(curves, log, band === 'minmax');
  const length = x.length;
  const mean = new Float64Array(length);
  const low = new Float64Array(length).fill(Number.NaN);
  const high = new Float64Array(length).fill(Number.NaN);
  const n = new Uint32Array(length);
  const here = new Float64Array(rows.length);
  for (let i = 0; i < length; i++) {
    let count = 0;
    for (let r = 0; r < rows.length; r++) {
      const value = rows[r][i];
      // True where it is neither NaN nor infinite.
      if (value - value === 0) here[count++] = value;
    }
    n[i] = count;
    mean[i] = count === 0 ? Number.NaN : meanOf(here, count);
    if (count < 2 || band === 'none') continue;
    if (band === 'minmax') {
      let least = Infinity;
      let most = -Infinity;
      for (let r = 0; r < rows.length; r++) {
        if (lows[r][i] < least) least = lows[r][i];
        if (highs[r][i] > most) most = highs[r][i];
      }
      low[i] = least;
      high[i] = most;
      continue;
    }
    const half = halfWidth(band, sdOf(here, mean[i], count), count);
    low[i] = mean[i] - half;
    high[i] = mean[i] + half;
  }
  return { x, mean, low, high, n, runs: rows.length };
}
