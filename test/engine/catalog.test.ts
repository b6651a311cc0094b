import { describe, expect, test } from 'vitest';
import { builtInCatalog, Catalog } from '../../main/engine/catalog.ts';
import type { Contribution } from '../../main/engine/catalog.ts';
import { DeclarationError } from '../../main/engine/kind.ts';
import type { Declared } from '../../main/engine/kind.ts';
import { buildTraining } from '../../main/engine/nn/training.ts';
import { defineModel } from '../../main/engine/nn/model.ts';
import type { ModelKind } from '../../main/engine/nn/model.ts';
import { modelFamily } from '../../main/engine/nn/models/index.ts';
import { optimizerFamily } from '../../main/engine/optim/optimizers/index.ts';
import { defineOptimizer } from '../../main/engine/optim/optimizers/optimizer.ts';
import type { OptimizerKind } from '../../main/engine/optim/optimizers/optimizer.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';
import type { Config, SettingSpec, SettingValue } from '../../preload/contract/settings.ts';

const setting = (name: string, extra: Partial<SettingSpec> = {}): SettingSpec => ({
  name,
  type: { kind: 'int', min: 0 },
  default: 0,
  help: 'A number to try.',
  question: 'capacity',
  ...extra,
});
const optimizer = (kind: Partial<Declared<OptimizerKind>>) =>
  defineOptimizer({
    name: 'mine',
    help: 'An optimizer of a test.',
    moments: () => [],
    flopsPerElement: 1,
    apply: (p) => ({ p, moments: {} }),
    ...kind,
  });
const model = (kind: Partial<Declared<ModelKind>> = {}) =>
  defineModel({
    name: 'table',
    help: 'A look-up table and nothing else.',
    build: (m) => {
      const weight = m.parameter('weight', [m.vocabularySize, 4], {
        role: 'embedding',
        initial: { kind: 'normal', std: 1 },
      });
      return { hidden: m.ops.gather(weight, m.tokens), head: weight };
    },
    ...kind,
  });
const withKinds = (...kinds: NonNullable<Contribution['kinds']>[number][]) => new Catalog([{ file: 'mine.ts', kinds }]);
const specOf = (catalog: Catalog, name: string) => catalog.settings.find((spec) => spec.name === name)!;
const defaults = builtInRegistry().defaults;

describe('settings of kinds', () => {
  test('every kind can be chosen, in order (catches a plug-in that nobody can choose)', () => {
    const catalog = withKinds(optimizer({}));
    const built = optimizerFamily.kinds.map(({ name }) => name);
    expect(specOf(builtInCatalog, 'optimizer.kind').type).toEqual({ kind: 'enum', values: built });
    expect(specOf(catalog, 'optimizer.kind').type).toEqual({ kind: 'enum', values: [...built, 'mine'] });
  });

  test('apply while a reader of any family is chosen (catches a window that only one model is believed to have)', () => {
    expect(specOf(builtInCatalog, 'model.window').when).toBe('model.kind == "gpt" || attention.kind == "window"');
    const plain = specOf(withKinds(model()), 'model.window').when!;
    // A model that mixes tokens by no attention takes no window either.
    const others = modelFamily.kinds.map(({ name }) => JSON.stringify(name)).join(', ');
    expect(plain).toBe(`model.kind == "gpt" || (model.kind in [${others}] && attention.kind == "window")`);
    for (const kind of modelFamily.kinds) {
      const config = { ...defaults, 'model.kind': kind.name, 'attention.kind': 'window', 'model.window': 8 };
      expect(builtInRegistry().applies('model.window', config), kind.name).toBe(true);
    }
  });

  test('apply to the kinds that list them and to no other (catches settings that multiply equal runs)', () => {
    expect(specOf(builtInCatalog, 'optimizer.momentum').when).toBe('optimizer.kind in ["sgd", "rmsprop"]');
    expect(specOf(builtInCatalog, 'optimizer.nesterov').when).toBe('optimizer.kind == "sgd"');
    // What all models read always applies; beside another model only where that one lists it.
    expect(specOf(builtInCatalog, 'model.heads').when).toBeUndefined();
    expect(specOf(builtInCatalog, 'model.scale').when).toBe('model.kind == "latent"');
    const beside = withKinds(model({ settings: ['model.width', setting('model.own', { when: 'model.width > 1' })] }));
    const built = modelFamily.kinds.map(({ name }) => JSON.stringify(name));
    expect(specOf(beside, 'model.heads').when).toBe(`model.kind in [${built.join(', ')}]`);
    expect(specOf(beside, 'model.width').when).toBeUndefined();
    expect(specOf(beside, 'model.own').when).toBe('model.kind == "table" && (model.width > 1)');
    expect(specOf(beside, 'model.context').when).toBeUndefined();
  });

  test.each([
    ['a name that is taken', () => withKinds(optimizer({ name: 'sgd' })), 'the optimizer sgd is already declared'],
    ['two of one name', () => withKinds(optimizer({}), optimizer({})), 'already declared by mine.ts'],
    [
      'another declaration of a setting',
      () => withKinds(optimizer({ settings: [setting('optimizer.momentum')] })),
      'setting optimizer.momentum is declared differently by optimizer sgd and by optimizer mine (mine.ts)',
    ],
    [
      'a setting that nobody declares',
      () => withKinds(optimizer({ settings: ['optimizer.momentun'] })),
      'optimizer mine (mine.ts): settings lists optimizer.momentun, which is not a setting; did you mean optimizer.momentum?',
    ],
    ['no name', () => optimizer({ name: 'Mine!' }), 'optimizer Mine!: name is "Mine!"'],
    ['no help', () => optimizer({ help: ' ' }), 'optimizer mine: help is missing'],
    ['no apply', () => optimizer({ apply: undefined as never }), 'optimizer mine: apply must be a function'],
    ['no list', () => optimizer({ settings: 'optimizer.lr' as never }), 'optimizer mine: settings must be a list'],
  ])('refuse %s, naming kind and field (catches a mistake that is found by training)', (_, make, part) => {
    expect(make).toThrow(DeclarationError);
    expect(make).toThrow(part);
  });
});

