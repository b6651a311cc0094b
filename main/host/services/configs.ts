/** Checked configurations from what a form holds: values over a recipe over the defaults. */
import { LabError } from '../../../preload/contract/rpc.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Problem } from '../../../preload/contract/shapes.ts';
import { loadRecipe, resolveConfig } from '../../lab/settings/index.ts';
import type { Resolved, SettingsRegistry } from '../../lab/settings/index.ts';

export interface Values {
  readonly values: Readonly<Record<string, unknown>>;
  readonly recipe?: string | null | undefined;
}

/** @throws RecipeError */
export async function resolveValues(registry: SettingsRegistry, { values, recipe }: Values): Promise<Resolved> {
  const source = recipe ? (await loadRecipe(recipe)).source : undefined;
  return resolveConfig({ registry, ...(source === undefined ? {} : { recipe: source }), overrides: values });
}

/** @throws LabError `invalid` with all problems as details */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const messages = problems.map(({ message }) => message);
  throw new LabError('invalid', messages.length === 1 ? messages[0]! : messages.slice(0, 20).join('\n'), problems);
}

/** @throws LabError `invalid` */
export async function configOf(registry: SettingsRegistry, given: Values): Promise<Config> {
  const { config, problems } = await resolveValues(registry, given);
  refuse(problems);
  return config;
}
