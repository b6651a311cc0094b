/** The same updates on every executor, for every optimizer that can be chosen. */
import { describe, expect, test } from 'vitest';
import { Catalog } from '../../../main/engine/catalog.ts';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import * as ops from '../../../main/engine/graph/ops/index.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { gradientName } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { defineOptimizer } from '../../../main/engine/optim/optimizers/optimizer.ts';
import { sgd } from '../../../main/engine/optim/optimizers/sgd.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { generator, programsOf, variantConfig } from '../nn/variants.ts';
import { decidesBySign, difference } from './difference.ts';

const STEPS = 24;
const seed = Math.floor(Math.random() * 2 ** 31);

const EXECUTORS: readonly [string, () => Promise<Executor> | Executor][] = [
  ['tfjs-cpu, decomposed', () => openTfjsExecutor('tfjs-cpu', { plain: true })],
  ['tfjs-cpu', () => openTfjsExecutor('tfjs-cpu')],
  ['tfjs-wasm', () => openTfjsExecutor('tfjs-wasm')],
  ...(missingAddon === undefined ? [['cpu', () => openCpuExecutor()] as [string, () => Executor]] : []),
];

/** Each optimizer as it comes, and with every option that changes its state or its formula. */
const OPTIONS: Readonly<Record<string, readonly Config[]>> = {
  sgd: [{ 'optimizer.momentum': 0.8 }, { 'optimizer.momentum': 0.8, 'optimizer.nesterov': true }],
  rmsprop: [
    { 'optimizer.momentum': 0.7 },
    { 'optimizer.centered': true },
    { 'optimizer.momentum': 0.7, 'optimizer.centered': true },
  ],
  adamw: [{ 'optimizer.beta1': 0, 'optimizer.eps': 1e-3 }, { 'optimizer.amsgrad': true }],
  adam: [{ 'optimizer.amsgrad': true }],
  adafactor: [{ 'optimizer.relative': false }],
  muon: [{ 'optimizer.muon_scale': 'spectral', 'optimizer.muon_beta2': 0, 'optimizer.cautious_decay': false }],
};

const kind = builtInRegistry().get('optimizer.kind')!.type;
const cases = (kind.kind === 'enum' ? kind.values : []).flatMap((name) =>
  [{}, ...(OPTIONS[name] ?? [])].map((options): [string, Config] => [
    [name, ...Object.entries(options).map(([setting, value]) => `${setting.slice(10)}=${value}`)].join(' '),
    { 'optimizer.kind': name, ...options },
  ]),
);

/** Odd sizes: vectors of 11, matrices of 11 × 11, 23 × 11 and 44 × 11, a scalar per head. */
const shape: Config = { 'model.width': 11, 'model.heads': 1, 'model.positions': 'bias', 'model.depth': 1 };

const setup = (options: Config) => {
  const settings = { ...shape, 'optimizer.lr': 0.02, 'optimizer.lr_scale_vector': 0.5, ...options };
  return { config: variantConfig(settings), programs: programsOf(settings, false, kinds) };
};

/** First gradients that point as the decay does: where the two cancel, one rounding decides what a normalised step is. */
const alongDecay = (gradient: Float32Array, values: ArrayLike<number>): Float32Array =>
  gradient.map((g, i) => Math.abs(g) * Math.sign(values[i]!));

/** Every state after STEPS updates with random gradients: new ones for each, or the same ones again and again. */
async function train(executor: Executor, options: Config, again = false): Promise<Map<string, Float32Array>> {
  const { config, programs } = setup(options);
  const session = executor.open(programs.states);
  try {
    const random = generator(seed);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);
    const initial = new Map(programs.parameters.map(({ name, shape: own }) => [name, numbers(sizeOf(own))]));
    for (const [name, values] of initial) session.write(name, values);
    const update = session.load(programs.update());
    for (let step = 0; step < STEPS; step++) {
      if (!again || step === 0)
        for (const { name, shape: own } of programs.parameters) {
          const drawn = numbers(sizeOf(own));
          session.write(gradientName(name), step === 0 ? alongDecay(drawn, initial.get(name)!) : drawn);
        }
      const { inputs } = hyperParameters(config, programs, () => 1 - step / 50, { step, tokens: 0 });
      await session.run(update, { ...inputs, gradientScale: Float32Array.of(0.5) });
    }
    const states = programs.states.filter(({ category }) => category !== 'gradients');
    return new Map(
      await Promise.all(states.map(async ({ name }) => [name, await session.read(name)] as [string, Float32Array])),
    );
  } finally {
    session.dispose();
  }
}

describe(`optimizers on every executor (seed ${seed})`, () => {
  test('every optimizer is tried', () => expect(cases.length).toBeGreaterThanOrEqual(9));

  // Would catch an executor that trains with another rule, other constants or moments in another order.
  test.each(cases)('%s gives the same numbers', async (_name, options) => {
    const [[, openFirst], ...others] = EXECUTORS;
    const expected = await train(await openFirst!(), options);
    for (const [name, open] of others) {
      const found = await train(await open(), options);
      expect([...found.keys()]).toEqual([...expected.keys()]);
      for (const [state, values] of expected) {
        const own = found.get(state)!;
        const scale = Math.max(...values.map(Math.abs));
        const worst = difference(values, own, decidesBySign(setup(options).config));
        expect(worst / scale, `${name}: ${state}`).toBeLessThan(2e-5);
      }
    }
  });
});

