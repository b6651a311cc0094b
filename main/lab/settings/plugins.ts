/** Plug-in files of a data folder, and the registry with what they add. What a file may hold: engine/plugins.ts. */
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DeclarationError } from '../../engine/kind.ts';
import { loadPlugin, PluginError } from '../../engine/plugins.ts';
import type { Plugin } from '../../engine/plugins.ts';
import { readProblem } from '../../files/words.ts';
import { labCatalog, PLUGIN_API } from './kinds.ts';
import { SettingsRegistry } from './registry.ts';

export type { Plugin } from '../../engine/plugins.ts';

/** The `.ts` files of a folder (not its tests or declarations), or the file itself. @throws what the file system says */
async function pluginFiles(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [resolve(path)];
  const names = (await readdir(path)).filter((name) => /\.m?ts$/u.test(name) && !/\.(d|test)\.m?ts$/u.test(name));
  return names.sort().map((name) => resolve(path, name));
}

export interface PluginPlaces {
  /** Loaded before the others; it need not be there, nor hold any. */
  readonly own?: string;
  /** Replaces what each is called with. */
  readonly api?: object;
}

/**
 * Loads every plug-in of the given files and folders, in order, a file that is named again once. Whoever names one wants what it adds: where
 * there is none that is an error.
 * @throws PluginError naming the file or folder
 */
export async function loadPlugins(
  paths: readonly string[],
  { own, api = PLUGIN_API }: PluginPlaces = {},
): Promise<Plugin[]> {
  const plugins: Plugin[] = [];
  for (const path of own === undefined ? paths : [own, ...paths]) {
    const files = await pluginFiles(path).catch((error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
      // A data folder that is a file is said where it is opened.
      if (path === own && missing) return [];
      const why = missing ? 'there is no such file or folder' : `cannot be read: ${readProblem(error)}`;
      throw new PluginError(`plug-in ${path}: ${why}`, { cause: error });
    });
    if (files.length === 0 && path !== own)
      throw new PluginError(`plug-in ${path}: the folder holds none; plug-ins are files that end in .ts`);
    for (const file of files) {
      if (plugins.some((each) => each.file === file)) continue;
      const plugin = await loadPlugin(file, api);
      const twin = plugins.find(({ name }) => name === plugin.name);
      if (twin) throw new PluginError(`plug-in ${file}: the name ${plugin.name} is taken by ${twin.file}`);
      plugins.push(plugin);
    }
  }
  return plugins;
}

/** The registry with plug-ins. Throws PluginError when two declarations collide or one is wrong, naming the file. */
export function registryWithPlugins(plugins: readonly Plugin[]): SettingsRegistry {
  let registry = new SettingsRegistry(labCatalog());
  plugins.forEach((plugin, i) => {
    const sofar = plugins.slice(0, i + 1);
    try {
      registry = new SettingsRegistry(
        labCatalog(sofar),
        sofar.flatMap(({ constraints }) => constraints),
      );
    } catch (error) {
      if (!(error instanceof DeclarationError)) throw error;
      throw new PluginError(`plug-in ${plugin.file}: ${error.message}`, { cause: error });
    }
  });
  return registry;
}
