import { corpusOf } from '../../../engine/data/corpora/index.ts';
import type { Kinds } from '../../../engine/kind.ts';
import { LabError } from '../../../../preload/contract/rpc.ts';
import type { RecipeCard } from '../../../../preload/contract/shapes.ts';
import { draftOfRecipe } from '../../../../preload/shared/sweeps/recipe.ts';
import { exchangeFamily } from '../../../lab/exchange/index.ts';
import { importFamily } from '../../../lab/imports/index.ts';
import { searchFamily } from '../../../lab/search/index.ts';
import { listRecipes, resolveValues } from '../../../lab/settings/index.ts';
import type { Recipe } from '../../../lab/settings/index.ts';
import { checkup } from '../../checkup.ts';
import { packageVersion } from '../../version.ts';
import { configOf } from '../hub.ts';
import type { Door, Handlers, Hub } from '../hub.ts';

export function appRoutes(
  hub: Hub,
): Handlers<'app' | 'browsers' | 'devices' | 'recipes' | 'settings' | 'metrics' | 'kinds' | 'views' | 'queue'> {
  const { lab, queue, planner } = hub;
  const { registry } = lab;
  const door = (): Door => {
    const found = hub.door();
    if (found === undefined)
      throw new LabError('state', 'The desktop app serves no browsers; end it and start: sweeplab serve');
    return found;
  };
  return {
    'app.info': () => ({
      version: packageVersion(),
      codeVersion: lab.codeVersion,
      dataDir: lab.paths.home,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      instance: hub.instance,
    }),
    'app.doctor': async () => ({ findings: await checkup(lab.paths, lab.plugins) }),
    'browsers.address': () => ({ url: door().url() }),
    'browsers.forget': () => ({ forgotten: door().forget() }),
    'devices.list': async () => ({ devices: await hub.devices.list() }),

    'recipes.list': async () => ({ recipes: (await listRecipes()).map((recipe) => cardOf(recipe, registry.catalog)) }),

    'recipes.check': async ({ recipe }, { signal }) => {
      const found = (await listRecipes()).find(({ name }) => name === recipe);
      if (found === undefined) throw new LabError('not-found', `There is no recipe ${recipe}.`);
      const device = await planner.device(await configOf(registry, { values: {}, recipe }), {});
      return await planner.ask('recipe', { draft: draftOfRecipe(found), device }, signal);
    },

    'settings.list': () => ({
      specs: registry.specs,
      questions: registry.questions().map(({ question, specs }) => ({ question, names: specs.map(nameOf) })),
      sections: registry.sections().map(({ name, specs }) => ({ name, names: specs.map(nameOf) })),
      defaults: registry.defaults,
    }),
    'metrics.list': () => ({ specs: lab.metrics.specs }),
    'kinds.list': () => ({
      methods: registry.catalog.all(searchFamily).map(({ name, label, help, draws }) => ({ name, label, help, draws })),
      formats: registry.catalog
        .all(exchangeFamily)
        .map(({ name, label, help, extensions, options = [] }) => ({ name, label, help, extensions, options })),
      imports: registry.catalog.all(importFamily).map(({ name, label, help }) => ({ name, label, help })),
    }),
    'settings.check': async (input) => {
      const { config, problems, warnings, changed, origins } = await resolveValues(registry, input);
      const applies = registry.names.filter((name) => registry.applies(name, config));
      const given = registry.names.filter((name) => !['default', 'derived'].includes(origins[name]!));
      return { config, problems, warnings, changed, applies, given };
    },

    'queue.get': () => queue.state,
    'queue.setConcurrency': ({ concurrency }) => {
      queue.setConcurrency(concurrency);
      return queue.state;
    },
    'queue.pause': () => {
      queue.pause();
      return queue.state;
    },
    'queue.resume': () => {
      queue.resume();
      return queue.state;
    },
    'queue.move': ({ ids, before }) => {
      queue.move(ids, before);
      return queue.state;
    },

    'views.get': ({ key }) => ({ value: hub.views.get(key) }),
    'views.set': async ({ key, value }) => {
      await hub.views.set(key, value);
      return { saved: true };
    },
  };
}

const nameOf = ({ name }: { readonly name: string }): string => name;

function cardOf({ name, title, teaches, about, sweep, source }: Recipe, kinds: Kinds): RecipeCard {
  const corpus = source.entries.find((entry) => entry.name === 'data.corpus')?.value;
  const { kind } = corpusOf(corpus === undefined ? {} : { 'data.corpus': corpus as string }, kinds);
  return { name, title, teaches, about, download: kind.download === true, ...(sweep === undefined ? {} : { sweep }) };
}
