/** Keys under which plans are remembered: only settings that change them count, so that a sweep over learning rates plans once. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Catalog } from '../../engine/catalog.ts';
import { isKeyMasked } from '../../engine/data/index.ts';
import { vocabularyOf } from '../../engine/data/tokenizers/index.ts';

const numbers = new WeakMap<Catalog, number>();
let catalogs = 0;

/** Plans of different catalogues are never mixed up: kinds of the same name may differ. */
function numberOf(catalog: Catalog): number {
  const known = numbers.get(catalog) ?? catalogs++;
  numbers.set(catalog, known);
  return known;
}

const ofOptimizer = (name: string): boolean => name.startsWith('optimizer.');

/** How settings enter, see `plan` of a setting; what is not declared counts by its value. */
function partsOf(config: Config, catalog: Catalog, wanted: (name: string) => boolean): string {
  return catalog.settings
    .filter(({ name, plan }) => plan !== 'none' && wanted(name))
    .map(({ name, plan }) => `${name}=${plan === 'switch' ? Number(config[name]) > 0 : config[name]}`)
    .join(' ');
}

/** Key of everything that shapes the model. */
export function modelKey(config: Config, catalog: Catalog): string {
  const parts = partsOf(config, catalog, (name) => !ofOptimizer(name));
  return `${numberOf(catalog)} vocabulary=${vocabularyOf(config, catalog)} masked=${isKeyMasked(config)} ${parts}`;
}

/** Key of everything that shapes an optimizer step, beside the model. */
export function optimizerKey(config: Config, catalog: Catalog): string {
  return partsOf(config, catalog, ofOptimizer);
}