test.each(EXECUTORS)(
  '%s: gradients that stay equal end in numbers (would catch the root of a variance that rounding made negative)',
  async (_name, open) => {
    const options = { 'optimizer.kind': 'rmsprop', 'optimizer.centered': true, 'optimizer.alpha': 0.3 };
    for (const [state, values] of await train(await open(), options, true))
      expect(values.every(Number.isFinite), `seed ${seed}: ${state}`).toBe(true);
  },
);

/** The sign of an interpolation of gradient and momentum, as a plug-in would write it: one moment, no kernel of its own. */
const signs = defineOptimizer({
  name: 'signs',
  help: 'The sign of a momentum.',
  settings: ['optimizer.beta1', 'optimizer.beta2'],
  moments: () => ['momentum'],
  flopsPerElement: 8,
  apply(p, g, { momentum }, h, c) {
    const mix = (beta: number) => ops.add(ops.mul(momentum!, ops.scalar(p, beta)), ops.mul(g, ops.scalar(p, 1 - beta)));
    const direction = mix(c['optimizer.beta1'] as number);
    const sign = ops.sub(
      ops.cast(ops.greater(direction, ops.scalar(p, 0)), 'f32'),
      ops.cast(ops.less(direction, ops.scalar(p, 0)), 'f32'),
    );
    const kept = ops.mul(p, ops.sub(ops.scalar(p, 1), ops.mul(h.lr, h.decay)));
    return { p: ops.sub(kept, ops.mul(h.lr, sign)), moments: { momentum: mix(c['optimizer.beta2'] as number) } };
  },
});

/** Adam's moments under another formula, with numbers of its own per step: what an executor could take for adamw. */
const lookalike = defineOptimizer({
  name: 'lookalike',
  help: 'Two moments and a number per step.',
  moments: () => ['first', 'second'],
  scalars: (_, t) => ({ bias1: 1 / t, bias2: t }),
  flopsPerElement: 8,
  apply(p, g, { first, second }, h) {
    const next = ops.add(first!, ops.mul(g, h.bias1!));
    const sum = ops.add(second!, ops.square(g));
    return {
      p: ops.sub(p, ops.mul(h.lr, ops.div(next, ops.add(ops.sqrt(sum), h.bias2!)))),
      moments: { first: next, second: sum },
    };
  },
});

/** Matrices by one moment per row (as factored optimizers keep), everything else by plain sgd. */
const rows = defineOptimizer({
  name: 'rows',
  help: 'A moment per row for matrices.',
  settings: ['optimizer.momentum', 'optimizer.nesterov'],
  moments: () => ['row'],
  momentShape: (_, shape) => [shape[0]!, 1],
  flopsPerElement: 4,
  ruleFor: ({ role }) => (role === 'matrix' ? rows : sgd),
  apply(p, g, { row }, h) {
    const next = ops.add(row!, ops.reduceSum(ops.square(g), [1]));
    return {
      p: ops.sub(p, ops.mul(h.lr, ops.div(g, ops.add(ops.sqrt(next), ops.scalar(p, 1))))),
      moments: { row: next },
    };
  },
});

const kinds = new Catalog([{ file: 'test.ts', kinds: [signs, lookalike, rows] }]);

