import { describe, expect, it } from 'vitest';
import { planSweep } from '../../../main/lab/sweeps/index.ts';
import { EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import {
  builtInRegistry,
  listRecipes,
  loadRecipe,
  parseRecipe,
  resolveConfig,
} from '../../../main/lab/settings/index.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();

describe('recipes', () => {
  it('has the ones that the guide names (catches a lost file)', () => {
    expect(recipes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['quick', 'shakespeare', 'stories-small', 'gpt2-124m', 'hn-titles', 'llama-style']),
    );
  });

  it.each(recipes.map((recipe) => [recipe.name, recipe] as const))(
    '%s runs as it is, without a warning (catches a recipe broken by a renamed setting or a new rule)',
    (_, recipe) => {
      const { problems, warnings, changed } = resolveConfig({ registry, recipe: recipe.source });
      expect(problems).toEqual([]);
      expect(warnings).toEqual([]);
      expect(changed.length).toBeGreaterThan(3);
    },
  );

  it('has a first sweep with several settings and seeds, all of which can run (would catch a quick start that shows no spread)', async () => {
    const { sweep, name } = await loadRecipe('quick');
    const plan = planSweep({ registry, sweep: { ...EMPTY_DRAFT, recipe: name, ...sweep }, recipes });
    expect(plan.problems).toEqual([]);
    expect(plan.dropped).toEqual([]);
    expect([plan.settings.length, plan.seeds.length, plan.runs.length]).toEqual([4, 2, 8]);
  });

  it('is found by name, with the nearest name otherwise (catches a bare "not found")', async () => {
    expect((await loadRecipe('quick')).title).toBe('Quick start');
    await expect(loadRecipe('quik')).rejects.toThrow(/quik.*allowed: one of .*nearest: quick/u);
    await expect(loadRecipe('/nowhere/mine.yaml')).rejects.toThrow('/nowhere/mine.yaml');
  });

  it.each([
    ['title: x\nsettings: {}', 'teaches'],
    ['title: x\nteaches: y\nabout: { size: 1, data: d, minutes: 1, machine: m }\nsettings: { seed: 1 }', 'about.size'],
    ['title: x\nteaches: y\nabout: { size: s, data: d, minutes: 1, machine: m }', 'settings'],
    [
      'title: x\nteaches: y\nextra: 1\nabout: { size: s, data: d, minutes: 1, machine: m }\nsettings: { seed: 1 }',
      'extra',
    ],
    ['title: [', 'r.yaml:1'],
  ])('refuses header %# (catches a recipe that shows blanks in a list)', (text, part) => {
    expect(() => parseRecipe(text, 'r.yaml')).toThrow(part);
  });
});
