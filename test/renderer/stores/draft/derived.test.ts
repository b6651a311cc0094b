/** The form's values of settings that follow from others, with the plans that the lab would give. */
import { nextTick } from 'vue';
import { expect, test, vi } from 'vitest';
import type { Draft } from '../../../../preload/contract/draft.ts';
import { builtInRegistry, listRecipes, resolveConfig } from '../../../../main/lab/settings/index.ts';
import { planSweep } from '../../../../main/lab/sweeps/index.ts';
import { useBuilder } from '../../../../renderer/stores/draft.ts';
import { isChanged, reset, setFixed, setValues } from '../../../../renderer/stores/draft/draft.ts';
import { testLab } from '../support.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();

async function form(recipe: string) {
  testLab({
    'settings.list': () => ({ specs: registry.specs }),
    'recipes.list': () => ({ recipes: [] }),
    'views.get': () => ({ value: null }),
    'views.set': () => ({}),
    'settings.check': () => {
      const { config, origins } = resolveConfig({
        registry,
        recipe: recipes.find(({ name }) => name === recipe)!.source,
      });
      return { config, given: Object.keys(origins).filter((name) => origins[name] === 'recipe') };
    },
    'sweeps.plan': ({ draft }: { draft: Draft }) => {
      const { runs, ...plan } = planSweep({ registry, sweep: draft, recipes });
      return { ...plan, runs: runs.length, groups: [], pending: 0 };
    },
  });
  const builder = useBuilder();
  builder.chooseRecipe(recipe);
  await builder.ready();
  const planned = () => vi.waitFor(() => expect(builder.current).toBe(true));
  await planned();
  const change = async (next: Draft) => {
    builder.change(next);
    await nextTick();
    await planned();
  };
  return { builder, change };
}

test('show what follows in all runs (catches one width beside three depths)', async () => {
  const { builder, change } = await form('depth-dial-small');
  expect(builder.field('model.width')).toEqual({ form: 'derived', values: [64], more: 0 });
  await change(setValues(builder.draft, 'model.depth', [1, 2, 3], builder.base));
  expect(builder.field('model.width')).toEqual({ form: 'derived', values: [32, 64, 96], more: 0 });
  expect(builder.valuesIn('model.width')).toEqual([32, 64, 96]);
  expect(isChanged(builder.field('model.width'), builder.byName.get('model.width')!)).toBe(false);
  expect(builder.derived.get('model.width')!.rules[0]).toContain('model.depth × model.aspect_ratio');
  // Conditions see it too: the pattern's settings have an effect, since its kind follows.
  expect(builder.isActive(builder.byName.get('attention.short_window')!)).toBe(true);
});

test('take any value that is typed, also what the recipe alone would give (catches a 64 that turns back into 32, 64, 96)', async () => {
  const { builder, change } = await form('depth-dial-small');
  await change(setValues(builder.draft, 'model.depth', [1, 2, 3], builder.base));
  await change(setFixed(builder.draft, 'model.width', 64, builder.base));
  expect(builder.field('model.width')).toEqual({ form: 'fixed', value: 64 });
  expect(builder.before('model.width')).toBe('32, 64, 96');
  await change(setFixed(builder.draft, 'model.width', 64, builder.base));
  expect(builder.draft.settings['model.width']).toBe(64);
  await change(reset(builder.draft, 'model.width'));
  expect(builder.field('model.width')).toMatchObject({ form: 'derived', values: [32, 64, 96] });
});

test('leave alone what the recipe sets (catches a value of the recipe that is called derived)', async () => {
  const { builder, change } = await form('depth-dial-small');
  expect(builder.field('model.head_size')).toEqual({ form: 'base', value: 32 });
  await change(setFixed(builder.draft, 'model.head_size', 64, builder.base));
  expect(builder.before('model.head_size')).toBe('32');
  await change(setFixed(builder.draft, 'model.head_size', 32, builder.base));
  expect(builder.draft.settings).toEqual({});
});

test('show what a value of the recipe gave way to (catches a form that says four heads where runs have three)', async () => {
  const { builder, change } = await form('quick');
  await change(setFixed(builder.draft, 'model.width', 66, builder.base));
  const { runs, derived } = builder.plan!;
  expect(runs).toBeGreaterThan(0);
  expect(derived['model.heads']).toMatchObject({ replaced: false });
  expect(builder.field('model.heads')).toMatchObject({ form: 'derived', values: derived['model.heads']!.values });
});
