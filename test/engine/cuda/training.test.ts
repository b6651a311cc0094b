import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import { fitPlan } from '../../../main/lab/fit/index.ts';
import type { EngineInfo } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { temporaryFolder } from '../train/helpers.ts';
import { FakeHost, Killed, stopDuring, tensorsOf, train as trainOn } from '../train/laboratory.ts';
import type { TrainingOptions } from '../train/laboratory.ts';
import { buildCublas, whyNoEmulator } from './emulator/build.ts';
import { emulatedDevice, emulatedExecutor, emulatorControls } from './harness.ts';
import { expectLargest, fromRecipe } from './planned.ts';

const why = whyNoEmulator() ?? missingAddon;
// That nothing is read too early is tried elsewhere.
process.env['EMU_PACE'] = '1000';

/** The recipe `quick` with less text at once: the emulated device computes some million operations a second. */
const quick = (overrides: Config): Config =>
  fromRecipe('quick', {
    'batch.sequences': 2,
    'model.context': 32,
    'data.size': 20_000,
    'eval.tokens': 64,
    'log.every_steps': 1,
    ...overrides,
  });

const train = async ({ cublas, ...options }: TrainingOptions & { readonly cublas?: string }) => {
  const executor = options.config.device === 'cuda' ? await emulatedExecutor(undefined, cublas) : undefined;
  return trainOn({ ...options, ...(executor === undefined ? {} : { executor }) });
};

const lossesOf = ({ reproducible }: FakeHost) => reproducible['train/loss']!.map(([, loss]) => loss);

