import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import {
  dialCount,
  dialFlopsPerToken,
  dialParameters,
  dialSizes,
  ratioTokens,
} from '../../../../main/engine/nn/models/depthDial.dimensions.ts';
import { windowPattern } from '../../../../main/engine/nn/attention/windowPattern.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import { tokensPerStep } from '../../../../main/engine/settings/batch.ts';
import { builtInRegistry, resolveConfig } from '../../../../main/lab/settings/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { modelConfig } from './oracle.ts';

const registry = builtInRegistry();
/** With the vocabulary and the context of the published runs. */
const dial = (given: Config = {}): Config =>
  modelConfig({
    'model.kind': 'depth-dial',
    'model.context': 2048,
    'tokenizer.kind': 'bpe',
    'tokenizer.vocabulary': 32768,
    ...given,
  });

/** Depth, width, heads, parameters that count (to the digits that are known), tokens per step, steps, factor of the rate in percent, weight decay. */
const TABLE: readonly (readonly [number, number, number, number, number, number, number, number])[] = [
  [4, 256, 2, 11.5e6, 262_144, 528, 70.7, 1.89],
  [8, 512, 4, 41.9e6, 262_144, 1920, 70.7, 0.52],
  [12, 768, 6, 110_100_912, 524_288, 2520, 100, 0.28],
  [20, 1280, 10, 435e6, 1_048_576, 4980, 141, 0.1],
  [24, 1536, 12, 730e6, 1_048_576, 8352, 141, 0.0597],
];

