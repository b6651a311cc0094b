/** Runs of a board as groups with labels and colours. */
import type { LineGroup } from '../data/lineModel.ts';
import { ramp, viridis } from '../color/palette.ts';
import type { Surface } from '../color/palette.ts';
import type { ColorScale } from '../color/scale.ts';
import { colorScale } from '../color/scale.ts';
import { describe } from '../../shared/statistics/describe.ts';
import type { Goal } from '../../shared/metrics.ts';
import { resultValue } from '../../shared/results/samples.ts';
import { differingSettings, groupBySettings, labelOf, pick, valuesOf } from '../../shared/results/groups.ts';
import { variedSettings } from '../../shared/results/varied.ts';
import type { RunRecord } from '../../contract/runs.ts';
import { briefSetting } from '../../shared/format.ts';
import { categorical, cycleOf } from '../color/categorical.ts';
import { unbalanced } from '../sweep/balance.ts';

export interface BoardGroup extends LineGroup {
  readonly members: readonly RunRecord[];
  /** The values of the settings that tell the groups apart, without their names: these stand once above the list. */
  readonly values: string;
}

export interface Coloring {
  readonly of: (runs: readonly RunRecord[]) => string;
  /** How often the colours were all used before: the same colour then comes in other dashes. */
  readonly cycle?: (runs: readonly RunRecord[]) => number;
  /** For the legend bar of a continuous scale. */
  readonly scale?: ColorScale;
  readonly legend?: readonly { readonly label: string; readonly color: string }[];
}

export interface GroupOptions {
  readonly groupBy: string;
  readonly colorBy: string;
  readonly surface: Surface;
  /** By which the distance from the best is measured. */
  readonly metric: string;
  readonly goal: Goal;
  /** That tell the runs apart: see labelSettings. */
  readonly settings: readonly string[];
  /** Settings of several sweeps may be called alike: the sweep then stands beside them. */
  readonly sweepName?: (id: string) => string | undefined;
}

/** Of so many settings the values of all stand in a row. */
const SHORT = 3;

/**
 * Settings that tell the runs apart; where a row cannot show all, those of the most values come first, as they tell the most.
 * `spec`: definition of the sweep that all are of
 */
export function labelSettings(runs: readonly RunRecord[], spec?: unknown): readonly string[] {
  const { varied } = variedSettings(runs, spec);
  if (varied.length <= SHORT) return varied;
  const counts = new Map(varied.map((name) => [name, new Set(runs.map(({ config }) => config[name])).size]));
  return varied.toSorted((a, b) => counts.get(b)! - counts.get(a)!);
}

/** What one line stands for where runs are grouped by their settings. */
const settingOfSweep = ({ sweepId, settingKey }: RunRecord): string => `${sweepId ?? ''}|${settingKey}`;

export function boardGroups(all: readonly RunRecord[], options: GroupOptions): BoardGroup[] {
  const { settings } = options;
  const color = coloring(all, options);
  const label = (values: Readonly<Record<string, string | number | boolean>>, fallback: string): string =>
    Object.keys(values).length === 0 ? fallback : labelOf(values);
  const lookOf = (members: readonly RunRecord[]): Pick<BoardGroup, 'color' | 'cycle'> => {
    const cycle = color.cycle?.(members) ?? 0;
    return { color: color.of(members), ...(cycle > 0 ? { cycle } : {}) };
  };
  if (options.groupBy === 'none') {
    const lines = all.map((run) => ({
      id: run.id,
      label:
        run.sweepId === null || settings.length === 0
          ? run.name
          : `${label(pick(run.config, settings), run.name)} · seed ${run.seed}`,
      values:
        run.sweepId === null || settings.length === 0 ? run.name : `${valuesText(run, settings)} · seed ${run.seed}`,
      ...lookOf([run]),
      runs: [run.id],
      members: [run],
    }));
    return namedApart(lines, options);
  }
  if (options.groupBy === 'setting') {
    const groups = new Map<string, RunRecord[]>();
    for (const run of all) {
      const key = settingOfSweep(run);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [run]);
      else group.push(run);
    }
    const lines = [...groups].map(([key, members]) => ({
      id: `group:${key}`,
      // A run outside of sweeps was named by someone.
      label: members[0].sweepId === null ? members[0].name : label(pick(members[0].config, settings), members[0].name),
      values: members[0].sweepId === null || settings.length === 0 ? members[0].name : valuesText(members[0], settings),
      ...lookOf(members),
      runs: members.map(({ id }) => id),
      members,
    }));
    return namedApart(lines, options);
  }
  return groupBySettings(all, [options.groupBy])
    .map(({ key, runs: members, values }) => ({
      id: `group:${key}`,
      label: label(values, 'not set'),
      values: label(values, 'not set'),
      ...lookOf(members),
      runs: members.map(({ id }) => id),
      members,
    }))
    .sort((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true }));
}

