/** Attention kinds: the built-in ones are what they were as a setting of gpt, and a plug-in's own trains the same on every executor. */
import { describe, expect, test } from 'vitest';
import { Catalog } from '../../../main/engine/catalog.ts';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import * as ops from '../../../main/engine/graph/ops/index.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { defineAttention } from '../../../main/engine/nn/attention/attention.ts';
import { defineModel } from '../../../main/engine/nn/model.ts';
import { registryWithPlugins } from '../../../main/lab/settings/index.ts';
import { resolveConfig } from '../../../main/lab/settings/index.ts';
import { parseSweep, planSweep } from '../../../main/lab/sweeps/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { evaluator } from '../../oracles/reference.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { generator, programsOf, randomFeeds, variantConfig } from './variants.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

/** Whole attention in every n-th layer, a window in the others (as Gemma 3 alternates). */
const alternating = defineAttention({
  name: 'alternating',
  help: 'The whole context in every attention.full_every-th layer, a window of model.window tokens in the others.',
  settings: [
    'model.window',
    {
      name: 'attention.full_every',
      type: { kind: 'int', min: 1 },
      default: 2,
      unit: 'layers',
      help: 'Every so many layers one sees the whole context.',
      question: 'capacity',
    },
  ],
  mask: (c, { layer }) => {
    const whole = (layer + 1) % (c['attention.full_every'] as number) === 0;
    return { window: whole ? 0 : (c['model.window'] as number) };
  },
});

/** Causal attention by hand: what a kind that mixes values itself is given. */
const byHand = defineAttention({
  name: 'by_hand',
  help: 'Causal attention, made by the kind.',
  attend: (_, { q, k, v }, options) => ops.attention(q, k, v, { ...options, causal: true }),
});

const kinds = new Catalog([{ file: 'test.ts', kinds: [alternating, byHand] }]);
const config = (given: Config): Config =>
  kinds.withDefaults(variantConfig(given), (name) => name in given || name.startsWith('model.')).config;
const build = (given: Config) => programsOf(config(given), false, kinds);

const EXECUTORS: readonly [string, () => Promise<Executor> | Executor][] = [
  ['tfjs-cpu', () => openTfjsExecutor('tfjs-cpu')],
  ...(missingAddon === undefined ? [['cpu', () => openCpuExecutor()] as [string, () => Executor]] : []),
];

/** Loss of every position in float64, with the same random weights and tokens whatever attends. */
function losses(given: Config): number[] {
  const p = build(given).evaluate(1);
  const feeds = randomFeeds(p, generator(seed));
  // Every position counts: what is not scored has no loss to compare.
  return [...evaluator([p.outputs.get('loss')!])({ ...feeds, targets: feeds['targets']!.map(Math.abs) })[0]!];
}

