/** What the charts of the tabs share: tooltips, texts, and what they say of a setting. */
import type { TooltipComponentOption } from 'echarts/components';
import { formatInUnit } from '../../shared/format.ts';
import type { Goal } from '../../shared/metrics.ts';
import type { RankedSetting, Ranking } from '../../shared/results/rank.ts';
import { differenceWords, meanWords, nameOf, seedsWords, verdictWords } from '../../shared/results/words.ts';
import type { Surface } from '../color/palette.ts';
import type { ChartTheme } from '../draw/model.ts';

export interface Look {
  readonly theme: ChartTheme;
  readonly surface: Surface;
}

/** Drawn on the canvas: HTML ones break the content policy. */
export const tooltipOf = ({ theme }: Look): TooltipComponentOption => ({
  renderMode: 'richText',
  confine: true,
  backgroundColor: theme.surface,
  borderColor: theme.line,
  borderWidth: 1,
  padding: 8,
  textStyle: { color: theme.text, fontSize: 12, fontFamily: theme.font, lineHeight: 18 },
});

interface TextStyle {
  readonly color: string;
  readonly fontSize: number;
  readonly fontFamily: string;
}

export const textOf = ({ theme }: Look, color = theme.muted): TextStyle => ({
  color,
  fontSize: 11,
  fontFamily: theme.font,
});

/** A mean over fewer seeds than the best has is drawn broken or hollow. */
export const isPartial = (row: RankedSetting): boolean => row.rank === undefined;

/** What a tooltip says of a setting. */
export function tipOf(row: RankedSetting, { metric, open }: Pick<Ranking, 'metric' | 'open'>): string {
  const difference = differenceWords(row);
  return [
    nameOf(row),
    `${metric} ${meanWords(row)}  N ${seedsWords(row)}`,
    `${verdictWords(row, { open })}${difference === '' ? '' : `, Δ ${difference}`}`,
    ...(row.best === undefined ? [] : [`best run ${formatInUnit(row.best.summary[metric], row.unit ?? '')}`]),
  ]
    .filter(Boolean)
    .join('\n');
}

/** Position between the best (0) and the worst (1) mean. */
export function distances(rows: readonly RankedSetting[], goal: Goal): (row: RankedSetting) => number {
  const means = rows.map((row) => row.metric.mean).filter(Number.isFinite);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const best = goal === 'maximize' ? high : low;
  return (row) => (high > low ? Math.abs(row.metric.mean - best) / (high - low) : 0);
}
