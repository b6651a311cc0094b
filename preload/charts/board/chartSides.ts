/** Which metrics of a chart are read from its left axis, and which from the right one: values of another unit are not comparable by height. */
import type { MetricCatalog } from '../../shared/metrics.ts';
import type { ChartSpec } from './chartSpec.ts';
import { metricsOverPlaces, PLACES } from './placedCharts.ts';

export interface ChartSide {
  readonly unit: string;
  readonly metrics: readonly string[];
}

export interface ChartSides {
  /** Of the first metric's unit. */
  readonly left: ChartSide;
  readonly right?: ChartSide;
  /** Of a third unit: there is no axis left for them, and they are not drawn. Layouts of older versions may have such. */
  readonly others: readonly string[];
}

export function sidesOf({ metrics }: Pick<ChartSpec, 'metrics'>, catalog: MetricCatalog): ChartSides {
  const unitOf = (name: string): string => catalog.get(name).unit;
  const [first, second, ...more] = new Set(metrics.map(unitOf));
  const side = (unit: string): ChartSide => ({ unit, metrics: metrics.filter((name) => unitOf(name) === unit) });
  return {
    left: side(first),
    ...(second === undefined ? {} : { right: side(second) }),
    others: metrics.filter((name) => more.includes(unitOf(name))),
  };
}

/** The chart with the metrics that its axes can show over an x. */
export function drawnChart(chart: ChartSpec, catalog: MetricCatalog, x: string): ChartSpec {
  const metrics = x === PLACES ? metricsOverPlaces(chart.metrics, catalog) : chart.metrics;
  const { others } = sidesOf({ metrics }, catalog);
  const shown = others.length === 0 ? metrics : metrics.filter((name) => !others.includes(name));
  return shown === chart.metrics ? chart : { ...chart, metrics: shown };
}

const named = (unit: string): string => (unit === '' ? 'no unit' : unit);

/** Why no metric of a third unit can join a chart; empty while one could. */
export function unitsTaken({ left, right }: ChartSides): string {
  if (right === undefined) return '';
  return `A chart has two y axes at most: ${named(left.unit)} at the left, ${named(right.unit)} at the right. Metrics of other units need a chart of their own.`;
}

/** What is not drawn for that reason; empty where everything is. */
export const notDrawn = ({ others }: ChartSides): string =>
  others.length === 0 ? '' : `not drawn, as a third unit has no axis: ${others.join(', ')}`;
