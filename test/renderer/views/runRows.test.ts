import { expect, it } from 'vitest';
import { compareRows } from '../../../renderer/views/board/runRows.ts';

it('sorts rows by their values, numbers by size (catches 0.01 before 0.003)', () => {
  const rows = ['64 · 0.03', '1,024 · 0.001', '32 · 0.01', '32 · 0.003', '32 · 1e-4', '64 · none', '64 · −1'];
  expect(rows.toSorted(compareRows)).toEqual([
    '32 · 1e-4',
    '32 · 0.003',
    '32 · 0.01',
    '64 · −1',
    '64 · 0.03',
    '64 · none',
    '1,024 · 0.001',
  ]);
  expect(['run 10', 'run 9', 'adamw'].toSorted(compareRows)).toEqual(['adamw', 'run 9', 'run 10']);
  expect(compareRows('a', 'a · b')).toBeLessThan(0);
});
