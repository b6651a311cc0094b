import { describe, expect, onTestFinished, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import type { Batch } from '../../../main/engine/data/index.ts';
import { checkOverfit, floorOf, LEARNED, overfitWords } from '../../../main/lab/probes/overfit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../../engine/train/helpers.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

function random(state: number): () => number {
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe('the least loss of a batch', () => {
  test(`is the entropy of what follows the same beginning (seed ${seed}; would catch a floor by tokens instead of beginnings)`, () => {
    const next = random(seed);
    for (let round = 0; round < 50; round++) {
      const [rows, length] = [1 + Math.floor(next() * 12), 1 + Math.floor(next() * 4)];
      const inputs = Int32Array.from({ length: rows * length }, () => Math.floor(next() * 3));
      const targets = Int32Array.from(inputs, () => Math.floor(next() * 4) - 1);
      const counts = new Map<string, Map<number, number>>();
      let scored = 0;
      for (let row = 0; row < rows; row++)
        for (let at = 0; at < length; at++) {
          const target = targets[row * length + at]!;
          if (target < 0) continue;
          const beginning = inputs.slice(row * length, row * length + at + 1).join();
          const own = counts.get(beginning) ?? new Map<number, number>();
          counts.set(beginning, own.set(target, (own.get(target) ?? 0) + 1));
          scored++;
        }
      let nats = 0;
      for (const own of counts.values()) {
        const all = [...own.values()].reduce((a, b) => a + b);
        for (const count of own.values()) nats -= count * Math.log(count / all);
      }
      const half = Math.ceil(rows / 2);
      const cut = (from: number, to: number): Batch =>
        ({
          rows: to - from,
          length,
          inputs: inputs.slice(from * length, to * length),
          targets: targets.slice(from * length, to * length),
        }) as unknown as Batch;
      const batches = rows > 1 ? [cut(0, half), cut(half, rows)] : [cut(0, 1)];
      expect(floorOf(batches)).toBeCloseTo(scored === 0 ? 0 : nats / scored, 12);
    }
  });
});

describe('overfitting one batch', () => {
  const check = (settings: Config, steps: number) => {
    const cache = mkdtempSync(join(tmpdir(), 'sweeplab-probe-'));
    onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
    const small = { 'data.size': 30_000, 'model.context': 12, 'model.width': 32, 'model.heads': 2, 'model.depth': 1 };
    const config = testConfig({
      ...small,
      'batch.sequences': 4,
      device: 'tfjs-cpu',
      'optimizer.lr': 0.01,
      ...settings,
    });
    return checkOverfit({ config, kinds: builtInCatalog, cache, steps });
  };

  test('learns it, with micro-batches and without what would hinder it', async () => {
    const found = (await check({ 'batch.micro': 2, 'model.dropout': 0.5 }, 300))!;
    expect(found.hindered).toBeUndefined();
    expect(found.learnedAfter).toBe(found.losses.length - 1);
    expect(found.losses.at(-1)).toBeLessThan(found.floor + LEARNED);
    expect(found.tokens).toBe(4 * 12);
    expect(found.without).toContain('model.dropout');
  });

  test.each([
    ['a rate that is too low', { 'optimizer.lr': 1e-6 }, /slowly: raise optimizer\.lr \(0\.000001\)|stays at/u],
    ['a rate that is too high', { 'optimizer.lr': 30 }, /lower optimizer\.lr \(30\)|another optimizer\.lr \(30\)/u],
    [
      'too few steps',
      { 'optimizer.lr': 1e-3 },
      /still falls; it may need more --steps|slowly: .*; it may need more --steps/u,
    ],
  ])('says that %s hinders it', async (_, settings, words) => {
    const found = (await check(settings, 30))!;
    expect(found.learnedAfter).toBeUndefined();
    expect(overfitWords(found, 'terminal').join(' ')).toMatch(words);
    expect(overfitWords(found, 'app').join(' ')).not.toContain('--');
  });
});
