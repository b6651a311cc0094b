/** What the builder draws of schedules is what runs train with. */
import { describe, expect, test } from 'vitest';
import { BUILT_IN } from '../../../main/engine/kind.ts';
import { buildSchedule } from '../../../main/engine/optim/schedule.ts';
import { drawnSchedules } from '../../../main/lab/fit/schedules.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../../engine/train/helpers.ts';

const drawn = (settings: Config, steps: number | null = 97, label = '', seconds: number | null = null) => ({
  label,
  config: testConfig(settings),
  steps,
  seconds,
  tokensPerStep: 64,
  pace: 0.5 as number | null,
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

  test('are called by their group alone where all settings share them (would catch a setting named for what it does not move)', () => {
    const groups = { 'optimizer.groups': 'vector: schedule exponential, schedule.base 0.9' };
    const both = [1, 2].map((lr) => drawn({ ...groups, 'optimizer.lr': lr }, 50, `lr=${lr}`));
    expect(drawnSchedules(both, BUILT_IN).map(({ label }) => label)).toEqual(['', 'vector']);
  });

  test('go by the clock where time ends the run, at the pace that is expected', () => {
    const linear = { 'schedule.kind': 'linear', 'schedule.final': 0, 'schedule.warmup_steps': 12 };
    const [found] = drawnSchedules([drawn(linear, null, '', 24)], BUILT_IN);
    expect(found).toMatchObject({ steps: 48, seconds: 24 });
    const at = (share: number) => found!.values[Math.round(share * 96)]!;
    // A quarter of the steps is the warm-up; how long that takes nobody knew, so the line counts from the start.
    expect(at(1 / 8)).toBeCloseTo(7 / 12, 12);
    expect([at(0.5), at(0.75), at(1)].map((value) => Number(value.toFixed(12)))).toEqual([0.5, 0.25, 0]);
    // Half of the horizon: then it is over.
    const [half] = drawnSchedules([drawn({ ...linear, 'schedule.horizon_seconds': 12 }, 48)], BUILT_IN);
    expect(half!.values[48]).toBe(0);
  });

  test('are left out where nothing says how long a run is', () => {
    expect(drawnSchedules([drawn({ 'schedule.kind': 'constant' }, null)], BUILT_IN)).toEqual([]);
    const unknown = { ...drawn({ 'schedule.horizon_seconds': 60 }), pace: null };
    expect(drawnSchedules([unknown], BUILT_IN)).toEqual([]);
  });
});
