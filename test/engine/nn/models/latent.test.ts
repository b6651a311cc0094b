import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import {
  blockParameters,
  depthOf,
  latentLearningRate,
  latentParameters,
  latentSizes,
  REFERENCE_PARAMETERS,
  scaleOfDepth,
  scaleOfWidth,
  widthOf,
} from '../../../../main/engine/nn/models/latent.dimensions.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import { builtInRegistry, resolveConfig } from '../../../../main/lab/settings/index.ts';
import { parseSweep, planSweep } from '../../../../main/lab/sweeps/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { modelConfig } from './oracle.ts';

const registry = builtInRegistry();
const latent = (given: Config = {}): Config => modelConfig({ 'model.kind': 'latent', ...given });
const built = (given: Config, vocabularySize = 50257) =>
  buildTraining({ config: latent(given), vocabularySize, keyMasked: false });

/** Of hlb-gpt v0.4.1 with GPT-2's tokens: scale, depth, width, all parameters, those without tables, their ratio, peak learning rate. */
const TABLE: readonly (readonly [number, number, number, number, number, number, number])[] = [
  [0.1, 1, 64, 6_464_641, 25_729, 0.1405, 7.1293e-3],
  [0.5, 5, 256, 27_805_189, 2_049_541, 0.6043, 3.259e-3],
  [1, 8, 384, 46_009_736, 7_376_264, 1, 2.5259e-3],
  [2, 13, 640, 97_678_093, 33_288_973, 2.123, 1.7488e-3],
  [8, 25, 1216, 353_410_969, 231_071_641, 7.6812, 9.6497e-4],
  [32, 40, 1920, 1_114_846_120, 921_678_760, 24.23, 5.8575e-4],
  [148, 58, 2752, 3_022_430_842, 2_745_557_626, 65.69, 3.8814e-4],
];

