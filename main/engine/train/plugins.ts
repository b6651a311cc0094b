/** Loads the models of plug-in files. Their settings were declared, and the files checked, before the run was planned. */
import { pathToFileURL } from 'node:url';
import * as operations from '../graph/ops/index.ts';
import type { ModelDefinition } from '../nn/model.ts';

/** What a plug-in's function is called with. */
export const PLUGIN_API = { ops: operations };

/** A plug-in that does not load; the message names its file. */
export class PluginLoadError extends Error {
  override readonly name = 'PluginLoadError';
}

/** The models of all these files (absolute paths), in order. */
export async function loadPluginModels(files: readonly string[]): Promise<ModelDefinition[]> {
  const models: ModelDefinition[] = [];
  for (const file of files) {
    try {
      const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
      if (typeof module.default !== 'function') throw new Error('it has no default export that is a function');
      const plugin = (await (module.default as (api: object) => unknown)(PLUGIN_API)) as {
        models?: Readonly<Record<string, ModelDefinition>>;
      };
      for (const model of Object.values(plugin.models ?? {})) {
        if (typeof model.build !== 'function') throw new Error(`its model ${model.name} has no build function`);
        models.push(model);
      }
    } catch (error) {
      throw new PluginLoadError(`plug-in ${file}: ${(error as Error).message}`, { cause: error });
    }
  }
  return models;
}
