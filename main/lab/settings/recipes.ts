/** Recipes: complete starting points in `resources/recipes/*.yaml`, each with a header that says what it teaches. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap } from 'yaml';
import { z } from 'zod';
import { knowing } from '../../engine/executors/fastest.ts';
import type { FastestOn } from '../../engine/executors/fastest.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import { readShort, TooLongError } from '../shortText.ts';
import { draftParameter } from '../../../preload/contract/draft.ts';
import { flattenEntries, type SettingsSource } from './source.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { located } from '../../../preload/shared/settings/values.ts';
import type { SettingsRegistry } from './registry.ts';
import { resolveConfig, type Resolved } from './resolve.ts';
import { YamlText } from './yamlText.ts';

const header = z.strictObject({
  /** One line, shown in lists. */
  title: z.string().min(1),
  /** What a user learns from running it. */
  teaches: z.string().min(1),
  about: z.strictObject({
    /** Parameters, for example `0.1M`. */
    size: z.string().min(1),
    data: z.string().min(1),
    /** Rough training time on a named machine, in minutes. */
    minutes: z.number().positive(),
    machine: z.string().min(1),
  }),
  /** What a click on its card and `sweeplab sweep` train; without it one run. `train` takes the settings alone. */
  sweep: z
    .strictObject({
      seeds: z.int().min(1),
      parameters: z.record(z.string().min(1), draftParameter),
      method: z.string().min(1).optional(),
      run_cap: z.int().min(1).optional(),
    })
    .transform(({ run_cap: runCap, ...sweep }) => ({ ...sweep, ...(runCap === undefined ? {} : { runCap }) }))
    .optional(),
});

export type RecipeHeader = z.infer<typeof header>;

export interface Recipe extends RecipeHeader {
  /** File name without its extension. */
  readonly name: string;
  readonly path: string;
  readonly source: SettingsSource;
}

/** A recipe that does not exist or cannot be read; the message is for the user. */
export class RecipeError extends Error {
  override readonly name = 'RecipeError';
}

export const RECIPES_FOLDER = fileURLToPath(new URL('../../../resources/recipes', import.meta.url));

/** Reads the text of a recipe. Problems of its settings come out when it is resolved; a wrong header throws RecipeError. */
export function parseRecipe(text: string, path: string): Recipe {
  const label = basename(path);
  const yaml = new YamlText(text, label);
  if (yaml.problems.length > 0) {
    const lines = yaml.problems.map(({ message, position }) => located({ message, where: yaml.where(position) }));
    throw new RecipeError(lines.join('\n'));
  }
  const entries = yaml.root ? yaml.entries(yaml.root) : [];
  const settings = entries.find(({ key }) => key === 'settings');
  const fields = Object.fromEntries(entries.filter((e) => e !== settings).map((e) => [e.key, yaml.value(e.node)]));
  const parsed = header.safeParse(fields);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      ({ path: at, message }) => `${label}: ${at.join('.') || 'header'}: ${message}`,
    );
    throw new RecipeError(lines.join('\n'));
  }
  if (!isMap(settings?.node)) throw new RecipeError(`${label}: settings: expected \`name: value\` lines`);
  const source: SettingsSource = {
    origin: 'recipe',
    label,
    entries: flattenEntries(yaml, settings.node),
    problems: [],
  };
  return { ...parsed.data, name: basename(path, extname(path)), path, source };
}

/** Of the folder's files as they are: every plan and every check of a form asks for one, and reading all takes 30 ms. */
const known = new Map<string, { readonly stamp: string; readonly recipe: Recipe }>();

/** @throws RecipeError, and what reading the file throws */
async function readRecipe(path: string): Promise<Recipe> {
  const { mtimeMs, size, ino } = await stat(path);
  const stamp = `${mtimeMs} ${size} ${ino}`;
  const found = known.get(path);
  if (found?.stamp === stamp) return found.recipe;
  const recipe = parseRecipe(await readFile(path, 'utf8'), path);
  known.set(path, { stamp, recipe });
  return recipe;
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder))
    .filter((file) => /\.ya?ml$/u.test(file))
    .sort()
    .map((file) => join(folder, file));

/** All recipes of a folder, by name. */
export async function listRecipes(folder: string = RECIPES_FOLDER): Promise<Recipe[]> {
  return Promise.all((await filesIn(folder)).map(readRecipe));
}

/** A recipe in a file of the user's, which may change between two looks. */
export const isOwnRecipe = (recipe: string | null): boolean => /\.ya?ml$/u.test(recipe ?? '');

/** A recipe by name, or by the path of a YAML file of the user's own. Throws RecipeError with the nearest name. */
export async function loadRecipe(nameOrPath: string, folder: string = RECIPES_FOLDER): Promise<Recipe> {
  if (isOwnRecipe(nameOrPath)) {
    try {
      return parseRecipe(await readShort(nameOrPath, LIMITS.configCharacters), nameOrPath);
    } catch (error) {
      if (error instanceof RecipeError) throw error;
      const { message } = error as Error;
      const why = error instanceof TooLongError ? message : `cannot be read: ${message}`;
      throw new RecipeError(`recipe ${nameOrPath} ${why}`, { cause: error });
    }
  }
  const files = await filesIn(folder);
  const names = files.map((path) => basename(path, extname(path)));
  const at = names.indexOf(nameOrPath);
  if (at >= 0) return await readRecipe(files[at]!);
  const near = nearestName(nameOrPath, names);
  throw new RecipeError(
    `recipe is ${JSON.stringify(nameOrPath)}; allowed: one of ${names.join(', ')}, or a .yaml file${near ? `; nearest: ${near}` : ''}`,
  );
}

/** What a form holds: values over a recipe over the defaults. @throws RecipeError */
export async function resolveValues(
  registry: SettingsRegistry,
  { values, recipe }: { readonly values: Readonly<Record<string, unknown>>; readonly recipe?: string | null },
  fastest?: FastestOn,
): Promise<Resolved> {
  const source = recipe ? (await loadRecipe(recipe)).source : undefined;
  return await knowing(() =>
    resolveConfig({ registry, ...(source === undefined ? {} : { recipe: source }), overrides: values, fastest }),
  );
}
