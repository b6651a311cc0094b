/** A run is the same whatever its length is counted in, and goes on as it would have been. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import { fakeData } from './fakeData.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { FakeHost, stopDuring, tensorsOf, train } from './laboratory.ts';

const STEPS = 8;
/** Everything that falls to the end of the run: a warm-up and a decay as parts of it, the weight decay, the momentum. */
const config = (given: Config): Config =>
  testConfig({
    'model.context': 8,
    'model.width': 8,
    'stop.steps': 0,
    'schedule.kind': 'wsd',
    'schedule.warmup_fraction': 0.25,
    'schedule.decay_fraction': 0.5,
    'schedule.final': 0,
    'optimizer.decay_schedule': 'cosine',
    'optimizer.weight_decay': 0.1,
    'optimizer.momentum_schedule': 'rise_and_fall',
    'eval.every_steps': 4,
    'log.every_steps': 1,
    ...given,
  });
const prepare = fakeData();

/** Seconds of a step, by a clock that only updates move. */
const PACE = 0.25;
const clocked = () => {
  let now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return (name: string, _: number, outputs: object | undefined) => {
    if (name === 'update' && outputs !== undefined) now += 1000 * PACE;
  };
};
afterEach(() => vi.restoreAllMocks());

const whole = async (given: Config, onProgram?: ReturnType<typeof clocked>) => {
  const { end, host } = await train({
    config: config(given),
    folder: await temporaryFolder(),
    prepare,
    ...(onProgram && { onProgram }),
  });
  expect(end.state, end.reason).toBe('finished');
  return { end, series: host.reproducible, tensors: await tensorsOf(host), info: host.of('info')[0]! };
};

describe('a horizon', () => {
  // Made by whichever test is the first: its folder is gone with that one.
  let reference: Awaited<ReturnType<typeof whole>>;
  const last = (name: string): number => reference.series[name]!.at(-1)![1];
  const limits: Readonly<Record<string, () => Config>> = {
    tokens: () => ({ 'stop.tokens': reference.end.tokens }),
    epochs: () => ({ 'stop.epochs': last('epoch') }),
    FLOPs: () => ({ 'stop.flops': last('flops') }),
    'tokens per parameter': () => ({
      'stop.tokens_per_parameter': reference.end.tokens / reference.info.parameterCount,
    }),
    'tokens per parameter of matrices and head': () => ({
      // Query, key, value, output and twice an MLP of four times the width; the table of 24 tokens is the head too.
      'stop.tokens_per_parameter': reference.end.tokens / (12 * 8 * 8 + 24 * 8),
      'stop.counted_parameters': 'matrices_and_head',
    }),
  };
  test.each(Object.keys(limits))('in %s is the same run as one in steps, stopped and resumed too', async (unit) => {
    reference ??= await whole({ 'stop.steps': STEPS });
    const given = limits[unit]!();
    const folder = await temporaryFolder();
    const host = new FakeHost();
    const first = await train({ config: config(given), folder, host, prepare, onProgram: stopDuring(3) });
    expect(first.end).toMatchObject({ state: 'stopped', steps: 3 });
    const { end } = await train({ config: config(given), folder, host, prepare, resume: true });
    expect(end).toMatchObject({ state: 'finished', steps: STEPS });
    expect(host.of('info')[0]).toMatchObject({ plannedSteps: STEPS, plannedFlops: last('flops') });
    expect(end.reason).toContain(Object.keys(given)[0]);
    expect(host.reproducible).toEqual(reference.series);
    expect(await tensorsOf(host)).toEqual(reference.tensors);
  });

  test('in seconds moves everything by the time that was used, before and after it was stopped', async () => {
    const given = { 'stop.seconds': STEPS * PACE };
    const undisturbed = await whole(given, clocked());
    expect(undisturbed.end).toMatchObject({ steps: STEPS });
    expect(undisturbed.info).toMatchObject({ plannedSteps: null, limit: `stop.seconds ${STEPS * PACE}` });
    const peak = config(given)['optimizer.lr'] as number;
    const rates = undisturbed.series['lr']!.map(([, rate]) => Number((rate / peak).toFixed(6)));
    // Two steps of warm-up, which begin at 0 and ½ of it; four of decay, which begin at 1 … ¼ of what is left.
    expect(rates).toEqual([0, 0.5, 1, 1, 1, 0.75, 0.5, 0.25]);
    const onProgram = clocked();
    const folder = await temporaryFolder();
    const host = new FakeHost();
    const stop = stopDuring(3);
    const first = await train({
      config: config(given),
      folder,
      host,
      prepare,
      onProgram: (name, calls, outputs, control) => {
        onProgram(name, calls, outputs);
        return stop(name, calls, outputs, control);
      },
    });
    expect(first.end).toMatchObject({ state: 'stopped', steps: 3 });
    const { end } = await train({ config: config(given), folder, host, prepare, resume: true, onProgram });
    expect(end).toMatchObject({ state: 'finished', steps: STEPS, reason: undisturbed.end.reason });
    expect(host.series.get('seconds')!.get(STEPS)).toBeCloseTo(STEPS * PACE, 9);
    expect(host.reproducible).toEqual(undisturbed.series);
    expect(await tensorsOf(host)).toEqual(undisturbed.tensors);
  });
});