describe('optimizers of plug-ins', () => {
  /** One element in float64. */
  const byHand: Record<
    string,
    (w: number, g: number, s: number[], h: { lr: number; decay: number; t: number }) => number
  > = {
    signs(w, g, s, { lr, decay }) {
      const direction = 0.9 * s[0]! + 0.1 * g;
      s[0] = 0.99 * s[0]! + 0.01 * g;
      return w * (1 - lr * decay) - lr * Math.sign(direction);
    },
    lookalike(w, g, s, { lr, t }) {
      s[0] = s[0]! + g / t;
      s[1] = s[1]! + g * g;
      return w - (lr * s[0]) / (Math.sqrt(s[1]) + t);
    },
  };

  // Would catch an executor that trains something else without a word, or reads past its list of rules.
  test.each(Object.keys(byHand))('%s trains what it says on every executor', async (name) => {
    const options = { 'optimizer.kind': name, 'optimizer.clip': 0 };
    const { programs, config } = setup(options);
    const random = generator(seed);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);
    const weights = programs.parameters.map(({ shape: own }) => Float64Array.from(numbers(sizeOf(own))));
    const moments = weights.map((w) => Array.from(w, () => [0, 0]));
    for (let step = 0; step < STEPS; step++) {
      const lr = (config['optimizer.lr'] as number) * (1 - step / 50);
      programs.parameters.forEach(({ role, shape: own }, i) => {
        const group = programs.groups.find((each) => each.name === role)!;
        const drawn = numbers(sizeOf(own));
        const g = step === 0 ? alongDecay(drawn, weights[i]!) : drawn;
        const h = { lr: lr * group.lrScale, decay: group.weightDecay, t: step + 1 };
        g.forEach((each, j) => (weights[i]![j] = byHand[name]!(weights[i]![j]!, each * 0.5, moments[i]![j]!, h)));
      });
    }
    for (const [executor, open] of EXECUTORS) {
      const found = await train(await open(), options);
      programs.parameters.forEach((spec, i) => {
        const own = found.get(spec.name)!;
        const worst = difference(own, weights[i]!, decidesBySign(config));
        expect(worst, `${executor}: ${spec.name}`).toBeLessThan(1e-5);
      });
    }
  });

  test('one rule for matrices and another for the rest, with moments of another shape, is the same everywhere', async () => {
    const options = { 'optimizer.kind': 'rows', 'optimizer.momentum': 0.9 };
    const states = setup(options).programs.states.filter(({ category }) => category === 'optimizer state');
    expect(states.find(({ name }) => name.endsWith('query.weight:row'))!.shape).toEqual([11, 1]);
    expect(states.some(({ name }) => name.endsWith('gain:momentum'))).toBe(true);
    const [[, first], ...others] = EXECUTORS;
    const expected = await train(await first!(), options);
    for (const [, open] of others) {
      const found = await train(await open(), options);
      for (const [state, values] of expected)
        values.forEach((value, i) => expect(Math.abs(value - found.get(state)![i]!), state).toBeLessThan(2e-5));
    }
  });

  test.each([
    [
      'a rule that no executor knows',
      { rule: 'lamb' },
      'fused rule is lamb; allowed: adamw, adam, sgd, adagrad, rmsprop',
    ],
    ['a constant that is missing', { rule: 'adamw', beta1: 0.9, eps: 1e-8 }, 'needs beta2, which is undefined'],
    ['numbers per step that it does not give', { rule: 'adamw', beta1: 0.9, beta2: 0.9, eps: 1e-8 }, 'scalar bias1'],
    ['other moments', { rule: 'adagrad', eps: 1e-8 }, 'has 1 moment, and moments names 2'],
  ])('that ask for a kernel with %s are refused (catches a number that becomes 0)', (_, fused, part) => {
    const wrong = defineOptimizer({
      ...lookalike,
      name: 'wrong',
      scalars: undefined,
      fused: () => fused as never,
      moments: () => ['first', 'second'],
    });
    const catalog = new Catalog([{ file: 'test.ts', kinds: [wrong] }]);
    expect(() => programsOf({ 'optimizer.kind': 'wrong' }, false, catalog).update()).toThrow(part);
  });

  type Apply = Parameters<typeof defineOptimizer>[0]['apply'];
  const step = (p: Parameters<Apply>[0], change: Parameters<Apply>[0]) => ({ p: ops.sub(p, change), moments: {} });

  test.each<[string, Apply, string]>([
    [
      'a constant that is missing',
      (p, g) => step(p, ops.mul(g, ops.scalar(p, undefined as never))),
      'a constant of the graph is undefined, not a number',
    ],
    [
      'a setting that there is not',
      (p, g, _, __, c) => step(p, ops.mul(g, ops.scalar(p, c['optimizer.rate'] as number))),
      'reads optimizer.rate, which is not a setting',
    ],
    [
      'a number of the step that there is not',
      (p, g, _, h) => step(p, ops.mul(g, h.rate!)),
      'there is no number rate of a step; allowed: lr, decay',
    ],
  ])(
    'whose rule reads %s are refused everywhere, by name (catches training with 0 in its place)',
    async (_, apply, why) => {
      const wrong = defineOptimizer({ name: 'wrong', help: '.', moments: () => [], flopsPerElement: 1, apply });
      const catalog = new Catalog([{ file: 'test.ts', kinds: [wrong] }]);
      for (const [, open] of EXECUTORS) {
        const executor = await open();
        const programs = programsOf({ ...shape, 'optimizer.kind': 'wrong' }, false, catalog);
        const session = executor.open(programs.states);
        try {
          expect(() => session.load(programs.update())).toThrow(/optimizer wrong/u);
          expect(() => session.load(programs.update())).toThrow(why);
        } finally {
          session.dispose();
        }
      }
    },
  );

  test('that give no number for a step are refused by name (catches a loss that turns NaN without a word)', () => {
    const wrong = defineOptimizer({
      ...lookalike,
      name: 'wrong',
      scalars: () => ({ bias1: undefined as never, bias2: 1 }),
    });
    const catalog = new Catalog([{ file: 'test.ts', kinds: [wrong] }]);
    const settings = { ...shape, 'optimizer.kind': 'wrong' };
    const programs = programsOf(settings, false, catalog);
    const position = { step: 0, tokens: 0 };
    expect(() => hyperParameters(variantConfig(settings), programs, () => 1, position)).toThrow(
      'optimizer wrong: scalars gives bias1 = undefined',
    );
  });
});
