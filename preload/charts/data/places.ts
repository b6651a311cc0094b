/** All places of a metric as one curve: the latest value of each over its number. */
import type { PlacedPoints, Series } from '../../contract/metrics.ts';
import { meanOf } from '../../shared/statistics/describe.ts';

/** Of several heads of a place their mean. The steps are the numbers of the places, so that places are told apart. */
export function curveOfPlaces({ layer, step, value }: PlacedPoints): Series {
  const found = new Map<number, number[]>();
  for (const [i, place] of layer.entries()) {
    const latest = value.subarray(i * step.length, (i + 1) * step.length).findLast((each) => !Number.isNaN(each));
    if (latest === undefined) continue;
    const members = found.get(place) ?? [];
    found.set(place, members);
    members.push(latest);
  }
  const places = Float64Array.from(found.keys()).sort();
  const values = Float64Array.from(places, (place) => meanOf(found.get(place)!));
  return {
    step: places,
    x: places,
    value: values,
    min: values,
    max: values,
    nonFinite: new Uint32Array(places.length),
    bucket: 1,
    points: places.length,
  };
}
