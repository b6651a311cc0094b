import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { modelFamily } from '../../../../main/engine/nn/models/index.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import type { Initial } from '../../../../main/engine/nn/model.ts';
import { sgd } from '../../../../main/engine/optim/optimizers/sgd.ts';
import { defineOptimizer } from '../../../../main/engine/optim/optimizers/optimizer.ts';
import { Catalog } from '../../../../main/engine/catalog.ts';
import { builtInRegistry, resolveConfig } from '../../../../main/lab/settings/index.ts';
import type { Kinds } from '../../../../main/engine/kind.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { hyperParameters } from '../../../../main/engine/optim/hyper.ts';

const MODELS = builtInCatalog.all(modelFamily).map(({ name }) => name);
const MUP: Config = {
  'model.parametrization': 'mup',
  'model.base_width': 64,
  'model.depth': 2,
  'model.context': 8,
  // The usual first values, which are not the defaults under mup.
  'model.init_std': 0.02,
  'model.embedding_std': 0,
};
const NO_ZEROS: Config = { 'model.zero_head': false, 'model.zero_query': false };

function training(given: Config, kinds: Kinds = builtInCatalog) {
  const config = (kinds as Catalog).withDefaults(given, (name) => name in given).config;
  return { config, programs: buildTraining({ config, vocabularySize: 23, keyMasked: false, kinds }) };
}

/** Inputs are rounded to 32 bits. */
const round = (x: number): number => Number(x.toPrecision(6));

/** Factor on the learning rate, factor on the decay and deviation of each parameter, by name. */
function table(given: Config, kinds?: Kinds) {
  const { config, programs } = training(given, kinds);
  const { inputs } = hyperParameters(config, programs, () => 1, { step: 0, tokens: 0 });
  const rows = programs.groups.flatMap(({ name, parameters }) =>
    parameters.map((parameter) => {
      const { initial } = programs.parameters.find((each) => each.name === parameter)!;
      const lr = round(inputs[`lr.${name}`]![0]! / (config['optimizer.lr'] as number));
      return [parameter, { lr, decay: inputs[`decay.${name}`]![0]!, initial }] as const;
    }),
  );
  return new Map(rows);
}

const deviation = (initial: Initial): number => {
  if (initial.kind === 'normal') return initial.std;
  return initial.kind === 'constant' ? 0 : NaN;
};

