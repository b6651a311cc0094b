/** What one chart is: which metrics over which x, and what it draws otherwise than its board. */

/** Kinds of charts. Another one: a name here, and how it is built in `chartModel.ts`. */
const CHART_KINDS = ['lines'] as const;
export type ChartKind = (typeof CHART_KINDS)[number];

/** Before the name of a setting that is the x of a chart. */
export const SETTING = 'setting:';

/** How curves are drawn: a choice of the board, or of one chart. */
export interface ChartLook {
  /** `step`, a metric such as `tokens`, `relative`, `setting:NAME`, or `places:` (placedCharts.ts). */
  x: string;
  xLog: boolean;
  yLog: boolean;
  smoothing: number;
  outliers: boolean;
}

/** What a chart may do otherwise than its board. */
export interface ChartChoices {
  /** Own x, instead of the board's. */
  readonly x?: string;
  readonly xLog?: boolean;
  readonly yLog?: boolean;
  readonly smoothing?: number;
  readonly outliers?: boolean;
  readonly large?: boolean;
  readonly pinned?: boolean;
  readonly hidden?: boolean;
}

export interface ChartSpec extends ChartChoices {
  /** Stable within a layout. Each metric has a chart of its name; others were made by someone. */
  readonly id: string;
  readonly kind: ChartKind;
  /** At least one. */
  readonly metrics: readonly string[];
}

export type ChartChange = ChartChoices & { readonly metrics?: readonly string[] };

/** Beside so many curves per run nobody finds one. */
export const MOST_METRICS = 6;

/** The chart that every metric has. */
export const chartOfMetric = (metric: string): ChartSpec => ({ id: metric, kind: 'lines', metrics: [metric] });

/** Whether someone made it: it can be removed, not only hidden. */
export const isOwn = ({ id }: ChartSpec): boolean => id.startsWith(OWN);
const OWN = 'chart:';

/** An id that no chart of the layout has. */
export function newChartId(charts: readonly ChartSpec[]): string {
  const numbers = charts.flatMap(({ id }) => (id.startsWith(OWN) ? [Number(id.slice(OWN.length))] : []));
  return `${OWN}${Math.max(0, ...numbers.filter(Number.isInteger)) + 1}`;
}

const FLAGS = ['xLog', 'yLog', 'outliers', 'large', 'pinned', 'hidden'] as const;
export const isSmoothing = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 1;

function choicesOf(saved: unknown): ChartChoices {
  if (typeof saved !== 'object' || saved === null) return {};
  const given = saved as Record<string, unknown>;
  return {
    ...(typeof given.x === 'string' ? { x: given.x } : {}),
    ...(isSmoothing(given.smoothing) ? { smoothing: given.smoothing } : {}),
    ...Object.fromEntries(FLAGS.flatMap((key) => (typeof given[key] === 'boolean' ? [[key, given[key]]] : []))),
  };
}

function specOf(saved: unknown): ChartSpec | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { id, kind, metrics } = saved as Record<string, unknown>;
  if (typeof id !== 'string' || id === '' || !CHART_KINDS.includes(kind as ChartKind)) return undefined;
  const names = Array.isArray(metrics) ? metrics.filter((each) => typeof each === 'string') : [];
  if (names.length === 0) return undefined;
  return { id, kind: kind as ChartKind, metrics: [...new Set(names)].slice(0, MOST_METRICS), ...choicesOf(saved) };
}

/**
 * Saved charts, of this version or of those before, which knew a chart by its one metric (`{ "val/loss": { "pinned": true } }`). What cannot
 * be read is left out, and of charts of one id the first counts.
 */
export function chartsOf(saved: unknown): ChartSpec[] {
  if (typeof saved !== 'object' || saved === null) return [];
  const found = Array.isArray(saved)
    ? saved.flatMap((each) => specOf(each) ?? [])
    : Object.entries(saved).map(([metric, choices]) => ({ ...chartOfMetric(metric), ...choicesOf(choices) }));
  return found.flatMap((chart, i) => (found.findIndex(({ id }) => id === chart.id) === i ? (lean(chart) ?? []) : []));
}

function isSame(a: ChartSpec, b: ChartSpec): boolean {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof ChartSpec)[];
  return keys.every((key) => String(a[key]) === String(b[key]));
}

/** Choices of which `false` is the same as nothing; of the others it may contradict the board. */
const PLAIN: ReadonlySet<string> = new Set(['large', 'pinned', 'hidden']);

/** Without choices that were taken back; undefined when nothing tells the chart from the one that its metric has anyway. */
function lean({ id, kind, metrics, ...choices }: ChartSpec): ChartSpec | undefined {
  const kept = Object.entries(choices).filter(
    ([key, value]) => value !== undefined && (value !== false || !PLAIN.has(key)),
  );
  if (kept.length === 0 && metrics.length === 1 && metrics[0] === id) return undefined;
  return { id, kind, metrics, ...(Object.fromEntries(kept) as ChartChoices) };
}

/**
 * The charts of a layout with one of them changed; it is added when the layout said nothing of it.
 * @param plain what it is where a layout says nothing
 */
export function withChart(
  charts: readonly ChartSpec[],
  chart: ChartSpec,
  change: ChartChange,
  plain: ChartSpec = chartOfMetric(chart.id),
): ChartSpec[] {
  const made = lean({ ...chart, ...change, metrics: change.metrics ?? chart.metrics });
  const next = made === undefined || isSame(made, plain) ? undefined : made;
  const at = charts.findIndex(({ id }) => id === chart.id);
  if (at < 0) return next === undefined ? [...charts] : [...charts, next];
  return charts.flatMap((each, i) => (i === at ? (next ?? []) : each));
}

/**
 * What one chart shows: the board's choices, replaced by its own. Settings of x go together.
 * @param byFactors its y is logarithmic unless the chart says otherwise
 */
export function lookOf(state: ChartLook, chart: ChartChoices, byFactors = false): ChartLook {
  return {
    x: chart.x ?? state.x,
    xLog: chart.xLog ?? (chart.x === undefined ? state.xLog : false),
    yLog: chart.yLog ?? (state.yLog || byFactors),
    smoothing: chart.smoothing ?? state.smoothing,
    outliers: chart.outliers ?? state.outliers,
  };
}
