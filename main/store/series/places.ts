/** The series of one metric in its places as one table. */
import type { PlacedPoints } from '../../../preload/contract/metrics.ts';
import { placeOf } from '../../../preload/shared/metricPlace.ts';
import type { SeriesReader } from './reader.ts';

/** At most `maxPoints` of each, means of neighbours. */
export function readPlaces(reader: SeriesReader, run: number, metric: string, maxPoints: number): PlacedPoints {
  const rows = reader.placesOf(run, metric);
  const series = rows.map((row) => reader.reduce(row, 0, row.points, maxPoints));
  const places = rows.map((row) => placeOf(row.metric));
  // Mostly all places are logged at the same steps; a run that was continued with other settings may have some that are not.
  const step = Float64Array.from(new Set(series.flatMap((each) => [...each.step]))).sort();
  const at = new Map([...step].map((each, i) => [each, i]));
  const value = new Float64Array(series.length * step.length).fill(Number.NaN);
  series.forEach((each, place) => {
    each.step.forEach((own, i) => (value[place * step.length + at.get(own)!] = each.value[i]!));
  });
  return {
    layer: Float64Array.from(places, ({ layer = -1 }) => layer),
    head: Float64Array.from(places, ({ head = -1 }) => head),
    step,
    value,
  };
}
