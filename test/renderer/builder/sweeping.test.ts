import { describe, expect, it } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { quantile } from '../../../preload/shared/sweeps/quantiles.ts';
import { DISTRIBUTIONS, distributionsFor } from '../../../preload/shared/sweeps/distributions.ts';
import { distributionFrom, previewQuantile, summarise } from '../../../renderer/stores/draft/distributions.ts';
import { EMPTY_DRAFT } from '../../../renderer/stores/draft/draft.ts';
import { groupDropped, launchObstacle, runsSentence } from '../../../renderer/views/builder/model/planWords.ts';
import {
  byPlace,
  fixed,
  lineOf,
  placeKey,
  placeOf,
  problemsFromDropped,
} from '../../../renderer/stores/draft/problems.ts';
import { QUESTIONS, matches } from '../../../renderer/views/builder/model/search.ts';

const registry = builtInRegistry();
const specs = registry.names.map((name) => registry.get(name)!);
const byName = new Map(specs.map((spec) => [spec.name, spec]));
const isSetting = (name: string): boolean => byName.has(name);
const defaults = registry.defaults;

describe('distributions', () => {
  it('previews what the lab draws (would catch a preview of another distribution)', () => {
    for (const { kind } of DISTRIBUTIONS) {
      const parameter = distributionFrom(byName.get('optimizer.lr')!, kind, [0.001, 0.01]);
      for (const u of [0.05, 0.3, 0.5, 0.77, 0.95]) {
        const { distribution: _, ...fields } = parameter;
        const drawn = quantile({ kind, ...fields } as never, u) as number;
        const shown = previewQuantile(parameter, u);
        expect(shown, `${kind} at ${u}`).toBe(drawn);
      }
    }
  });

  it('starts integers with integer bounds and steps, within the range of the setting', () => {
    const depth = byName.get('model.depth')!;
    for (const { kind, fields } of distributionsFor(depth)) {
      const parameter = distributionFrom(depth, kind, [4, 8]);
      if (fields.includes('q')) expect(Number.isInteger(parameter.q), kind).toBe(true);
      if (kind === 'int_uniform') expect(parameter).toMatchObject({ min: 4, max: 8 });
    }
    expect(distributionsFor(depth).some(({ kind }) => kind === 'uniform')).toBe(false);
    expect(distributionsFor(byName.get('model.mlp')!)).toEqual([]);
  });

  it('shows the values, not the exponents, of exponent forms (would catch the natural-log trap in a chip)', () => {
    expect(summarise({ distribution: 'log_uniform', min: Math.log(1e-4), max: Math.log(1e-2) }).range).toBe(
      '0.0001 … 0.01',
    );
    expect(summarise({ min: 1, max: 5 })).toEqual({ range: '1 … 5', what: 'integers' });
  });
});

