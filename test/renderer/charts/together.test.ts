/** Charts that read the same zoom, over a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { Together } from '../../../renderer/charts/data/together.ts';

function charts() {
  const timers = new Set<{ at: number; action: () => void }>();
  let time = 0;
  const together = new Together((milliseconds, action) => {
    const timer = { at: time + milliseconds, action };
    timers.add(timer);
    return () => timers.delete(timer);
  });
  const drawn: string[] = [];
  const wait = (milliseconds: number): void => {
    time += milliseconds;
    for (const timer of timers)
      if (timer.at <= time) {
        timers.delete(timer);
        timer.action();
      }
  };
  return { together, drawn, draw: (name: string) => () => void drawn.push(name), wait, timers };
}

describe('charts that are zoomed together', () => {
  it('are drawn when the last of them is read, or has nothing to draw (would catch charts that change one by one)', () => {
    const { together, drawn, draw, timers } = charts();
    const [a, b, c] = [together.reading(), together.reading(), together.reading()];
    a(draw('a'));
    c(draw('c'));
    expect(drawn).toEqual([]);
    b();
    expect(drawn).toEqual(['a', 'c']);
    expect(timers.size).toBe(0);
  });

  it('do not wait for ever for one that is slow, which is drawn by itself (would catch a chart that is never drawn)', () => {
    const { together, drawn, draw, wait } = charts();
    const [a, slow] = [together.reading(), together.reading()];
    a(draw('a'));
    wait(290);
    expect(drawn).toEqual([]);
    wait(20);
    expect(drawn).toEqual(['a']);
    slow(draw('slow'));
    expect(drawn).toEqual(['a', 'slow']);
  });

  it('that read again meanwhile are drawn with the later ones', () => {
    const { together, drawn, draw } = charts();
    const a = together.reading();
    const again = together.reading();
    a();
    const b = together.reading();
    again(draw('again'));
    expect(drawn).toEqual([]);
    b(draw('b'));
    expect(drawn).toEqual(['again', 'b']);
  });
});
