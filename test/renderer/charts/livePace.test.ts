/** Charts of one run stand at the same step: what comes in goes to all of them at once. */
import { describe, expect, it } from 'vitest';
import { plannedEnd } from '../../../preload/charts/board/planned.ts';
import { LivePace } from '../../../renderer/charts/data/livePace.ts';
import type { Beat } from '../../../renderer/charts/data/livePace.ts';

class Clock implements Beat {
  time = 0;
  undrawn = 0;
  spent = 0;
  slow = 1;
  #timers: { at: number; action: () => void }[] = [];
  now = (): number => this.time;
  waiting = (): number => this.undrawn;
  drawn = (): number => this.spent;
  pressure = (): number => this.slow;
  later(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.time + milliseconds, action };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((each) => each !== timer));
  }
  wait(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.action();
    }
    this.time = end;
  }
}
function paced() {
  const clock = new Clock();
  const handed: number[][] = [];
  const pace = new LivePace<number>((changes) => void handed.push([...changes]), clock);
  return { clock, handed, pace };
}

describe('points that come in', () => {
  it('are handed on together, at most 20 times a second', () => {
    const { clock, handed, pace } = paced();
    for (let i = 0; i < 100; i++) {
      pace.push(i);
      clock.wait(10);
    }
    clock.wait(100);
    expect(handed.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(handed.length).toBeGreaterThan(10);
    expect(handed.length).toBeLessThanOrEqual(21);
  });
  it('wait until all charts have drawn what there was before (would catch charts that stand at different steps)', () => {
    const { clock, handed, pace } = paced();
    pace.push(1);
    clock.wait(0);
    clock.undrawn = 3;
    pace.push(2);
    clock.wait(500);
    expect(handed).toEqual([[1]]);
    clock.undrawn = 0;
    clock.wait(20);
    expect(handed).toEqual([[1], [2]]);
  });
  it('wait longer where drawing is dear, and while frames are late', () => {
    const { clock, handed, pace } = paced();
    pace.push(1);
    clock.wait(0);
    clock.spent += 100;
    pace.push(2);
    clock.wait(190);
    expect(handed).toHaveLength(1);
    clock.wait(20);
    expect(handed).toHaveLength(2);
    clock.spent += 100;
    clock.slow = 3;
    pace.push(3);
    clock.wait(570);
    expect(handed).toHaveLength(2);
    clock.wait(20);
    expect(handed).toHaveLength(3);
  });
  it('of a page that draws nothing are taken after two seconds, not kept for ever', () => {
    const { clock, handed, pace } = paced();
    clock.undrawn = 1;
    pace.push(1);
    clock.wait(0);
    pace.push(2);
    clock.wait(2100);
    expect(handed.flat()).toEqual([1, 2]);
  });
  it('are handed on at once where a chart has read further, and not twice', () => {
    const { clock, handed, pace } = paced();
    pace.hurry();
    pace.push(1);
    clock.wait(0);
    pace.push(2);
    pace.hurry();
    expect(handed).toEqual([[1], [2]]);
    clock.wait(500);
    expect(handed).toEqual([[1], [2]]);
  });
  it('of a board that is gone go nowhere', () => {
    const { clock, handed, pace } = paced();
    pace.push(1);
    pace.dispose();
    clock.wait(5000);
    expect(handed).toEqual([]);
  });
});

describe('the end that is planned', () => {
  const run = (config: Record<string, number>, more: Partial<Parameters<typeof plannedEnd>[0][0]> = {}) =>
    ({ id: 'r', state: 'running', config, steps: 100, tokens: 12_800, summary: {}, ...more }) as const;
  it('is that of the run that goes furthest, while one trains', () => {
    expect(plannedEnd([run({ 'stop.steps': 300 }), run({ 'stop.steps': 2000 })], undefined)).toBe(2000);
    expect(plannedEnd([run({ 'stop.steps': 300 }, { state: 'finished' })], undefined)).toBeUndefined();
    expect(plannedEnd([], undefined)).toBeUndefined();
  });
  it('is known for tokens from steps and the other way round, by what comes first', () => {
    expect(plannedEnd([run({ 'stop.steps': 300 })], 'tokens')).toBe(38_400);
    expect(plannedEnd([run({ 'stop.steps': 0, 'stop.tokens': 25_600 })], undefined)).toBe(200);
    expect(plannedEnd([run({ 'stop.steps': 300, 'stop.tokens': 25_600 })], undefined)).toBe(200);
    expect(plannedEnd([run({ 'stop.tokens': 25_600 }, { steps: 0, tokens: 0 })], undefined)).toBeUndefined();
  });
  it('follows any other limit by how far the run has come, and the steps that its engine has planned', () => {
    const summary = { epoch: 0.5, flops: 1e9, seconds: 20 };
    expect(plannedEnd([run({ 'stop.epochs': 2 }, { summary })], undefined)).toBe(400);
    expect(plannedEnd([run({ 'stop.flops': 3e9 }, { summary })], 'seconds')).toBe(60);
    expect(plannedEnd([run({ 'stop.seconds': 60 }, { summary })], 'tokens')).toBe(38_400);
    // Each run of a sweep over sizes has steps of its own, which no setting tells.
    const byParameters = { 'stop.steps': 0, 'stop.tokens_per_parameter': 20 };
    const sizes = [run(byParameters, { id: 'small' }), run(byParameters, { id: 'large' })];
    const planned = (id: string) => ({ plannedSteps: id === 'small' ? 150 : 700 });
    expect(plannedEnd(sizes, undefined, planned)).toBe(700);
    expect(plannedEnd(sizes, 'tokens', planned)).toBe(700 * 128);
    expect(plannedEnd(sizes, undefined)).toBeUndefined();
  });
  it('is none for an x that no rule is about', () => {
    expect(plannedEnd([run({ 'stop.steps': 300 })], 'grad/norm')).toBeUndefined();
    expect(plannedEnd([run({ 'stop.steps': 300 })], null)).toBeUndefined();
    expect(plannedEnd([run({ 'stop.seconds': 60 })], 'seconds')).toBe(60);
  });
});
