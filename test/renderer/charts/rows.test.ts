/** Charts of a section in rows without holes. */
import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../renderer/charts/board/rows.ts';

const plain = (count: number): boolean[] => Array.from({ length: count }, () => false);

describe('the charts of a section', () => {
  it('stand evenly: four where three fit are two and two (would catch a row of one and two holes)', () => {
    expect(rowsOf(plain(4), 3)).toEqual({ parts: 2, spans: [1, 1, 1, 1] });
    expect(rowsOf(plain(5), 3)).toEqual({ parts: 6, spans: [2, 2, 2, 3, 3] });
    expect(rowsOf(plain(3), 3)).toEqual({ parts: 3, spans: [1, 1, 1] });
    expect(rowsOf([], 3)).toEqual({ parts: 1, spans: [] });
  });
  it('fill each row, whatever their number and that of the columns', () => {
    for (let columns = 1; columns <= 8; columns++)
      for (let count = 1; count <= 20; count++) {
        const { parts, spans } = rowsOf(plain(count), columns);
        expect(spans).toHaveLength(count);
        expect(Math.max(...spans.map((span) => parts / span))).toBeLessThanOrEqual(columns);
        let filled = 0;
        for (const span of spans) {
          filled += span;
          expect(filled).toBeLessThanOrEqual(parts);
          if (filled === parts) filled = 0;
        }
        expect(filled).toBe(0);
      }
  });
  it('stand around a large one, which has a row for itself', () => {
    expect(rowsOf([false, false, true, false, false], 3)).toEqual({ parts: 2, spans: [1, 1, 2, 1, 1] });
    expect(rowsOf([true, false], 3)).toEqual({ parts: 1, spans: [1, 1] });
  });
});
