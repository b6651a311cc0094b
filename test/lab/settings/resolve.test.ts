import { describe, expect, it } from 'vitest';
import { located } from '../../../preload/shared/settings/values.ts';
import { builtInRegistry, parseConfigFile, parseRecipe, resolveConfig } from '../../../main/lab/settings/index.ts';

const registry = builtInRegistry();
const recipe = parseRecipe(
  `title: t
teaches: something
about: { size: 1M, data: d, minutes: 1, machine: m }
settings: { model: { width: 64, heads: 2 }, optimizer.lr: 0.5, stop.steps: 10 }`,
  'r.yaml',
).source;

describe('resolveConfig', () => {
  it('layers recipe, file and flags, and says where each value came from (catches a layer that wins wrongly)', () => {
    const file = parseConfigFile('model.width: 32\noptimizer:\n  lr: 1e-2\ntokenizer.kind: bpe\n', 'c.yaml');
    const found = resolveConfig({ registry, recipe, file, overrides: { 'optimizer.lr': '2e-3', 'model.tied': 'no' } });
    expect(found.problems).toEqual([]);
    expect(found.config).toMatchObject({
      'model.width': 32,
      'model.heads': 2,
      'optimizer.lr': 0.002,
      'model.tied': false,
    });
    expect(Object.keys(found.config).sort()).toEqual([...registry.names].sort());
    expect(found.origins).toMatchObject({
      'model.heads': 'recipe',
      'model.width': 'file',
      'optimizer.lr': 'flag',
      seed: 'default',
    });
    expect(found.changed).toEqual([
      'tokenizer.kind',
      'model.width',
      'model.heads',
      'model.tied',
      'optimizer.lr',
      'stop.steps',
    ]);
  });

  it('reads a mixture as a map of texts too, whose paths are no settings', () => {
    for (const text of [
      'data:\n  mix: { stories: 0.7, path/to.code/x.txt: 0.3 }\n',
      'data.mix:\n  stories: 0.7\n  path/to.code/x.txt: 0.3\n',
      'data.mix: "stories: 0.7, path/to.code/x.txt: 0.3"\n',
    ]) {
      const { config, problems } = resolveConfig({ registry, file: parseConfigFile(text, 'm.yaml') });
      expect(problems).toEqual([]);
      expect(config['data.mix']).toBe('stories: 0.7, path/to.code/x.txt: 0.3');
    }
  });

  it('reads nested and dotted keys alike (catches one of the two forms dropped)', () => {
    const nested = resolveConfig({ registry, file: parseConfigFile('model:\n  width: 32\n  heads: 2\n', 'a') });
    const dotted = resolveConfig({ registry, file: parseConfigFile('model.width: 32\nmodel.heads: 2\n', 'b') });
    expect(nested.config).toEqual(dotted.config);
    expect(nested.config['model.width']).toBe(32);
  });

  it('takes plain text as numbers, quoted text as text (catches "64" passing as a width)', () => {
    const plain = resolveConfig({
      registry,
      file: parseConfigFile('stop.tokens: 10k\nmodel.tied: no\ndata.corpus: 123\n', 'a'),
    });
    expect(plain.problems).toEqual([]);
    expect(plain.config).toMatchObject({ 'stop.tokens': 10_000, 'model.tied': false, 'data.corpus': '123' });
    const quoted = resolveConfig({ registry, file: parseConfigFile('model.width: "64"\n', 'a.yaml') });
    expect(located(quoted.problems[0])).toContain('a.yaml:1:1: model.width is "64"');
  });

  it('keeps the line break of a separator and reads aliases (catches YAML features lost on the way)', () => {
    const file = parseConfigFile(
      'data.separator: "\\n---\\n"\nmodel: { width: &w 96, heads: 3 }\nmodel.head_size: *w\n',
      'a',
    );
    const found = resolveConfig({ registry, file });
    expect(found.problems).toEqual([]);
    expect(found.config).toMatchObject({ 'data.separator': '\n---\n', 'model.head_size': 96 });
  });

  it('lets the default number of steps step aside for another limit, but not for a target loss', () => {
    const steps = (overrides: Record<string, unknown>): unknown =>
      resolveConfig({ registry, overrides }).config['stop.steps'];
    expect(steps({ 'stop.epochs': 2 })).toBe(0);
    expect(steps({ 'stop.tokens': 5_000_000 })).toBe(0);
    expect(steps({ 'stop.tokens': 0 })).toBe(500);
    expect(steps({ 'stop.loss': 2 })).toBe(500);
    expect(steps({ 'stop.epochs': 2, 'stop.steps': 7 })).toBe(7);
    expect(resolveConfig({ registry, recipe, overrides: { 'stop.epochs': 2 } }).config['stop.steps']).toBe(10);
  });

  it('warns of a setting without effect, and still runs (catches a momentum sweep on adamw that changes nothing)', () => {
    const found = resolveConfig({ registry, overrides: { 'optimizer.momentum': 0.9 } });
    expect(found.problems).toEqual([]);
    expect(found.warnings.map(({ code }) => code)).toEqual(['no_effect']);
    expect(found.warnings[0].message).toContain('optimizer.kind = "adamw"');
  });

  it('says nothing of a value of the recipe that the user made idle (catches blaming the user for lines of a recipe)', () => {
    const held = parseConfigFile('data.validation: 0.03\noptimizer.momentum: 0.9\n', 'recipe.yaml');
    const about = (input: Omit<Parameters<typeof resolveConfig>[0], 'registry'>): (string | undefined)[] =>
      resolveConfig({ registry, ...input }).warnings.map(({ setting }) => setting);
    const overrides = { 'data.validation_path': 'other.txt' };
    const asRecipe = { ...held, origin: 'recipe' as const };
    // What the recipe itself leaves without effect is still said.
    expect(about({ recipe: asRecipe, overrides })).toEqual(['optimizer.momentum']);
    expect(about({ file: held, overrides })).toEqual(['data.validation', 'optimizer.momentum']);
  });

  it('accepts values of a form as they are (catches numbers turned into text)', () => {
    const found = resolveConfig({ registry, overrides: { 'model.depth': 2, 'model.tied': false } });
    expect(found.config).toMatchObject({ 'model.depth': 2, 'model.tied': false });
    expect(resolveConfig({ registry, overrides: { 'model.depth': null } }).problems).toHaveLength(1);
  });

  it('reads the recipe that a config file starts from (catches `recipe` taken as an unknown setting)', () => {
    const file = parseConfigFile('recipe: quick\nseed: 3\n', 'a.yaml');
    expect(file.recipe).toBe('quick');
    expect(resolveConfig({ registry, file }).problems).toEqual([]);
  });
});
