import { expect, it } from 'vitest';
import { firstChoice, nextRecipe } from '../../../renderer/views/start/recipes.ts';
import { recall, remember } from '../../../renderer/views/start/remembered.ts';
import type { RecipeCard, RecipeCheck } from '../../../renderer/stores/contract.ts';

it('what is looked at is checked before what is not, what shows nothing before what does, what takes long before the rest (would catch cards that wait for those below)', () => {
  const about = { size: '', data: '', minutes: 1, machine: '' };
  const recipe = (name: string, values: readonly number[] = []): RecipeCard => ({
    name,
    title: name,
    teaches: '',
    download: false,
    about,
    ...(values.length === 0
      ? {}
      : { sweep: { seeds: 1, parameters: { 'model.depth': { values }, seed: { values: [1, 2] } } } }),
  });
  const [below, large, seen, known, first] = [
    recipe('below'),
    recipe('large', [1, 2, 3]),
    recipe('seen'),
    recipe('known'),
    recipe('first'),
  ];
  const turns = { first, inSight: new Set(['seen', 'known']), known: new Map([['known', 1]]) };
  const waiting = [below, large, seen, known, first];
  const order: string[] = [];
  for (let next = nextRecipe(waiting, turns); next !== undefined; next = nextRecipe(waiting, turns)) {
    order.push(next.name);
    waiting.splice(waiting.indexOf(next), 1);
  }
  expect(order).toEqual(['first', 'seen', 'known', 'large', 'below']);
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

it('cards show what was said the last time, of the same recipe alone (would catch cards that wait on a busy machine)', () => {
  const kept = new Map<string, string>();
  const shelf = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  };
  const about = { size: '', data: '', minutes: 1, machine: '' };
  const recipe: RecipeCard = { name: 'quick', title: 'quick', teaches: '', download: false, about };
  const check: RecipeCheck = {
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
