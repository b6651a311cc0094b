/** ECharts options of the views over a whole sweep. Tooltips are drawn on the canvas: HTML ones break the content policy. */
import { ramp } from '../../charts/color/palette.ts';
import type { Surface } from '../../charts/color/palette.ts';
import { colorScale } from '../../charts/color/scale.ts';
import type { ChartTheme } from '../../charts/draw/model.ts';
import { formatTick } from '../../charts/format.ts';
import { padded } from '../../charts/series/extent.ts';
import { linearTicks, logTicks } from '../../charts/series/ticks.ts';
import { paretoFront } from '../../charts/stats/pareto.ts';
import type { HeatMap } from '../../charts/sweep/heatmap.ts';
import type { Goal } from '../../../preload/shared/metrics.ts';
import type { RankedSetting, Ranking } from '../../../preload/shared/results/rank.ts';
import { shortName } from '../../../preload/shared/results/groups.ts';
import {
  absentWords,
  differenceWords,
  meanWords,
  nameOf,
  seedsWords,
  unfinishedWords,
  verdictWords,
} from '../../../preload/shared/results/words.ts';
import { formatMean, formatSetting, formatValue } from '../../../preload/shared/format.ts';

export interface Look {
  readonly theme: ChartTheme;
  readonly surface: Surface;
}

function tooltip({ theme }: Look): Record<string, unknown> {
  return {
    renderMode: 'richText',
    confine: true,
    backgroundColor: theme.surface,
    borderColor: theme.line,
    borderWidth: 1,
    padding: 8,
    textStyle: { color: theme.text, fontSize: 12, fontFamily: theme.font, lineHeight: 18 },
  };
}

const text = ({ theme }: Look, more: object = {}): Record<string, unknown> => ({
  color: theme.muted,
  fontSize: 11,
  fontFamily: theme.font,
  ...more,
});

/** Position between the best (0) and the worst (1) mean. */
export function distances(rows: readonly RankedSetting[], goal: Goal): (row: RankedSetting) => number {
  const means = rows.map((row) => row.metric.mean).filter(Number.isFinite);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const best = goal === 'maximize' ? high : low;
  return (row) => (high > low ? Math.abs(row.metric.mean - best) / (high - low) : 0);
}

/** One line per setting through its values and its mean; the best is drawn last and widest, those of fewer seeds dashed. */
export function parallelOption(ranking: Ranking, look: Look): Record<string, unknown> {
  const { rows, columns, goal, metric } = ranking;
  const shown = rows.filter((row) => row.metric.n > 0);
  const distance = distances(shown, goal);
  const axes = columns.map((name, dim) => {
    const values = shown.map((row) => row.values[name]);
    const numbers = values.every((value) => typeof value === 'number');
    const common = { dim, name: shortName(name, columns) };
    if (!numbers) return { ...common, type: 'category', data: [...new Set(values.map(formatSetting))] };
    const scale = colorScale(values as number[]);
    const distinct = [...new Set(values as number[])].sort((a, b) => a - b);
    const range = padded(scale, scale.kind === 'log');
    return {
      ...common,
      type: scale.kind === 'log' ? 'log' : 'value',
      min: range.min,
      max: range.max,
      axisLabel: {
        customValues: distinct.length <= 8 ? distinct : undefined,
        formatter: (v: number) => formatSetting(Number(v.toPrecision(4))),
      },
      axisTick: { customValues: distinct.length <= 8 ? distinct : undefined },
    };
  });
  const means = shown.map((row) => row.metric.mean);
  const range = padded({ min: Math.min(...means), max: Math.max(...means) }, false);
  const ticks = linearTicks(range.min, range.max, 7);
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : Math.abs(ticks[0] ?? 1);
  const metricAxis = {
    dim: columns.length,
    name: metric,
    type: 'value',
    ...range,
    // The best at the top, whichever direction that is.
    inverse: goal === 'minimize',
    ...(goal === 'maximize' ? {} : { nameLocation: 'start' }),
    axisLabel: { customValues: ticks, formatter: (v: number) => formatTick(v, step) },
    axisTick: { customValues: ticks },
  };
  return {
    parallel: {
      left: 56,
      right: 72,
      top: 36,
      bottom: 24,
      parallelAxisDefault: {
        nameTextStyle: text(look, { color: look.theme.text, fontWeight: 600 }),
        nameGap: 14,
        axisLine: { lineStyle: { color: look.theme.muted } },
        axisTick: { lineStyle: { color: look.theme.line } },
        axisLabel: text(look),
        minorTick: { show: false },
        splitLine: { show: false },
        areaSelectStyle: {
          width: 16,
          borderWidth: 1,
          borderColor: look.theme.accent,
          color: look.theme.accent,
          opacity: 0.25,
        },
      },
    },
    parallelAxis: [...axes, metricAxis].map((axis) => ({
      ...axis,
      axisLabel: {
        ...text(look, {
          color: look.theme.text,
          backgroundColor: look.theme.surface,
          padding: [1, 3],
          borderRadius: 2,
        }),
        ...(axis as { axisLabel?: object }).axisLabel,
      },
    })),
    tooltip: {
      ...tooltip(look),
      trigger: 'item',
      formatter: ({ dataIndex }: { dataIndex: number }) => tip(shown.toReversed()[dataIndex], ranking),
    },
    series: [
      {
        type: 'parallel',
        emphasis: { lineStyle: { width: 3.5, opacity: 1 } },
        // The best comes last, so that it lies on top.
        data: shown.toReversed().map((row) => ({
          value: [
            ...columns.map((name) =>
              typeof row.values[name] === 'number' ? row.values[name] : formatSetting(row.values[name]),
            ),
            row.metric.mean,
          ],
          lineStyle: {
            color: ramp(Math.sqrt(distance(row)), look.surface),
            width: row.verdict === 'best' ? 3 : 1.6,
            opacity: row.verdict === 'best' ? 1 : 0.75,
            type: partial(row) ? [5, 4] : 'solid',
          },
        })),
      },
    ],
  };
}

