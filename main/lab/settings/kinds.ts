/** Kinds that only the lab knows, beside those of the engine: what a catalogue here has, and what plug-ins are called with. */
import { Catalog, SECTIONS } from '../../engine/catalog.ts';
import type { Contribution } from '../../engine/catalog.ts';
import { DeclarationError } from '../../engine/kind.ts';
import { PLUGIN_API as OF_THE_ENGINE } from '../../engine/plugins.ts';
import { defineExchange } from '../exchange/exchange.ts';
import { exchangeFamily } from '../exchange/index.ts';
import { defineImport } from '../imports/importKind.ts';
import { importFamily } from '../imports/index.ts';
import { searchFamily } from '../search/index.ts';
import { defineSearch } from '../search/search.ts';

/** What a plug-in's function is called with. */
export const PLUGIN_API = { ...OF_THE_ENGINE, defineExchange, defineImport, defineSearch };

/** @throws DeclarationError as the catalogue does, and for a kind of a family that nobody knows */
export function labCatalog(contributions: readonly Contribution[] = []): Catalog {
  const catalog = new Catalog(contributions, [...SECTIONS, exchangeFamily, importFamily, searchFamily]);
  for (const { kinds = [] } of contributions)
    for (const { family, name } of kinds)
      if (!catalog.knows(family))
        throw new DeclarationError(
          `${name}: there are no kinds of the family ${JSON.stringify(family)}: make kinds with the define functions`,
        );
  return catalog;
}
