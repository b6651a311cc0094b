import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EngineMessage } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { Stream } from '../../../main/engine/random/stream.ts';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { fakeData } from './fakeData.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { FakeHost, Killed, stopDuring, tensorsOf, train } from './laboratory.ts';

/** Dropout, accumulation, momentum, a schedule and padding: everything that has a state or a random number. */
const CONFIG = testConfig({
  'stop.steps': 14,
  'model.context': 8,
  'model.width': 8,
  'eval.every_steps': 4,
  'log.checkpoint_steps': 3,
  'model.dropout': 0.1,
  'batch.micro': 2,
  'schedule.warmup_steps': 3,
});
const prepare = fakeData({ keyMasked: true });

const undisturbed = async (config: Config) => {
  const { end, host } = await train({ config, folder: await temporaryFolder(), prepare });
  return { end, series: host.reproducible, tensors: await tensorsOf(host) };
};

/** Numbers of an end that do not depend on the clock. */
const timeless = (summary: object) =>
  Object.fromEntries(
    Object.entries(summary).filter(([name]) => !['seconds', 'tokens_per_second', 'system/memory'].includes(name)),
  );

describe('resuming', () => {
  test('a stopped run continues bit for bit, and the evaluation of the stop leaves no trace', async () => {
    const whole = await undisturbed(CONFIG);
    for (const at of [1, 2, 4, 5, 6, 13]) {
      const folder = await temporaryFolder();
      const host = new FakeHost();
      const first = await train({ config: CONFIG, folder, host, prepare, onProgram: stopDuring(at) });
      expect(first.end).toMatchObject({ state: 'stopped', steps: at });
      const second = await train({ config: CONFIG, folder, host, prepare, resume: true });
      expect(second.end).toMatchObject({ state: 'finished', reason: whole.end.reason, tokens: whole.end.tokens });
      expect(host.reproducible).toEqual(whole.series);
      expect(await tensorsOf(host)).toEqual(whole.tensors);
      expect(timeless(second.end.summary)).toEqual(timeless(whole.end.summary));
    }
  });

  test.each(['adamw', 'muon', 'schedule_free', 'lion', 'adafactor', 'nadam', 'adam', 'sgd', 'adagrad', 'rmsprop'])(
    '%s has no state beside its checkpoint',
    async (kind) => {
      const config = {
        ...CONFIG,
        'optimizer.kind': kind,
        'optimizer.momentum': 0.5,
        'optimizer.centered': true,
        'stop.steps': 7,
      };
      const whole = await undisturbed(config);
      const folder = await temporaryFolder();
      const host = new FakeHost();
      const killed = await train({ config, folder, host, prepare, onMessage: killAfterStep(5) });
      expect(killed.end.state).toBe('failed');
      await train({ config, folder, host, prepare, resume: true });
      expect(await tensorsOf(host)).toEqual(whole.tensors);
      expect(host.reproducible).toEqual(whole.series);
    },
  );

  test('moments in bytes, and how they are rounded at each step, come back exactly', async () => {
    const config = {
      ...CONFIG,
      // The portable executor takes seconds for them.
      device: missingAddon === undefined ? 'cpu' : 'tfjs-cpu',
      'model.width': 32,
      // Its last block is not full.
      'model.mlp_width': 130,
      'optimizer.moments': '8bit',
      'stop.steps': 5,
      'eval.every_steps': 0,
    };
    const whole = await undisturbed(config);
    expect(whole.tensors['block.0.mlp.up.weight:second_scale']).toHaveLength(Math.ceil((32 * 130) / 256));
    const folder = await temporaryFolder();
    const host = new FakeHost();
    await train({ config, folder, host, prepare, onMessage: killAfterStep(4) });
    const { end } = await train({ config, folder, host, prepare, resume: true });
    expect(end).toMatchObject({ state: 'finished', steps: 5 });
    expect(host.of('begin').at(-1)!.step).toBe(3);
    expect(await tensorsOf(host)).toEqual(whole.tensors);
    expect(host.reproducible).toEqual(whole.series);
  });

  test('a mixture of texts goes on with the rows that were next, and tells the losses and passes of each text', async () => {
    const text = join(await temporaryFolder(), 'code.txt');
    await writeFile(text, Array.from({ length: 50 }, (_, i) => `let x${i} = ${i}; // and ${i * i}`).join('\n\n'));
    const config = { ...CONFIG, 'data.mix': `stories: 0.6, ${text}: 0.4`, 'stop.steps': 6 };
    const whole = await train({ config, folder: await temporaryFolder(), prepare: prepareData });
    expect(whole.end.summary).toMatchObject({
      'val/loss/stories': expect.any(Number),
      'val/loss/code': expect.any(Number),
      'epoch/code': expect.any(Number),
    });
    const folder = await temporaryFolder();
    const host = new FakeHost();
    await train({ config, folder, host, prepare: prepareData, onProgram: stopDuring(4) });
    await train({ config, folder, host, prepare: prepareData, resume: true });
    expect(host.reproducible).toEqual(whole.host.reproducible);
    expect(await tensorsOf(host)).toEqual(await tensorsOf(whole.host));
  });

  test('a decay that follows the loss, and groups with schedules of their own, go on as they were', async () => {
    const config = {
      ...CONFIG,
      'model.positions': 'learned',
      'optimizer.decay_schedule': 'loss_power',
      'optimizer.momentum_schedule': 'rise_and_fall',
      'optimizer.groups': 'embedding: beta1 0.6, amsgrad true, schedule exponential, schedule.base 0.9',
      'stop.steps': 7,
    };
    const whole = await undisturbed(config);
    expect(Object.keys(whole.series)).toEqual(
      expect.arrayContaining(['decay/matrix', 'momentum/adamw', 'lr/embedding']),
    );
    const folder = await temporaryFolder();
    const host = new FakeHost();
    await train({ config, folder, host, prepare, onMessage: killAfterStep(5) });
    await train({ config, folder, host, prepare, resume: true });
    expect(await tensorsOf(host)).toEqual(whole.tensors);
    expect(host.reproducible).toEqual(whole.series);
  });

  test.each([
    ['bf16', {}],
    ['fp16', {}],
    ['fp16', { 'precision.loss_scale': 3000 }],
    ['pure-bf16', {}],
    ['pure-bf16', { 'precision.stochastic_rounding': true }],
    ['bf16', { 'precision.gradients': 'bf16' }],
  ] as [string, Config][])('%s %o: working copies and scales come back exactly', async (policy, given) => {
    const config = { ...CONFIG, 'precision.policy': policy, ...given, 'stop.steps': 5, 'eval.every_steps': 0 };
    const whole = await undisturbed(config);
    const folder = await temporaryFolder();
    const host = new FakeHost();
    await train({ config, folder, host, prepare, onMessage: killAfterStep(4) });
    await train({ config, folder, host, prepare, resume: true });
    expect(host.of('begin').at(-1)!.step).toBe(3);
    expect(await tensorsOf(host)).toEqual(whole.tensors);
    expect(host.reproducible).toEqual(whole.series);
  });

  // Kills between any two messages: between checkpoints, between a rename and its announcement, during an evaluation.
  test('killed at random moments, again and again, a run ends exactly as an undisturbed one', async () => {
    const whole = await undisturbed(CONFIG);
    const random = new Stream(3, 'kills');
    const begins = new Set<number>();
    for (let round = 0; round < 6; round++) {
      const folder = await temporaryFolder();
      const host = new FakeHost();
      for (let attempt = 0; ; attempt++) {
        // A host that commits but whose acknowledgements are lost.
        host.acknowledging = random.int(2) === 0;
        let left = attempt < 4 ? 5 + random.int(60) : Infinity;
        const { end } = await train({
          config: CONFIG,
          folder,
          host,
          prepare,
          resume: attempt > 0,
          onMessage: () => {
            if (--left < 0) throw new Killed();
          },
        });
        if (left >= 0) {
          expect(end.state).toBe('finished');
          break;
        }
      }
      for (const { step } of host.of('begin')) begins.add(step);
      expect(host.reproducible).toEqual(whole.series);
      expect(await tensorsOf(host)).toEqual(whole.tensors);
    }
    expect(begins.size).toBeGreaterThan(2);
  });

  test('a host that goes away: the engine saves and ends, and nothing that it never committed is missing later', async () => {
    const whole = await undisturbed(CONFIG);
    const folder = await temporaryFolder();
    const host = new FakeHost();
    const lost: EngineMessage[] = [];
    let gone = false;
    const { end } = await train({
      config: CONFIG,
      folder,
      host: Object.assign(new FakeHost(), {
        receive: (message: EngineMessage, recorder: never) => {
          // Its last acknowledgement is of step 5; later messages are never seen.
          if (gone) lost.push(message);
          else host.receive(message, recorder);
        },
      }),
      prepare,
      onMessage: (message, control) => {
        if (message.type !== 'metrics' || !message.columns.some(({ steps }) => steps.at(-1)! >= 5)) return;
        gone = true;
        control.abandon();
      },
    });
    expect(end.state).toBe('stopped');
    expect(lost.some(({ type }) => type === 'checkpoint')).toBe(true);
    await train({ config: CONFIG, folder, host, prepare, resume: true });
    expect(host.of('begin').at(-1)!.step).toBe(end.steps);
    expect(host.reproducible).toEqual(whole.series);
  });

  test('continuing a finished run only reports its end again', async () => {
    const folder = await temporaryFolder();
    const host = new FakeHost();
    const { end } = await train({ config: CONFIG, folder, host, prepare });
    const series = host.reproducible;
    const again = await train({ config: CONFIG, folder, host, prepare, resume: true });
    expect(again.end).toEqual({ ...end, summary: expect.objectContaining(timeless(end.summary)) });
    expect(host.reproducible).toEqual(series);
  });

  test('a longer run continues a finished one where it ended', async () => {
    const constant = { ...CONFIG, 'schedule.kind': 'constant', 'stop.steps': 6 };
    const folder = await temporaryFolder();
    const host = new FakeHost();
    await train({ config: constant, folder, host, prepare });
    const longer = { ...constant, 'stop.steps': 11 };
    const { end } = await train({ config: longer, folder, host, prepare, resume: true });
    expect(end.steps).toBe(11);
    expect(host.reproducible).toEqual((await undisturbed(longer)).series);
  });

  // Would catch numbers of two executors in one curve without a word.
  test('a run that goes on with another executor says so, and once', async () => {
    const [folder, host] = [await temporaryFolder(), new FakeHost()];
    const on = (device: string, steps: number) =>
      train({ config: { ...CONFIG, device, 'stop.steps': steps }, folder, host, prepare, resume: true });
    const said = () =>
      host.of('log').flatMap(({ level, text }) => (level === 'warning' && text.includes('goes on') ? [text] : []));
    await on('tfjs-cpu', 2);
    await on('tfjs-cpu', 3);
    expect(said()).toEqual([]);
    await on('tfjs-wasm', 4);
    await on('tfjs-wasm', 5);
    expect(said()).toEqual([
      expect.stringMatching(
        /^it was trained on tfjs-cpu so far, and tfjs-wasm goes on: .*may differ in their last digits/u,
      ),
    ]);
  });

  test('without resume the run begins again and old checkpoints are gone', async () => {
    const folder = await temporaryFolder();
    const config = { ...CONFIG, 'stop.steps': 3 };
    const host = new FakeHost();
    await train({ config, folder, host, prepare });
    await train({ config: { ...config, seed: 9 }, folder, host, prepare });
    expect(host.of('begin').map(({ step, keepUpTo }) => [step, keepUpTo])).toEqual([
      [0, -1],
      [0, -1],
    ]);
    const other = await undisturbed({ ...config, seed: 9 });
    expect(await tensorsOf(host)).toEqual(other.tensors);
    expect(host.reproducible).toEqual(other.series);
    expect(await readdir(join(folder, 'checkpoints'))).toHaveLength(3);
  });

  test('a damaged checkpoint is reported and the run begins again (only one was left)', async () => {
    const folder = await temporaryFolder();
    const host = new FakeHost();
    await train({ config: CONFIG, folder, host, prepare, onMessage: killAfterStep(8) });
    const root = join(folder, 'checkpoints');
    const [name] = (await readdir(root)).filter((each) => each.startsWith('last-'));
    const file = join(root, name!, 'optimizer.safetensors');
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 4;
    await rm(file);
    await writeFile(file, bytes);
    const { end } = await train({ config: CONFIG, folder, host, prepare, resume: true });
    expect(
      host
        .of('log')
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(/checksum[\s\S]*begins again/);
    expect(end.state).toBe('finished');
    expect(host.reproducible).toEqual((await undisturbed(CONFIG)).series);
  });

  test.each([
    [{ 'model.width': 32 }, {}, /model\.width was 8 and is 32/],
    [{ seed: 2 }, {}, /seed was 1 and is 2/],
    [{}, { hash: 'another text' }, /data\.corpus/],
  ] as [Config, object, RegExp][])(
    '%o is refused with the reason, and the checkpoint stays',
    async (change, data, reason) => {
      const folder = await temporaryFolder();
      const host = new FakeHost();
      await train({ config: CONFIG, folder, host, prepare, onMessage: killAfterStep(8) });
      const before = host.reproducible;
      const other = await train({
        config: { ...CONFIG, ...change },
        folder,
        host,
        prepare: fakeData({ keyMasked: true, ...data }),
        resume: true,
      });
      expect(other.end).toMatchObject({ state: 'failed', reason: expect.stringMatching(reason) });
      expect(host.reproducible).toEqual(before);
      expect((await train({ config: CONFIG, folder, host, prepare, resume: true })).end.state).toBe('finished');
    },
  );
});

/** Breaks the run off, as a kill does, once a point after `step` is sent. */
function killAfterStep(step: number) {
  return (message: EngineMessage) => {
    if (message.type === 'metrics' && message.columns.some(({ steps }) => steps.at(-1)! > step)) throw new Killed();
  };
}
