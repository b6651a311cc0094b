import { describe, expect, test } from 'vitest';
import { StopRuleError, StopRules } from '../../../main/engine/train/stopRules.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from './helpers.ts';

const SIZE = { tokens: 64, sequences: 4, sequencesPerEpoch: 10, flops: 1000, parameters: 50 };
const OFF: Config = { 'stop.steps': 0 };

function rules(settings: Config) {
  return new StopRules(testConfig({ ...OFF, ...settings }), SIZE);
}

/** Counters after `steps` full steps of one second each. */
const after = (steps: number) => ({
  steps,
  tokens: steps * SIZE.tokens,
  sequences: steps * SIZE.sequences,
  seconds: steps,
  flops: steps * SIZE.flops,
});

/** Updates that a run with these rules makes. */
function updates(settings: Config): number {
  const stop = rules(settings);
  let steps = 0;
  do steps++;
  while (stop.reached(after(steps)) === undefined && steps < 10_000);
  return steps;
}

describe('stop rules', () => {
  test.each([
    [{ 'stop.steps': 10 }, 10],
    [{ 'stop.steps': 1 }, 1],
    [{ 'stop.epochs': 1 }, 3],
    [{ 'stop.epochs': 2 }, 5],
    [{ 'stop.epochs': 0.4 }, 1],
    [{ 'stop.tokens': 640 }, 10],
    [{ 'stop.tokens': 641 }, 11],
    [{ 'stop.tokens': 1 }, 1],
    [{ 'stop.tokens_per_parameter': 20 }, 16],
    [{ 'stop.flops': 5000 }, 5],
    [{ 'stop.flops': 5001 }, 6],
    [{ 'stop.seconds': 7 }, 7],
    [{ 'stop.steps': 9, 'stop.tokens': 256, 'stop.flops': 1e9 }, 4],
  ] as [Config, number][])('%o makes exactly %i updates, as planned (catches off-by-one)', (settings, wanted) => {
    expect(updates(settings)).toBe(wanted);
    const planned = rules(settings).plannedSteps;
    expect(planned).toBe('stop.seconds' in settings ? undefined : wanted);
  });

  test('fractions that are whole but for rounding are not rounded up (catches 0.1 + 0.2)', () => {
    const size = { ...SIZE, sequences: 1, sequencesPerEpoch: 10 };
    const stop = new StopRules(testConfig({ ...OFF, 'stop.epochs': 0.1 + 0.2 }), size);
    expect(stop.plannedSteps).toBe(3);
    expect(stop.reached({ ...after(3), sequences: 3 })).toContain('stop.epochs');
  });

  test('the reason names the rule and its limit', () => {
    expect(rules({ 'stop.steps': 10, 'stop.tokens': 256 }).reached(after(4))).toBe('stop.tokens reached (256 tokens)');
    expect(rules({ 'stop.loss': 2 }).reachedLoss(1.9999, 5)).toMatch(/^stop\.loss reached \(val\/loss 1\.99990 ≤ 2 /);
  });

  test('a target loss ends the run at or below it, not by NaN and not before the first update', () => {
    const stop = rules({ 'stop.loss': 2 });
    expect(stop.reachedLoss(2.0001, 5)).toBeUndefined();
    expect(stop.reachedLoss(2, 5)).toBeDefined();
    expect(stop.reachedLoss(NaN, 5)).toBeUndefined();
    expect(stop.reachedLoss(1, 0)).toBeUndefined();
    expect(stop.plannedSteps).toBeUndefined();
    expect(rules({ 'stop.steps': 3 }).reachedLoss(0, 5)).toBeUndefined();
  });

  test('a run without any rule is refused', () => {
    expect(() => rules({})).toThrow(StopRuleError);
    expect(() => rules({})).toThrow(/stop\.steps/);
  });

  test('time left follows the nearest rule at the pace since this process began (catches an ETA off by the resume)', () => {
    const stop = rules({ 'stop.steps': 100, 'stop.seconds': 1000 });
    const begun = { ...after(40), seconds: 500 };
    const now = { ...after(60), seconds: 510 };
    expect(stop.secondsLeft(now, begun)).toBeCloseTo(20, 9);
    expect(stop.fraction(now)).toBeCloseTo(0.6, 9);
    expect(stop.secondsLeft(begun, begun)).toBeUndefined();
  });
});
