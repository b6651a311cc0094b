import { expect, it } from 'vitest';
import { firstChoice } from '../../../renderer/views/start/recipes.ts';
import type { RecipeCard } from '../../../renderer/stores/contract.ts';

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