describe('latent', () => {
  test.each(TABLE)('scale %d is the row of its table (catches another rounding or a forgotten matrix)', (...row) => {
    const [scale, depth, width, parameters, blocks, actual, rate] = row;
    const config = latent({ 'model.scale': scale, 'tokenizer.kind': 'gpt2' });
    expect([config['model.depth'], config['model.width'], config['model.heads']]).toEqual([depth, width, 1]);
    expect(latentParameters(config, 50257)).toBe(parameters);
    expect(blockParameters(latentSizes(config))).toBe(blocks);
    expect(Number((parameters / REFERENCE_PARAMETERS).toPrecision(4))).toBe(Number(actual.toPrecision(4)));
    expect(config['optimizer.lr']).toBe(latentLearningRate(parameters));
    expect(Number(latentLearningRate(parameters).toPrecision(5))).toBeCloseTo(rate, 7);
    // And back.
    expect(widthOf(scaleOfWidth(width))).toBe(width);
    expect(depthOf(scaleOfDepth(depth))).toBe(depth);
    const programs = built({ 'model.scale': scale });
    expect(programs.parameterCount).toBe(parameters);
    const tables = programs.parameters.filter(({ role }) => role === 'embedding' || role === 'head');
    expect(tables.map(({ shape }) => shape)).toEqual([
      [50304, width],
      [50304, width],
    ]);
  });

  test('starts as it is described (catches deviations that are those of another layer)', () => {
    const initial = Object.fromEntries(built({}).parameters.map((spec) => [spec.name, spec.initial]));
    const std = (name: string) => (initial[name] as { std: number }).std;
    expect(std('embedding.weight')).toBeCloseTo(0.012758, 6);
    expect(std('head.weight')).toBeCloseTo(0.025516, 6);
    for (const name of ['attention.query', 'attention.key', 'attention.gate', 'attention.value', 'mlp.up', 'mlp.gate'])
      expect(std(`block.3.${name}.weight`)).toBeCloseTo(0.012758, 6);
    for (const name of ['attention.output', 'mlp.down']) expect(std(`block.3.${name}.weight`)).toBeCloseTo(0.003189, 6);
    expect(initial['block.7.attention.slope']).toEqual({ kind: 'constant', value: 1 });
  });

  test.each([
    [{ 'model.linear_value': true }, (c: Config) => latentParameters(c, 50257)],
    [{ 'model.expand': 3, 'model.tied': true, 'model.query_divisor': 5 }, (c: Config) => latentParameters(c, 50257)],
  ])('%o has as many parameters as its formula says (catches a branch that nothing reads)', (given, formula) => {
    const small = { 'model.width': 33, 'model.depth': 3, ...given };
    expect(built(small).parameterCount).toBe(formula(latent(small)));
  });

  test('never has a width or depth of 0, nor a learning rate of a small model that destroys it', () => {
    expect([widthOf(1e-6), depthOf(1e-6)]).toEqual([64, 1]);
    expect(latentLearningRate(60_000)).toBe(0.01);
  });

  test('takes width and depth as they are given, each alone too (catches rounding of what the user set)', () => {
    const sizes = (given: Config) => {
      const { depth, width } = latentSizes(latent(given));
      return [depth, width];
    };
    expect(sizes({ 'model.width': 100 })).toEqual([8, 100]);
    expect(sizes({ 'model.depth': 3, 'model.scale': 2 })).toEqual([3, 640]);
    expect(sizes({ 'model.depth': 3, 'model.width': 100, 'model.scale': 2 })).toEqual([3, 100]);
  });

  test('is one run where a sweep varies a scale beside width and depth, and the user is told', () => {
    const planned = (parameters: string) =>
      planSweep({
        registry,
        sweep: parseSweep(`method: grid\nparameters: { model.kind: { value: latent }, ${parameters} }`).sweep!,
      }).runs.length;
    const scales = 'model.scale: { values: [0.5, 1, 2] }';
    expect(planned(scales)).toBe(3);
    expect(planned(`${scales}, model.width: { values: [64, 128] }, model.depth: { values: [1, 2] }`)).toBe(4);
    const overrides = { 'model.kind': 'latent', 'model.scale': '2', 'model.width': '128', 'model.depth': '2' };
    const { warnings } = resolveConfig({ registry, overrides });
    expect(warnings.map(({ code }) => code)).toEqual(['model.scale_unused']);
    expect(warnings[0]!.message).toContain('0.2599 makes this width');
  });

  test.each([
    [{ 'model.width': '100', 'model.heads': '5' }, 'model.heads', 4, '12 % 5 = 2', 'model.width 85'],
    [{ 'model.width': '192', 'model.heads': '16' }, 'model.heads', 12, '24 % 16 = 8', 'model.width 256'],
    [{ 'model.width': '16', 'model.query_divisor': '20' }, 'model.query_divisor', 16, '⌊16 / 20⌋ = 0', '16'],
  ])('refuses %o with the nearest choice (catches a crash in the middle of a sweep)', (given, setting, ...rest) => {
    const [nearest, numbers, other] = rest;
    const { problems } = resolveConfig({ registry, overrides: { 'model.kind': 'latent', ...given } });
    expect(problems.map((problem) => problem.setting)).toEqual([setting]);
    expect(problems[0]!.nearest).toBe(nearest);
    expect(problems[0]!.message).toContain(numbers);
    expect(problems[0]!.message).toContain(other);
  });

  test('every nearest choice is itself valid (catches a suggestion that is refused again)', () => {
    for (let width = 8; width < 120; width += 7)
      for (let heads = 2; heads < 9; heads++) {
        const overrides = { 'model.kind': 'latent', 'model.width': String(width), 'model.heads': String(heads) };
        const [found] = resolveConfig({ registry, overrides }).problems;
        if (found === undefined) continue;
        const choices: [string, unknown][] = [[found.setting, found.nearest]];
        for (const each of found.others ?? []) choices.push([each.setting, each.nearest]);
        for (const [setting, nearest] of choices) {
          const again = resolveConfig({ registry, overrides: { ...overrides, [setting]: String(nearest) } }).problems;
          expect(again, `${setting} ${String(nearest)} beside ${JSON.stringify(overrides)}`).toEqual([]);
        }
      }
  });

  test('takes window attention like any model', () => {
    expect(latent({ 'model.window': 8 })['attention.kind']).toBe('window');
    expect(builtInCatalog.check(latent({ 'model.window': 4096 })).problems.map(({ code }) => code)).toEqual([
      'model.window_in_context',
    ]);
  });
});
