/** Batches that change while a run trains. */
import { describe, expect, test } from 'vitest';
import { Stream } from '../../../main/engine/random/stream.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { fakeData } from './fakeData.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { FakeHost, Killed, tensorsOf, train } from './laboratory.ts';

/** Length by tokens, batch by tokens, as many batches as the gradient asks for: everything at once. */
const CONFIG = testConfig({
  'model.context': 16,
  'model.width': 8,
  'model.positions': 'learned',
  'model.dropout': 0.1,
  'batch.kind': 'tokens',
  'batch.tokens': 36,
  'batch.micro_tokens': 20,
  'batch.length': 'listed',
  'batch.lengths': '4 6@100 16@400',
  'batch.lengths_unit': 'tokens',
  'batch.accumulation': 'gradient_norm',
  'batch.norm_every': 2,
  'batch.norm_gain': 0.3,
  'batch.norm_target': 0.05,
  'batch.norm_most': 6,
  'schedule.warmup_steps': 3,
  'eval.every_steps': 5,
  'log.checkpoint_steps': 3,
  'stop.steps': 16,
});

const undisturbed = async (config: Config, options: { stepsAhead?: number; prepare?: ReturnType<typeof fakeData> }) => {
  const { end, host } = await train({ config, folder: await temporaryFolder(), ...options });
  expect(end).toMatchObject({ state: 'finished', reason: expect.stringContaining('stop.') });
  return { series: host.reproducible, tensors: await tensorsOf(host), host };
};
const valuesOf = (series: Record<string, [number, number][]>, name: string) => series[name]!.map(([, value]) => value);

