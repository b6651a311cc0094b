import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { deviceFor } from '../../../main/lab/fit/index.ts';
import {
  checkFrontier,
  enoughOf,
  frontierCsv,
  frontierSvg,
  frontierWords,
  isFlat,
  sizesUpTo,
} from '../../../main/lab/probes/frontier.ts';
import type { FrontierPoint } from '../../../main/lab/probes/frontier.ts';
import { checkNoise, estimate, inParts, NoiseError, noiseWords } from '../../../main/lab/probes/noiseScale.ts';
import { checkPreflight, preflightWords } from '../../../main/lab/probes/preflight.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../../engine/train/helpers.ts';
import { randomNumbers } from '../../store/support.ts';

function request(settings: Config, steps: number) {
  const cache = mkdtempSync(join(tmpdir(), 'sweeplab-probe-'));
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
  return { config: testConfig({ device: 'cpu', ...settings }), kinds: builtInCatalog, cache, steps };
}

describe('the noise scale', () => {
  test('is found from gradients whose noise is known, within its interval (would catch a mean of quotients)', () => {
    // Gradients of d numbers: the truth, and noise of variance v per token. tr Σ ÷ |G|² = d·v ÷ |G|².
    const random = randomNumbers(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const [d, v, truth, small, large] = [50, 9, 0.3, 32, 128];
    const wanted = (d * v) / (d * truth ** 2);
    const points = Array.from({ length: 2000 }, () => {
      const of = (tokens: number, part: readonly number[]) => ({
        tokens,
        squared: part.reduce((sum, x) => sum + x * x, 0),
      });
      const one = Array.from({ length: d }, () => truth + Math.sqrt(v / small) * normal());
      const rest = Array.from({ length: d }, () => truth + Math.sqrt(v / (large - small)) * normal());
      const all = one.map((x, i) => (small * x + (large - small) * rest[i]!) / large);
      const [a, b] = [of(small, one), of(large, all)];
      return {
        trace: (a.squared - b.squared) / (1 / small - 1 / large),
        squared: (large * b.squared - small * a.squared) / (large - small),
      };
    });
    const { scale, low, high } = estimate(points);
    expect(scale! / wanted).toBeGreaterThan(0.9);
    expect(scale! / wanted).toBeLessThan(1.1);
    expect(low).toBeLessThan(scale!);
    expect(high).toBeGreaterThan(scale!);
    expect(high! / low!).toBeLessThan(1.5);
  });

  test('has no upper bound where the gradient may be none, and no value where it is', () => {
    const noise = [1, 1, 1, 1].map((trace, i) => ({ trace, squared: i === 0 ? 0.4 : -0.1 }));
    expect(estimate(noise)).toMatchObject({ high: undefined });
    expect(estimate([{ trace: 1, squared: -1 }])).toEqual({ scale: undefined, low: undefined, high: undefined });
  });

  test('is measured in parts of a batch, or refused with what is allowed', async () => {
    expect(inParts(testConfig({ 'batch.sequences': 9 }))).toMatchObject({ 'batch.micro': 3 });
    expect(inParts(testConfig({ 'batch.sequences': 8, 'batch.micro': 2 }))).toMatchObject({ 'batch.micro': 2 });
    expect(() => inParts(testConfig({ 'batch.sequences': 1 }))).toThrow(NoiseError);
    const found = (await checkNoise(request({ 'batch.sequences': 8, 'optimizer.lr': 0.003 }, 30)))!;
    expect(found).toMatchObject({ over: 15, batchTokens: 128, sequenceTokens: 16 });
    expect(found.points).toHaveLength(30);
    expect(noiseWords(found, 'app').join(' ')).toMatch(/Critical batch|do not tell/u);
  });
});

describe('the batch frontier', () => {
  const point = (micro: number, tokensPerSecond: number): FrontierPoint => ({
    micro,
    tokensPerSecond,
    seconds: 1,
    plannedBytes: 2 ** 20 * micro,
    arenaBytes: 1,
    takenBytes: 1,
  });

  test('doubles up to the largest, and names the smallest that is as fast', () => {
    expect(sizesUpTo(1)).toEqual([1]);
    expect(sizesUpTo(8)).toEqual([1, 2, 4, 8]);
    expect(sizesUpTo(11)).toEqual([1, 2, 4, 8, 11]);
    expect(enoughOf([point(1, 10), point(2, 18), point(4, 19.5), point(8, 20)])).toBe(4);
    expect(enoughOf([])).toBe(undefined);
  });

  test('runs the largest that the plan lets fit, with the memory of the plan (would catch a plan that runs do not keep)', async () => {
    const asked = request({ 'batch.sequences': 2 }, 1);
    const device = await deviceFor(asked.config);
    // Room for a few sequences: what the process takes anyway, and little more.
    const { largestOverall, fitPlan } = await import('../../../main/lab/fit/index.ts');
    const options = { kind: 'cpu', catalog: builtInCatalog };
    const bytes = fitPlan({ ...asked.config, 'batch.sequences': 5, 'batch.micro': 0 }, options).totalBytes;
    const tight = { ...device, availableBytes: bytes + 64 * 2 ** 20 };
    const { largest } = largestOverall(asked.config, tight, options);
    const told: { micro: number; share: number }[] = [];
    const onProgress = (what: string, share?: number): boolean => {
      const micro = /^micro-batch (\d+) of/u.exec(what)?.[1];
      if (micro !== undefined) told.push({ micro: Number(micro), share: share! });
      return true;
    };
    const found = (await checkFrontier({ ...asked, device: tight, longest: 60, onProgress }))!;
    const sizes = sizesUpTo(largest!.sequences);
    expect(found.points.map(({ micro }) => micro)).toEqual(sizes);
    // Before, between and after the two steps of each size, by the sequences that are done (would catch sizes counted alike).
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const before = (micro: number) => sizes.filter((size) => size < micro).reduce((sum, size) => sum + size, 0);
    expect(told).toEqual(
      sizes.flatMap((micro) =>
        [0, 1, 2].map((done) => ({
          micro,
          share: expect.closeTo((before(micro) + (micro * done) / 2) / all, 12) as number,
        })),
      ),
    );
    expect(found.stopped).toBe(undefined);
    for (const each of found.points) {
      expect(each.tokensPerSecond).toBeGreaterThan(0);
      // The evaluation is planned too, and takes no part here.
      expect(each.takenBytes).toBeLessThanOrEqual(each.arenaBytes);
      expect(each.takenBytes).toBeGreaterThan(0);
    }
    expect(found.next!.sequences).toBe(largest!.sequences + 1);
    expect(frontierCsv(found).split('\n')).toHaveLength(found.points.length + 2);
    expect(frontierSvg(found)).toContain('<polyline');
    expect(frontierWords(found, 'app').join(' ')).toContain(`Largest micro-batch by plan: ${largest!.sequences}`);
  });

  test('leaves out what takes long and gains nothing, never what is quick (would catch minutes on a flat line)', () => {
    const flat = [point(1, 10), point(2, 20), ...[4, 8, 16, 32].map((micro) => point(micro, 20.5))];
    expect([isFlat(flat, 1), isFlat(flat, 0.1), isFlat(flat.slice(0, -1), 1), isFlat([], 0)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const rising = [1, 2, 4, 8, 16, 32].map((micro) => point(micro, micro));
    expect(isFlat(rising, 1)).toBe(false);
  });

  test('says why it does not go on', async () => {
    const asked = request({}, 1);
    const found = (await checkFrontier({ ...asked, device: await deviceFor(asked.config), longest: 1e-9 }))!;
    expect(found.points.map(({ micro }) => micro)).toEqual([1]);
    expect(found.stopped).toContain('a step of 2 sequences would take about');
  });
});

test('a preflight tells what the run would, and leaves nothing behind', async () => {
  const found = (await checkPreflight(request({ 'log.sample_tokens': 2 }, 2)))!;
  expect(found).toMatchObject({ problem: undefined, short: false, plannedSteps: 8 });
  expect(found.checkpointBytes).toBeGreaterThan(1000);
  expect(found.plannedBytes).toBeGreaterThan(1000);
  expect(found.stepSeconds).toBeGreaterThan(0);
  expect(preflightWords(found)[0]).toContain('went well');
  const wrong = (await checkPreflight(
    request({ 'optimizer.lr': 1e30, 'optimizer.kind': 'sgd', 'optimizer.clip': 0 }, 2),
  ))!;
  expect(preflightWords(wrong)).toEqual([expect.stringMatching(/It would fail: diverged/u)]);
});
