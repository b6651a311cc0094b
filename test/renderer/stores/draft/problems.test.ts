/** Problems as records: where each belongs in the form, and its fix. Nothing here may depend on the words of a message. */
import { describe, expect, it } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { builtInRegistry, listRecipes } from '../../../../main/lab/settings/index.ts';
import { planSweep } from '../../../../main/lab/sweeps/index.ts';
import { type Draft, EMPTY_DRAFT } from '../../../../preload/contract/draft.ts';
import type { Problem } from '../../../../preload/contract/settings.ts';
import {
  byPlace,
  fixed,
  type Fixable,
  lineOf,
  placeKey,
  placeOf,
  problemsFromDropped,
  tellDropped,
} from '../../../../renderer/stores/draft/problems.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();
const { defaults } = registry;
const isSetting = (name: string): boolean => registry.has(name);
const problem = (setting: string, more: object = {}): Problem => ({
  code: 'value',
  setting,
  value: 0,
  allowed: 'something else',
  message: 'x',
  ...more,
});

/** What the form has to show of a draft: problems, and why combinations were dropped. */
function problemsOf(sweep: Draft): Problem[] {
  const plan = planSweep({ registry, sweep, recipes });
  return [
    ...plan.problems.filter(({ code }) => code !== 'nothing_left'),
    ...problemsFromDropped(plan.dropped, isSetting),
  ];
}

/** A record as it would be if every sentence of the lab were written anew. */
const reworded = (found: Problem): Problem => ({
  ...found,
  message: 'x',
  allowed: 'x',
  ...(found.why ? { why: 'x' } : {}),
});

const draft = (more: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, ...more });
const swept = (name: string, parameter: Draft['parameters'][string], more: Partial<Draft> = {}): Draft =>
  draft({ parameters: { [name]: parameter }, ...more });
const random = { method: 'random', runCap: 4 } as const;

describe('fixes', () => {
  it.each<[string, Draft]>([
    ['a value out of range', draft({ settings: { 'model.depth': 0 } })],
    ['a misspelt choice', draft({ settings: { 'optimizer.kind': 'adamww' } })],
    ['one of a list', swept('model.depth', { values: [0, 8] })],
    ['a misspelt setting', draft({ settings: { 'model.widht': 64 } })],
    ['a misspelt swept setting', swept('model.widht', { values: [64, 128] })],
    ['the lower end of integers', swept('model.depth', { distribution: 'int_uniform', min: 0, max: 3 })],
    ['the upper end of integers', swept('model.depth', { distribution: 'int_uniform', min: 1020, max: 1030 })],
    ['both ends at once', swept('model.dropout', { distribution: 'uniform', min: -1, max: 1 }, random)],
    [
      'the end of exponents',
      swept('model.mlp_width', { distribution: 'q_log_uniform', min: -3, max: 12, q: 1 }, random),
    ],
    ['exponents that are values', swept('optimizer.lr', { distribution: 'log_uniform', min: 1e-4, max: 0.1 }, random)],
    ['inverse exponents', swept('optimizer.lr', { distribution: 'inv_log_uniform', min: 0.1, max: 0.9 }, random)],
    [
      'a distribution that gives no integers',
      swept('model.depth', { distribution: 'uniform', min: 1.5, max: 8 }, random),
    ],
    ['a bell that gives no integers', swept('model.depth', { distribution: 'normal', mu: 4, sigma: 0.2 }, random)],
    ['a logarithmic one', swept('model.mlp_width', { distribution: 'log_uniform_values', min: 16, max: 64 }, random)],
    ['bounds in the wrong order', swept('model.depth', { distribution: 'int_uniform', min: 9, max: 3 })],
    ['half an integer', swept('model.depth', { distribution: 'int_uniform', min: 1.5, max: 3 })],
    ['the lower end of a step', swept('model.width', { distribution: 'q_uniform', min: 0, max: 128, q: 64 })],
    [
      'the end of inverse exponents',
      swept('model.mlp_ratio', { distribution: 'inv_log_uniform', min: -9, max: 2 }, random),
    ],
    ['a negative deviation', swept('optimizer.lr', { distribution: 'normal', mu: 1, sigma: -1 }, random)],
    [
      'a misspelt distribution',
      swept('optimizer.lr', { distribution: 'log_unifrom_values', min: 0.1, max: 1 }, random),
    ],
    ['no end of a random search', swept('model.depth', { values: [1, 2] }, { method: 'random' })],
    ['a cap below the seeds', draft({ runCap: 2, seeds: 3 })],
    ['a misspelt recipe', draft({ recipe: 'quik' })],
    [
      'heads that do not divide the width',
      swept('model.heads', { values: [4, 7] }, { settings: { 'model.width': 64 } }),
    ],
    [
      'a micro-batch that does not divide',
      swept('batch.micro', { values: [3, 4] }, { settings: { 'batch.sequences': 8 } }),
    ],
    ['a method that does not run', draft({ method: 'bayes', metric: { name: 'val/loss', goal: 'minimize' } })],
    [
      'a step that is no integer',
      swept('model.depth', { distribution: 'q_normal', mu: 4, sigma: 0.1, q: 0.5 }, random),
    ],
    ['more experts than there are', draft({ settings: { 'model.experts': 4, 'model.experts_active': 8 } })],
    [
      'a pattern with a foreign letter',
      draft({ settings: { 'attention.kind': 'window_pattern', 'attention.pattern': 'SXL' } }),
    ],
    [
      'blocks beyond the context',
      swept('attention.block', { values: [16, 999] }, { settings: { 'attention.kind': 'sparse' } }),
    ],
    ['widths that heads do not divide', draft({ settings: { 'model.widths': '96 63 96' } })],
    ['a layer that does not exist', draft({ settings: { 'model.per_layer': '9: heads=2' } })],
    ['a window beyond the context', draft({ settings: { 'model.window': 999, 'model.context': 64 } })],
  ])('%s: offered whatever the words are, and it mends (catches a fix that hangs on a sentence)', (_, wrong) => {
    let now = wrong;
    // Each click mends one thing; what it was must not come back.
    for (let clicks = 0; clicks < 4; clicks++) {
      const [first] = problemsOf(now);
      if (first === undefined) return;
      const next = fixed(now, reworded(first), isSetting, defaults);
      expect(next, first.message).not.toBeNull();
      now = next!;
    }
    expect(problemsOf(now).map(({ message }) => message)).toEqual([]);
  });

  it.each([
    ['learned', 33, 4],
    ['rotary', 36, 4],
    ['rotary', 33, 3],
  ])('offers the nearest width beside the nearest heads (%s, width %i, %i heads)', (positions, width, heads) => {
    const settings = { 'model.positions': positions, 'model.heads': heads };
    const wrong = swept('model.width', { values: [width, 48] }, { settings });
    const [found] = problemsOf(wrong).map(reworded);
    expect(found.others).toMatchObject([{ setting: 'model.width', value: width }]);
    // It stands beside both settings, and either fix is valid.
    expect([...byPlace([found], isSetting).keys()]).toEqual(['model.heads', 'model.width']);
    // A mere note (some combinations were dropped) is not said twice.
    expect([...byPlace([found], isSetting, false).keys()]).toEqual(['model.heads']);
    for (const way of [found, ...found.others!].filter(({ nearest }) => nearest !== undefined)) {
      const next = fixed(wrong, way, isSetting, defaults)!;
      const [changed] = next.parameters['model.width'].values!;
      const config = { ...defaults, ...next.settings, 'model.width': changed as number };
      expect(builtInCatalog.check(config).problems).toEqual([]);
    }
  });

  it('leaves alone what has none, and the rest of a list (catches a click that replaces the whole list)', () => {
    const fix = (more: Partial<Fixable>): Draft | null =>
      fixed(swept('model.depth', { values: [0, 8] }), { ...problem('model.depth'), ...more }, isSetting, defaults);
    expect(fix({ nearest: 1 })?.parameters['model.depth'].values).toEqual([1, 8]);
    expect(fix({})).toBeNull();
    expect(fix({ value: 5, nearest: 1 })).toBeNull();
  });
});

