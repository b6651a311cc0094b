import { describe, expect, it } from 'vitest';
import { failureWords as words } from '../../../preload/shared/results/endings.ts';

const failureWords = (runs: { endReason: string | null }[]): string => words(runs).replaceAll('\u00A0', ' ');
const failed = (...reasons: (string | null)[]): { endReason: string | null }[] =>
  reasons.map((endReason) => ({ endReason }));
const MEMORY = (bytes: number): string => `out of memory: ${bytes} GiB asked, 24 GiB there; lower batch.micro`;
const DIVERGED = (step: number): string => `diverged: train/loss is NaN at step ${step}`;

describe('why runs failed', () => {
  it('is never one reason for all of them (would catch a banner that names the first only)', () => {
    expect(failureWords(failed(MEMORY(31), DIVERGED(40), MEMORY(33)))).toBe(
      '3 runs failed: 2 out of memory, 1 diverged at step 40',
    );
    expect(failureWords(failed(DIVERGED(40), DIVERGED(1044), null))).toBe(
      '3 runs failed: 2 diverged at steps 40–1,044, 1 no reason recorded',
    );
  });

  it('is said whole where all share it, and where there is but one', () => {
    expect(failureWords(failed(DIVERGED(12)))).toBe(`1 run failed: ${DIVERGED(12)}`);
    expect(failureWords(failed(MEMORY(31), MEMORY(31)))).toBe(`2 runs failed: ${MEMORY(31)}`);
    expect(failureWords(failed(null, null))).toBe('2 runs failed: no reason recorded');
  });

  it('counts a crash for want of memory as one, and every run once, however many reasons there are', () => {
    const crash = 'engine crashed: out of memory (SIGKILL); lower batch.micro';
    expect(failureWords(failed(crash, MEMORY(3), 'engine crashed: exit code 1: x'))).toBe(
      '3 runs failed: 2 out of memory, 1 engine crashed',
    );
    for (let kinds = 1; kinds < 9; kinds++) {
      const reasons = Array.from({ length: kinds * 3 }, (_, i) => `reason ${'abcdefghi'[i % kinds]}: ${i}`);
      const counts = failureWords(failed(...reasons))
        .split(': ')[1]
        .match(/(?<=^|, )\d+/gu)!
        .map(Number);
      expect(
        counts.reduce((a, b) => a + b, 0),
        `${kinds} kinds`,
      ).toBe(reasons.length);
    }
  });
});
