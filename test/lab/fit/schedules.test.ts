/** What the builder draws of schedules is what runs train with. */
import { describe, expect, test } from 'vitest';
import { BUILT_IN } from '../../../main/engine/kind.ts';
import { buildSchedule } from '../../../main/engine/optim/schedule.ts';
import { drawnSchedules } from '../../../main/lab/fit/schedules.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../../engine/train/helpers.ts';

const drawn = (settings: Config, steps: number | null = 97, label = '') => ({
  label,
  config: testConfig(settings),
  steps,
  tokensPerStep: 64,
});

describe('drawn schedules', () => {
  test('are the multiples of the run, from its first step to its last (catches a formula of its own)', () => {
    const settings = { 'schedule.kind': 'wsd', 'schedule.warmup_steps': 9, 'schedule.decay_fraction': 0.4 };
    const [found] = drawnSchedules([drawn(settings)], BUILT_IN);
    const schedule = buildSchedule(testConfig(settings), { steps: 97, tokensPerStep: 64 });
    expect(found!.values).toEqual(Array.from({ length: 97 }, (_, step) => schedule({ step, tokens: 64 * step })));
    expect(found).toMatchObject({ label: '', steps: 97, most: 1 });
  });

  test('say how far a warm-up comes that is longer than the run', () => {
    const constant = { 'schedule.kind': 'constant', 'schedule.warmup_steps': 200 };
    const [found] = drawnSchedules([drawn(constant, 100)], BUILT_IN);
    expect(found!.most).toBeCloseTo(0.5, 12);
  });

  test('are drawn once where they are alike, groups with their own beside them', () => {
    const groups = { 'optimizer.groups': 'vector: schedule exponential, schedule.base 0.9; matrix: lr_scale 2' };
    const found = drawnSchedules(
      [
        drawn({}, 50, 'lr=1'),
        drawn({ 'optimizer.lr': 0.5 }, 50, 'lr=2'),
        drawn({ ...groups, 'schedule.kind': 'linear' }, 50, 'linear'),
      ],
      BUILT_IN,
    );
    expect(found.map(({ label }) => label)).toEqual(['lr=1', 'linear', 'linear vector']);
    expect(found[2]!.values.at(-1)).toBeCloseTo(0.9 ** 49, 12);
  });

  test('are left out where nothing says how many steps there are', () => {
    expect(drawnSchedules([drawn({ 'schedule.kind': 'constant' }, null)], BUILT_IN)).toEqual([]);
    expect(drawnSchedules([drawn({ 'schedule.horizon_seconds': 60 })], BUILT_IN)).toEqual([]);
  });
});
