/** Plug-in files of a data folder, and the registry with what they add. What a file may hold: engine/plugins.ts. */
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DeclarationError } from '../../engine/kind.ts';
import { loadPlugin, PluginError } from '../../engine/plugins.ts';
import type { Plugin } from '../../engine/plugins.ts';
import { labCatalog, PLUGIN_API } from './kinds.ts';
import { SettingsRegistry } from './registry.ts';

export type { Plugin } from '../../engine/plugins.ts';

/** The `.ts` files of a folder (not its tests or declarations), or the file itself. A folder that does not exist has none. */
async function pluginFiles(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info) return [];
  if (info.isFile()) return [resolve(path)];
  const names = (await readdir(path)).filter((name) => /\.m?ts$/u.test(name) && !/\.(d|test)\.m?ts$/u.test(name));
  return names.sort().map((name) => resolve(path, name));
}

/**
 * Loads every plug-in of the given files and folders, in order, a file that is named again once. `api` replaces what each is called with. Throws PluginError naming the
 * file; a named file that does not exist is an error, a missing folder is not.
 */
export async function loadPlugins(paths: readonly string[], api: object = PLUGIN_API): Promise<Plugin[]> {
  const plugins: Plugin[] = [];
  for (const path of paths) {
    const files = await pluginFiles(path);
    if (files.length === 0 && /\.m?ts$/u.test(path)) throw new PluginError(`plug-in ${path}: there is no such file`);
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
