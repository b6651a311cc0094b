/** The public face of the settings service. */
export type { Rule, RuleFinding } from '../../../preload/shared/settings/rules.ts';
export { Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';
export { loadPlugins, type Plugin, PluginError, registryWithPlugins } from './plugins.ts';
export {
  isOwnRecipe,
  listRecipes,
  loadRecipe,
  parseRecipe,
  type Recipe,
  RecipeError,
  RECIPES_FOLDER,
  resolveValues,
} from './recipes.ts';
export { builtInRegistry, DeclarationError, QUESTIONS, sectionOf, SettingsRegistry } from './registry.ts';
export { resolveConfig, type Resolved, type ResolveInput } from './resolve.ts';
export { tokensPerStep } from '../../engine/settings/batch.ts';
export { flagSource, type Origin, parseConfigFile, type SettingsSource } from './source.ts';
export { editDistance, nearestName } from '../../../preload/shared/settings/nearest.ts';
export {
  checkValue,
  describeType,
  formatValue,
  parseValue,
  problem,
  showValue,
} from '../../../preload/shared/settings/values.ts';
