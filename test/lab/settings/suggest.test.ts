/** A nearest choice that is named is taken when it is typed: for bad values of every setting of models, attentions and optimizers. */
import { describe, expect, it } from 'vitest';
import type { Config, Problem, SettingSpec } from '../../../preload/contract/settings.ts';
import { attentionFamily } from '../../../main/engine/nn/attention/index.ts';
import { modelFamily } from '../../../main/engine/nn/models/index.ts';
import { optimizerFamily } from '../../../main/engine/optim/optimizers/index.ts';
import { Stream } from '../../../main/engine/random/stream.ts';
import { builtInRegistry, listRecipes, parseConfigFile, resolveConfig } from '../../../main/lab/settings/index.ts';
import { parseSweep, planSweep, sweepFromFlags } from '../../../main/lab/sweeps/index.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();
const recipeOf = (name: string) => recipes.find((each) => each.name === name)!.source;

type Flags = Readonly<Record<string, string>>;
const namesOf = (kinds: readonly { readonly name: string }[]): string[] => kinds.map(({ name }) => name);
const MODELS = namesOf(registry.catalog.all(modelFamily));
const ATTENTIONS = namesOf(registry.catalog.all(attentionFamily));
const OPTIMIZERS = namesOf(registry.catalog.all(optimizerFamily));
const SETTINGS = registry.specs.filter(
  ({ name, type }) => /^(model|attention|optimizer)\./u.test(name) && !name.endsWith('.kind') && type.kind !== 'bool',
);
const TEXTS = [
  '33 16 9',
  '96;64',
  '64,-8 64',
  '0: heads',
  '-1: heads=2',
  '0: heads=2.5',
  '9: heads=2',
  '0-1: heads=3; 0: heads=5',
  '1: mlp_ratio=0',
  '0: heads=2; 0: heads=4',
  ';',
  'S L',
  'slx',
  'local  stride',
  'fixed;fixed',
  '0: hed=2',
  '2-0: heads=2',
];

class Cases {
  readonly #random: Stream;
  constructor(seed: number) {
    this.#random = new Stream(seed, 'bad values');
  }

