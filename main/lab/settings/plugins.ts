/**
 * Plug-ins: a user's TypeScript files that declare settings and models without touching Sweeplab.
 *
 *     export default (sweeplab) => ({
 *       name: 'my-idea',
 *       settings: [{ name: 'model.my_gain', type: { kind: 'float', min: 0 }, default: 1, help: '…', question: 'stability' }],
 *       models: { 'my-model': { name: 'my-model', build: (…) => … } },
 *     });
 */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import type { ModelDefinition } from '../../engine/nn/model.ts';
import { settingsWithModels } from './declarations/index.ts';
import { modelSettings } from './declarations/model.ts';
import { DeclarationError, SettingsRegistry } from './registry.ts';

/** A model of a plug-in: the engine's own type, passed on as it was made. */
export type PluginModel = ModelDefinition;

export interface Plugin {
  readonly name: string;
  readonly file: string;
  readonly settings: readonly SettingSpec[];
  readonly models: Readonly<Record<string, PluginModel>>;
  /** Expressions that every configuration must satisfy. */
  readonly constraints: readonly string[];
}

/** A plug-in that cannot be used; the message names its file. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
}

const bound = { min: z.number().optional(), max: z.number().optional() };
const settingType = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('int'), ...bound, multipleOf: z.number().int().positive().optional() }),
  z.strictObject({
    kind: z.literal('float'),
    ...bound,
    exclusiveMin: z.boolean().optional(),
    exclusiveMax: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('bool') }),
  z.strictObject({ kind: z.literal('enum'), values: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal('string'), pattern: z.string().optional(), patternHelp: z.string().optional() }),
]);

const settingSpec = z.strictObject({
  name: z.string(),
  type: settingType,
  default: z.union([z.number(), z.string(), z.boolean()]),
  unit: z.string().optional(),
  help: z.string(),
  question: z.enum(['data', 'tokenizer', 'capacity', 'memory', 'stability', 'budget']),
  touches: z.array(z.enum(['memory', 'time', 'stability'])).optional(),
  when: z.string().optional(),
});

const isFunction = (value: unknown): boolean => typeof value === 'function';

const pluginShape = z.strictObject({
  name: z.string().min(1),
  settings: z.array(settingSpec).default([]),
  models: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_-]*$/u, 'names of models are lower case, such as my-model'),
      z.looseObject({
        name: z.string(),
        settings: z.array(settingSpec).optional(),
        build: z.custom<PluginModel['build']>(isFunction, 'build must be a function'),
      }),
    )
    .default({}),
  constraints: z.array(z.string()).default([]),
});

/** The `.ts` files of a folder (not its tests or declarations), or the file itself. A folder that does not exist has none. */
async function pluginFiles(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info) return [];
  if (info.isFile()) return [resolve(path)];
  const names = (await readdir(path)).filter((name) => /\.m?ts$/u.test(name) && !/\.(d|test)\.m?ts$/u.test(name));
  return names.sort().map((name) => resolve(path, name));
}

async function loadPlugin(file: string, api: object): Promise<Plugin> {
  const fail = (detail: string, cause?: unknown): never => {
    throw new PluginError(`plug-in ${file}: ${detail}`, { cause });
  };
  let made: unknown;
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    if (typeof module.default !== 'function')
      return fail('must `export default` a function (sweeplab) => ({ name, settings, models })');
    made = await (module.default as (api: object) => unknown)(api);
  } catch (error) {
    if (error instanceof PluginError) throw error;
    return fail(`cannot be loaded: ${(error as Error).message}`, error);
  }
  const parsed = pluginShape.safeParse(made);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return fail(`${issue.path.join('.') || 'what it returns'}: ${issue.message}`);
  }
  for (const [kind, model] of Object.entries(parsed.data.models))
    if (model.name !== kind)
      return fail(`models.${kind}: its name is ${JSON.stringify(model.name)}, but must be ${JSON.stringify(kind)}`);
  // Models are passed on as they were made: the engine checks what it needs.
  const models = ((made as { models?: Record<string, PluginModel> }).models ?? {}) as Record<string, PluginModel>;
  return { ...parsed.data, models, file };
}

/**
 * Loads every plug-in of the given files and folders, in order. `api` is handed to each (the host passes the engine's
 * operations). Throws PluginError naming the file; a named file that does not exist is an error, a missing folder is not.
 */
export async function loadPlugins(paths: readonly string[], api: object = {}): Promise<Plugin[]> {
  const plugins: Plugin[] = [];
  for (const path of paths) {
    const files = await pluginFiles(path);
    if (files.length === 0 && /\.m?ts$/u.test(path)) throw new PluginError(`plug-in ${path}: there is no such file`);
    for (const file of files) {
      const plugin = await loadPlugin(file, api);
      const twin = plugins.find(({ name }) => name === plugin.name);
      if (twin) throw new PluginError(`plug-in ${file}: the name ${plugin.name} is taken by ${twin.file}`);
      plugins.push(plugin);
    }
  }
  return plugins;
}

/** Every setting and constraint of a plug-in, those of its models included. */
function contributed(plugin: Plugin): SettingSpec[] {
  return [...plugin.settings, ...Object.values(plugin.models).flatMap((model) => [...(model.settings ?? [])])];
}

/**
 * The registry with plug-ins. `models` are the settings of the built-in model kinds. Throws PluginError when two
 * declarations collide or one is wrong, naming the file.
 */
export function registryWithPlugins(
  plugins: readonly Plugin[],
  models: readonly SettingSpec[] = modelSettings,
): SettingsRegistry {
  let specs: readonly SettingSpec[] = settingsWithModels(models);
  let registry = new SettingsRegistry(specs);
  const owners = new Map<string, string>([['gpt', 'Sweeplab']]);
  const modelKinds: string[] = [];
  const constraints: string[] = [];
  for (const plugin of plugins) {
    for (const kind of Object.keys(plugin.models)) {
      const owner = owners.get(kind);
      if (owner) throw new PluginError(`plug-in ${plugin.file}: the model ${kind} is already declared by ${owner}`);
      owners.set(kind, plugin.file);
      modelKinds.push(kind);
    }
    constraints.push(...plugin.constraints);
    specs = [...specs, ...contributed(plugin)];
    try {
      registry = new SettingsRegistry(specs, { modelKinds, constraints });
    } catch (error) {
      if (error instanceof DeclarationError)
        throw new PluginError(`plug-in ${plugin.file}: ${error.message}`, { cause: error });
      throw error;
    }
  }
  return registry;
}

/** Where plug-ins of a data folder live. */
export const pluginsFolder = (dataFolder: string): string => join(dataFolder, 'plugins');
