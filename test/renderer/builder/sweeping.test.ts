import { describe, expect, it } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { checkValue } from '../../../preload/shared/settings/values.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { quantile } from '../../../preload/shared/sweeps/quantiles.ts';
import { distributionsFor } from '../../../preload/shared/sweeps/distributions.ts';
import { distributionFrom, previewQuantile, summarise } from '../../../renderer/stores/draft/distributions.ts';
import {
  groupDropped,
  launchObstacle,
  numbersOf,
  runsSentence,
} from '../../../renderer/views/builder/model/planWords.ts';
import { QUESTIONS, matches } from '../../../renderer/views/builder/model/search.ts';

const registry = builtInRegistry();
const specs = registry.names.map((name) => registry.get(name)!);
const byName = new Map(specs.map((spec) => [spec.name, spec]));
const defaults = registry.defaults;

describe('distributions', () => {
  it('previews what the lab draws (would catch a preview of another distribution)', () => {
    for (const { kind } of distributionsFor(byName.get('optimizer.lr')!)) {
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

describe('the words of the plan', () => {
  it('says what is launched, and why not, the most telling reason first', () => {
    expect(runsSentence(24, 8, 3)).toEqual({ total: '24\u00A0runs', how: '8\u00A0settings × 3\u00A0seeds' });
    const fine = {
      unread: false,
      online: true,
      current: true,
      failed: null,
      problems: [],
      deviceProblem: null,
      runs: 4,
      doesNotFit: 0,
      neededWords: '',
      force: false,
      launching: false,
    };
    expect(launchObstacle(fine)).toBeNull();
    expect(launchObstacle({ ...fine, current: false })).toBe('Planning');
    expect(launchObstacle({ ...fine, online: false })).toContain('connection');
    // The plan is of the draft before the text, which would be launched unseen.
    expect(launchObstacle({ ...fine, unread: true })).toContain('YAML');
    expect(launchObstacle({ ...fine, problems: [{ message: 'a' }, { message: 'b' }] })).toContain('a (and 1');
    expect(launchObstacle({ ...fine, deviceProblem: 'no GPU driver', force: true })).toBe('no GPU driver');
    expect(launchObstacle({ ...fine, doesNotFit: 2 })).toContain('2\u00A0runs of 4 do not fit');
    expect(launchObstacle({ ...fine, doesNotFit: 2, force: true })).toBeNull();
    expect(launchObstacle({ ...fine, runs: 0, force: true })).toContain('nothing to run');
  });

  it('groups dropped combinations by rule, whatever their numbers', () => {
    const dropped = [64, 128, 256].map((width) => ({
      label: `width=${width}`,
      values: {},
      problem: builtInCatalog.check({ ...defaults, 'model.width': width, 'model.heads': 3 }).problems[0],
    }));
    const rate = { ...checkValue(byName.get('optimizer.lr')!, -1)!, code: 'value' };
    const groups = groupDropped([...dropped, { label: 'x', values: {}, problem: rate }]);
    expect(groups.map(({ combinations }) => combinations.length)).toEqual([3, 1]);
    expect(groups.map(({ why }) => why)).toEqual(['model.width % model.heads', 'optimizer.lr: a number above 0']);
    expect(groups.map(({ combinations: [first] }) => numbersOf(first))).toEqual(['64 % 3 = 1', '-1']);
  });

  it('shows every setting under one of the six questions, and finds it by words of its help', () => {
    const questions = new Set<string>(QUESTIONS.map(({ name }) => name));
    for (const spec of specs) expect(questions.has(spec.question), spec.name).toBe(true);
    expect(matches(byName.get('optimizer.lr')!, 'learning rate peak')).toBe(true);
    expect(matches(byName.get('model.mlp')!, 'swiglu')).toBe(true);
    expect(matches(byName.get('model.mlp')!, 'sgd')).toBe(false);
  });
});
