/** The same updates on every executor, for every optimizer that can be chosen. */
import { describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { gradientName } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { generator, programsOf, variantConfig } from '../nn/variants.ts';

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
  adamw: [{ 'optimizer.beta1': 0, 'optimizer.eps': 1e-3 }],
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

/** Every state after STEPS updates with the same random gradients. */
async function train(executor: Executor, options: Config): Promise<Map<string, Float32Array>> {
  const settings = { ...shape, 'optimizer.lr': 0.02, 'optimizer.lr_scale_vector': 0.5, ...options };
  const config = variantConfig(settings);
  const programs = programsOf(settings);
  const session = executor.open(programs.states);
  try {
    const random = generator(seed);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);
    for (const { name, shape: own } of programs.parameters) session.write(name, numbers(sizeOf(own)));
    const update = session.load(programs.update());
    for (let step = 0; step < STEPS; step++) {
      for (const { name, shape: own } of programs.parameters) session.write(gradientName(name), numbers(sizeOf(own)));
      const { inputs } = hyperParameters(config, programs.groups, () => 1 - step / 50, { step, tokens: 0 });
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
  test('every optimizer is tried', () => expect(cases.length).toBeGreaterThanOrEqual(5));

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
        const worst = Math.max(...values.map((value, i) => Math.abs(value - own[i]!)));
        expect(worst / scale, `${name}: ${state}`).toBeLessThan(2e-5);
      }
    }
  });
});
