import { expect, it } from 'vitest';
import { compareValues, narrowed } from '../../../renderer/components/table.ts';
import type { CellValue } from '../../../renderer/components/table.ts';

const sorted = (values: CellValue[], direction: 1 | -1): CellValue[] =>
  [...values].sort((a, b) => compareValues(a, b, direction));

it('missing values come last in both directions: a run without a result is never the best', () => {
  expect(sorted([3, null, 1, Number.NaN, 2], 1)).toEqual([1, 2, 3, null, Number.NaN]);
  expect(sorted([3, undefined, 1, 2], -1)).toEqual([3, 2, 1, undefined]);
});

it('numbers within text sort as numbers', () => {
  expect(sorted(['depth 12', 'depth 2', 'depth 4'], 1)).toEqual(['depth 2', 'depth 4', 'depth 12']);
});

it('a long path keeps its end in sight and the columns beside it in the window', () => {
  const path = `/home/somebody/${'texts/'.repeat(30)}validation.txt`;
  expect(narrowed(path)).toMatch(/^\/home\/somebod….*texts\/validation\.txt$/u);
  expect(Array.from(narrowed(path))).toHaveLength(40);
  expect(narrowed(`${'x'.repeat(40)}`)).toBe('x'.repeat(40));
  // Never half of a character.
  expect(narrowed('😀'.repeat(60))).toBe(`${'😀'.repeat(13)}…${'😀'.repeat(26)}`);
});
