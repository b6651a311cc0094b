/** What a file says of a chart of a board beside its panels, where no page is around it. */
import { counted } from '../../shared/format.ts';
import type { MetricCatalog } from '../../shared/metrics.ts';
import { shortName } from '../../shared/results/groups.ts';
import type { Band } from '../../shared/statistics/describe.ts';
import type { FigureWords } from '../draw/figure.ts';
import type { DrawnLine } from '../draw/model.ts';
import { scaledLabel } from '../format.ts';
import { figureNotes, labelOfChart, strokesOf } from './chartModel.ts';
import type { ChartPanels } from './chartModel.ts';
import { drawnChart, notDrawn, sidesOf } from './chartSides.ts';
import type { ChartLook, ChartSpec } from './chartSpec.ts';
import type { Coloring } from './groups.ts';

export interface DrawnChart {
  readonly chart: ChartSpec;
  readonly look: ChartLook;
  readonly catalog: MetricCatalog;
  readonly band: Band;
  readonly facet: string;
  /** Which runs were chosen, in words; empty for all. */
  readonly filter?: string;
  /** Whose values the colours stand for, and how; absent where each line has its own. */
  readonly colored?: { readonly by: string; readonly legend: Coloring['legend'] };
}

/** What is left out and what the axes do not show, each once. */
export function panelNotes({ panels, left }: ChartPanels, { chart, catalog, facet }: DrawnChart): string[] {
  const all = panels.flatMap(({ title: part, model }) => [
    ...model.notes,
    ...model.outside.map((note) => (part === '' ? note : `${part}: ${note}`)),
  ]);
  if (left > 0) all.push(`${counted(left, 'more value')} of ${facet} not drawn`);
  all.push(notDrawn(sidesOf(chart, catalog)));
  return [...new Set(all.filter(Boolean))];
}

/** What a figure must say that a page shows elsewhere. */
export const saidOf = (lines: readonly DrawnLine[], { band, look, filter = '' }: DrawnChart): string[] => [
  ...figureNotes({ lines }, band, look.smoothing),
  ...(filter === '' ? [] : [`runs: ${filter}`]),
];

export function figureWords(drawn: ChartPanels, described: DrawnChart): FigureWords {
  const { catalog, look } = described;
  const chart = drawnChart(described.chart, catalog, look.x);
  const lines = drawn.panels.flatMap(({ model }) => model.lines);
  // Dashes that tell metrics apart are said in words.
  const several = chart.metrics.length > 1;
  const named = new Map(
    lines
      .filter(({ faint }) => !faint)
      .map(({ label, color, dash = 0 }) => [label, { label, color, dash: several ? 0 : dash }]),
  );
  const strokes = strokesOf(chart, catalog, sidesOf(chart, catalog).right?.metrics);
  const { by = '', legend: colors = [] } = described.colored ?? {};
  const shared = colors.length > 0 && new Set([...named.values()].map(({ color }) => color)).size < named.size;
  return {
    title: scaledLabel(labelOfChart(chart, catalog), look.yLog),
    // Where lines share their colours, what these say is the value of a setting.
    legend: shared
      ? colors.map(({ label, color }) => ({ label: `${by} ${label}`, color }))
      : named.size > 1
        ? [...named.values()]
        : [],
    notes: [strokes, ...saidOf(lines, described), ...panelNotes(drawn, described)].filter(Boolean),
  };
}

/** For {@link DrawnChart.colored}. */
export function coloredBy(colorBy: string, { legend }: Coloring, settings: readonly string[]): DrawnChart['colored'] {
  if (colorBy === 'group' || colorBy === 'distance' || legend === undefined) return undefined;
  return { by: shortName(colorBy, settings), legend };
}
