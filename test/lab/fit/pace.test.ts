import { describe, expect, it } from 'vitest';
import { paceOf } from '../../../main/lab/fit/pace.ts';
import { speedOfSteps, speedsIn } from '../../../main/lab/fit/samples.ts';

const run = (tokensPerSecond: number, more: object = {}) => ({ tokensPerSecond, ...more });
const DAY = 86_400_000;

describe('the speed of a run by its steps', () => {
  it('is the median of what is left after the warm-up (a slow last step made estimates ten times too long)', () => {
    const steps = [1, 1, 1, 1, 1, ...Array.from({ length: 100 }, () => 1000), 90];
    expect(speedOfSteps(steps)).toEqual({ tokensPerSecond: 1000, slow: 1000, fast: 1000 });
  });
  it('shows in its quartiles that half of the steps were disturbed', () => {
    const steps = Array.from({ length: 105 }, (_, i) => (i % 2 === 0 ? 1000 : 100));
    expect(speedOfSteps(steps)).toMatchObject({ slow: 100, fast: 1000 });
  });
  it('passes over steps without a speed, and has none where nothing is left', () => {
    expect(speedOfSteps([9, 9, 9, 9, 9, Number.NaN, 0, 50, Infinity])).toMatchObject({ tokensPerSecond: 50 });
    expect(speedOfSteps([9, 9, 9])).toBeUndefined();
  });
  it('comes from the series, else from the last value logged', () => {
    const record = { id: 'a', summary: { tokens_per_second: 7 } };
    const of = (value: number[]) => speedsIn({ readAll: () => ({ value }) })(record as never)?.tokensPerSecond;
    expect(of([1, 1, 1, 1, 1, 30, 30, 30])).toBe(30);
    expect(of([])).toBe(7);
  });
});

describe('the pace of earlier runs', () => {
  it('needs one', () => {
    expect(paceOf([])).toBeUndefined();
    expect(paceOf([run(0), run(Number.NaN)])).toBeUndefined();
  });
  it('leaves out runs far slower than the faster half, wherever they are in the list, and says so', () => {
    const { tokensPerSecond, explanation } = paceOf([run(100), run(1000), run(1050), run(980)])!;
    expect(tokensPerSecond.low).toBeCloseTo(980 / 1.1);
    expect(tokensPerSecond.high).toBeCloseTo(1050 * 1.1);
    expect(explanation).toContain('1 much slower run was left out');
    // A disturbed first run and one undisturbed: the second is believed.
    expect(paceOf([run(100), run(1000)])!.tokensPerSecond.low).toBeCloseTo(1000 / 1.25);
  });
  it('is wider for fewer runs and for old ones', () => {
    const width = (samples: Parameters<typeof paceOf>[0]) => {
      const { low, high } = paceOf(samples, undefined, 100 * DAY)!.tokensPerSecond;
      return high / low;
    };
    const at = 100 * DAY;
    expect(width([run(1000, { at })])).toBeGreaterThan(width([run(1000, { at }), run(1000, { at })]));
    expect(width([run(1000, { at })])).toBeLessThan(width([run(1000, { at: at - 60 * DAY })]));
    expect(width([1, 2, 3, 4].map(() => run(1000, { at })))).toBeCloseTo(1.1 ** 2);
  });
  it('of a single run below all that the device is known for reaches up to that (the run was disturbed throughout)', () => {
    const usual = { low: 1000, high: 6000 };
    const alone = paceOf([run(100)], usual)!;
    expect(alone.tokensPerSecond).toEqual({ low: 80, high: 1000 });
    expect(alone.explanation).toContain('perhaps disturbed');
    // Three agree: then this machine is as slow as that.
    expect(paceOf([run(100), run(101), run(99)], usual)!.tokensPerSecond.high).toBeLessThan(120);
  });
  it('spans the quartiles of the runs', () => {
    const { low, high } = paceOf([1, 2, 3].map(() => run(1000, { slow: 500, fast: 1200 })))!.tokensPerSecond;
    expect([low, high]).toEqual([500 / 1.1, 1200 * 1.1]);
  });
});