describe.skipIf(why !== undefined)(`training on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  beforeAll(emulatedDevice);

  // Would catch a kernel, an order of runs or a guard that trains otherwise than the processor does.
  test.for([
    ['fp32', 'fp32', 1e-4, 20],
    ['bf16', 'bf16', 1e-2, 20],
    ['pure-bf16', 'pure-bf16', 2e-2, 3],
    ['fp16', 'fp32', 1e-2, 3],
  ] as const)('%s follows %s of the processor', { timeout: 120_000 }, async ([policy, reference, bound, steps]) => {
    const run = async (device: string, precision: string) => {
      const config = quick({ device, 'precision.policy': precision, 'stop.steps': steps, 'eval.every_steps': 0 });
      const { end, host } = await train({ config, folder: await temporaryFolder() });
      expect(end).toMatchObject({ state: 'finished', steps });
      return lossesOf(host);
    };
    const wanted = await run('cpu', reference);
    (await run('cuda', policy)).forEach((loss, i) =>
      expect(Math.abs(loss / wanted[i]! - 1), `step ${i + 1}`).toBeLessThan(bound),
    );
  });

  // Would catch an operation of theirs that has no kernel, and numbers of another step.
  test('diagnostics are those of the processor', { timeout: 120_000 }, async () => {
    const run = async (device: string) => {
      const config = quick({
        device,
        'log.diagnostics': 'all',
        'model.depth': 1,
        'model.mlp': 'swiglu',
        'model.experts': 2,
        'model.attention_softcap': 20,
        'model.softcap': 15,
        'batch.micro': 1,
        'stop.steps': 2,
        'log.diagnostics_steps': 2,
        'eval.every_steps': 0,
      });
      const { end, host } = await train({ config, folder: await temporaryFolder() });
      expect(end, end.reason).toMatchObject({ state: 'finished' });
      return Object.entries(host.reproducible).flatMap(([name, points]) =>
        points.filter(([step]) => step === 2).map(([, value]) => [name, value] as const),
      );
    };
    const wanted = await run('cpu');
    expect(wanted.length).toBeGreaterThan(20);
    const found = new Map(await run('cuda'));
    for (const [name, value] of wanted)
      expect(Math.abs(found.get(name)! - value), name).toBeLessThan(1e-3 * Math.max(Math.abs(value), 0.01));
  });

  // Would catch state that a checkpoint lacks, and graphs that hold what differs from run to run.
  test('a run that is stopped or killed ends with the same bits', { timeout: 120_000 }, async () => {
    const config = quick({
      device: 'cuda',
      'model.depth': 1,
      'model.width': 16,
      'model.heads': 2,
      'model.dropout': 0.1,
      'batch.micro': 1,
      'optimizer.clip': 1,
      'stop.steps': 6,
      'eval.every_steps': 3,
      'log.checkpoint_steps': 2,
    });
    const whole = await train({ config, folder: await temporaryFolder() });
    expect(whole.end).toMatchObject({ state: 'finished', steps: 6 });
    const endsAlike = async (host: FakeHost, folder: string) => {
      const { end } = await train({ config, folder, host, resume: true });
      expect(end).toMatchObject({ state: 'finished', steps: 6 });
      expect(host.reproducible).toEqual(whole.host.reproducible);
      expect(await tensorsOf(host)).toEqual(await tensorsOf(whole.host));
    };
    const stopped = { folder: await temporaryFolder(), host: new FakeHost() };
    const { end } = await train({ config, ...stopped, onProgram: stopDuring(3) });
    expect(end.state).toBe('stopped');
    await endsAlike(stopped.host, stopped.folder);
    const [folder, host] = [await temporaryFolder(), new FakeHost()];
    let points = 0;
    const killed = train({
      config,
      folder,
      host,
      onMessage: (message) => {
        if (message.type === 'metrics' && (points += message.columns.length) > 30) throw new Killed();
      },
    });
    await killed.catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
    await endsAlike(host, folder);
  });

  // Would catch bytes or scales of blocks that are not in a checkpoint, or are read back as other ones.
  test('moments in bytes go on with the same bits', { timeout: 120_000 }, async () => {
    const config = quick({
      device: 'cuda',
      'model.depth': 1,
      'model.width': 32,
      'model.heads': 2,
      'optimizer.moments': '8bit',
      'stop.steps': 3,
      'eval.every_steps': 0,
    });
    const whole = await train({ config, folder: await temporaryFolder() });
    const [folder, host] = [await temporaryFolder(), new FakeHost()];
    await train({ config, folder, host, onProgram: stopDuring(2) });
    const { end } = await train({ config, folder, host, resume: true });
    expect(end).toMatchObject({ state: 'finished', steps: 3 });
    expect(host.reproducible).toEqual(whole.host.reproducible);
    const tensors = await tensorsOf(host);
    expect(Object.keys(tensors)).toContain('block.0.mlp.up.weight:first_scale');
    expect(tensors).toEqual(await tensorsOf(whole.host));
  });

  // Would catch a plan that a run does not keep to while it trains.
  test('the largest micro-batch that is planned for a card trains on it, and the next is refused', async () => {
    const small = { 'model.depth': 1, 'model.width': 16, 'model.heads': 2, 'stop.steps': 2, 'eval.every_steps': 0 };
    const config = quick({ device: 'cuda', ...small });
    const { rows } = (await expectLargest(config, 6 * 2 ** 20))!;
    onTestFinished(() => emulatorControls().memory(8 * 2 ** 30));
    const ended = async (sequences: number) => {
      const sized = { ...config, 'batch.sequences': sequences, 'eval.batch': 0 };
      return (await train({ config: sized, folder: await temporaryFolder(), prepare: prepareData })).end;
    };
    expect(await ended(rows)).toMatchObject({ state: 'finished', steps: 2 });
    expect(await ended(rows + 1)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^out of memory: /u),
    });
  });

  // Would catch a checkpoint that does not know what products ran with, and a resumed run that goes on otherwise without a word.
  test('a run that goes on with another cuBLASLt says so', { timeout: 120_000 }, async () => {
    const cublas = await buildCublas();
    onTestFinished(() => void delete process.env['EMU_CUBLAS']);
    const config = quick({
      device: 'cuda',
      'model.depth': 1,
      'model.width': 16,
      'model.heads': 2,
      'stop.steps': 3,
      'eval.every_steps': 0,
    });
    const [folder, host] = [await temporaryFolder(), new FakeHost()];
    const warnings = () => host.of('log').flatMap(({ level, text }) => (level === 'warning' ? [text] : []));
    await train({ config, folder, host, onProgram: stopDuring(1), cublas, prepare: prepareData });
    const [{ environment, memory }] = host.of('info') as [EngineInfo];
    expect(environment['products']).toBe(`cuBLASLt 13.0.0 (${cublas})`);
    // As the card holds it, and as the fit check says.
    const { persistent, arena } = fitPlan(config, { kind: 'cuda', profile: { library: true } });
    expect([memory.persistentBytes, memory.arenaBytes]).toEqual([persistent.bytes, arena.bytes]);
    await train({ config, folder, host, resume: true, onProgram: stopDuring(1), cublas, prepare: prepareData });
    expect(warnings().join()).not.toContain('cuBLASLt');
    process.env['EMU_CUBLAS'] = '120900';
    const { end } = await train({ config, folder, host, resume: true, cublas, prepare: prepareData });
    expect(warnings()).toContainEqual(
      expect.stringMatching(/ran on cuBLASLt 13.0.0, and here cuBLASLt 12.9.0 .*may differ in their last digits/u),
    );
    expect(end).toMatchObject({ state: 'finished', steps: 3 });
  });
});