describe('depth-dial', () => {
  test.each(TABLE)('of depth %d follows the table (catches a rule that is scaled from another reference)', (...row) => {
    const [depth, width, heads, scaling, batch, steps, factor, decay] = row;
    const config = dial({ 'model.depth': depth });
    expect([config['model.width'], config['model.heads']]).toEqual([width, heads]);
    const found = dialParameters(config, builtInCatalog).scaling;
    if (scaling > 1e8 && scaling < 2e8) expect(found).toBe(scaling);
    else expect(Number(found.toPrecision(3))).toBe(scaling);
    expect(tokensPerStep(config)).toBe(batch);
    expect(config['stop.steps']).toBe(steps);
    expect(Math.abs((config['optimizer.weight_decay'] as number) / decay - 1)).toBeLessThan(0.005);
    // AdamW's rates also go by the width.
    const own = (config['optimizer.lr'] as number) / 0.003 / Math.sqrt(768 / width);
    expect(Number((100 * own).toPrecision(3))).toBe(factor);
    // The same run by tokens per parameter: a whole batch more where the last is not full.
    const byRatio = dial({
      'model.depth': depth,
      'stop.tokens_per_parameter': 12,
      'stop.counted_parameters': 'matrices_and_head',
    });
    expect(tokensPerStep(byRatio)).toBe(batch);
    expect(byRatio['optimizer.weight_decay'] as number).toBeCloseTo(config['optimizer.weight_decay'] as number, 4);
    expect(Math.ceil((12 * dialCount(byRatio, builtInCatalog)) / batch) - steps).toBeOneOf([0, 1]);
  });

  test('forgets at the same pace at every depth: batch / (rate × decay × tokens) is that of the reference', () => {
    const epoch = (depth: number): number => {
      const config = dial({ 'model.depth': depth });
      const rate = Math.sqrt(tokensPerStep(config) / 2 ** 19);
      const decay = config['optimizer.weight_decay'] as number;
      return tokensPerStep(config) / (rate * decay * ratioTokens(config, builtInCatalog));
    };
    // Steps are whole, the tokens of the ratio need not be.
    for (const [depth] of TABLE) expect(epoch(depth) / epoch(12), `depth ${depth}`).toBeCloseTo(1, 2);
  });

  test('of depth 4 has the published size', () => {
    const { scaling, embeddings, scalars } = dialParameters(dial({ 'model.depth': 4 }), builtInCatalog);
    expect(Number(((scaling + embeddings + scalars) / 1e6).toPrecision(3))).toBe(36.7);
  });

  test('of depth 12 has the published parameters and operations (catches a table or a scalar too many)', () => {
    const config = dial({ 'model.depth': 12 });
    const counted = dialParameters(config, builtInCatalog);
    expect(counted.scaling + counted.embeddings + counted.scalars).toBe(286_261_730);
    expect(ratioTokens(config, builtInCatalog)).toBe(1_321_210_944);
    expect(Number(dialFlopsPerToken(config, builtInCatalog).toPrecision(3))).toBe(7.6e8);
    const programs = buildTraining({ config, vocabularySize: 32768, keyMasked: false });
    expect(programs.parameterCounts).toMatchObject({ all: 286_261_730, matrices_and_head: 110_100_912 });
    // What the engine counts by itself, the gate of the smear and a token more per window included.
    expect(Math.abs(programs.flopsPerToken / dialFlopsPerToken(config, builtInCatalog) - 1)).toBeLessThan(1e-3);
  });

  test.each([
    [{ 'model.depth': 3 }],
    [{ 'model.depth': 2, 'model.kv_heads': 1, 'model.head_size': 32, 'model.smear': false }],
    [
      {
        'model.depth': 5,
        'model.tied': true,
        'model.head_size': 16,
        'model.aspect_ratio': 7,
        'model.input_skip': false,
      },
    ],
    [{ 'model.depth': 1, 'model.backout': false, 'model.value_embeddings': false, 'model.mlp_width': 33 }],
  ])('%o has as many parameters as its formula says', (given) => {
    const config = dial({ 'tokenizer.vocabulary': 300, 'model.context': 32, ...given });
    const { parameterCounts } = buildTraining({ config, vocabularySize: 300, keyMasked: false });
    const byRule = (rule: string) => dialCount({ ...config, 'stop.counted_parameters': rule }, builtInCatalog);
    for (const [rule, count] of Object.entries(parameterCounts)) expect(byRule(rule), rule).toBe(count);
  });

  test('starts as it is described (catches gates or scales left to chance)', () => {
    const { parameters } = buildTraining({
      config: dial({ 'model.depth': 4 }),
      vocabularySize: 32768,
      keyMasked: false,
    });
    const initial = Object.fromEntries(parameters.map((each) => [each.name, each.initial]));
    const limit = Math.sqrt(3 / 256);
    const near = (name: string, wanted: number) =>
      expect((initial[name] as { limit: number }).limit, name).toBeCloseTo(wanted, 12);
    expect(initial['embedding.weight']).toEqual({ kind: 'normal', std: 0.8 });
    expect(initial['head.weight']).toEqual({ kind: 'normal', std: 0.001 });
    for (const name of ['query', 'key', 'value']) near(`block.0.attention.${name}.weight`, limit);
    near('block.3.attention.value_embedding.weight', limit);
    near('block.0.mlp.up.weight', 0.4 * limit);
    for (const name of ['attention.output', 'mlp.down'])
      expect(initial[`block.2.${name}.weight`]).toEqual({ kind: 'constant', value: 0 });
    expect(initial['smear.gate.weight']).toEqual({ kind: 'uniform', least: 0, limit: 0.02 });
    expect(initial['block.1.attention.value_gate.weight']).toEqual({ kind: 'uniform', least: 0, limit: 0.02 });
    const values = (name: string) =>
      [0, 1, 2, 3].map((l) => (initial[`block.${l}.${name}`] as { value: number }).value);
    values('residual_scale').forEach((value, l) => expect(value).toBeCloseTo(1.15 - (0.1 * l) / 3, 12));
    values('input_scale').forEach((value, l) => expect(value).toBeCloseTo(0.2 - 0.05 * l, 12));
    expect([initial['smear.scale'], initial['backout.scale']]).toEqual([
      { kind: 'constant', value: 0 },
      { kind: 'constant', value: 0.2 },
    ]);
    expect(initial['block.0.attention.value_embedding.weight']).toBeUndefined();
  });

  test('takes everything that the user sets, and the rest follows from that (catches a horizon that nobody trains)', () => {
    const config = dial({ 'model.depth': 12, 'stop.steps': 1260 });
    // Half of the tokens: twice the decay, whatever the ratio says.
    expect(config['optimizer.weight_decay']).toBeCloseTo(0.56, 3);
    const limited = dial({ 'model.depth': 12, 'stop.tokens': 1_321_210_944 / 2 });
    expect(limited['stop.steps']).toBe(0);
    expect(limited['optimizer.weight_decay']).toBeCloseTo(0.56, 3);
    const odd = dial({ 'model.context': 1000, 'model.depth': 4 });
    expect((odd['batch.sequences'] as number) % (odd['batch.micro'] as number)).toBe(0);
    expect(dial({ 'model.depth': 4, 'batch.sequences': 7 })['batch.micro']).toBe(7);
    expect(dialSizes(dial({ 'model.depth': 4, 'model.width': 640 }))).toMatchObject({ heads: 5, headSize: 128 });
  });

  test('trains under the rate and length of another recipe (would catch a decay of hundreds that nothing is learned under)', () => {
    const quick = {
      'model.width': 32,
      'model.heads': 4,
      'model.head_size': 8,
      'model.context': 64,
      'batch.sequences': 8,
    };
    // By tokens alone it would be above 100.
    expect(dial({ ...quick, 'stop.steps': 150, 'optimizer.lr': 0.003 })['optimizer.weight_decay']).toBe(Math.sqrt(32));
    const overrides = { 'model.kind': 'depth-dial', 'optimizer.lr': 0.003, 'stop.steps': 150, ...quick };
    const warned = (given: Config) =>
      resolveConfig({ registry, overrides: { ...overrides, ...given } }).warnings.filter(
        ({ setting }) => setting === 'optimizer.weight_decay',
      );
    expect(warned({})).toEqual([]);
    expect(warned({ 'optimizer.weight_decay': 11 })).toEqual([]);
    const [found] = warned({ 'optimizer.weight_decay': 116 });
    expect(found).toMatchObject({ code: 'model.dial_decay', nearest: 5.66 });
    for (const part of [
      '1 / optimizer.weight_decay = 0.00862',
      '= 0.177',
      'embeddings 100 × 0.003 = 0.3',
      'head 2.67 × 0.003 = 0.008',
    ])
      expect(found!.message).toContain(part);
    // Too short for the decay to matter.
    expect(warned({ 'optimizer.weight_decay': 116, 'stop.steps': 8 })).toEqual([]);
  });

  test('shows the rule of each value that follows', () => {
    const overrides = { 'model.kind': 'depth-dial', 'model.depth': '8' };
    const { derived, problems, config } = resolveConfig({ registry, overrides });
    expect(problems).toEqual([]);
    for (const name of [
      'model.width',
      'model.heads',
      'batch.sequences',
      'stop.steps',
      'optimizer.lr',
      'optimizer.weight_decay',
    ])
      expect(derived[name], name).toBeTruthy();
    expect(config['attention.kind']).toBe('window_pattern');
  });

  test.each([
    [{ 'model.width': '256', 'model.heads': '8', 'model.head_size': '64' }, 'model.head_size', 32, '8 × 64 = 512'],
    [{ 'model.positions': 'learned' }, 'model.positions', 'rotary', 'positions of a depth-dial: rotary, none'],
    [{ 'attention.pattern': 'SSXL' }, 'attention.pattern', 'SSSL', 'letters S and L'],
    [{ 'attention.pattern': '' }, 'attention.pattern', 'SSSL', 'letters S and L'],
    [{ 'model.kv_heads': '2', 'model.depth': '6' }, 'model.kv_heads', 3, '3 % 2 = 1'],
  ])('refuses %o with the nearest choice (catches a crash when the run starts)', (given, setting, nearest, part) => {
    const overrides = { 'model.kind': 'depth-dial', ...given };
    const { problems } = resolveConfig({ registry, overrides });
    expect(problems.map((problem) => [problem.setting, problem.nearest])).toEqual([[setting, nearest]]);
    expect(problems[0]!.message).toContain(part);
    expect(resolveConfig({ registry, overrides: { ...overrides, [setting]: String(nearest) } }).problems).toEqual([]);
  });

  test('gives heads the size that they need where only their number was set', () => {
    const overrides = { 'model.kind': 'depth-dial', 'model.heads': '8' };
    const { problems, config } = resolveConfig({ registry, overrides });
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ 'model.width': 256, 'model.heads': 8, 'model.head_size': 32 });
  });
});

test('a pattern of windows is the same for any model (catches tiles and the token itself counted twice)', () => {
  const mask = windowPattern.mask!;
  const windows = (context: number, layers: number, given: Config = {}) => {
    const config = modelConfig({ 'model.context': context, 'attention.kind': 'window_pattern', ...given });
    return Array.from({ length: layers }, (_, layer) => mask(config, { layer, layers }));
  };
  const masks = (sizes: readonly number[]) => sizes.map((window) => ({ window }));
  expect(windows(2048, 5)).toEqual(masks([513, 513, 513, 0, 0]));
  expect(windows(1024, 3, { 'attention.pattern': 'LS' })).toEqual(masks([0, 257, 0]));
  expect(windows(4096, 2)).toEqual(masks([1025, 0]));
  expect([64, 128, 129, 512].map((context) => windows(context, 2)[0])).toEqual(masks([0, 0, 0, 129]));
});