/** A mean over fewer seeds than the best has is drawn broken or hollow. */
const partial = (row: RankedSetting): boolean => row.rank === undefined;

function tip(row: RankedSetting, { metric, open }: Pick<Ranking, 'metric' | 'open'>): string {
  const difference = differenceWords(row);
  return [
    nameOf(row),
    `${metric} ${meanWords(row)}  N ${seedsWords(row)}`,
    `${verdictWords(row, { open })}${difference === '' ? '' : `, Δ ${difference}`}`,
    ...(row.best === undefined ? [] : [`best run ${formatValue(row.best.summary[metric])}`]),
  ]
    .filter(Boolean)
    .join('\n');
}

export function heatOption(
  map: HeatMap,
  goal: Goal,
  names: readonly [string, string],
  look: Look,
  width: number,
  show: 'mean' | 'best',
): Record<string, unknown> {
  const filled = map.cells.filter(({ value }) => Number.isFinite(value));
  const values = filled.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const up = goal === 'maximize';
  const share = (value: number): number => (high > low ? (up ? high - value : value - low) / (high - low) : 0);
  const roomy = (width - 120) / Math.max(1, map.columns.length) > 76;
  const axis = (name: string, data: readonly unknown[]): Record<string, unknown> => ({
    type: 'category',
    name,
    nameLocation: 'middle',
    nameTextStyle: text(look, { color: look.theme.text, fontWeight: 600 }),
    data: data.map(formatSetting),
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: false },
    axisLabel: text(look),
  });
  return {
    grid: { left: 84, right: 20, top: 12, bottom: 52 },
    tooltip: {
      ...tooltip(look),
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const cell = map.cells[dataIndex];
        const where = `${names[0]} ${formatSetting(map.columns[cell.column])} · ${names[1]} ${formatSetting(map.rows[cell.row])}`;
        const { n, mean, sd, min, max } = cell.metric;
        const rest = unfinishedWords(cell);
        const numbers = n === 0 ? '' : `\nmean ${formatMean(mean, sd)}  N ${n}\nbest ${formatValue(up ? max : min)}`;
        return `${where}${numbers}${rest === '' ? '' : `\n${rest}`}`;
      },
    },
    // The chart insists on one; the colours are those of the rows' bars.
    visualMap: {
      show: false,
      min: low,
      max: high > low ? high : low + 1,
      inRange: {
        color: Array.from({ length: 9 }, (_, i) => ramp(Math.sqrt(up ? 1 - i / 8 : i / 8), look.surface)),
      },
    },
    xAxis: { ...axis(names[0], map.columns), nameGap: 28 },
    yAxis: { ...axis(names[1], map.rows), nameGap: 60 },
    series: [
      {
        type: 'heatmap',
        data: map.cells.map((cell) => {
          const t = Math.sqrt(share(cell.value));
          // Strong blue and pale blue swap roles between the surfaces; white or black, whichever reads.
          const ink = look.surface === 'light' ? (t < 0.62 ? '#ffffff' : '#10131a') : t < 0.35 ? '#10131a' : '#ffffff';
          return {
            value: [cell.column, cell.row, Number.isFinite(cell.value) ? cell.value : '-'],
            itemStyle: { borderColor: look.theme.surface, borderWidth: 2, borderRadius: 4 },
            label: {
              show: roomy,
              color: Number.isFinite(cell.value) ? ink : cell.states.failed > 0 ? look.theme.bad : look.theme.muted,
              fontFamily: look.theme.font,
              fontSize: 12,
              formatter: Number.isFinite(cell.value)
                ? `${show === 'mean' ? formatMean(cell.value, cell.metric.sd) : formatValue(cell.value)}\nN ${cell.metric.n}${cell.metric.n < cell.runs.length ? ` of ${cell.runs.length}` : ''}`
                : absentWords(cell).replace(', ', '\n'),
              lineHeight: 16,
            },
          };
        }),
        emphasis: { itemStyle: { borderColor: look.theme.accent } },
      },
    ],
  };
}