describe('places', () => {
  it('finds the place of every kind of problem (would catch a problem that is shown nowhere)', () => {
    const key = (setting: string) => placeKey(placeOf(setting, isSetting));
    expect(key('model.width')).toBe('model.width');
    expect(key('parameters.model.width.min')).toBe('model.width');
    expect(key('settings.model.width')).toBe('model.width');
    expect(key('parameters.seed')).toBe('seeds');
    expect(key('run_cap')).toBe('cap');
    expect(key('constraints.2')).toBe('constraint 2');
    expect(key('early_terminate')).toBe('method');
    expect(key('parameters')).toBe('sweep');
    const two = [problem('model.width'), problem('parameters.model.width')];
    expect(byPlace(two, isSetting).get('model.width')).toHaveLength(2);
  });

  it('says once why combinations were dropped, and nothing of the constraints of the sweep', () => {
    const dropped = [7, 7, 5].map((heads) => ({
      problem: builtInCatalog.check({ ...defaults, 'model.width': 64, 'model.heads': heads }).problems[0],
    }));
    const wanted = { problem: problem('constraints.0', { code: 'constraint' }) };
    expect(problemsFromDropped([...dropped, wanted], isSetting).map(({ value }) => value)).toEqual([7, 5]);
  });

  it('knows when problems tell of all that was dropped (would catch one that is shown twice, or a constraint that is not)', () => {
    const of = (heads: number): Problem =>
      builtInCatalog.check({ ...defaults, 'model.width': 64, 'model.heads': heads }).problems[0]!;
    const dropped = [7, 7, 5].map((heads) => ({ problem: of(heads) }));
    const told = problemsFromDropped(dropped, isSetting);
    expect(tellDropped(told, dropped)).toBe(true);
    expect(tellDropped(told, [...dropped, { problem: of(3) }])).toBe(false);
    expect(tellDropped(told, [...dropped, { problem: problem('constraints.0', { code: 'constraint' }) }])).toBe(false);
    expect(tellDropped([], dropped)).toBe(false);
  });

  it('finds the line of a problem in a file', () => {
    expect(lineOf(problem('x', { where: 'sweep.yaml:12:3' }))).toBe(12);
    expect(lineOf(problem('x', { where: 'sweep.yaml' }))).toBeNull();
    expect(lineOf(problem('x'))).toBeNull();
  });
});
