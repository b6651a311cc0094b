/** The public face of the settings service. */
export { loadPlugins, type Plugin, registryWithPlugins } from './plugins.ts';
export { isOwnRecipe, listRecipes, loadRecipe, parseRecipe, type Recipe, resolveValues } from './recipes.ts';
export { builtInRegistry, DeclarationError, SettingsRegistry } from './registry.ts';
export { resolveConfig, type ResolveInput } from './resolve.ts';
export { parseConfigFile, type SettingsSource } from './source.ts';
