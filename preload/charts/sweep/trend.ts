/** A metric against a setting: one line per value of another setting, a point per x with its spread over seeds. */
import type { SettingValue } from '../../contract/settings.ts';
import { differingSettings, groupBySettings, valuesOf } from '../../shared/results/groups.ts';
import { outcomeOf } from '../../shared/results/samples.ts';
import type { Outcome, SweepRun } from '../../shared/results/samples.ts';
import { unbalanced } from './balance.ts';

/** What the runs at an x say; without a number where all of them failed, wait or were stopped. */
export interface TrendPoint extends Outcome {
  readonly x: SettingValue;
}

export interface TrendLine {
  readonly key: string;
  readonly values: Readonly<Record<string, SettingValue>>;
  /** One for each x at which the line has runs. */
  readonly points: readonly TrendPoint[];
}

export interface Trend {
  readonly xs: readonly SettingValue[];
  /** Whether x is a number on its own scale; otherwise it is a list of categories. */
  readonly numeric: boolean;
  readonly lines: readonly TrendLine[];
  /** Settings that differ among the runs of a point, over which it averages beside the seeds. */
  readonly averaged: readonly string[];
  /** Of these, those that points have unequal shares of: points then differ by them too. */
  readonly unbalanced: readonly string[];
}

/** @param runs one per seed of each setting */
export function trendOf(runs: readonly SweepRun[], metric: string, x: string, lines: readonly string[]): Trend {
  const xs = valuesOf(runs, x);
  const trends = groupBySettings(runs, lines).map(({ key, values, runs: members }) => ({
    key,
    values,
    points: xs
      .map((value) => ({
        x: value,
        ...outcomeOf(
          members.filter(({ config }) => config[x] === value),
          metric,
        ),
      }))
      .filter((point) => point.runs.length > 0),
  }));
  const points = trends.flatMap((line) => line.points);
  const averaged = [...new Set(points.flatMap((point) => differingSettings(point.runs)))].sort();
  return {
    xs,
    numeric: xs.every((value) => typeof value === 'number'),
    lines: trends,
    averaged,
    unbalanced: unbalanced(points, averaged),
  };
}
