/** A draft that trains what a run trained. */
import { type Draft, EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import type { Config, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';

/** `stop.steps` steps aside when another limit is set unless it was asked for: then it has to be said, whatever its value. */
function limited(config: Config): boolean {
  return Object.entries(config).some(
    ([name, value]) => name.startsWith('stop.') && name !== 'stop.steps' && typeof value === 'number' && value > 0,
  );
}

/** What differs from the defaults; the seed included. */
export function settingsOf(config: Config, specs: readonly SettingSpec[]): Record<string, SettingValue> {
  const own = specs.flatMap(({ name, default: usual }) => {
    const value = config[name];
    const kept = name === 'stop.steps' && limited(config);
    return value === undefined || (value === usual && !kept) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(own);
}

export function draftOfRun(run: Pick<RunRecord, 'name' | 'config'>, specs: readonly SettingSpec[]): Draft {
  // The seed in a run's name is of that run alone.
  const name = run.name.replace(/\s*\bseed=\d+$/u, '');
  return { ...EMPTY_DRAFT, name, settings: settingsOf(run.config, specs) };
}
