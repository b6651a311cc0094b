/** Charts of metrics that have a value for each of several places: some places over the step, or all of them as x. */
import type { PlaceKind } from '../../contract/metrics.ts';
import type { Config } from '../../contract/settings.ts';
import { addressOf, placeOf } from '../../shared/metricPlace.ts';
import type { MetricCatalog } from '../../shared/metrics.ts';
import { PLACE_KINDS, placedName } from '../../shared/placeKinds.ts';
import { MOST_METRICS } from './chartSpec.ts';
import type { ChartSpec } from './chartSpec.ts';

/** The x of a chart of the latest values over all places. */
export const PLACES = 'places:';

/** What runs with one of these settings can have. */
function layersOf(by: PlaceKind, configs: readonly Config[]): number[] {
  const found = new Set(configs.flatMap((config) => PLACE_KINDS[by].layers(config)));
  return [...found].sort((a, b) => a - b);
}

const headsOf = (by: PlaceKind, configs: readonly Config[]): number =>
  Math.max(1, ...configs.map((config) => PLACE_KINDS[by].heads?.(config) ?? 1));

/** What can be drawn of a metric: itself, or each of its places. */
export function placesOf(metric: string, by: PlaceKind | undefined, configs: readonly Config[]): string[] {
  if (by === undefined) return [metric];
  const heads = headsOf(by, configs);
  return layersOf(by, configs).flatMap((layer) =>
    PLACE_KINDS[by].heads === undefined
      ? [addressOf({ name: metric, layer })]
      : Array.from({ length: heads }, (_, head) => addressOf({ name: metric, layer, head })),
  );
}

/**
 * The chart of such a metric: so many of its places as a chart has room for, the first and the last among them, of heads the first of each layer;
 * where a single one says little, the latest values over all of them.
 */
export function chartOfPlaces(metric: string, by: PlaceKind, configs: readonly Config[]): ChartSpec {
  const layers = layersOf(by, configs);
  const { heads, overPlaces } = PLACE_KINDS[by];
  const count = Math.max(1, Math.min(layers.length, MOST_METRICS));
  const metrics = Array.from({ length: count }, (_, i) => {
    const layer = layers[count === 1 ? 0 : Math.round((i * (layers.length - 1)) / (count - 1))] ?? 0;
    return addressOf({ name: metric, layer, ...(heads === undefined ? {} : { head: 0 }) });
  });
  return { id: metric, kind: 'lines', metrics, ...(overPlaces ? { x: PLACES, xLog: true } : {}) };
}

/** What a metric, or the metric of a place, has places by; undefined where it has none. */
export const kindOf = (address: string, catalog: MetricCatalog): PlaceKind | undefined =>
  catalog.get(placeOf(address).name).by;

/** What is drawn of metrics over an x: of one without its place the places that its chart has. */
export const drawnPlaces = (
  metrics: readonly string[],
  x: string,
  catalog: MetricCatalog,
  configs: readonly Config[],
): string[] =>
  metrics.flatMap((name) => {
    const by = kindOf(name, catalog);
    const whole = by === undefined || x === PLACES || placeOf(name).layer !== undefined;
    return whole ? [name] : chartOfPlaces(name, by, configs).metrics;
  });

/** Metrics of the axis of places, each once: all of them by places of one kind. Empty where there are none. */
export function metricsOverPlaces(metrics: readonly string[], catalog: MetricCatalog): string[] {
  const [first] = metrics;
  const by = first === undefined ? undefined : kindOf(first, catalog);
  if (by === undefined) return [];
  const { axis } = PLACE_KINDS[by];
  const same = metrics.filter((each) => {
    const own = kindOf(each, catalog);
    return own !== undefined && PLACE_KINDS[own].axis === axis;
  });
  return [...new Set(same.map((each) => placeOf(each).name))];
}

/** What the places of a chart are. */
export const axisOfPlaces = (metrics: readonly string[], catalog: MetricCatalog): string => {
  const by = kindOf(metrics[0] ?? '', catalog);
  return by === undefined ? 'place' : PLACE_KINDS[by].axis;
};

/** Whether their axis is logarithmic unless someone says otherwise. */
export const isByFactors = (metrics: readonly string[], catalog: MetricCatalog): boolean => {
  const by = kindOf(metrics[0] ?? '', catalog);
  return by !== undefined && PLACE_KINDS[by].byFactors === true;
};

/** In words, as it is read in a list: `loss_by_position, 5–8`. */
export const nameOf = (address: string, catalog: MetricCatalog): string => {
  const by = kindOf(address, catalog);
  return by === undefined || PLACE_KINDS[by].byFactors !== true ? address : placedName(placeOf(address), by);
};