describe('what a kind reads', () => {
  test('must be among its settings (catches a setting with an effect that is called one without)', () => {
    const build = (settings: ModelKind['settings']) => {
      const kind = model({
        settings,
        build: (m) => {
          if (!(m.config['model.width'] as number)) throw new Error('no width');
          return model().build(m);
        },
      });
      const config = { ...defaults, 'model.kind': 'table' };
      return buildTraining({ config, vocabularySize: 7, keyMasked: false, kinds: withKinds(kind) });
    };
    expect(() => build([])).toThrow('model table (mine.ts) reads model.width, which is not among its settings');
    expect(build(['model.width']).parameterCount).toBe(28);
  });

  test('is everything for gpt and every optimizer and schedule (catches a list with a hole)', () => {
    const variants: Config[] = builtInCatalog.settings.flatMap(({ name, type }): Config[] => {
      if (!/^(model|optimizer|schedule|precision)\./u.test(name)) return [];
      // The device has chosen one of the others before a model is built.
      const built = (value: SettingValue) => name !== 'precision.policy' || value !== 'auto';
      if (type.kind === 'enum') return type.values.filter(built).map((value) => ({ [name]: value }));
      return type.kind === 'bool' ? [{ [name]: true }, { [name]: false }] : [];
    });
    for (const variant of variants) {
      const config = {
        ...defaults,
        'model.dropout': 0.1,
        'model.depth': 1,
        'schedule.step_every_steps': 5,
        ...variant,
      };
      const training = buildTraining({ config, vocabularySize: 7, keyMasked: true, kinds: builtInCatalog });
      for (const program of [training.accumulate(2, true), training.update(), training.evaluate(2)])
        expect(program.graph.nodes.length).toBeGreaterThan(0);
    }
  });
});

describe('defaults that depend on other settings', () => {
  const derives = (derived: OptimizerKind['derived']) =>
    withKinds(optimizer({ settings: [setting('optimizer.a'), setting('optimizer.b')], derived }));
  const chain = derives([
    { setting: 'optimizer.b', rule: 'a + 1', value: (c) => (c['optimizer.a'] as number) + 1 },
    { setting: 'optimizer.a', rule: 'depth × 2', value: (c) => (c['model.depth'] as number) * 2 },
  ]);
  const config = { ...defaults, 'optimizer.a': 0, 'optimizer.b': 0 };

  test('may depend on each other, in any order (catches a value of the round before)', () => {
    const mine = { ...config, 'optimizer.kind': 'mine', 'model.depth': 5 };
    const found = chain.withDefaults(mine, (name) => name === 'model.depth');
    expect(found.config).toMatchObject({ 'optimizer.a': 10, 'optimizer.b': 11 });
    expect(found.derived).toEqual({ 'optimizer.a': 'depth × 2', 'optimizer.b': 'a + 1' });
  });

  test('step aside for what was set, and hold for the chosen kind alone', () => {
    const mine = { ...config, 'optimizer.kind': 'mine', 'optimizer.a': 3 };
    expect(chain.withDefaults(mine, (name) => name === 'optimizer.a').config).toMatchObject({
      'optimizer.a': 3,
      'optimizer.b': 4,
    });
    expect(chain.withDefaults(config, () => false).config).toMatchObject({ 'optimizer.a': 0, 'optimizer.b': 0 });
  });

  test('that chase each other are refused (catches an endless search)', () => {
    const circle = derives([
      { setting: 'optimizer.a', rule: 'b + 1', value: (c) => (c['optimizer.b'] as number) + 1 },
      { setting: 'optimizer.b', rule: 'a + 1', value: (c) => (c['optimizer.a'] as number) + 1 },
    ]);
    const mine = { ...config, 'optimizer.kind': 'mine' };
    expect(() => circle.withDefaults(mine, () => false)).toThrow(DeclarationError);
  });

  test('complete what an earlier version stored (catches runs that cannot be resumed or compared)', () => {
    const stored: Config = Object.fromEntries(
      Object.entries({ ...defaults, 'stop.tokens': 1000 }).filter(
        ([name]) => name !== 'stop.steps' && name !== 'model.bias',
      ),
    );
    expect(builtInCatalog.complete(stored)).toEqual({ ...stored, 'stop.steps': 0, 'model.bias': false });
    expect(builtInCatalog.complete(defaults)).toBe(defaults);
    // A run of a plug-in that is gone can still be looked at.
    expect(builtInCatalog.complete({ 'model.kind': 'gone' })['model.depth']).toBe(4);
  });
});