describe('batches that change', () => {
  test('are what the settings say, step by step, and every count follows them', async () => {
    const { series, host } = await undisturbed(CONFIG, {});
    const [lengths, sequences, micros, tokens, epochs, flops] = [
      'batch/length',
      'batch/sequences',
      'batch/micros',
      'tokens',
      'epoch',
      'flops',
    ].map((name) => new Map(series[name]));
    expect([...new Set(lengths!.values())]).toEqual([4, 6, 16]);
    let [seen, most] = [0, 0];
    const perEpoch = { 4: 500, 6: 333, 16: 125 } as Record<number, number>;
    for (let step = 1; step <= 16; step++) {
      const length = lengths!.get(step)!;
      expect(length).toBe(seen < 100 ? 4 : seen < 400 ? 6 : 16);
      const batch = Math.floor(36 / length);
      const batches = sequences!.get(step)! / batch;
      expect(Number.isInteger(batches)).toBe(true);
      most = Math.max(most, batches);
      expect(micros!.get(step)).toBe(batches * Math.ceil(batch / Math.floor(20 / length)));
      seen += batches * batch * length;
      expect(tokens!.get(step)).toBe(seen);
      // A row of another length is as much of an epoch as its share of the text, but for the rows that are rounded up to.
      expect(Math.abs(epochs!.get(step)! - seen / 2000)).toBeLessThan(0.03);
      expect(epochs!.get(step)! * perEpoch[length]!).toBeCloseTo(Math.round(epochs!.get(step)! * perEpoch[length]!), 6);
    }
    // It has to be seen at work.
    expect(most).toBeGreaterThan(2);
    // Longer sequences attend to more: more operations for a token.
    const perToken = (step: number) =>
      (flops!.get(step)! - flops!.get(step - 1)!) / (tokens!.get(step)! - tokens!.get(step - 1)!);
    expect(perToken(16)).toBeGreaterThan(perToken(2));
    expect(
      host
        .of('log')
        .map(({ text }) => text)
        .join(),
    ).toContain('batches: 9 × 4 tokens from step 0');
  });

  test('continue bit for bit, whenever and how often they are killed', async () => {
    for (const keyMasked of [false, true]) {
      const prepare = fakeData({ keyMasked });
      const whole = await undisturbed(CONFIG, { prepare });
      const random = new Stream(7, 'kills');
      const begins = new Set<number>();
      for (let round = 0; round < 2; round++) {
        const folder = await temporaryFolder();
        const host = new FakeHost();
        for (let attempt = 0; ; attempt++) {
          let left = attempt < 3 ? 8 + random.int(90) : Infinity;
          const onMessage = () => {
            if (--left < 0) throw new Killed();
          };
          const { end } = await train({ config: CONFIG, folder, host, prepare, resume: attempt > 0, onMessage });
          if (left < 0) continue;
          expect(end.state).toBe('finished');
          break;
        }
        for (const { step } of host.of('begin')) begins.add(step);
        expect(host.reproducible).toEqual(whole.series);
        expect(await tensorsOf(host)).toEqual(whole.tensors);
      }
      expect(begins.size).toBeGreaterThan(1);
    }
  });

  test('are the same on a device that is given steps ahead (would catch a number of batches from a gradient not yet known)', async () => {
    const alone = await undisturbed(CONFIG, {});
    const ahead = await undisturbed(CONFIG, { stepsAhead: 1 });
    expect(ahead.series).toEqual(alone.series);
    expect(ahead.tensors).toEqual(alone.tensors);
  });

  test('of one size log nothing, and a run of an earlier version goes on with the place that it knew', async () => {
    const config = testConfig({ 'stop.steps': 6, 'eval.every_steps': 3 });
    const { series } = await undisturbed(config, {});
    expect(Object.keys(series).filter((name) => name.startsWith('batch/'))).toEqual([]);
    expect(valuesOf(series, 'epoch').at(-1)).toBeCloseTo((6 * 4) / 125, 12);
  });

  test('end by tokens where they say so, and the schedule ends with them though nobody knew in how many steps', async () => {
    const config: Config = {
      ...CONFIG,
      'stop.steps': 0,
      'stop.tokens': 1200,
      'schedule.kind': 'linear',
      'schedule.warmup_steps': 0,
      'schedule.final': 0,
    };
    const { series, host } = await undisturbed(config, {});
    expect(host.of('info')[0]!.plannedSteps).toBeNull();
    const [tokens, rates] = [valuesOf(series, 'tokens').filter((seen) => seen > 0), valuesOf(series, 'lr')];
    expect(tokens.at(-2)).toBeLessThan(1200);
    expect(tokens.at(-1)).toBeGreaterThanOrEqual(1200);
    const peak = config['optimizer.lr'] as number;
    for (const [step, rate] of rates.entries())
      expect(rate / peak).toBeCloseTo(1 - (step === 0 ? 0 : tokens[step - 1]!) / 1200, 6);
  });

  test('come to every model and attention at every length, learned positions included', async () => {
    const short = { 'batch.length': 'listed', 'batch.lengths': '1 3@1 16@2', 'stop.steps': 3, 'eval.every_steps': 0 };
    for (const given of [
      { 'model.kind': 'latent' },
      { 'model.kind': 'classic' },
      { 'model.kind': 'depth-dial', 'model.head_size': 8 },
      { 'model.kind': 'unet', 'model.depth': 3 },
      { 'model.positions': 'sinusoidal' },
      { 'model.kv_latent': 6, 'model.positions': 'rotary' },
      { 'attention.kind': 'window', 'model.window': 5 },
      { 'attention.kind': 'window_pattern', 'attention.pattern': 'SL', 'attention.short_window': 5 },
      { 'attention.kind': 'sparse', 'attention.sparse': 'local strided fixed', 'attention.block': 4 },
      { 'attention.kind': 'sparsek', 'attention.selected': 5, 'attention.recent': 6 },
      { 'precision.recompute': 'block' },
    ] as Config[]) {
      const { series } = await undisturbed(testConfig({ ...short, ...given }), {});
      expect(valuesOf(series, 'batch/length'), JSON.stringify(given)).toEqual([1, 3, 16]);
    }
  });
});
