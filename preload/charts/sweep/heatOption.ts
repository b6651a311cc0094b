/** A cell per combination of two settings: its colour says how far from the best it is, its text the mean, the spread and N. */
import type { HeatmapSeriesOption } from 'echarts/charts';
import type { GridComponentOption } from 'echarts/components';
import { briefSetting, digitsApart, formatInUnit, formatMeanInUnit, formatSetting } from '../../shared/format.ts';
import type { Goal } from '../../shared/metrics.ts';
import { absentWords, unfinishedWords } from '../../shared/results/words.ts';
import { ramp } from '../color/palette.ts';
import type { ChartOption } from '../draw/echarts.ts';
import type { HeatCell, HeatMap } from './heatmap.ts';
import { textOf, tooltipOf } from './look.ts';
import type { Look } from './look.ts';

type Cell = NonNullable<HeatmapSeriesOption['data']>[number];

const GRID: GridComponentOption = { left: 84, right: 20, top: 12, bottom: 52 };
const EMPTY = 'without a number';
/** Narrower cells (CSS pixels) have no room for their text. */
const ROOMY = 96;

/** @param names of the settings of columns and rows */
export function heatOption(
  map: HeatMap,
  goal: Goal,
  names: readonly [string, string],
  look: Look,
  width: number,
  show: 'mean' | 'best',
): ChartOption {
  const known = map.cells.filter(({ value }) => Number.isFinite(value));
  const values = known.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const up = goal === 'maximize';
  const share = (value: number): number => (high > low ? (up ? high - value : value - low) / (high - low) : 0);
  const roomy = (width - 120) / Math.max(1, map.columns.length) > ROOMY;
  return {
    grid: GRID,
    tooltip: {
      ...tooltipOf(look),
      formatter: (params) => {
        const { dataIndex, seriesName } = Array.isArray(params) ? params[0] : params;
        const empty = emptyCells(map)[dataIndex];
        if (seriesName !== EMPTY) return tip(map, known[dataIndex], names, up);
        return empty.cell === undefined
          ? `${whereOf(map, empty, names)}\nnot in this sweep`
          : tip(map, empty.cell, names, up);
      },
    },
    // The chart insists on one; the colours are those of the rows' bars.
    visualMap: {
      show: false,
      seriesIndex: 0,
      min: low,
      max: high > low ? high : low + 1,
      inRange: {
        color: Array.from({ length: 9 }, (_, i) => ramp(Math.sqrt(up ? 1 - i / 8 : i / 8), look.surface)),
      },
    },
    xAxis: { ...axis(names[0], map.columns, look), nameGap: 28 },
    yAxis: { ...axis(names[1], map.rows, look), nameGap: 60 },
    series: [
      {
        type: 'heatmap',
        data: known.map((cell) => cellOf(cell, share(cell.value), roomy, look, show)),
        emphasis: { itemStyle: { borderColor: look.theme.accent } },
      },
      // Cells without a number are not drawn by a heat map, not even their words.
      {
        name: EMPTY,
        type: 'scatter',
        symbol: 'circle',
        symbolSize: 36,
        itemStyle: { color: 'transparent' },
        data: emptyCells(map).map((cell) => emptyCell(cell, roomy, look)),
      },
    ],
  };
}

/** Drawn numbers as short as they can be told apart. */
function briefly(data: HeatMap['columns']): string[] {
  const digits = digitsApart(data);
  return data.map((value) => briefSetting(value, digits));
}

const axis = (name: string, data: HeatMap['columns'], look: Look) => ({
  type: 'category' as const,
  name,
  nameLocation: 'middle' as const,
  nameTextStyle: { ...textOf(look, look.theme.text), fontWeight: 600 as const },
  data: briefly(data),
  axisLine: { show: false },
  axisTick: { show: false },
  splitLine: { show: false },
  axisLabel: textOf(look),
});

function cellOf(cell: HeatCell, share: number, roomy: boolean, look: Look, show: 'mean' | 'best'): Cell {
  const t = Math.sqrt(share);
  // Strong blue and pale blue swap roles between the surfaces; white or black, whichever reads.
  const ink = look.surface === 'light' ? (t < 0.62 ? '#ffffff' : '#10131a') : t < 0.35 ? '#10131a' : '#ffffff';
  return {
    value: [cell.column, cell.row, cell.value],
    itemStyle: { borderColor: look.theme.surface, borderWidth: 2, borderRadius: 4 },
    label: {
      show: roomy,
      color: ink,
      fontFamily: look.theme.font,
      fontSize: 12,
      formatter: `${valueWords(cell, show)}\nN ${countWords(cell)}`,
      lineHeight: 16,
    },
  };
}

const valueWords = ({ value, metric, unit = '' }: HeatCell, show: 'mean' | 'best'): string =>
  show === 'mean' ? formatMeanInUnit(value, metric.sd, unit) : formatInUnit(value, unit);
const countWords = ({ metric, runs }: HeatCell): string =>
  metric.n < runs.length ? `${metric.n} of ${runs.length}` : String(metric.n);

const whereOf = (
  map: HeatMap,
  { column, row }: Pick<HeatCell, 'column' | 'row'>,
  names: readonly [string, string],
): string => `${names[0]} ${formatSetting(map.columns[column])} · ${names[1]} ${formatSetting(map.rows[row])}`;

interface EmptyCell {
  readonly column: number;
  readonly row: number;
  /** Undefined for a combination without a run: dropped by a rule or a constraint, or never drawn. */
  readonly cell: HeatCell | undefined;
}

/** Combinations without a number. */
function emptyCells({ columns, rows, cells }: HeatMap): EmptyCell[] {
  const there = new Map(cells.map((cell) => [`${cell.column} ${cell.row}`, cell]));
  const all = columns.flatMap((_c, column) =>
    rows.map((_r, row) => ({ column, row, cell: there.get(`${column} ${row}`) })),
  );
  return all.filter(({ cell }) => !Number.isFinite(cell?.value));
}

const emptyCell = ({ column, row, cell }: EmptyCell, roomy: boolean, look: Look) => ({
  value: [column, row],
  label: {
    show: roomy,
    color: (cell?.states.failed ?? 0) > 0 ? look.theme.bad : look.theme.muted,
    fontFamily: look.theme.font,
    fontSize: 12,
    lineHeight: 16,
    formatter: cell === undefined ? 'not in the sweep' : absentWords(cell).replace(', ', '\n'),
  },
});

function tip(map: HeatMap, cell: HeatCell, names: readonly [string, string], up: boolean): string {
  const where = whereOf(map, cell, names);
  const { metric, unit = '' } = cell;
  const { n, mean, sd, min, max } = metric;
  const rest = unfinishedWords(cell);
  return [
    where,
    ...(n === 0
      ? []
      : [`mean ${formatMeanInUnit(mean, sd, unit)}  N ${n}`, `best ${formatInUnit(up ? max : min, unit)}`]),
    ...(rest === '' ? [] : [rest]),
  ].join('\n');
}