describe(`attention kinds (seed ${seed})`, () => {
  test('follow model.window where none is named (catches earlier configurations that mean another model)', () => {
    expect(variantConfig()['attention.kind']).toBe('causal');
    expect(variantConfig({ 'model.window': 3 })['attention.kind']).toBe('window');
    expect(variantConfig({ 'model.window': 3, 'attention.kind': 'causal' })['attention.kind']).toBe('causal');
    const names = (given: Config) => build(given).states.map(({ name }) => name);
    expect(names({ 'model.window': 3 })).toEqual(names({}));
  });

  test('of a plug-in mix what they say, layer by layer (catches a kind that is not asked)', () => {
    const windowed = losses({ 'model.window': 3 });
    const mixed = losses({ 'model.window': 3, 'attention.kind': 'alternating' });
    expect(losses({ 'model.window': 3, 'attention.kind': 'alternating', 'attention.full_every': 9 })).toEqual(windowed);
    expect(losses({ 'attention.kind': 'by_hand' })).toEqual(losses({}));
    expect(mixed.slice(0, 3)).toEqual(windowed.slice(0, 3));
    expect(mixed[6]).not.toBe(windowed[6]);
    // Half of the layers see 3 of 7 tokens, the others all: the operations follow from the mask.
    const flops = (given: Config) => build(given).flopsPerToken;
    expect(flops({ 'model.window': 3, 'attention.kind': 'alternating' })).toBe(
      (flops({}) + flops({ 'model.window': 3 })) / 2,
    );
  });

  test.each(EXECUTORS)('train on %s what the reference trains', async (_, open) => {
    const both: Config[] = [{ 'model.window': 3, 'attention.kind': 'alternating' }, { 'attention.kind': 'by_hand' }];
    for (const given of both) {
      const programs = build(given);
      const p = programs.evaluate(1);
      const feeds = randomFeeds(p, generator(seed));
      const expected = evaluator([p.outputs.get('loss')!])(feeds)[0]!;
      const own = (await open()).open(programs.states);
      try {
        for (const { name, shape } of programs.parameters) {
          expect(feeds[name]!.length).toBe(sizeOf(shape));
          own.write(name, Float32Array.from(feeds[name]!));
        }
        const inputs = Object.fromEntries(
          Object.entries(feeds)
            .filter(([name]) => name === 'tokens' || name === 'targets')
            .map(([name, values]) => [name, Int32Array.from(values)]),
        );
        const { loss } = await own.run(own.load(p), inputs);
        loss!.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
      } finally {
        own.dispose();
      }
    }
  });

  test.each([
    ['without mask and attend', () => defineAttention({ name: 'empty', help: 'None.' }), 'needs mask or attend'],
    [
      'with a window that is no number of tokens',
      () => {
        const wrong = defineAttention({ name: 'wrong', help: 'Wrong.', mask: () => ({ window: NaN }) });
        const catalog = new Catalog([{ file: 'test.ts', kinds: [wrong] }]);
        programsOf({ 'attention.kind': 'wrong' }, false, catalog).evaluate(1);
      },
      'attention wrong: mask gives window NaN',
    ],
    [
      'in a model that does not say that it takes one',
      () => {
        const model = defineModel({
          name: 'mine',
          help: 'Attends without a word.',
          build: (m) => {
            const x = m.parameter('x', [m.vocabularySize, 4], {
              role: 'embedding',
              initial: { kind: 'constant', value: 0 },
            });
            const q = ops.reshape(ops.gather(x, m.tokens), [m.rows, m.context, 2, 2]);
            m.attend({ q, k: q, v: q, x }, {}, { layer: 0, layers: 1 });
            return { hidden: ops.gather(x, m.tokens), head: x };
          },
        });
        programsOf({ 'model.kind': 'mine' }, false, new Catalog([{ file: 'test.ts', kinds: [model] }])).evaluate(1);
      },
      "model mine: attend needs `uses: ['attention']`",
    ],
  ])('%s are refused by name', (_, make, part) => expect(make).toThrow(part));
});

describe('runs that differ by an attention without effect', () => {
  const registry = registryWithPlugins([
    { name: 'p', file: 'p.ts', kinds: [alternating], settings: [], constraints: [] },
  ]);
  const planned = (parameters: string) =>
    planSweep({ registry, sweep: parseSweep(`method: grid\nparameters: { ${parameters} }`).sweep! }).runs.length;

  test('are one run (catches settings that multiply equal runs)', () => {
    // The window has no effect with causal, and window without one is refused.
    expect(planned('attention.kind: { values: [causal, window] }, model.window: { values: [0, 3] }')).toBe(2);
    const layers = 'attention.full_every: { values: [1, 2] }, model.window: { value: 3 }';
    // Alternating with every layer full is causal.
    expect(planned(`attention.kind: { values: [causal, alternating] }, ${layers}`)).toBe(2);
  });

  test('a setting of an attention applies while it is chosen', () => {
    const { config: own } = resolveConfig({ registry, overrides: { 'attention.kind': 'alternating' } });
    expect(registry.applies('attention.full_every', own)).toBe(true);
    expect(registry.applies('attention.full_every', { ...own, 'attention.kind': 'causal' })).toBe(false);
  });
});
