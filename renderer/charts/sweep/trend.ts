/** A metric against a setting: one line per value of another setting, a point per x with its spread over seeds. */
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { Description } from '../../../preload/shared/statistics/describe.ts';
import { describe } from '../../../preload/shared/statistics/describe.ts';
import { resultValue } from '../../../preload/shared/metrics.ts';
import type { SweepRun } from '../../../preload/shared/results/groups.ts';
import { groupBySettings, valuesOf } from '../../../preload/shared/results/groups.ts';

export interface TrendPoint extends Description {
  readonly x: SettingValue;
}

export interface TrendLine {
  readonly key: string;
  readonly values: Readonly<Record<string, SettingValue>>;
  readonly points: readonly TrendPoint[];
}

export interface Trend {
  readonly xs: readonly SettingValue[];
  /** Whether x is a number on its own scale; otherwise it is a list of categories. */
  readonly numeric: boolean;
  readonly lines: readonly TrendLine[];
}

export function trendOf(runs: readonly SweepRun[], metric: string, x: string, lines: readonly string[]): Trend {
  const xs = valuesOf(runs, x);
  return {
    xs,
    numeric: xs.every((value) => typeof value === 'number'),
    lines: groupBySettings(runs, lines).map(({ key, values, runs: members }) => ({
      key,
      values,
      points: xs
        .map((value) => ({
          x: value,
          ...describe(members.filter(({ config }) => config[x] === value).map((run) => resultValue(run, metric))),
        }))
        .filter(({ n }) => n > 0),
    })),
  };
}
