/** Moments in bytes: the same numbers as a reference on every executor, near those of 32 bits, and as many bytes as planned. */
import { describe, expect, test } from 'vitest';
import { builtInCatalog, Catalog } from '../../../main/engine/catalog.ts';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { bytesOf, sizeOf } from '../../../main/engine/graph/value.ts';
import { defineModel } from '../../../main/engine/nn/model.ts';
import { gradientName } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { generator, programsOf, variantConfig } from '../nn/variants.ts';
import { testConfig } from '../train/helpers.ts';
import { noMoments, stepInBytes } from './bytesReference.ts';

const STEPS = 50;
const seed = Math.floor(Math.random() * 2 ** 31);

/** A last block that is not full, full blocks alone, and too few elements for bytes. */
const SIZES = { odd: [67, 63], even: [16, 256], few: [9, 7] } as const;
const BIG = Object.keys(SIZES).filter((name) => name !== 'few');

const shapes = defineModel({
  name: 'sizes',
  help: 'Parameters of several sizes.',
  build(m) {
    const initial = { kind: 'normal', std: 0.3 } as const;
    const table = m.parameter('table', [m.vocabularySize, 6], { role: 'embedding', initial });
    for (const [name, shape] of Object.entries(SIZES)) m.parameter(name, shape, { role: 'matrix', initial });
    return { hidden: m.ops.gather(table, m.tokens), head: table };
  },
});
const kinds = new Catalog([{ file: 'sizes.ts', kinds: [shapes] }]);
const settings: Config = {
  'model.kind': 'sizes',
  'optimizer.moments': '8bit',
  'optimizer.lr': 0.01,
  'optimizer.eps': 1e-6,
  'optimizer.clip': 0,
};

const EXECUTORS: readonly [string, () => Promise<Executor> | Executor][] = [
  ['tfjs-cpu', () => openTfjsExecutor('tfjs-cpu')],
  ...(missingAddon === undefined ? [['cpu', () => openCpuExecutor()] as [string, () => Executor]] : []),
];

/** Gradients of sizes that differ by element and by step, as real ones do. */
function drawn() {
  const random = generator(seed);
  const programs = programsOf(settings, false, kinds);
  const starts = programs.parameters.map(({ shape }) =>
    Float32Array.from({ length: sizeOf(shape) }, () => random() - 0.5),
  );
  const sizes = starts.map((start) => start.map(() => 10 ** (-3 * random())));
  const gradients = Array.from({ length: STEPS }, () => {
    const size = 0.2 + random();
    return sizes.map((own) => own.map((scale) => size * scale * (random() + random() - 0.8)));
  });
  return { starts, gradients };
}

async function moved(executor: Executor, given: Config, { starts, gradients }: ReturnType<typeof drawn>) {
  const [config, programs] = [variantConfig(given), programsOf(given, false, kinds)];
  const session = executor.open(programs.states);
  try {
    programs.parameters.forEach(({ name }, i) => session.write(name, starts[i]!));
    const update = session.load(programs.update());
    for (let step = 0; step < STEPS; step++) {
      programs.parameters.forEach(({ name }, i) => session.write(gradientName(name), gradients[step]![i]!));
      const { inputs } = hyperParameters(config, programs, () => 1, { step, tokens: 0 });
      await session.run(update, { ...inputs, gradientScale: Float32Array.of(1) });
    }
    const weights = await Promise.all(programs.parameters.map(({ name }) => session.read(name)));
    return new Map(programs.parameters.map(({ name }, i) => [name, weights[i]!]));
  } finally {
    session.dispose();
  }
}

const rms = (values: Iterable<number>): number => {
  const all = [...values];
  return Math.sqrt(all.reduce((sum, x) => sum + x * x, 0) / all.length);
};

describe(`moments in bytes over ${STEPS} steps (seed ${seed})`, () => {
  const data = drawn();
  const { parameters } = programsOf(settings, false, kinds);
  const config = variantConfig(settings);
  const wanted = new Map(
    parameters.map(({ name }, i) => {
      const w = Float64Array.from(data.starts[i]!);
      const kept = noMoments(w.length);
      const h = { lr: 0.01, decay: config['optimizer.weight_decay'] as number, eps: 1e-6 };
      const betas = { beta1: config['optimizer.beta1'] as number, beta2: config['optimizer.beta2'] as number };
      for (let t = 1; t <= STEPS; t++) stepInBytes(w, data.gradients[t - 1]![i]!, kept, { ...h, ...betas, t });
      return [name, w] as const;
    }),
  );

  test.each(EXECUTORS)(
    'on %s are those of the reference (catches another level, block or threshold)',
    async (_, open) => {
      const found = await moved(await open(), settings, data);
      for (const name of BIG) {
        const [own, other] = [found.get(name)!, wanted.get(name)!];
        const start = data.starts[parameters.findIndex((each) => each.name === name)]!;
        const way = rms(other.map((x, j) => x - start[j]!));
        const apart = Array.from(other, (x, j) => Math.abs(x - own[j]!));
        // A number that rounding carries over a threshold takes the other level: rarely, and by no more than a level does.
        expect(apart.filter((x) => x > 1e-4 * way).length / apart.length, name).toBeLessThan(0.02);
        expect(Math.max(...apart), name).toBeLessThan(way);
      }
    },
  );

  test('lead to nearly the weights of 32 bits (catches means that stand still)', async () => {
    const executor = await EXECUTORS.at(-1)![1]();
    const [bytes, whole] = [
      await moved(executor, settings, data),
      await moved(executor, { ...settings, 'optimizer.moments': '32bit' }, data),
    ];
    for (const [i, { name }] of parameters.entries()) {
      const [a, b, start] = [bytes.get(name)!, whole.get(name)!, data.starts[i]!];
      const apart = rms(b.map((x, j) => x - a[j]!)) / rms(b.map((x, j) => x - start[j]!));
      if (BIG.includes(name)) expect(apart, name).toBeLessThan(0.1);
      else expect(apart, name).toBe(0);
    }
  });

  test('take two bytes per element and eight per block (catches a plan of 32 bits)', () => {
    const { states } = programsOf(settings, false, kinds);
    const bytes = (name: string): number =>
      states
        .filter((state) => state.category === 'optimizer state' && state.name.startsWith(`${name}:`))
        .reduce((sum, state) => sum + bytesOf(state), 0);
    expect(bytes('odd')).toBe(2 * 67 * 63 + 8 * Math.ceil((67 * 63) / 256));
    expect(bytes('few')).toBe(8 * 9 * 7);
  });
});

test('what has no kernel of bytes is refused, and gives way', () => {
  for (const [setting, value, nearest] of [
    ['optimizer.amsgrad', true, false],
    ['optimizer.momentum_schedule', 'rise', 'constant'],
  ] as const) {
    const config = testConfig({ 'optimizer.moments': '8bit', [setting]: value });
    expect(builtInCatalog.check(config).problems).toMatchObject([{ setting, nearest }]);
    const settled = builtInCatalog.settle(config, (name) => name === setting);
    expect(settled.config['optimizer.moments']).toBe('32bit');
  }
});
