import { describe, expect, it } from 'vitest';
import { sectionHere } from '../../../renderer/views/builder/model/here.ts';

/** A page of sections of these heights, scrolled to `at` in a window of 600 px. */
function page(heights: readonly number[], at: number): Parameters<typeof sectionHere> {
  let top = 0;
  const sections = heights.map((height, i) => {
    const place = { name: String(i), top: top - at };
    top += height;
    return place;
  });
  return [sections, { height: 600, atEnd: at >= top - 600 }];
}
const HEIGHTS = [300, 500, 900, 200, 150];

describe('the marked tab', () => {
  it('is the section on the screen, from the first one on (would catch Data marked while Sweep is shown)', () => {
    expect(sectionHere(...page(HEIGHTS, 0))).toBe('0');
    expect(sectionHere(...page(HEIGHTS, 300))).toBe('1');
    expect(sectionHere(...page(HEIGHTS, 230))).toBe('1');
    expect(sectionHere(...page(HEIGHTS, 210))).toBe('0');
    expect(sectionHere(...page(HEIGHTS, 900))).toBe('2');
  });

  it('is the one that was opened, also where it cannot come to the top', () => {
    const end = page(HEIGHTS, 1450);
    for (const asked of ['3', '4']) expect(sectionHere(...end, asked)).toBe(asked);
    // What was asked for and has left the screen is forgotten.
    expect(sectionHere(...end, '0')).toBe('2');
    expect(sectionHere(...page(HEIGHTS, 0), '4')).toBe('0');
  });

  it('is none without sections', () => expect(sectionHere([], { height: 600, atEnd: true })).toBeUndefined());
});