/** Groups of several sweeps under one name say of which they are. */
function namedApart(groups: BoardGroup[], { sweepName }: GroupOptions): BoardGroup[] {
  const called = (id: string): string => sweepName?.(id) ?? id;
  const sweeps = new Map<string, Set<string>>();
  for (const { label, members } of groups) {
    const { sweepId } = members[0];
    if (sweepId === null) continue;
    const named = sweeps.get(label);
    if (named === undefined) sweeps.set(label, new Set([sweepId]));
    else named.add(sweepId);
  }
  return groups.map((group) => {
    const { sweepId } = group.members[0];
    const alike = sweeps.get(group.label);
    if (sweepId === null || alike === undefined || alike.size < 2) return group;
    const name = called(sweepId);
    const words = [...alike].some((id) => id !== sweepId && called(id) === name) ? `${name} ${sweepId}` : name;
    return { ...group, label: `${group.label} · ${words}`, values: `${group.values} · ${words}` };
  });
}

export function coloring(all: readonly RunRecord[], options: GroupOptions): Coloring {
  const { groupBy, colorBy, surface } = options;
  if (colorBy === 'distance') return byDistance(all, options);
  if (colorBy !== 'group') return bySetting(all, colorBy, surface);
  if (groupBy !== 'none' && groupBy !== 'setting') {
    const values = valuesOf(all, groupBy);
    const index = (runs: readonly RunRecord[]): number => values.indexOf(runs[0].config[groupBy]);
    return { of: (runs) => categorical(index(runs), surface), cycle: (runs) => cycleOf(index(runs)) };
  }
  const cycles = cyclesOf(all);
  return {
    of: (runs) => categorical(runs[0].color, surface),
    cycle: (runs) => cycles.get(settingOfSweep(runs[0])) ?? 0,
  };
}

/** Dashes of each setting. Every sweep begins with the first colour: where several are drawn, what has the same colour has other dashes. */
function cyclesOf(all: readonly RunRecord[]): ReadonlyMap<string, number> {
  const cycles = new Map<string, number>();
  const taken = new Map<string, Set<number>>();
  for (const run of all) {
    const key = settingOfSweep(run);
    if (cycles.has(key)) continue;
    const color = categorical(run.color, 'light');
    const used = taken.get(color) ?? new Set();
    taken.set(color, used);
    let cycle = cycleOf(run.color);
    while (used.has(cycle)) cycle++;
    used.add(cycle);
    cycles.set(key, cycle);
  }
  return cycles;
}

function bySetting(all: readonly RunRecord[], setting: string, surface: Surface): Coloring {
  const values = valuesOf(all, setting);
  if (values.length > 2 && values.every((value) => typeof value === 'number')) {
    const scale = colorScale(values as number[]);
    return {
      of: (runs) => viridis(scale.at(runs[0].config[setting] as number), surface),
      scale,
      legend: values.map((value) => ({
        label: briefSetting(value),
        color: viridis(scale.at(value as number), surface),
      })),
    };
  }
  const index = (runs: readonly RunRecord[]): number => values.indexOf(runs[0].config[setting]);
  return {
    of: (runs) => categorical(index(runs), surface),
    cycle: (runs) => cycleOf(index(runs)),
    legend: values.map((value, i) => ({ label: briefSetting(value), color: categorical(i, surface) })),
  };
}

/** Of what ended with a number: a run that failed early stands farthest, whatever its last value was. */
function byDistance(all: readonly RunRecord[], { metric, goal, surface }: GroupOptions): Coloring {
  const sign = goal === 'maximize' ? -1 : 1;
  const d = describe(all.map((run) => sign * resultValue(run, metric)));
  const span = d.max - d.min || 1;
  const of = (runs: readonly RunRecord[]): string => {
    const { mean } = describe(runs.map((run) => sign * resultValue(run, metric)));
    // Square root: most of the differences that matter lie near the best.
    return ramp(Number.isFinite(mean) ? Math.sqrt((mean - d.min) / span) : 1, surface);
  };
  return {
    of,
    legend: [0, 0.5, 1].map((t) => ({ label: t === 0 ? 'best' : t === 1 ? 'farthest' : '', color: ramp(t, surface) })),
  };
}

/** `64 · 0.003`, in the order of the names above the list. */
const valuesText = ({ config }: RunRecord, settings: readonly string[]): string =>
  settings.map((name) => briefSetting(config[name])).join(' · ');

/** Of groups by one setting: over what else their curves are means, and of which of it they have unequal shares. */
export function averagingNotes(groups: readonly BoardGroup[], groupBy: string): string[] {
  if (groupBy === 'none' || groupBy === 'setting') return [];
  const averaged = [...new Set(groups.flatMap(({ members }) => differingSettings(members)))].sort();
  if (averaged.length === 0) return [];
  const unequal = unbalanced(
    groups.map(({ members }) => ({ counted: members })),
    averaged,
  );
  const of = unequal.length === 0 ? '' : `; not balanced: lines have unequal shares of ${unequal.join(' and ')}`;
  return [`mean over ${['seeds', ...averaged].join(' and ')}${of}`];
}
