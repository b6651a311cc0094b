/** Which settings differ between runs, and runs grouped by them. */
import type { Config, SettingValue } from '../../contract/settings.ts';
import { briefSetting } from '../format.ts';

/** The seed tells runs of one setting apart and is never a setting of its own. */
const SEED = 'seed';

/**
 * Settings with more than one value among these runs, without the seed. A missing setting is a value too.
 *
 * @param order all settings in their order; those that it lacks follow by name. Default: all by name
 */
export function differingSettings(
  runs: readonly { readonly config: Config }[],
  order: readonly string[] = [],
): string[] {
  if (runs.length === 0) return [];
  const found = new Set<string>();
  const [{ config: first }] = runs;
  const names = Object.keys(first);
  const values = Object.values(first);
  for (const { config } of runs) {
    if (config === first) continue;
    const own = Object.keys(config);
    // Mostly they have the same names in the same order.
    for (let i = 0; i < own.length; i++) if (own[i] !== names[i] && !Object.hasOwn(first, own[i])) found.add(own[i]);
    for (let i = 0; i < names.length; i++) if (config[names[i]] !== values[i]) found.add(names[i]);
  }
  found.delete(SEED);
  const place = new Map(order.map((name, i) => [name, i]));
  return [...found].sort((a, b) => (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity) || (a < b ? -1 : 1));
}

/** Scripts choose the names: a run without `constructor` has none from JavaScript either. */
const ownValue = (config: Config, name: string): SettingValue | undefined =>
  Object.hasOwn(config, name) ? config[name] : undefined;

/** Distinct values, numbers by size, everything else by name. */
export function valuesOf(runs: readonly { readonly config: Config }[], setting: string): SettingValue[] {
  const values = [...new Set(runs.map(({ config }) => ownValue(config, setting)))].filter((v) => v !== undefined);
  return values.sort(compareValues);
}

export function compareValues(a: SettingValue, b: SettingValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

/** Those of these settings that a configuration has, in this order. */
export const pick = (config: Config, names: readonly string[]): Record<string, SettingValue> =>
  Object.fromEntries(names.filter((name) => ownValue(config, name) !== undefined).map((name) => [name, config[name]]));

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
    values: pick(members[0].config, settings),
  }));
}

/** The last part of a setting's name when that alone is clear among `all`: `depth`, but `optimizer.kind`. */
export function shortName(setting: string, all: readonly string[]): string {
  const last = setting.slice(setting.lastIndexOf('.') + 1);
  return all.filter((name) => name.slice(name.lastIndexOf('.') + 1) === last).length > 1 || last === 'kind'
    ? setting
    : last;
}

/** `depth 4 · width 192`; numbers as people read them, or as `text` writes them. */
export function labelOf(
  values: Readonly<Record<string, SettingValue>>,
  text: (value: SettingValue) => string = (value) => briefSetting(value),
): string {
  const names = Object.keys(values);
  return names.map((name) => `${shortName(name, names)} ${text(values[name])}`).join(' · ');
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
