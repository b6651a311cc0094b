import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import { OutOfMemoryError } from '../../../main/engine/executors/executor.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import type { PrepareData } from '../../../main/engine/train/data.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { fakeData } from './fakeData.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { stopDuring, tensorsOf, train } from './laboratory.ts';
import type { FakeHost, TrainingOptions } from './laboratory.ts';

const trained = async (config: Config, options: Partial<TrainingOptions> = {}) =>
  await train({ config: testConfig(config), folder: await temporaryFolder(), ...options });

const stepsOf = (host: FakeHost, metric: string) => (host.reproducible[metric] ?? []).map(([step]) => step);

/** So many turns of the event loop: a device that takes its time. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}

/** Counts the most steps that were given and not done at once, on a device that takes its time. */
function steps() {
  let [given, done] = [0, 0];
  const counted = {
    most: 0,
    onProgram: ((name, _calls, outputs) => {
      if (name === 'accumulate-first' && outputs === undefined) counted.most = Math.max(counted.most, ++given - done);
      return name === 'update' && outputs !== undefined ? turns(10).then(() => void done++) : undefined;
    }) as NonNullable<TrainingOptions['onProgram']>,
  };
  return counted;
}

describe('training loop', () => {
  test('learns, makes exactly the steps asked for, and evaluates before, on the cadence and at the end', async () => {
    const { end, host } = await trained({ 'stop.steps': 10, 'eval.every_steps': 4, 'optimizer.lr': 0.01 });
    expect(end).toMatchObject({ state: 'finished', reason: 'stop.steps reached (10 steps)', steps: 10, tokens: 640 });
    const losses = host.reproducible['train/loss']!;
    expect(losses.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(losses.at(-1)![1]).toBeLessThan(losses[0]![1]);
    expect(stepsOf(host, 'val/loss')).toEqual([0, 4, 8, 10]);
    expect(end.summary['val/loss']).toBe(host.series.get('val/loss')!.get(10));
    expect(end.summary['val/coverage']).toBe(1);
    const expected = [
      'epoch',
      'flops',
      'grad/norm',
      'lr',
      'seconds',
      'system/memory',
      'tokens',
      'tokens_per_second',
      'train/accuracy',
    ];
    expect([...host.series.keys()].sort()).toEqual([
      ...expected,
      'train/loss',
      'update/embedding',
      'update/matrix',
      'update/vector',
      'val/accuracy',
      'val/bpb',
      'val/bpb_se',
      'val/coverage',
      'val/loss',
      'val/loss_se',
      'val/perplexity',
    ]);
    // Every checkpoint of the last step is announced with the loss of that step.
    expect(host.of('checkpoint').findLast(({ kind }) => kind === 'last')).toMatchObject({
      step: 10,
      loss: end.summary['val/loss'],
    });
  });

  test.each([
    [{ 'stop.steps': 1, 'eval.every_steps': 0 }, 1, [1]],
    [{ 'stop.steps': 0, 'stop.tokens': 65, 'eval.every_steps': 0 }, 2, [2]],
    [{ 'stop.steps': 0, 'stop.epochs': 0.2, 'eval.every_steps': 7 }, 7, [0, 7]],
    [{ 'stop.steps': 9, 'stop.loss': 100, 'eval.every_steps': 3 }, 3, [0, 3]],
  ] as [Config, number, number[]][])('%o ends after %i steps, evaluated at %o', async (config, steps, evaluations) => {
    const { end, host } = await trained(config);
    expect(end).toMatchObject({ state: 'finished', steps });
    expect(stepsOf(host, 'train/loss')).toHaveLength(steps);
    expect(stepsOf(host, 'val/loss')).toEqual(evaluations);
  });

  // Would catch a step that begins from what the one before it has not written, and anything that looks at the state of another step.
  test('steps that are given ahead give the same points, evaluations, checkpoints and bits', async () => {
    const config = {
      'stop.steps': 11,
      'eval.every_steps': 4,
      'log.every_steps': 3,
      'log.checkpoint_steps': 5,
      'batch.micro': 2,
      'model.dropout': 0.1,
      'log.sample_tokens': 2,
    };
    const saved = ({ host }: { host: FakeHost }) =>
      host.of('checkpoint').map(({ kind, step, loss }) => [kind, step, loss]);
    const alone = await trained(config);
    for (const stepsAhead of [1, 2]) {
      const counted = steps();
      const ahead = await trained(config, { stepsAhead, onProgram: counted.onProgram });
      expect(counted.most).toBe(1 + stepsAhead);
      expect(ahead.host.reproducible).toEqual(alone.host.reproducible);
      expect(saved(ahead)).toEqual(saved(alone));
      expect(await tensorsOf(ahead.host)).toEqual(await tensorsOf(alone.host));
      expect(ahead.host.of('sample')).toEqual(alone.host.of('sample'));
      expect({ ...ahead.end, summary: {} }).toEqual({ ...alone.end, summary: {} });
    }
    // A step under a scaled loss may have to be repeated.
    const counted = steps();
    await trained({ ...config, 'precision.policy': 'fp16' }, { stepsAhead: 1, onProgram: counted.onProgram });
    expect(counted.most).toBe(1);
  });

  test('evaluating, sampling, saving and logging at any cadence leave training as it is', async () => {
    const base = { 'stop.steps': 6, 'model.dropout': 0.1 };
    const often = { 'eval.every_steps': 1, 'eval.batch': 3, 'log.sample_tokens': 3, 'log.checkpoint_steps': 2 };
    const a = await trained({ ...base, 'eval.every_steps': 0 });
    const b = await trained({ ...base, ...often });
    expect(b.host.reproducible['train/loss']).toEqual(a.host.reproducible['train/loss']);
    expect(b.host.reproducible['grad/norm']).toEqual(a.host.reproducible['grad/norm']);
    expect(await tensorsOf(b.host)).toEqual(await tensorsOf(a.host));
    expect(b.host.of('sample').map(({ step, text }) => [step, text.length])).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((step) => [step, 3]),
    );
    const sparse = await trained({ ...base, 'log.every_steps': 4 });
    expect(stepsOf(sparse.host, 'train/loss')).toEqual([1, 4]);
    expect(await tensorsOf(sparse.host)).toEqual(await tensorsOf(a.host));
  });

  test('the seed decides everything, and other seeds differ', async () => {
    const config = { 'stop.steps': 3, 'eval.every_steps': 0 };
    const [a, b, c] = [await trained(config), await trained(config), await trained({ ...config, seed: 2 })];
    expect(await tensorsOf(b.host)).toEqual(await tensorsOf(a.host));
    expect(b.host.reproducible).toEqual(a.host.reproducible);
    expect(c.host.reproducible['train/loss']![0]![1]).not.toBe(a.host.reproducible['train/loss']![0]![1]);
  });

  // Rows are scored to different lengths: an average of averages would weigh short rows too much.
  test('micro-batches give the step of the whole batch, also with padding', async () => {
    const config = { 'stop.steps': 4, 'batch.sequences': 6, 'optimizer.kind': 'sgd', 'optimizer.lr': 0.5 };
    const prepare = fakeData({ keyMasked: true });
    const whole = await trained(config, { prepare });
    for (const micro of [1, 2, 3]) {
      const split = await trained({ ...config, 'batch.micro': micro }, { prepare });
      for (const metric of ['train/loss', 'grad/norm', 'train/accuracy', 'tokens']) {
        const expected = whole.host.reproducible[metric]!;
        split.host.reproducible[metric]!.forEach(([step, value], i) => {
          expect(step).toBe(expected[i]![0]);
          const wanted = expected[i]![1];
          expect(Math.abs(value - wanted), `${metric} at ${step}, micro ${micro}`).toBeLessThan(2e-5 * (wanted + 1e-3));
        });
      }
    }
  });

  test('validation loss is the same for every batch shape, and it covers every token', async () => {
    const results: number[] = [];
    for (const batch of [1, 2, 3, 7, 50]) {
      const { end } = await trained({ 'stop.steps': 1, 'eval.every_steps': 0, 'eval.batch': batch });
      expect(end.summary['val/coverage']).toBe(1);
      results.push(end.summary['val/loss']!);
    }
    for (const loss of results) expect(Math.abs(loss / results[0]! - 1)).toBeLessThan(1e-6);
  });

  test('the schedule reaches the update: a rate of 0 leaves the weights alone', async () => {
    const frozen = await trained({ 'stop.steps': 2, 'schedule.kind': 'constant', 'optimizer.lr': 1e-30 });
    const losses = frozen.host.reproducible['val/loss']!;
    expect(losses.at(-1)![1]).toBe(losses[0]![1]);
    const warm = await trained({ 'stop.steps': 4, 'schedule.warmup_steps': 2, 'schedule.kind': 'linear' });
    expect(warm.host.reproducible.lr!.map(([, lr]) => Number(lr.toPrecision(6)))).toEqual([5e-4, 1e-3, 1e-3, 5.5e-4]);
  });

  test('accuracy, bits per byte and perplexity belong to the loss', async () => {
    const { end, host } = await trained({ 'stop.steps': 1 });
    const loss = end.summary['val/loss']!;
    expect(end.summary['val/perplexity']).toBeCloseTo(Math.exp(loss), 10);
    // Every token of this data stands for one byte, and the ends of documents for none.
    const bytes = host.of('info')[0]!.dataset.validationBytes;
    expect(end.summary['val/bpb']).toBeCloseTo((110 * loss) / Math.LN2 / bytes, 10);
  });
});

