/** Sweeps straight from flags: any setting takes several values. */
import { type Draft, type DraftParameter, EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import type { Problem, SettingValue } from '../../../preload/contract/settings.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { readEntry } from '../settings/resolve.ts';

/** What flags may say of a sweep beside settings. */
export type SweepFlags = Partial<
  Pick<Draft, 'name' | 'method' | 'seeds' | 'runCap' | 'sweepSeed' | 'recipe' | 'constraints'>
>;

export interface FlagOptions extends SweepFlags {
  readonly registry: SettingsRegistry;
  /** The sweep of a file: what flags say of the same part wins, constraints join. */
  readonly base?: Draft;
}

/**
 * `{ 'model.depth': ['2', '4'], 'optimizer.lr': ['1e-3'] }` as a sweep: settings with several values become parameters,
 * those with one are shared by all runs. The same as the equivalent file.
 */
export function sweepFromFlags(
  values: Readonly<Record<string, readonly string[]>>,
  { registry, base = EMPTY_DRAFT, constraints = [], ...given }: FlagOptions,
): { readonly sweep: Draft; readonly problems: readonly Problem[] } {
  const problems = new Map<string, Problem>();
  const parameters: Record<string, DraftParameter> = { ...base.parameters };
  const settings: Record<string, SettingValue> = { ...base.settings };
  for (const [name, texts] of Object.entries(values)) {
    const read = texts.flatMap((value): SettingValue[] => {
      const entry = readEntry(registry, { name, value, fromText: true });
      if ('value' in entry) return [entry.value];
      problems.set(entry.problem.message, entry.problem);
      return [];
    });
    delete parameters[name];
    if (read.length === 1) settings[name] = read[0];
    else if (read.length > 1) parameters[name] = { values: read };
  }
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const sweep: Draft = {
    ...base,
    ...said,
    parameters,
    settings,
    constraints: [...base.constraints, ...constraints],
  };
  return { sweep, problems: [...problems.values()] };
}
