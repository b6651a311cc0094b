import { expect, test } from 'vitest';
import { DocumentSizes, totalOf } from '../../../main/engine/data/documentSizes.ts';
import { Dice } from './reading/helpers.ts';

test('keeps lengths of any size, through a file as well', () => {
  const dice = new Dice();
  const around = [0, 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 1];
  const sizes = dice.list(20_000, () => (dice.below(500) === 0 ? dice.of(around) : dice.below(1e6)));
  const made = DocumentSizes.of(...sizes);
  const read = DocumentSizes.from(made.bytes.slice(), JSON.parse(JSON.stringify(made.long)));
  for (const each of [made, read]) {
    expect(each.length, `seed ${dice.seed}`).toBe(sizes.length);
    expect(Array.from({ length: sizes.length }, (_, d) => each.at(d))).toEqual(sizes);
    expect(totalOf(each)).toBe(sizes.reduce((sum, size) => sum + size, 0));
  }
  expect(made.bytes.length).toBe(4 * sizes.length);
  read.push(2 ** 33);
  expect([read.length, read.at(sizes.length), read.at(7)]).toEqual([sizes.length + 1, 2 ** 33, sizes[7]]);
});
