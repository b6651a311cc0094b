import { describe, expect, test } from 'vitest';
import { Stream } from '../../../main/engine/random/stream.ts';
import { sampleToken } from '../../../main/engine/train/sample.ts';

const LOGITS = [0.5, 2, -1, 1, -Infinity, 2];

/** Share of draws of each token. */
function shares(options: { temperature?: number; topK?: number; topP?: number }, draws = 20_000): number[] {
  const random = new Stream(1, 'test');
  const counts = LOGITS.map(() => 0);
  for (let i = 0; i < draws; i++) {
    counts[sampleToken(LOGITS, { temperature: 1, topK: 0, topP: 1, ...options }, random)]!++;
  }
  return counts.map((count) => count / draws);
}

function softmax(logits: readonly number[], temperature = 1): number[] {
  const weights = logits.map((logit) => Math.exp(logit / temperature));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

describe('sampling', () => {
  test('follows softmax of logits over temperature (catches a wrong normalisation or an unreachable last token)', () => {
    for (const temperature of [0.5, 1, 2]) {
      const wanted = softmax(LOGITS, temperature);
      shares({ temperature }).forEach((share, id) => expect(Math.abs(share - wanted[id]!)).toBeLessThan(0.015));
    }
  });

  test('temperature 0 takes the most likely, ties to the lower id', () => {
    expect(shares({ temperature: 0 }, 10)).toEqual([0, 1, 0, 0, 0, 0]);
  });

  test('top-k keeps k tokens, top-p the fewest that reach the probability', () => {
    expect(shares({ topK: 2 }).map((share) => share > 0)).toEqual([false, true, false, false, false, true]);
    expect(shares({ topK: 1 }, 50)[1]).toBe(1);
    // The two largest have 0.36 each, the third 0.13.
    expect(shares({ topP: 0.3 }, 50)[1]).toBe(1);
    expect(shares({ topP: 0.7 }).map((share) => share > 0)).toEqual([false, true, false, false, false, true]);
    expect(shares({ topP: 0.8 }).map((share) => share > 0)).toEqual([false, true, false, true, false, true]);
    expect(shares({ topP: 1e-12 }, 50)[1]).toBe(1);
    expect(shares({ topP: 0.99, topK: 1 }, 50)[1]).toBe(1);
  });

  test('the same seed draws the same tokens, and logits that are not numbers are refused', () => {
    expect(shares({}, 100)).toEqual(shares({}, 100));
    const random = new Stream(1, 'test');
    expect(() => sampleToken([NaN, NaN], { temperature: 1, topK: 0, topP: 1 }, random)).toThrow(/NaN/);
  });
});
