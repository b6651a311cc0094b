/** A metric of a sweep against one of its settings, with what must be said of it, and its numbers. */
import type { RunRecord } from '../../contract/runs.ts';
import { catalogFor } from '../../shared/declaredUnits.ts';
import type { MetricCatalog } from '../../shared/metrics.ts';
import { valuesOf } from '../../shared/results/groups.ts';
import type { Ranking } from '../../shared/results/rank.ts';
import type { Band } from '../../shared/statistics/describe.ts';
import { trendModel } from '../board/trendModel.ts';
import { categorical } from '../color/categorical.ts';
import { viridis } from '../color/palette.ts';
import { colorScale } from '../color/scale.ts';
import { csvOf } from '../draw/csv.ts';
import { lineOption } from '../draw/lineOption.ts';
import type { LineModel } from '../draw/model.ts';
import type { Plot } from '../draw/plot.ts';
import { linesScript } from '../draw/script.ts';
import { withUnit } from '../format.ts';
import type { Look } from '../sweep/look.ts';

export interface TrendChoice {
  readonly x: string;
  /** The setting whose values are lines of their own; empty for none. */
  readonly lines: string;
  readonly band: Band;
  readonly yLog: boolean;
  readonly xLog?: boolean;
}

export interface TrendPlot extends Plot {
  readonly model: LineModel;
}

/** @param runs one per seed of each setting */
export function trendPlot(
  { metric }: Ranking,
  runs: readonly RunRecord[],
  { x, lines, band, yLog, xLog }: TrendChoice,
  catalog: MetricCatalog,
  look: Look,
): TrendPlot {
  const by = lines === '' || lines === x ? [] : [lines];
  const values = by.length === 0 ? [] : valuesOf(runs, by[0]);
  const scale = values.every((each) => typeof each === 'number') ? colorScale(values as number[]) : undefined;
  const color = ([first]: readonly RunRecord[]): string => {
    if (by.length === 0) return categorical(0, look.surface);
    const value = first?.config[by[0]];
    if (values.length > 2 && scale !== undefined) return viridis(scale.at(value as number), look.surface);
    return categorical(values.indexOf(value!), look.surface);
  };
  const model = trendModel({
    runs,
    metrics: [metric],
    setting: x,
    lines: by,
    band,
    yLog,
    ...(xLog === undefined ? {} : { xLog }),
    color,
    yLabel: withUnit(metric, catalogFor(catalog, runs).get(metric).unit),
  });
  const title = `${metric} against ${x}`;
  const notes = [[metric, ...model.notes].join(' · ')];
  const panels = [{ title: '', model }];
  return {
    model,
    title,
    theme: look.theme,
    panels: [{ title: '', option: ({ width, height }) => lineOption(model, look.theme, width, height) }],
    legend: by.length === 0 ? [] : model.lines,
    notes,
    csv: () => csvOf(panels),
    script: () => linesScript({ title, notes }, panels),
  };
}