  pick<T>(from: readonly T[]): T {
    return from[this.#random.int(from.length)]!;
  }

  value({ type }: SettingSpec): string {
    if (type.kind === 'enum') return this.pick([...type.values, 'x', type.values[0]!.slice(1)]);
    if (type.kind === 'string') return this.pick(TEXTS);
    const numbers = [
      0,
      1,
      -1,
      2.5,
      3,
      7,
      31,
      33,
      65,
      127,
      130,
      1e9,
      0.001,
      this.#random.int(600),
      this.#random.uniform(),
    ];
    return String(this.pick(numbers));
  }

  /** Kinds, one or two settings of any value, sometimes over a recipe. */
  next(): { readonly recipe: string | undefined; readonly given: Flags } {
    const given: Record<string, string> = {};
    const some = (share: number): boolean => this.#random.uniform() < share;
    if (some(0.9)) given['model.kind'] = this.pick(MODELS);
    if (some(0.4)) given['attention.kind'] = this.pick(ATTENTIONS);
    if (some(0.2)) given['optimizer.kind'] = this.pick(OPTIMIZERS);
    if (some(0.2)) given['model.parametrization'] = 'mup';
    if (some(0.2)) given['model.positions'] = this.pick(['rotary', 'sinusoidal']);
    for (let n = some(0.4) ? 2 : 1; n > 0; n--) {
      const spec = this.pick(SETTINGS);
      given[spec.name] = this.value(spec);
    }
    return {
      recipe: some(0.3) ? this.pick(['quick', 'unet-small', 'depth-dial-small', 'hlb-gpt-small']) : undefined,
      given,
    };
  }
}

const resolved = (recipe: string | undefined, overrides: Flags) =>
  resolveConfig({ registry, overrides, ...(recipe === undefined ? {} : { recipe: recipeOf(recipe) }) });
const resolve = (recipe: string | undefined, overrides: Flags): readonly Problem[] =>
  resolved(recipe, overrides).problems;

const NUMBER = /(?<![\w.])-?\d[\d.]*(?:e[+-]?\d+)?(?![\w.]*=)/gu;
/** Before a number that says what must hold: a bound, a sum, the value that another setting has. */
const CONSTRAINT = /(?:at (?:most|least)|above|below|from|to|=) $/u;
const FACTOR = /^ (?:[×%/]|to )/u;

/** The values that what is allowed names for a setting to take instead; a number that says what must hold is none. */
function namedValues({ code, setting, allowed }: Problem, config: Config): { setting: string; value: string }[] {
  // The declared type says what single values may be.
  if (code === 'value' || code === 'unknown') return [];
  const numbers = [...allowed.matchAll(NUMBER)].flatMap((match) => {
    const [before, after] = [allowed.slice(0, match.index), allowed.slice(match.index + match[0].length)];
    const about = /([a-z]+\.[a-z_]+)(?: at most)? $/u.exec(before)?.[1];
    if (CONSTRAINT.test(before) || FACTOR.test(after)) return [];
    if (about !== undefined && String(config[about]) === match[0]) return [];
    return [{ setting: about ?? setting, value: match[0] }];
  });
  const { type } = registry.get(setting) ?? {};
  const words =
    type?.kind === 'enum'
      ? type.values.filter((value) => new RegExp(`(?<![\\w.])${value}(?![\\w.])`, 'u').test(allowed))
      : [];
  return [...numbers, ...words.map((value) => ({ setting, value }))];
}

/** What is still wrong with a setting, or new, when a choice for it is typed. */
function stillWrong(before: readonly Problem[], after: readonly Problem[], setting: string): string[] {
  const known = new Set(before.map(({ code }) => code));
  const isNew = (found: Problem): boolean => found.setting === setting || !known.has(found.code);
  return (before.length === 1 ? after : after.filter(isNew)).map(({ message }) => message);
}

describe('a nearest choice', () => {
  it('is taken when it is typed, for bad values of every kind (would catch advice that is itself refused)', () => {
    const seed = Number(process.env['SWEEPLAB_TEST_SEED'] ?? Date.now() % 1e9);
    const cases = new Cases(seed);
    const counts = { refused: 0, helped: 0 };
    for (let round = 0; round < 1500; round++) {
      const { recipe, given } = cases.next();
      const { problems, config } = resolved(recipe, given);
      for (const found of problems) {
        const choices = [found, ...(found.others ?? [])].filter(({ nearest }) => nearest !== undefined);
        counts.refused++;
        if (choices.length > 0) counts.helped++;
        for (const { setting, nearest } of choices) {
          if (!registry.has(setting)) continue;
          const after = resolve(recipe, { ...given, [setting]: String(nearest) });
          const about = `seed ${seed}, recipe ${recipe}, ${JSON.stringify(given)}: ${found.message}`;
          expect(stillWrong(problems, after, setting), about).toEqual([]);
        }
        const listed = (found.choices ?? []).map((value) => ({ setting: found.setting, value: String(value) }));
        for (const { setting, value } of [...listed, ...namedValues(found, config)]) {
          const after = resolve(recipe, { ...given, [setting]: value });
          const about = `seed ${seed}, recipe ${recipe}, ${JSON.stringify(given)}: ${value} in ${found.message}`;
          expect(stillWrong(problems, after, setting), about).toEqual([]);
        }
      }
    }
    expect(counts.refused).toBeGreaterThan(200);
    expect(counts.helped / counts.refused, `seed ${seed}: ${JSON.stringify(counts)}`).toBeGreaterThan(0.6);
  });

  // What each of them said before was refused, or nothing was said.
  it.each<[string | undefined, Flags, string, string | number]>([
    ['quick', { 'model.width': '33' }, 'model.width', 32],
    ['quick', { 'model.width': '31' }, 'model.width', 32],
    ['quick', { 'model.width': '1' }, 'model.width', 8],
    [undefined, { 'model.per_layer': '0: heads=2.5' }, 'model.per_layer', '0: heads=2'],
    [undefined, { 'model.per_layer': '0: heads' }, 'model.per_layer', '0: heads=4'],
    [undefined, { 'model.per_layer': '-1: heads=2' }, 'model.per_layer', '3: heads=2'],
    ['quick', { 'model.parametrization': 'mup', 'model.base_width': '0' }, 'model.base_width', 8],
    [
      undefined,
      { 'model.kind': 'latent', 'model.width': '32', 'model.heads': '4', 'model.query_divisor': '33' },
      'model.query_divisor',
      8,
    ],
    [undefined, { 'model.kind': 'unet', 'model.widths': '32 16 9' }, 'model.widths', '32 16 32'],
    [undefined, { 'model.kind': 'depth-dial', 'model.heads': '4', 'model.head_size': '1' }, 'model.head_size', 64],
    [undefined, { 'model.kind': 'depth-dial', 'model.width': '33' }, 'model.width', 34],
    [undefined, { 'model.mlp_ratio': '0' }, 'model.mlp_ratio', 4],
    [undefined, { 'model.init_std': '0' }, 'model.init_std', 0.02],
    [undefined, { 'model.kind': 'depth-dial', 'model.data_ratio': '0' }, 'model.data_ratio', 12],
    [undefined, { 'model.dropout': '1' }, 'model.dropout', 0.99],
    [undefined, { 'attention.kind': 'window_pattern', 'attention.pattern': 'S L' }, 'attention.pattern', 'SL'],
    [undefined, { 'model.per_layer': '0: heads=2; 0: heads=4' }, 'model.per_layer', '0: heads=4'],
    [
      undefined,
      { 'model.per_layer': '0-1: heads=2; 0: heads=4; 1: heads=4' },
      'model.per_layer',
      '0: heads=4; 1: heads=4',
    ],
    [undefined, { 'model.per_layer': '0: heads=2 heads=4' }, 'model.per_layer', '0: heads=4'],
    [undefined, { 'model.per_layer': '0: heads=2;; 1: heads=2' }, 'model.per_layer', '0: heads=2; 1: heads=2'],
  ])('over %s for %o is %s %s', (recipe, given, setting, nearest) => {
    const [found] = resolve(recipe, given);
    expect(found).toMatchObject({ setting, nearest });
    expect(found!.message).toContain(`nearest: ${nearest}`);
    expect(found!.message).not.toContain('()');
    expect(resolve(recipe, { ...given, [setting]: String(nearest) })).toEqual([]);
  });

  it('is taken by the sweep that names it (would catch advice that a constraint of the sweep refuses)', () => {
    const { sweep } = sweepFromFlags(
      { 'model.heads': ['4', '5'], 'model.width': ['64'] },
      { registry, recipe: 'quick' },
    );
    const at = (constraints: readonly string[]) =>
      planSweep({ registry, recipes, sweep: { ...sweep, constraints } }).dropped;
    expect(at([])).toMatchObject([{ problem: { setting: 'model.heads', value: 5, nearest: 4 } }]);
    const { problem } = at(['model.heads != 4']).find(({ values }) => values['model.heads'] === 5)!;
    expect(problem.nearest).not.toBe(4);
    expect(64 % Number(problem.nearest)).toBe(0);
  });

  it.each([
    ['attention.kind: { value: window }\n  model.window: { value: -5 }', 'model.window'],
    ['model.kind: { value: latent }\n  model.width: { values: [64, 1e9] }\n  model.heads: { value: 8 }', 'model.width'],
    ['model.kind: { value: depth-dial }\n  model.dropout: { values: [0.1, 1] }', 'model.dropout'],
    ['attention.kind: { value: sparsek }\n  attention.selected: { value: 1e9 }', 'attention.selected'],
    ['model.kind: { value: classic }\n  model.mlp_ratio: { value: 0 }', 'model.mlp_ratio'],
  ])('of a value in a sweep is one that the sweep takes: %s', (text, setting) => {
    const planned = (parameters: string) => {
      const { sweep } = parseSweep(`method: grid\nrecipe: quick\nparameters:\n  ${parameters}\n`);
      return planSweep({ registry, recipes, sweep: sweep! });
    };
    const { problems } = planned(text);
    expect(problems).toMatchObject([{ setting }]);
    const { nearest } = problems[0]!;
    expect(nearest).toBeDefined();
    const mended = planned(text.replace(new RegExp(`${setting}: .*`, 'u'), `${setting}: { value: ${nearest} }`));
    expect(mended.problems).toEqual([]);
    expect(mended.dropped).toEqual([]);
  });

  it('beside another setting is said where that one must change (would catch a refusal without a way out)', () => {
    const [found] = resolve('quick', { 'model.width': '33', 'model.heads': '4' });
    expect(found!.message).toMatch(/; nearest: model\.width 32$/u);
  });

  it('stands where the setting that it is for was written (would catch a line of the recipe for what was typed)', () => {
    const recipe = recipeOf('quick');
    const typed = resolveConfig({ registry, recipe, overrides: { 'model.width': 33 } }).problems;
    expect(typed).toMatchObject([{ setting: 'model.width', nearest: 32 }]);
    expect(typed[0]!.where).toBeUndefined();
    const file = parseConfigFile('model.depth: 2\nmodel.width: 33\n', 'c.yaml');
    expect(resolveConfig({ registry, recipe, file }).problems).toMatchObject([
      { setting: 'model.width', where: expect.stringMatching(/^c\.yaml:2:/u) },
    ]);
  });
});

describe('what has no effect as it is written', () => {
  it('is said or refused: a window beyond the context, a layer set twice', () => {
    const far = resolveConfig({
      registry,
      overrides: { 'attention.kind': 'window_pattern', 'attention.short_window': '500' },
    });
    expect(far.problems).toEqual([]);
    expect(far.warnings).toMatchObject([{ setting: 'attention.short_window', value: 500, nearest: 128 }]);
    const range = resolveConfig({ registry, overrides: { 'model.per_layer': '0-2: heads=2; 1: heads=4;' } });
    expect([range.problems, range.warnings]).toEqual([[], []]);
  });
});
