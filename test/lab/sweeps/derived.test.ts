import { describe, expect, test } from 'vitest';
import { builtInRegistry, listRecipes } from '../../../main/lab/settings/index.ts';
import { parseSweep, planSweep } from '../../../main/lab/sweeps/index.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();
const plan = (text: string) => planSweep({ registry, sweep: parseSweep(text).sweep!, recipes });
const dial = (more: string) =>
  plan(`method: grid\nparameters:
  model.kind: { value: depth-dial }
  model.head_size: { value: 32 }
  model.aspect_ratio: { value: 32 }
  stop.tokens: { value: 100000 }
${more}`);

describe('what follows from other settings', () => {
  test('is listed over all runs with its rule (catches a width that is shown as that of the first depth)', () => {
    const { derived, runs, problems } = dial('  model.depth: { values: [1, 2, 3] }');
    expect(problems).toEqual([]);
    expect(derived['model.width']).toEqual({
      rules: ['model.depth × model.aspect_ratio, up to a multiple of model.head_size'],
      values: [32, 64, 96],
      more: 0,
      replaced: false,
    });
    // Every value that is called derived is that of the runs.
    for (const [name, { values, replaced }] of Object.entries(derived))
      if (!replaced) expect(new Set(values), name).toEqual(new Set(runs.map(({ config }) => config[name])));
    for (const name of ['model.heads', 'batch.sequences', 'optimizer.lr', 'optimizer.weight_decay'])
      expect(derived[name]!.rules[0], name).toBeTruthy();
    expect(derived['model.depth']).toBeUndefined();
  });

  test('is still told where something replaces it (catches a rule that is gone once a value was typed)', () => {
    const { derived } = dial('  model.depth: { values: [1, 2] }\n  model.width: { values: [64, 128] }');
    expect(derived['model.width']).toMatchObject({ values: [32, 64], replaced: true });
    expect(derived['model.head_size']).toMatchObject({ values: [128], replaced: true });
  });

  test('names the values of runs where it does not follow too (catches half of a column)', () => {
    const { derived } = plan(`method: grid\nparameters:
  model.kind: { values: [gpt, depth-dial] }
  model.depth: { value: 2 }
  model.context: { value: 64 }
  stop.tokens: { value: 100000 }`);
    expect(new Set(derived['model.tied']!.values)).toEqual(new Set([true, false]));
  });

  test('says what a value that gave way has to be, once for all widths (catches the reason of an error as a rule)', () => {
    const { derived } = plan(`method: grid\nrecipe: quick\nparameters:
  model.kind: { values: [gpt, depth-dial] }
  model.depth: { value: 2 }
  model.width: { values: [32, 64] }`);
    expect(derived['model.head_size']!.rules).toEqual(['heads that fill model.width … (… gave way to what is set)']);
    const one = plan('method: grid\nrecipe: quick\nparameters: { model.heads: { value: 3 } }');
    expect(one.derived['model.width']!.rules).toEqual([
      'a multiple of 2 × model.heads = 6 (rotary positions turn pairs) (64 gave way to what is set)',
    ]);
  });

  test('counts what it does not list, and shows what was refused', () => {
    const depths = Array.from({ length: 12 }, (_, i) => i + 1);
    const { derived } = dial(`  model.depth: { values: [${depths.join(', ')}] }`);
    expect(derived['model.width']).toMatchObject({ values: depths.slice(0, 8).map((depth) => 32 * depth), more: 4 });
    const refused = dial('  model.depth: { value: 2 }\n  model.positions: { value: learned }');
    expect(refused.runs).toEqual([]);
    expect(refused.derived['model.width']).toMatchObject({ values: [64] });
    const wrong = dial('  model.depth: { value: 2 }\n  model.depht: { value: 2 }');
    expect(wrong.problems.map(({ code }) => code)).toEqual(['unknown']);
    expect(wrong.derived).toBeDefined();
  });

  test('is nothing for a plain model', () => {
    const { derived } = plan('method: grid\nparameters: { model.depth: { values: [1, 2] } }');
    expect(Object.keys(derived).filter((name) => !['model.zero_query', 'model.rope_size'].includes(name))).toEqual([]);
  });
});
