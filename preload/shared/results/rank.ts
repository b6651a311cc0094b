/** The settings of a sweep, best mean first. A single lucky seed never makes a setting best. */
import type { RunState } from '../../contract/runs.ts';
import type { SettingValue } from '../../contract/settings.ts';
import type { Description } from '../statistics/describe.ts';
import { describe, differs } from '../statistics/describe.ts';
import { resultValue, higherIsBetter, runSeconds } from '../metrics.ts';
import type { Goal } from '../metrics.ts';
import type { SweepRun } from './groups.ts';
import { differingSettings } from './groups.ts';

export interface RankedSetting {
  readonly key: string;
  /** From 1; settings without a number share the last place and have none. */
  readonly rank: number | undefined;
  readonly values: Readonly<Record<string, SettingValue>>;
  readonly runs: readonly SweepRun[];
  readonly metric: Description;
  /** Best single run. */
  readonly best: SweepRun | undefined;
  readonly seconds: Description;
  readonly states: Readonly<Partial<Record<RunState, number>>>;
  /**
   * `best` for the first; `tied` when Welch's test cannot tell its mean from the best one (p ≥ 0.05), `worse` when it can,
   * `unknown` when either has fewer than two seeds.
   */
  readonly verdict: 'best' | 'tied' | 'worse' | 'unknown' | 'none';
}

export interface Ranking {
  /** Settings that differ: the columns of the table. */
  readonly columns: readonly string[];
  readonly rows: readonly RankedSetting[];
  /** Which direction of the metric is better. */
  readonly goal: Goal;
}

/** @param goal default: by the name of the metric */
export function rankSettings(
  runs: readonly SweepRun[],
  metric: string,
  goal: Goal = higherIsBetter(metric) ? 'maximize' : 'minimize',
): Ranking {
  const columns = differingSettings(runs);
  const groups = new Map<string, SweepRun[]>();
  for (const run of runs) {
    const group = groups.get(run.settingKey);
    if (group === undefined) groups.set(run.settingKey, [run]);
    else group.push(run);
  }
  const sign = goal === 'maximize' ? -1 : 1;
  const measured = [...groups].map(([key, members]) => {
    const numbered = members.filter((run) => Number.isFinite(resultValue(run, metric)));
    return {
      key,
      runs: members,
      values: Object.fromEntries(columns.map((name) => [name, members[0].config[name]])),
      metric: describe(numbered.map((run) => resultValue(run, metric))),
      best: numbered.reduce<SweepRun | undefined>(
        (best, run) =>
          best === undefined || sign * (resultValue(run, metric) - resultValue(best, metric)) < 0 ? run : best,
        undefined,
      ),
      seconds: describe(members.filter(({ state }) => state === 'finished').map(runSeconds)),
      states: countStates(members),
    };
  });
  measured.sort((a, b) => {
    if (a.metric.n === 0 || b.metric.n === 0) return Number(a.metric.n === 0) - Number(b.metric.n === 0);
    return sign * (a.metric.mean - b.metric.mean);
  });
  const first = measured[0];
  const rows = measured.map((row, i): RankedSetting => {
    if (row.metric.n === 0) return { ...row, rank: undefined, verdict: 'none' };
    return { ...row, rank: i + 1, verdict: i === 0 ? 'best' : verdictOf(row.metric, first.metric) };
  });
  return { columns, rows, goal };
}

function verdictOf(row: Description, best: Description): 'tied' | 'worse' | 'unknown' {
  const different = differs(row, best);
  if (different === undefined) return 'unknown';
  return different ? 'worse' : 'tied';
}

function countStates(runs: readonly SweepRun[]): Partial<Record<RunState, number>> {
  const states: Partial<Record<RunState, number>> = {};
  for (const { state } of runs) states[state] = (states[state] ?? 0) + 1;
  return states;
}
