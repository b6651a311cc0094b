/** Sweeps straight from flags: any setting takes several values. */
import type { Problem, SettingValue } from '../../../preload/contract/settings.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { readEntry } from '../settings/resolve.ts';
import { EMPTY_SWEEP, type Method, type Parameter, type SweepSpec } from './spec.ts';

export interface FlagOptions {
  readonly registry: SettingsRegistry;
  readonly method?: Method;
  readonly seeds?: number | readonly number[];
  readonly runCap?: number;
  readonly sweepSeed?: number;
  readonly recipe?: string;
  readonly constraints?: readonly string[];
  readonly name?: string;
}

/**
 * `{ 'model.depth': ['2', '4'], 'optimizer.lr': ['1e-3'] }` as a sweep: settings with several values become parameters,
 * those with one are shared by all runs. The same specification as the equivalent file.
 */
export function sweepFromFlags(
  values: Readonly<Record<string, readonly string[]>>,
  options: FlagOptions,
): { readonly sweep: SweepSpec; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const parameters: Parameter[] = [];
  const settings: Record<string, SettingValue> = {};
  for (const [name, texts] of Object.entries(values)) {
    const read = texts.flatMap((value): SettingValue[] => {
      const entry = readEntry(options.registry, { name, value, fromText: true });
      if ('value' in entry) return [entry.value];
      if (!problems.some(({ message }) => message === entry.problem.message)) problems.push(entry.problem);
      return [];
    });
    if (read.length === 1) settings[name] = read[0];
    else if (read.length > 1) parameters.push({ name, distribution: { kind: 'categorical', values: read } });
  }
  const { method = 'grid', seeds, runCap, sweepSeed = 0, recipe, constraints = [], name } = options;
  const sweep: SweepSpec = {
    ...EMPTY_SWEEP,
    method,
    ...(name === undefined ? {} : { name }),
    ...(runCap === undefined ? {} : { runCap }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(recipe === undefined ? {} : { recipe }),
    parameters,
    constraints,
    settings,
    sweepSeed,
  };
  return { sweep, problems };
}
