import { expect, it } from 'vitest';
import { firstChoice } from '../../../renderer/views/start/recipes.ts';
import type { Check } from '../../../renderer/views/start/check.ts';
import { recall, remember } from '../../../renderer/views/start/remembered.ts';
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

it('cards show what was said the last time, of the same recipe alone (would catch cards that wait on a busy machine)', () => {
  const kept = new Map<string, string>();
  const shelf = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  };
  const about = { size: '', data: '', minutes: 1, machine: '' };
  const recipe: RecipeCard = { name: 'quick', title: 'quick', teaches: '', download: false, about };
  const check: Check = {
    fit: 'fits',
    sentence: 'Fits.',
    neededBytes: 1,
    availableBytes: 2,
    parameters: 3,
    time: [4, 5],
    measured: true,
    runs: 1,
    settings: 1,
    seeds: 1,
  };
  expect(recall(shelf, [recipe]).size).toBe(0);
  remember(shelf, recipe, check);
  remember(shelf, { ...recipe, name: 'other' }, { ...check, time: null });
  expect(recall(shelf, [recipe]).get('quick')).toEqual(check);
  expect(recall(shelf, [{ ...recipe, about: { ...about, minutes: 2 } }]).size).toBe(0);
  // Denied, or written by something else.
  expect(recall(null, [recipe]).size).toBe(0);
  for (const text of [
    '',
    'null',
    '[1]',
    '{"quick":{"of":1}}',
    kept.values().next().value!.replaceAll('"Fits."', '7'),
  ]) {
    kept.set('sweeplab.recipes', text);
    expect(recall(shelf, [recipe]).size, text).toBe(0);
  }
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error('full');
    },
  };
  expect(() => remember(full, recipe, check)).not.toThrow();
});
