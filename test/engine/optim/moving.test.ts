/** How weight decay and momentum move over a run, at tabulated points. */
import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { adamw } from '../../../main/engine/optim/optimizers/adamw.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { buildSchedules } from '../../../main/engine/optim/schedule.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../train/helpers.ts';

const END = { steps: 100, tokensPerStep: 64 };
const GROUPS = [
  { name: 'matrix', lrScale: 1, weightDecay: 16 },
  { name: 'vector', lrScale: 1, weightDecay: 0 },
  { name: 'head', lrScale: 1, weightDecay: 0.01, ownDecay: true },
];

function at(settings: Config, step: number, given: { loss?: number; parameters?: number; tokens?: number } = {}) {
  const config = testConfig({ 'schedule.kind': 'constant', ...settings });
  const groups = GROUPS;
  const schedules = buildSchedules(config, { groups, parameterCount: given.parameters ?? 1000 }, END);
  const rules = [{ name: 'adamw', rule: adamw, settings: config }];
  const position = { step, tokens: given.tokens ?? 64 * step };
  return { ...hyperParameters(config, { groups, rules }, schedules, position, given.loss), schedules };
}

describe('weight decay', () => {
  // hlb-gpt v0.4.1 at 46,009,736 parameters: 16/7.2223^loss.
  test.each([
    [10, 4.1e-8],
    [6, 1.13e-4],
    [4, 5.9e-3],
    [3, 4.3e-2],
  ])('driven by a loss of %d is that of hlb-gpt (catches another base)', (nats, decay) => {
    const found = at({ 'optimizer.decay_schedule': 'loss' }, 5, { loss: nats, parameters: 46_009_736 });
    expect(found.decays).toEqual({ matrix: expect.any(Number) });
    expect(found.decays.matrix! / decay).toBeCloseTo(1, 1);
    expect(found.inputs['decay.matrix']![0]).toBeCloseTo(found.decays.matrix!, 7);
    expect([found.inputs['decay.vector']![0], found.inputs['decay.head']![0]]).toEqual([0, Math.fround(0.01)]);
    expect(found.schedules.followsLoss).toBe(true);
  });

  test('its base follows the number of parameters, or is as it is given (table of hlb-gpt)', () => {
    const base = (parameters: number, own = 0) =>
      16 /
      at({ 'optimizer.decay_schedule': 'loss', 'optimizer.decay_base': own }, 1, { loss: 1, parameters }).decays
        .matrix!;
    expect(base(6_464_641)).toBeCloseTo(11.5747, 3);
    expect(base(46_009_736)).toBeCloseTo(7.2223, 3);
    expect(base(3_022_430_842)).toBeCloseTo(3.0827, 3);
    expect(base(1000, 5)).toBeCloseTo(5, 10);
    expect(at({ 'optimizer.decay_schedule': 'loss' }, 0).decays.matrix).toBe(16);
  });

  test('moves with the loss, the run or the rate', () => {
    const decay = (settings: Config, step: number, loss?: number) =>
      at(settings, step, loss === undefined ? {} : { loss }).decays.matrix;
    const kind = (name: string) => ({ 'optimizer.decay_schedule': name });
    expect(decay(kind('loss_power'), 3, 4)).toBeCloseTo(1, 12);
    expect(decay(kind('cosine'), 50)).toBeCloseTo(8, 12);
    expect(decay(kind('cosine'), 100)).toBeCloseTo(0, 12);
    expect(decay(kind('linear'), 25)).toBeCloseTo(12, 12);
    expect(decay({ ...kind('with_rate'), 'schedule.kind': 'linear', 'schedule.final': 0 }, 75)).toBeCloseTo(4, 12);
    expect(at(kind('constant'), 5).decays).toEqual({});
  });
});

describe('momentum', () => {
  const momentum = (settings: Config, step: number, tokens?: number) =>
    at({ 'optimizer.beta1': 0.97, ...settings }, step, tokens === undefined ? {} : { tokens }).momenta.adamw;

  test('rises in steps or in tokens', () => {
    const rise = { 'optimizer.momentum_schedule': 'rise', 'optimizer.momentum_rise_steps': 40 };
    expect([0, 20, 40, 90].map((step) => Number(momentum(rise, step)!.toFixed(12)))).toEqual([0.85, 0.91, 0.97, 0.97]);
    const inTokens = { ...rise, 'optimizer.momentum_rise_tokens': 20 * 64 };
    expect(momentum(inTokens, 3, 10 * 64)).toBeCloseTo(0.91, 12);
  });

  // nanochat: 0.85 to 0.97, then 0.97 to 0.90 in the last 65 % of the run.
  test('falls in the last part, from where the rise is (catches a jump where both overlap)', () => {
    const both = { 'optimizer.momentum_schedule': 'rise_and_fall', 'optimizer.momentum_rise_steps': 20 };
    expect(momentum(both, 20)).toBeCloseTo(0.97, 12);
    expect(momentum(both, 35)).toBeCloseTo(0.97, 12);
    expect(momentum(both, 67.5)).toBeCloseTo(0.935, 12);
    expect(momentum(both, 100)).toBeCloseTo(0.9, 12);
    const short = { ...both, 'optimizer.momentum_rise_steps': 400 };
    const course = Array.from({ length: 101 }, (_, step) => momentum(short, step)!);
    course.slice(1).forEach((value, i) => expect(Math.abs(value - course[i]!)).toBeLessThan(0.002));
    expect(course.at(-1)).toBeCloseTo(0.9, 12);
  });

  test('mirrors the learning rate', () => {
    const cycle = { 'optimizer.momentum_schedule': 'cycle', 'schedule.kind': 'linear', 'schedule.final': 0 };
    expect([0, 50, 100].map((step) => Number(momentum(cycle, step)!.toFixed(12)))).toEqual([0.85, 0.91, 0.97]);
  });

  test('is that of the step in all its numbers (catches a constant of a kernel)', () => {
    const { inputs } = at({ 'optimizer.momentum_schedule': 'rise', 'optimizer.beta1': 0.95 }, 0);
    expect(inputs['adamw.newest']![0]).toBeCloseTo(0.15, 6);
    expect(inputs['adamw.bias1']![0]).toBeCloseTo(0.15, 6);
    const config = testConfig({ 'optimizer.momentum_schedule': 'rise' });
    expect(adamw.fused!(config)).toBeUndefined();
    expect(adamw.fused!(testConfig())).toBeDefined();
  });
});

test.each(['optimizer.decay_schedule', 'optimizer.momentum_schedule'])(
  '%s that needs an end is refused where none is known, and gives way',
  (setting) => {
    const value = setting.includes('decay') ? 'cosine' : 'rise_and_fall';
    const config = testConfig({ [setting]: value, 'schedule.kind': 'constant', 'stop.steps': 0, 'stop.loss': 9 });
    expect(builtInCatalog.check(config).problems).toMatchObject([{ setting, nearest: 'constant' }]);
    const settled = builtInCatalog.settle(config, (name) => name === 'stop.loss');
    expect(settled.config[setting]).toBe('constant');
    // Time is an end too: told where the learning rate does not follow it anyway.
    const timed = (kind: string) =>
      builtInCatalog.check({ ...config, 'schedule.kind': kind, 'stop.loss': 0, 'stop.seconds': 9 });
    expect(timed('constant')).toMatchObject({ problems: [], warnings: [{ code: 'schedule.follows_the_clock' }] });
    expect(timed('cosine').warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/learning rate follows/u),
    ]);
  },
);
