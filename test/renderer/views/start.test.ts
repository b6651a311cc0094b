import { describe, expect, it } from 'vitest';
import { bestSetting } from '../../../renderer/views/start/best.ts';
import { firstChoice } from '../../../renderer/views/start/recipes.ts';
import type { RecipeCard } from '../../../renderer/stores/contract.ts';
import { testRun } from '../stores/support.ts';

const finished = (key: string, seed: number, value: number | null, metric = 'val/bpb') =>
  testRun(`${key}${seed}`, { settingKey: key, seed, state: 'finished', summary: { [metric]: value } });

describe('the best of a sweep', () => {
  it('is the lowest mean over seeds, with the sample standard deviation', () => {
    const best = bestSetting([finished('a', 1, 1), finished('a', 2, 3), finished('b', 1, 1.9), finished('b', 2, 1.95)]);
    // A ranking by single runs would choose a.
    expect(best).toMatchObject({ settingKey: 'b', count: 2 });
    expect(best?.mean).toBeCloseTo(1.925, 12);
    // Divisor n − 1: 0.05 / sqrt 2.
    expect(best?.deviation).toBeCloseTo(0.05 / Math.SQRT2, 12);
  });

  it('is no setting with fewer seeds, no unfinished or broken run', () => {
    const runs = [
      finished('a', 1, 2),
      finished('a', 2, 2),
      finished('lucky', 1, 0.5),
      finished('nan', 1, null),
      { ...finished('going', 1, 0.1), state: 'running' as const },
    ];
    expect(bestSetting(runs)?.settingKey).toBe('a');
    expect(bestSetting([finished('nan', 1, null)])).toBeNull();
  });

  it('is by the metric and the goal that the sweep names (a maximised metric would show its worst setting)', () => {
    const runs = [finished('a', 1, 2, 'val/accuracy'), finished('b', 1, 3, 'val/accuracy')];
    expect(bestSetting(runs, { name: 'val/accuracy', goal: 'maximize' })).toMatchObject({ settingKey: 'b', mean: 3 });
    expect(bestSetting(runs, { name: 'val/accuracy', goal: 'minimize' })).toMatchObject({ settingKey: 'a' });
    // Not logged: as usual.
    expect(bestSetting([finished('a', 1, 2)], { name: 'nothing', goal: 'maximize' })).toMatchObject({
      metric: 'val/bpb',
    });
  });

  it('falls back to the metric that the runs have', () => {
    expect(bestSetting([finished('a', 1, 2, 'train/loss')])).toMatchObject({ metric: 'train/loss', deviation: null });
  });
});

it('newcomers are pointed at the shortest recipe that downloads nothing', () => {
  const recipe = (name: string, minutes: number, data: string): RecipeCard => ({
    name,
    title: name,
    teaches: '',
    download: data.includes('download'),
    about: { size: '', data, minutes, machine: '' },
  });
  const list = [recipe('long', 9, 'built in'), recipe('fast', 1, 'x (download)'), recipe('quick', 2, 'built in')];
  expect(firstChoice(list)?.name).toBe('quick');
  expect(firstChoice([list[1]])?.name).toBe('fast');
});