describe('problems', () => {
  const problem = (setting: string, more: object = {}) => ({ setting, message: `${setting} is wrong`, ...more });

  it('finds the place of every kind of problem (would catch a problem that is shown nowhere)', () => {
    const key = (setting: string) => placeKey(placeOf(problem(setting), isSetting));
    expect(key('model.width')).toBe('model.width');
    expect(key('parameters.model.width.min')).toBe('model.width');
    expect(key('settings.model.width')).toBe('model.width');
    expect(key('parameters.seed')).toBe('seeds');
    expect(key('run_cap')).toBe('cap');
    expect(key('constraints.2')).toBe('constraint 2');
    expect(key('early_terminate')).toBe('method');
    expect(key('parameters')).toBe('sweep');
    expect(
      byPlace([problem('model.width'), problem('parameters.model.width')], isSetting).get('model.width'),
    ).toHaveLength(2);
  });

  it('fixes a fixed value, one of a list, and the end of a range (would catch a click that replaces the whole list)', () => {
    const fix = (draft: typeof EMPTY_DRAFT, found: object, setting = 'model.depth') =>
      fixed(draft, problem(setting, found), isSetting, defaults);
    expect(fix({ ...EMPTY_DRAFT, settings: { 'model.depth': 0 } }, { value: 0, nearest: 1 })?.settings).toEqual({
      'model.depth': 1,
    });
    const list = { ...EMPTY_DRAFT, parameters: { 'model.depth': { values: [0, 8] } } };
    expect(fix(list, { value: 0, nearest: 1 })?.parameters['model.depth'].values).toEqual([1, 8]);
    const range = { ...EMPTY_DRAFT, parameters: { 'model.depth': { distribution: 'int_uniform', min: 0, max: 8 } } };
    expect(
      fix(range, { value: 0, nearest: 1, message: 'model.depth is 0 (the lower end of int_uniform)' })?.parameters[
        'model.depth'
      ],
    ).toMatchObject({ min: 1, max: 8 });
    const uniform = { ...EMPTY_DRAFT, parameters: { 'model.depth': { distribution: 'uniform', min: 1.5, max: 8 } } };
    expect(fix(uniform, { value: 'uniform', nearest: 'int_uniform' })?.parameters['model.depth']).toEqual({
      distribution: 'int_uniform',
      min: 1,
      max: 8,
    });
    expect(fix(list, { value: 0 })).toBeNull();
  });

  it('fixes what is no setting: run cap, method, a misspelt name with its values', () => {
    expect(fixed(EMPTY_DRAFT, problem('run_cap', { nearest: 3 }), isSetting, defaults)?.runCap).toBe(3);
    expect(fixed(EMPTY_DRAFT, problem('method', { nearest: 'random' }), isSetting, defaults)?.method).toBe('random');
    const misspelt = { ...EMPTY_DRAFT, parameters: { 'model.widht': { values: [64, 128] } } };
    expect(
      fixed(misspelt, problem('model.widht', { nearest: 'model.width' }), isSetting, defaults)?.parameters,
    ).toEqual({ 'model.width': { values: [64, 128] } });
  });

  it('turns what the rules of the lab say of a dropped run into a problem of the setting, with its fix (would catch a reason without a place)', () => {
    const wrong = { ...defaults, 'model.width': 64, 'model.heads': 7 };
    const [{ message, code }] = builtInCatalog.check(wrong).problems;
    const [found] = problemsFromDropped(
      [
        { code, reason: message },
        { code, reason: message },
        { code: 'constraint', reason: 'a: b = 1' },
      ],
      isSetting,
    );
    expect(found).toMatchObject({ setting: 'model.heads', value: 7 });
    const draft = {
      ...EMPTY_DRAFT,
      settings: { 'model.width': 64 },
      parameters: { 'model.heads': { values: [4, 7] } },
    };
    const next = fixed(draft, found, isSetting, defaults)!;
    const heads = next.parameters['model.heads'].values!;
    expect(heads[0]).toBe(4);
    expect(builtInCatalog.check({ ...wrong, 'model.heads': heads[1] }).problems).toEqual([]);
  });

  it.each([
    ['learned', 33, 4],
    ['rotary', 36, 4],
    ['rotary', 33, 3],
  ])('offers the nearest width beside the nearest heads (%s, width %i, %i heads)', (positions, width, heads) => {
    const wrong = { ...defaults, 'model.positions': positions, 'model.width': width, 'model.heads': heads };
    const [{ message, code }] = builtInCatalog.check(wrong).problems;
    const [found] = problemsFromDropped([{ code, reason: message }], isSetting);
    expect(found.others).toMatchObject([{ setting: 'model.width', value: width }]);
    // It stands beside both settings, and either fix is valid.
    const places = byPlace([found], isSetting);
    expect([...places.keys()]).toEqual(['model.heads', 'model.width']);
    // A mere note (some combinations were dropped) is not said twice.
    expect([...byPlace([found], isSetting, false).keys()]).toEqual(['model.heads']);
    const draft = { ...EMPTY_DRAFT, parameters: { 'model.width': { values: [16, width] } } };
    const next = fixed(draft, { ...found.others![0], message }, isSetting, defaults)!;
    const [, changed] = next.parameters['model.width'].values!;
    expect(builtInCatalog.check({ ...wrong, 'model.width': changed as number }).problems).toEqual([]);
  });

  it('finds the line of a problem in a file', () => {
    expect(lineOf(problem('x', { where: 'sweep.yaml:12:3' }))).toBe(12);
    expect(lineOf({ setting: 'x', message: 'sweep.yaml:7:1: x is wrong' })).toBe(7);
    expect(lineOf(problem('x'))).toBeNull();
  });
});

describe('the words of the plan', () => {
  it('says what is launched, and why not, the most telling reason first', () => {
    expect(runsSentence(24, 8, 3)).toEqual({ total: '24\u00A0runs', how: '8\u00A0settings × 3\u00A0seeds' });
    const fine = {
      online: true,
      current: true,
      failed: null,
      problems: [],
      runs: 4,
      doesNotFit: 0,
      neededWords: '',
      force: false,
      launching: false,
    };
    expect(launchObstacle(fine)).toBeNull();
    expect(launchObstacle({ ...fine, current: false })).toBe('Planning');
    expect(launchObstacle({ ...fine, online: false })).toContain('connection');
    expect(launchObstacle({ ...fine, problems: [{ message: 'a' }, { message: 'b' }] })).toContain('a (and 1');
    expect(launchObstacle({ ...fine, doesNotFit: 2 })).toContain('2\u00A0runs of 4 do not fit');
    expect(launchObstacle({ ...fine, doesNotFit: 2, force: true })).toBeNull();
    expect(launchObstacle({ ...fine, runs: 0, force: true })).toContain('nothing to run');
  });

  it('groups dropped combinations by rule, whatever their numbers', () => {
    const dropped = [64, 128, 256].map((width) => ({
      label: `width=${width}`,
      values: {},
      reason: `model.width % model.heads == 0: ${width} % 3 = 1`,
    }));
    const groups = groupDropped([...dropped, { label: 'x', values: {}, reason: 'other' }]);
    expect(groups.map(({ combinations }) => combinations.length)).toEqual([3, 1]);
    expect(groups[0].why).toBe('model.width % model.heads == 0');
  });

  it('shows every setting under one of the six questions, and finds it by words of its help', () => {
    const questions = new Set<string>(QUESTIONS.map(({ name }) => name));
    for (const spec of specs) expect(questions.has(spec.question), spec.name).toBe(true);
    expect(matches(byName.get('optimizer.lr')!, 'learning rate peak')).toBe(true);
    expect(matches(byName.get('model.mlp')!, 'swiglu')).toBe(true);
    expect(matches(byName.get('model.mlp')!, 'sgd')).toBe(false);
  });
});
