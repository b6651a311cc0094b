/** Which settings differ between runs, and runs grouped by them. */
import type { RunRecord } from '../../contract/runs.ts';
import type { Config, SettingValue } from '../../contract/settings.ts';

/** What the statistics need of a run. */
export type SweepRun = Pick<RunRecord, 'id' | 'name' | 'config' | 'settingKey' | 'seed' | 'state' | 'summary'> &
  Partial<Pick<RunRecord, 'startedAt' | 'endedAt' | 'parameters' | 'steps' | 'tokens' | 'color'>>;

/** The seed tells runs of one setting apart and is never a setting of its own. */
const SEED = 'seed';

/** Settings with more than one value among these runs, in the order of their names. A missing setting is a value too. */
export function differingSettings(runs: readonly { readonly config: Config }[]): string[] {
  const names = new Set(runs.flatMap(({ config }) => Object.keys(config)));
  names.delete(SEED);
  return [...names].filter((name) => new Set(runs.map(({ config }) => config[name])).size > 1).sort();
}

/** Distinct values, numbers by size, everything else by name. */
export function valuesOf(runs: readonly { readonly config: Config }[], setting: string): SettingValue[] {
  const values = [...new Set(runs.map(({ config }) => config[setting]))].filter((v) => v !== undefined);
  return values.sort(compareValues);
}

export function compareValues(a: SettingValue, b: SettingValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

export interface RunGroup<R> {
  readonly key: string;
  readonly runs: readonly R[];
  /** The settings that the group stands for, with the values that its runs share. */
  readonly values: Readonly<Record<string, SettingValue>>;
}

/**
 * Runs with equal values of `settings` together, in the order in which they first appear. Values are compared exactly, never by
 * a rounded text; a run without a setting is a group of its own.
 */
export function groupBySettings<R extends { readonly config: Config }>(
  runs: readonly R[],
  settings: readonly string[],
): RunGroup<R>[] {
  const groups = new Map<string, R[]>();
  for (const run of runs) {
    const key = JSON.stringify(settings.map((name) => run.config[name] ?? null));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups].map(([key, members]) => ({
    key,
    runs: members,
    values: Object.fromEntries(
      settings.filter((name) => members[0].config[name] !== undefined).map((name) => [name, members[0].config[name]]),
    ),
  }));
}

/** The last part of a setting's name when that alone is clear among `all`: `depth`, but `optimizer.kind`. */
export function shortName(setting: string, all: readonly string[]): string {
  const last = setting.slice(setting.lastIndexOf('.') + 1);
  return all.filter((name) => name.slice(name.lastIndexOf('.') + 1) === last).length > 1 || last === 'kind'
    ? setting
    : last;
}

/** `depth 4 · width 192`. */
export function labelOf(values: Readonly<Record<string, SettingValue>>): string {
  const names = Object.keys(values);
  return names.map((name) => `${shortName(name, names)} ${String(values[name])}`).join(' · ');
}

export interface ConfigDifference {
  readonly setting: string;
  readonly here: SettingValue | undefined;
  readonly there: SettingValue | undefined;
}

/** Settings that two configurations do not share, by name. */
export function configDifference(here: Config, there: Config): ConfigDifference[] {
  return [...new Set([...Object.keys(here), ...Object.keys(there)])]
    .sort()
    .filter((name) => here[name] !== there[name])
    .map((setting) => ({ setting, here: here[setting], there: there[setting] }));
}
