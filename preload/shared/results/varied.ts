/** Which of the settings that differ between runs a sweep varies, and which only follow from those. */
import type { Config } from '../../contract/settings.ts';
import { differingSettings, groupBySettings } from './groups.ts';

/** Names of the parameters in a sweep's definition; undefined when it says nothing. */
function parametersOf(spec: unknown): ReadonlySet<string> | undefined {
  const parameters = (spec as { parameters?: unknown } | null | undefined)?.parameters;
  if (typeof parameters !== 'object' || parameters === null) return undefined;
  return new Set(Object.keys(parameters));
}

export interface Differing {
  /** Settings that tell the runs apart. */
  readonly varied: readonly string[];
  /** Settings that differ as well, but only because others do: a width that follows from the depth. */
  readonly following: readonly string[];
}

/**
 * Tells them apart by the definition of the sweep that all runs are of. What follows would stand in the way as a column, and takes its share
 * of an effect that is not its own. Where the varied settings alone do not name every setting (a run was added by hand), all are varied.
 *
 * @param order all settings in their order; default: by name
 */
export function variedSettings(
  runs: readonly { readonly config: Config }[],
  spec: unknown,
  order: readonly string[] = [],
): Differing {
  const all = differingSettings(runs, order);
  const parameters = parametersOf(spec);
  const varied = parameters === undefined ? all : all.filter((name) => parameters.has(name));
  if (varied.length === all.length || groupBySettings(runs, varied).length < groupBySettings(runs, all).length)
    return { varied: all, following: [] };
  return { varied, following: all.filter((name) => !varied.includes(name)) };
}