export interface Cost {
  readonly value: string;
  readonly label: string;
  readonly of: (row: RankedSetting) => number;
  readonly format: (value: number) => string;
}

/** Settings that have both a cost and a number, in the order of the points. */
export const paretoRows = (rows: readonly RankedSetting[], cost: Cost): RankedSetting[] =>
  rows.filter((row) => row.metric.n > 0 && Number.isFinite(cost.of(row)));

/** Every setting by what it costs and what it reaches, with the settings that no other beats in both. */
export function paretoOption(ranking: Ranking, cost: Cost, look: Look): Record<string, unknown> {
  const { rows, goal, metric } = ranking;
  const shown = paretoRows(rows, cost);
  const x = shown.map(cost.of);
  const y = shown.map((row) => row.metric.mean);
  const up = goal === 'maximize';
  // Means over fewer seeds are shown, but beat nobody.
  const judged = y.map((value, i) => (partial(shown[i]) ? Number.NaN : value));
  const front = paretoFront(x, up ? judged.map((v) => -v) : judged);
  const onFront = new Set(front);
  const logX = x.length > 1 && Math.min(...x) > 0 && Math.max(...x) / Math.min(...x) > 5;
  const rangeX = padded({ min: Math.min(...x), max: Math.max(...x) }, logX);
  const rangeY = padded({ min: Math.min(...y), max: Math.max(...y) }, false);
  const ticksX = (logX ? logTicks : linearTicks)(rangeX.min, rangeX.max, 8);
  const axis = {
    axisLine: { lineStyle: { color: look.theme.line } },
    axisTick: { lineStyle: { color: look.theme.line } },
    nameTextStyle: text(look, { color: look.theme.text, fontWeight: 600 }),
    nameLocation: 'middle',
  };
  return {
    grid: { left: 72, right: 24, top: 16, bottom: 52 },
    tooltip: {
      ...tooltip(look),
      formatter: ({ dataIndex, seriesName }: { dataIndex: number; seriesName: string }) => {
        const row = shown[seriesName === 'front' ? front[dataIndex] : dataIndex];
        return `${tip(row, ranking)}\n${cost.label} ${cost.format(cost.of(row))}`;
      },
    },
    xAxis: {
      ...axis,
      type: logX ? 'log' : 'value',
      ...rangeX,
      name: cost.label,
      nameGap: 30,
      splitLine: { show: false },
      axisLabel: text(look, {
        formatter: cost.format,
        hideOverlap: true,
        customValues: ticksX,
      }),
    },
    yAxis: {
      ...axis,
      type: 'value',
      ...rangeY,
      name: metric,
      nameGap: 52,
      splitLine: { lineStyle: { color: look.theme.line } },
      axisLabel: text(look, {
        formatter: (v: number) => formatTick(v, (rangeY.max - rangeY.min) / 5),
        showMinLabel: false,
        showMaxLabel: false,
      }),
    },
    series: [
      {
        name: 'front',
        type: 'line',
        step: 'end',
        symbol: 'none',
        silent: true,
        lineStyle: { color: look.theme.accent, width: 1.5, type: 'dashed' },
        data: front.map((i) => [x[i], y[i]]),
      },
      {
        name: 'settings',
        type: 'scatter',
        symbolSize: (_: unknown, { dataIndex }: { dataIndex: number }) => (onFront.has(dataIndex) ? 13 : 9),
        data: shown.map((row, i) => ({
          value: [x[i], y[i]],
          itemStyle: {
            color: partial(row) ? look.theme.surface : onFront.has(i) ? look.theme.accent : look.theme.muted,
            opacity: onFront.has(i) || partial(row) ? 1 : 0.6,
            borderColor: partial(row) ? look.theme.muted : look.theme.surface,
            borderWidth: 1.5,
          },
          label: {
            show: onFront.has(i) && front.length <= 12,
            formatter: nameOf(row),
            position: 'top',
            distance: 5,
            ...text(look, { color: look.theme.text }),
          },
        })),
        labelLayout: { hideOverlap: true, moveOverlap: 'shiftY' },
        emphasis: { scale: 1.3 },
      },
    ],
  };
}
