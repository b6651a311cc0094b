import { expect, test } from 'vitest';
import { Copies } from '../../../main/engine/data/shards/copies.ts';
import { Dice } from './reading/helpers.ts';

test('counts those of one side that the other side holds as well, however often', () => {
  const dice = new Dice();
  for (let round = 0; round < 50; round++) {
    const digest = () => 2 ** 47 + dice.below(1 + 2 * round);
    const [own, other] = [
      dice.list(dice.below(80), digest),
      dice.list(dice.below(80), () => (dice.below(9) > 0 ? digest() : -1)),
    ];
    const copies = new Copies();
    for (const each of own) copies.push(each);
    for (const each of other) copies.see(each);
    expect(copies.seen, `seed ${dice.seed}`).toBe(own.filter((each) => other.includes(each)).length);
  }
});
