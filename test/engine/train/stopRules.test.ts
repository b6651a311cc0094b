import { describe, expect, test } from 'vitest';
import { StopRuleError, StopRules } from '../../../main/engine/train/stopRules.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from './helpers.ts';

const SIZE = { steps: Infinity, tokens: 64, epochs: 0.4, flops: 1000 };
const RUN = {
  stages: [SIZE],
  parameterCounts: { all: 50, without_embeddings: 30, without_embeddings_and_head: 20, matrices_and_head: 10 },
};
const OFF: Config = { 'stop.steps': 0 };

function rules(settings: Config) {
  return new StopRules(testConfig({ ...OFF, ...settings }), RUN);
}

/** Counters after `steps` full steps of one second each. */
const after = (steps: number) => ({
  steps,
  tokens: steps * SIZE.tokens,
  sequences: steps * 4,
  epochs: (steps * 4) / 10,
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
    [{ 'stop.tokens_per_parameter': 20, 'stop.counted_parameters': 'without_embeddings' }, 10],
    [{ 'stop.tokens_per_parameter': 20, 'stop.counted_parameters': 'matrices_and_head' }, 4],
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
    const run = { ...RUN, stages: [{ ...SIZE, epochs: 1 / 10 }] };
    const stop = new StopRules(testConfig({ ...OFF, 'stop.epochs': 0.1 + 0.2 }), run);
    expect(stop.plannedSteps).toBe(3);
    expect(stop.reached({ ...after(3), epochs: 3 / 10 })).toContain('stop.epochs');
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

  test('says which limit is expected to end the run, and what it counts', () => {
    const limit = (settings: Config) => rules(settings).limit;
    expect(limit({ 'stop.steps': 3, 'stop.tokens': 128 })).toBe('stop.tokens 128');
    expect(limit({ 'stop.seconds': 5 })).toBe('stop.seconds 5');
    expect(limit({ 'stop.loss': 2 })).toBeUndefined();
    expect(limit({ 'stop.tokens_per_parameter': 12, 'stop.counted_parameters': 'matrices_and_head' })).toBe(
      'stop.tokens_per_parameter 12 × 10 parameters (matrices_and_head)',
    );
  });

  test('time left follows the nearest rule at the pace since this process began (catches an ETA off by the resume)', () => {
    const stop = rules({ 'stop.steps': 100, 'stop.seconds': 1000 });
    const begun = { ...after(40), seconds: 500 };
    const now = { ...after(60), seconds: 510 };
    expect(stop.secondsLeft(now, begun)).toBeCloseTo(20, 9);
    expect(stop.fraction(now)).toBeCloseTo(0.6, 9);
    expect(stop.secondsLeft(begun, begun)).toBeUndefined();
  });

  describe('of a batch that changes', () => {
    const GROWING = {
      stages: [
        { steps: 10, tokens: 10, epochs: 0.01, flops: 100 },
        { steps: 10, tokens: 20, epochs: 0.02, flops: 300 },
        { steps: Infinity, tokens: 40, epochs: 0.04, flops: 900 },
      ],
      parameterCounts: RUN.parameterCounts,
    };
    const growing = (settings: Config) => new StopRules(testConfig({ ...OFF, ...settings }), GROWING);
    test.each([
      [{ 'stop.tokens': 100 }, 10],
      [{ 'stop.tokens': 101 }, 11],
      [{ 'stop.tokens': 300 }, 20],
      [{ 'stop.tokens': 341 }, 22],
      [{ 'stop.epochs': 0.34 }, 21],
      [{ 'stop.flops': 1000 }, 10],
      [{ 'stop.flops': 4901 }, 22],
      [{ 'stop.tokens_per_parameter': 6 }, 20],
      [{ 'stop.steps': 15 }, 15],
    ] as [Config, number][])('%o is planned stage by stage: %i steps', (settings, wanted) => {
      expect(growing(settings).plannedSteps).toBe(wanted);
    });

    test('time left counts what later steps will take (would catch an estimate by the number of steps)', () => {
      const counters = { tokens: 0, sequences: 0, epochs: 0, flops: 0 };
      const now = { ...counters, steps: 10, seconds: 10 };
      const begun = { ...counters, steps: 0, seconds: 0 };
      // 1000 FLOPs took 10 seconds; 10 × 300 + 5 × 900 are left.
      expect(growing({ 'stop.steps': 25 }).secondsLeft(now, begun)).toBeCloseTo(75, 9);
    });

    test('nobody says how many steps a limit in tokens allows where steps take more batches than one', () => {
      const varying = (settings: Config) =>
        new StopRules(testConfig({ ...OFF, ...settings }), { ...GROWING, varies: true }).plannedSteps;
      expect(varying({ 'stop.tokens': 100 })).toBeUndefined();
      expect(varying({ 'stop.tokens': 100, 'stop.steps': 30 })).toBe(30);
    });
  });
});