describe('mup', () => {
  const wide: Config = { ...MUP, 'model.width': 256, 'model.tied': false, 'model.bias': true };
  const [QUERY, DOWN, TABLE, HEAD, BIAS] = [
    'block.1.attention.query.weight',
    'block.1.mlp.down.weight',
    'embedding.weight',
    'head.weight',
    'block.1.mlp.up.bias',
  ];
  const orthogonal = defineOptimizer({ ...sgd, name: 'orthogonal', help: 'For this test.', step: 'spectrum' });

  // The rates of tables 3 and 8 of the paper at four times the base width. Catches a fan-in taken for a fan-out, and a head that is scaled twice.
  test.each([
    ['adamw', { [QUERY]: 1 / 4, [DOWN]: 1 / 4, [TABLE]: 1, [HEAD]: 1, [BIAS]: 1 }],
    ['sgd', { [QUERY]: 1, [DOWN]: 1, [TABLE]: 4, [HEAD]: 4, [BIAS]: 4 }],
    ['orthogonal', { [QUERY]: 1, [DOWN]: 1, [TABLE]: 2, [HEAD]: 2, [BIAS]: 2 }],
  ])('scales the rates of %s by role', (optimizer, rates) => {
    const kinds = new Catalog([{ file: 'test', kinds: [orthogonal] }]);
    const rows = table({ ...wide, 'optimizer.kind': optimizer }, kinds);
    expect(Object.fromEntries(Object.keys(rates).map((name) => [name, rows.get(name)!.lr]))).toEqual(rates);
  });

  test('begins with deviations of the base model, smaller where sums are longer, and zeros as asked', () => {
    const [with0, without] = [table(wide), table({ ...wide, ...NO_ZEROS })];
    const standard = table({ ...wide, 'model.parametrization': 'standard' });
    const at = (rows: typeof with0, name: string) => deviation(rows.get(name)!.initial);
    expect(at(with0, QUERY)).toBe(0);
    expect(at(with0, HEAD)).toBe(0);
    expect(at(without, QUERY)).toBeCloseTo(0.02 / 2, 12);
    expect(at(without, DOWN)).toBeCloseTo(at(standard, DOWN) / 2, 12);
    expect(at(without, TABLE)).toBe(0.02);
    expect(at(without, HEAD)).toBe(0.02);
  });

  // Catches first values that come back to 0.02 at some width, and a base width that changes the model it says nothing about.
  test.each([64, 256])('begins the same at every width whatever the base is (%d)', (base) => {
    const rows = table({ 'model.parametrization': 'mup', 'model.base_width': base, 'model.width': 512, ...NO_ZEROS });
    expect(deviation(rows.get(QUERY)!.initial)).toBeCloseTo(0.64 / Math.sqrt(512), 3);
    expect(deviation(rows.get(TABLE)!.initial)).toBe(0.1);
  });

  test('keeps first values that are given, and the default 0.02 without mup', () => {
    const given = table({ 'model.parametrization': 'mup', 'model.embedding_std': 0.3 });
    expect(deviation(given.get(TABLE)!.initial)).toBe(0.3);
    expect(deviation(table({}).get(TABLE)!.initial)).toBe(0.02);
  });

  // Catches rotary keys that are taken to be as large at the base, though they are half a head there too.
  test('makes rotary keys beside a latent half a head at the base as well', () => {
    const latent = { ...wide, ...NO_ZEROS, 'model.kv_latent': 16, 'model.positions': 'rotary' };
    expect(deviation(table(latent).get('block.1.attention.query_rope.weight')!.initial)).toBeCloseTo(0.01, 12);
    const fixed = table({ ...latent, 'model.rope_size': 8 }).get('block.1.attention.query_rope.weight')!;
    expect(deviation(fixed.initial)).toBeCloseTo(0.02 / 4, 12);
  });

  test('forgets the same share per step at every width, unless told not to', () => {
    const decayed = (more: Config) => table({ ...wide, ...more }).get(DOWN)!;
    const scaled = decayed({});
    expect(scaled.lr * scaled.decay).toBeCloseTo(0.1, 7);
    expect(decayed({ 'model.scale_decay': false }).decay).toBeCloseTo(0.1, 7);
  });

  test('takes scores by 1/size and what the head reads by 1/width (catches a factor of the wrong power)', () => {
    const { programs } = training(wide);
    const { nodes } = programs.evaluate(1).graph;
    const scales = nodes.filter(({ op }) => op === 'attention').map(({ attrs }) => attrs.scale);
    // Four heads: 64 wide now, 16 at the base.
    expect(scales).toEqual([4 / 64, 4 / 64]);
    const constants = nodes.filter(({ op }) => op === 'fill').map(({ attrs }) => attrs.value);
    expect(constants).toContain(1 / 4);
  });

  test('shrinks branches and their rates with depth where a base depth is given', () => {
    const deep = { ...wide, ...NO_ZEROS, 'model.depth': 8, 'model.base_depth': 2 };
    const rows = table(deep);
    expect(rows.get(DOWN)!.lr).toBeCloseTo(1 / 8, 6);
    expect(rows.get(TABLE)!.lr).toBe(1);
    // GPT-2's residual projections: by the depth of the base.
    expect(deviation(rows.get(DOWN)!.initial)).toBeCloseTo(0.02 / Math.sqrt(4) / 2, 12);
    const { nodes } = training(deep).programs.evaluate(1).graph;
    const halves = nodes.filter(({ op, attrs }) => op === 'fill' && attrs.value === 1 / 2);
    expect(halves).toHaveLength(16);
    expect(table({ ...deep, 'optimizer.kind': 'sgd' }).get(DOWN)!.lr).toBe(1);
  });

  // Catches a factor that is not 1 where nothing has grown, and standard graphs that changed.
  test.each(MODELS)('at the base width is the standard parametrization: %s', (kind) => {
    const heads: Config = kind === 'depth-dial' ? { 'model.head_size': 16 } : { 'model.heads': 4 };
    const own = { ...MUP, ...NO_ZEROS, ...heads, 'model.kind': kind, 'model.width': 64 };
    const [mup, standard] = [own, { ...own, 'model.parametrization': 'standard' }].map(
      (each) => training(each).programs,
    );
    const plain = (programs: typeof mup) =>
      programs!.parameters.map(({ name, shape, initial, role, scope }) => ({ name, shape, initial, role, scope }));
    expect(plain(mup)).toEqual(plain(standard));
    expect(mup!.groups).toEqual(standard!.groups);
    const shown = (programs: typeof mup) =>
      [programs!.accumulate(2, true), programs!.update()].map(({ graph }) =>
        graph.nodes.map(({ op, attrs, outputs }) => [
          op,
          JSON.stringify(attrs, (key, value) => (key === 'settings' ? undefined : (value as unknown))),
          outputs.map(({ shape }) => shape),
        ]),
      );
    expect(shown(mup)).toEqual(shown(standard));
  });

  // Catches a base model that cannot be built: a crash when the run starts.
  test.each([
    [{ 'model.width': '126', 'model.heads': '3', 'model.base_width': '64' }, 'model.base_width', 63],
    [
      { 'model.kind': 'latent', 'model.width': '192', 'model.heads': '3', 'model.base_width': '64' },
      'model.base_width',
      72,
    ],
    [
      { 'model.kind': 'depth-dial', 'model.head_size': '64', 'model.depth': '4', 'model.base_width': '100' },
      'model.base_width',
      128,
    ],
  ])('refuses %o with the nearest width', (given, setting, nearest) => {
    const registry = builtInRegistry();
    const overrides = { 'model.parametrization': 'mup', ...given };
    const { problems } = resolveConfig({ registry, overrides });
    expect(problems.map((problem) => [problem.setting, problem.nearest])).toEqual([[setting, nearest]]);
    const { config, problems: none } = resolveConfig({
      registry,
      overrides: { ...overrides, [setting]: String(nearest) },
    });
    expect(none).toEqual([]);
    expect(() => buildTraining({ config, vocabularySize: 23, keyMasked: false })).not.toThrow();
  });

  test('moves the base width by itself where nobody gave one (catches a refusal because of a default)', () => {
    const overrides = { 'model.parametrization': 'mup', 'model.width': '126', 'model.heads': '3' };
    const { config, problems } = resolveConfig({ registry: builtInRegistry(), overrides });
    expect(problems).toEqual([]);
    expect(config['model.base_width']).toBe(129);
  });

  test('keeps the size of heads that is given, and has more of them', () => {
    const rows = table({ ...wide, ...NO_ZEROS, 'model.heads': 8, 'model.head_size': 32, 'model.kv_heads': 4 });
    expect(rows.get('block.1.attention.output.weight')!.lr).toBe(1 / 4);
    expect(deviation(rows.get('block.1.attention.key.weight')!.initial)).toBeCloseTo(0.01, 12);
  });
});
