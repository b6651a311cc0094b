/** Weights that are evaluated and are not those that are trained: averages, and the mean of schedule_free. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import type { Session } from '../../../main/engine/executors/executor.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { buildTraining, gradientName } from '../../../main/engine/nn/training.ts';
import type { TrainingPrograms } from '../../../main/engine/nn/training.ts';
import { averageName } from '../../../main/engine/optim/averages/average.ts';
import { ema } from '../../../main/engine/optim/averages/ema.ts';
import { mean } from '../../../main/engine/optim/averages/mean.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { OPTIMIZER, WEIGHTS } from '../../../main/engine/train/checkpoint.ts';
import { Runtime } from '../../../main/engine/train/runtime.ts';
import { SafetensorsFile } from '../../../main/engine/train/safetensors.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { generator } from '../nn/variants.ts';
import { fakeData } from '../train/fakeData.ts';
import { temporaryFolder, testConfig } from '../train/helpers.ts';
import { FakeHost, Killed, tensorsOf, train } from '../train/laboratory.ts';

const STEPS = 50;
const seed = Math.floor(Math.random() * 2 ** 31);
const ROWS = 2;
const VOCABULARY = 17;

const programsFor = (config: Config) => buildTraining({ config, vocabularySize: VOCABULARY, keyMasked: false });

async function lossOf(
  session: Session,
  programs: TrainingPrograms,
  which: 'evaluate' | 'evaluateAverage',
  length: number,
) {
  const tokens = Int32Array.from({ length: ROWS * length }, (_, i) => (i * 7) % VOCABULARY);
  const targets = tokens.map((token) => (token * 3 + 1) % VOCABULARY);
  const { loss } = await session.run(session.load(programs[which](ROWS)), { tokens, targets });
  return Array.from(loss!).reduce((sum, nats) => sum + nats, 0) / loss!.length;
}

const training = {
  'stop.steps': 9,
  'model.context': 8,
  'model.width': 8,
  'eval.every_steps': 3,
  'log.checkpoint_steps': 2,
  'schedule.warmup_steps': 3,
};
const undisturbed = async (config: Config) => {
  const { host } = await train({ config, folder: await temporaryFolder(), prepare: fakeData() });
  return { host, series: host.reproducible, tensors: await tensorsOf(host) };
};

describe('an average of the weights', () => {
  test.each<[string, Config]>([
    ['ema', { 'optimizer.average': 'ema', 'optimizer.average_decay': 0.9 }],
    ['mean', { 'optimizer.average': 'mean', 'optimizer.average_from_step': 20 }],
    ['ema in bf16', { 'optimizer.average': 'ema', 'precision.policy': 'bf16' }],
  ])(`%s is that of the weights of ${STEPS} steps, and is what is evaluated (seed ${seed})`, async (_, settings) => {
    const config = testConfig({ 'optimizer.lr': 0.01, ...settings });
    const programs = programsFor(config);
    const session = (await openTfjsExecutor('tfjs-cpu')).open(programs.states);
    const random = generator(seed);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5);
    try {
      const wanted = programs.parameters.map(({ shape }) => new Float64Array(sizeOf(shape)));
      for (const { name, shape } of programs.parameters) session.write(name, numbers(sizeOf(shape)));
      const update = session.load(programs.update());
      for (let step = 0; step < STEPS; step++) {
        for (const { name, shape } of programs.parameters) session.write(gradientName(name), numbers(sizeOf(shape)));
        const { inputs } = hyperParameters(config, programs, () => 1, { step, tokens: 0 });
        await session.run(update, { ...inputs, gradientScale: Float32Array.of(1) });
        const t = step + 1;
        const decay = config['optimizer.average_decay'] as number;
        const share =
          config['optimizer.average'] === 'mean'
            ? 1 / Math.max(1, t - 20)
            : Math.max(1 - decay, Math.min(1, 10 / (9 + t)));
        for (const [i, { name }] of programs.parameters.entries())
          (await session.read(name)).forEach((x, j) => (wanted[i]![j]! += share * (x - wanted[i]![j]!)));
      }
      for (const [i, { name }] of programs.parameters.entries()) {
        const found = await session.read(averageName(name));
        // Each step rounds the average a few times.
        found.forEach((x, j) => expect(Math.abs(x - wanted[i]![j]!)).toBeLessThan(1e-5));
      }
      const length = config['model.context'] as number;
      const averaged = await lossOf(session, programs, 'evaluateAverage', length);
      expect(averaged).not.toBe(await lossOf(session, programs, 'evaluate', length));
      for (const { name } of programs.parameters)
        session.write(name, Float32Array.from(await session.read(averageName(name))));
      for (const { name, category } of programs.states) {
        const at = name.lastIndexOf(':');
        if (category === 'working copies')
          session.write(name, Float32Array.from(await session.read(name.slice(0, at))));
      }
      expect(await lossOf(session, programs, 'evaluate', length)).toBeCloseTo(averaged, 6);
    } finally {
      session.dispose();
    }
  });

  test('changes no training, is a metric after the first step, and goes on bit for bit', async () => {
    const config = testConfig({ ...training, 'optimizer.average': 'ema' });
    const plain = await undisturbed({ ...config, 'optimizer.average': 'none' });
    const whole = await undisturbed(config);
    const averaged = Object.keys(whole.series).filter((metric) => metric.startsWith('val/average_'));
    expect(averaged).toEqual(['val/average_bpb', 'val/average_loss']);
    expect(whole.series['val/average_loss']!.map(([step]) => step)).toEqual([3, 6, 9]);
    for (const [metric, points] of Object.entries(plain.series)) expect(whole.series[metric]).toEqual(points);
    const host = new FakeHost();
    const folder = await temporaryFolder();
    const onMessage = (message: { type: string; step?: number }) => {
      if (message.type === 'progress' && message.step! >= 7) throw new Killed();
    };
    await train({ config, folder, host, prepare: fakeData(), onMessage });
    await train({ config, folder, host, prepare: fakeData(), resume: true });
    expect(host.reproducible).toEqual(whole.series);
    expect(await tensorsOf(host)).toEqual(whole.tensors);
  });

  test('begins as the first weights (catches an average that remembers zeros)', () => {
    const config = testConfig();
    for (const kind of [ema, mean]) expect(kind.share!(config, 1)).toBe(1);
    expect(ema.share!(config, 1e6)).toBeCloseTo(1 - (config['optimizer.average_decay'] as number), 12);
    expect(mean.share!({ ...config, 'optimizer.average_from_step': 10 }, 12)).toBe(0.5);
  });

  test('is planned: four bytes per parameter more', () => {
    const bytes = (settings: Config) =>
      programsFor(testConfig(settings))
        .states.filter(({ category }) => category === 'optimizer state')
        .reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
    const { parameterCount } = programsFor(testConfig());
    expect(bytes({ 'optimizer.average': 'ema' }) - bytes({})).toBe(4 * parameterCount);
  });
});

describe('schedule_free', () => {
  test('is evaluated and saved at the mean, and trained apart from it', async () => {
    const config = testConfig({ ...training, 'optimizer.kind': 'schedule_free', 'optimizer.beta1': 0.8 });
    const { host, tensors } = await undisturbed(config);
    const { path } = host.of('checkpoint').findLast(({ kind }) => kind === 'last')!;
    const [weights, moments] = await Promise.all(
      [WEIGHTS, OPTIMIZER].map((file) => SafetensorsFile.open(join(path, file))),
    );
    const data = await fakeData()({ config } as never);
    const programs = buildTraining({ config, vocabularySize: data.vocabularySize, keyMasked: false });
    const runtime = new Runtime(await openTfjsExecutor('tfjs-cpu'), programs, []);
    try {
      for (const { name } of programs.parameters) {
        const mean = tensors[`${name}:trained`]!.map((y, i) => y - 0.25 * tensors[`${name}:lead`]![i]!);
        tensors[name]!.forEach((x, i) => expect(Math.abs(x - mean[i]!)).toBeLessThan(1e-6));
        expect(tensors[name]).not.toEqual(tensors[`${name}:trained`]);
      }
      const score = () => lossAt(runtime, data);
      await runtime.restoreWeights(weights!);
      const fromWeights = await score();
      await runtime.restoreMoments(moments!);
      expect(await score()).toBeCloseTo(fromWeights, 5);
      expect(host.series.get('val/loss')!.get(9)).toBeCloseTo(fromWeights, 5);
    } finally {
      runtime.dispose();
      await Promise.all([weights!.close(), moments!.close()]);
    }
  });
});

async function lossAt({ session, programs }: Runtime, data: Awaited<ReturnType<ReturnType<typeof fakeData>>>) {
  const set = data.validation(ROWS);
  const loaded = session.load(programs.evaluate(ROWS));
  let [nats, scored] = [0, 0];
  for (let i = 0; i < set.batches; i++) {
    const { inputs, targets } = set.batch(i);
    const { loss } = await session.run(loaded, { tokens: inputs, targets });
    targets.forEach((target, j) => {
      if (target < 0) return;
      nats += loss![j]!;
      scored++;
    });
  }
  return nats / scored;
}
