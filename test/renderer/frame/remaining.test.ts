import { describe, expect, it } from 'vitest';
import { SteadyEnd } from '../../../renderer/frame/remaining.ts';

describe('the expected end', () => {
  it('runs down as a clock does between reports, also when nothing is said between two runs', () => {
    const end = new SteadyEnd();
    expect(end.update(0, 60, 3)).toBe(60);
    expect(end.update(5, null, 2)).toBe(55);
    expect(end.update(10, null, 2)).toBe(50);
  });
  it('does not jump with a report that says twice as much (would catch 59 s that become 1 min 50 s)', () => {
    const end = new SteadyEnd();
    end.update(0, 59, 1);
    const next = end.update(1, 110, 1)!;
    expect(next).toBeGreaterThan(58);
    expect(next).toBeLessThan(66);
    // What is said again and again is believed.
    let last = next;
    for (let t = 2; t <= 60; t++) last = end.update(t, 111 - t, 1)!;
    expect(last).toBeCloseTo(51, 0);
  });
  it('stays within a few per cent of the truth under noise of 40 % (seeded)', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const random = (): number => (state = (state * 48271 + 11) % 2147483647) / 2147483647;
    const end = new SteadyEnd();
    const jumps: number[] = [];
    let before: number | null = null;
    let last = 0;
    for (let t = 0; t < 300; t += 0.5) {
      last = end.update(t, (600 - t) * (0.8 + 0.4 * random()), 1)!;
      if (before !== null && t > 30) jumps.push(Math.abs(last - before + 0.5));
      before = last;
    }
    expect(Math.max(...jumps), `seed ${seed}`).toBeLessThan(5);
    expect(Math.abs(last - 300), `seed ${seed}`).toBeLessThan(30);
  });
  it('begins again with new work, and ends with the last run', () => {
    const end = new SteadyEnd();
    end.update(0, 60, 1);
    expect(end.update(1, 600, 5)).toBe(600);
    expect(end.update(2, null, 0)).toBe(null);
    expect(end.update(3, null, 2)).toBe(null);
  });
});