describe('endings that are not a rule', () => {
  test('a diverging run ends with the number and the step, keeps its last good checkpoint, and does not crash', async () => {
    const config = { 'optimizer.kind': 'sgd', 'optimizer.lr': 1e30, 'optimizer.clip': 0, 'stop.steps': 50 };
    const folder = await temporaryFolder();
    const { end, host } = await trained({ ...config, 'log.checkpoint_steps': 1, 'eval.every_steps': 0 }, { folder });
    expect(end.state).toBe('failed');
    expect(end.reason).toMatch(/^diverged: .+ (is (NaN|-?Infinity)|is not finite) at step \d+$/);
    expect(end.steps).toBeLessThan(10);
    const points = host.reproducible['train/loss']!;
    expect(points.length).toBeGreaterThan(0);
    for (const name of await readdir(join(folder, 'checkpoints'))) expect(name).not.toContain('temporary');
  });

  test.each([
    ['lossSum', 'accumulate-first', 'train/loss'],
    ['gradNorm', 'update', 'grad/norm'],
  ])('%s that is NaN ends the run at its step, recorded', async (output, program, metric) => {
    const { end, host } = await trained(
      { 'eval.every_steps': 2 },
      {
        onProgram: (name, calls, outputs) => {
          if (name === program && calls === 6 && outputs) outputs[output]![0] = NaN;
        },
      },
    );
    expect(end).toMatchObject({ state: 'failed', reason: `diverged: ${metric} is NaN at step 6`, steps: 5 });
    expect(end.summary[metric]).toBeNull();
    expect(host.series.get(metric)!.get(6)).toBeNaN();
    expect(host.of('checkpoint').findLast(({ kind }) => kind === 'last')!.step).toBe(4);
  });

  test('a validation loss that is not finite ends the run too', async () => {
    const { end, host } = await trained(
      {},
      {
        onProgram: (name, calls, outputs) => {
          if (name === 'evaluate' && calls > 3 && outputs) outputs.loss![0] = Infinity;
        },
      },
    );
    expect(end).toMatchObject({ state: 'failed', reason: 'diverged: val/loss is Infinity at step 4', steps: 4 });
    expect(host.of('checkpoint')).toEqual([]);
  });

  test('under loss scaling an overflow halves the scale and repeats the step: still exactly so many updates', async () => {
    const { end, host } = await trained(
      { 'precision.policy': 'fp16', 'stop.steps': 4, 'eval.every_steps': 0 },
      { onProgram: (name, calls, outputs) => !(name === 'update' && (calls === 2 || calls === 3) && !outputs) },
    );
    expect(end).toMatchObject({ state: 'finished', steps: 4 });
    expect(stepsOf(host, 'grad/norm')).toEqual([1, 2, 3, 4]);
    for (const [, norm] of host.reproducible['grad/norm']!) expect(norm).toBeLessThan(100);
  });

  // Would catch an infinity that f16 arithmetic hides or that reaches the weights, and a step that is lost with its update.
  test.skipIf(missingAddon !== undefined)(
    'on the processor f16 gradients that overflow halve the scale and change nothing else',
    async () => {
      const cpu = openCpuExecutor({ threads: 2 });
      let steps = 0;
      const overflowing: Executor = {
        ...cpu,
        open: (states) => {
          const session = cpu.open(states);
          const run = session.run.bind(session);
          session.run = (loaded, inputs) => {
            if (loaded.program.name !== 'accumulate-first' || ++steps !== 3) return run(loaded, inputs);
            return run(loaded, {
              ...inputs,
              lossScale: Float32Array.of((inputs.lossScale as Float32Array)[0]! * 2 ** 20),
            });
          };
          return session;
        },
      };
      const given = { device: 'cpu', 'precision.policy': 'fp16', 'stop.steps': 5, 'eval.every_steps': 0 };
      const { end, host } = await trained(given, { executor: overflowing });
      const alone = await trained(given);
      expect(end).toMatchObject({ state: 'finished', steps: 5 });
      const series = (of: FakeHost, metric: string) => [...of.series.get(metric)!.values()];
      expect(series(host, 'loss_scale')).toEqual([65_536, 65_536, 32_768, 32_768, 32_768]);
      expect(series(host, 'loss_scale_overflows')).toEqual([0, 0, 1, 1, 1]);
      expect(series(alone.host, 'loss_scale_overflows')).toEqual([0, 0, 0, 0, 0]);
      // Half the scale is half of every gradient to the bit, but for the smallest.
      series(host, 'train/loss').forEach((loss, i) =>
        expect(Math.abs(loss / series(alone.host, 'train/loss')[i]! - 1)).toBeLessThan(1e-3),
      );
    },
  );

  // Would catch a setting that is not read, and a first scale beyond what f16 holds that ends the run instead of falling.
  test.skipIf(missingAddon !== undefined)('fp16 begins with the scale that is set', async () => {
    const given = { device: 'cpu', 'precision.policy': 'fp16', 'stop.steps': 3, 'eval.every_steps': 0 };
    const scalesFrom = async (scale: number) => {
      const { end, host } = await trained({ ...given, 'precision.loss_scale': scale });
      expect(end).toMatchObject({ state: 'finished', steps: 3 });
      return ['loss_scale', 'loss_scale_overflows'].map((metric) => [...host.series.get(metric)!.values()]);
    };
    expect(await scalesFrom(1000)).toEqual([
      [1000, 1000, 1000],
      [0, 0, 0],
    ]);
    // The gradient of a logit is up to the scale over the targets of the step: more than 65,504, the largest of f16.
    const [scales, overflows] = await scalesFrom(2 ** 24);
    expect(overflows![0]).toBeGreaterThan(0);
    scales!.forEach((scale, i) => expect(scale).toBe(2 ** (24 - overflows![i]!)));
  });

  test('out of memory is a recorded ending that says what to lower', async () => {
    const { end } = await trained(
      {},
      {
        onProgram: (name, calls) => {
          if (name === 'update' && calls === 3) throw new OutOfMemoryError('8 GiB wanted, 1 GiB left');
        },
      },
    );
    expect(end).toMatchObject({ state: 'failed', steps: 2 });
    expect(end.reason).toMatch(/^out of memory: 8 GiB.*batch\.micro/);
  });

  test('a stop finishes the step, evaluates and saves; an urgent one only saves', async () => {
    for (const urgent of [false, true]) {
      const config = { 'stop.steps': 1000, 'eval.every_steps': 100 };
      const { end, host } = await trained(config, { onProgram: stopDuring(3, urgent) });
      expect(end).toMatchObject({ state: 'stopped', steps: 3 });
      expect(end.reason).toContain('step 3');
      expect(stepsOf(host, 'val/loss')).toEqual(urgent ? [0] : [0, 3]);
      expect(host.of('checkpoint').at(-1)).toMatchObject({ kind: 'last', step: 3 });
    }
  });

  test('a stop before the first step ends without one', async () => {
    const { end } = await trained({}, { onMessage: (_message, control) => control.stop() });
    expect(end).toMatchObject({ state: 'stopped', steps: 0 });
  });

  test('a stop while the data is being prepared cancels that (catches a download that cannot be stopped)', async () => {
    const prepare: PrepareData = ({ signal, onProgress }) =>
      new Promise((_resolve, reject) => {
        signal!.addEventListener('abort', () => reject(signal!.reason as Error));
        onProgress!('download', 0.5);
      });
    const { end } = await trained(
      {},
      {
        prepare,
        onMessage: (message, control) =>
          void (message.type === 'phase' && message.name === 'download' && control.stop()),
      },
    );
    expect(end).toMatchObject({ state: 'stopped', steps: 0 });
  });

  test('a full disk costs a warning, not the run', async () => {
    const full = {
      open: async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      },
    };
    const folder = await temporaryFolder();
    const { end, host } = await trained({ 'stop.steps': 5 }, { folder, files: full });
    expect(end).toMatchObject({ state: 'finished', steps: 5 });
    const warnings = host.of('log').filter(({ level }) => level === 'warning');
    // When it begins and at the end: a line for each would bury the rest of the log.
    expect(warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^the checkpoint of step \d could not be saved, training goes on without it: The disk is full/u,
      ),
      expect.stringMatching(/^the checkpoints of [2-5] steps up to step 5 could not be saved: The disk is full/u),
    ]);
    expect(host.of('checkpoint')).toEqual([]);
  });

  test('errors name the setting', async () => {
    expect((await trained({ 'stop.steps': 0 })).end.reason).toMatch(/stop\.steps/);
    expect((await trained({ device: 'cuda' })).end.reason).toMatch(/device is cuda/);
    expect((await trained({ 'stop.steps': 0, 'stop.loss': 5 })).end.reason).toMatch(/schedule\.horizon_steps/);
  });
});
