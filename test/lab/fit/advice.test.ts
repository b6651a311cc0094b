import { describe, expect, it } from 'vitest';
import {
  checkBeforeLaunch,
  checkLaunch,
  dryRunTextWarnings,
  fitPlan,
  fitReport,
  fitSweep,
  judge,
  largestMicroBatch,
  largestOverall,
  marginBytes,
  suggest,
} from '../../../main/lab/fit/index.ts';
import { divisors } from '../../../preload/shared/settings/arithmetic.ts';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { estimateDataset } from '../../../main/lab/fit/budget.ts';
import { notReachedUnplanned } from '../../../main/lab/fit/notReached.ts';
import { verdictFor } from '../../../main/lab/fit/verdict.ts';
import { configOf, deviceWith, SMALL } from './helpers.ts';

const MIB = 2 ** 20;
/** Needs a few hundred MiB at once, so that the margin is not all there is. */
const LARGE = {
  ...SMALL,
  'model.depth': 6,
  'model.width': 256,
  'model.heads': 8,
  'model.context': 128,
  'tokenizer.kind': 'gpt2',
  'batch.sequences': 96,
} as const;

describe('verdict', () => {
  it('changes exactly at its boundaries', () => {
    const needed = 1000 * MIB;
    const margin = marginBytes('cuda', needed);
    expect(margin).toBe(256 * MIB);
    expect(judge('cuda', needed, needed + margin)).toBe('fits');
    expect(judge('cuda', needed, needed + margin - 1)).toBe('tight');
    expect(judge('cuda', needed, needed)).toBe('tight');
    expect(judge('cuda', needed, needed - 1)).toBe('does not fit');
  });
  it('keeps more free for executors that do not allocate the plan', () => {
    expect(marginBytes('cpu', 10 * 2 ** 30)).toBe(Math.ceil(0.05 * 10 * 2 ** 30));
    expect(marginBytes('tfjs-cpu', 10 * 2 ** 30)).toBe(Math.ceil(0.5 * 10 * 2 ** 30));
  });
  it('says by how much', () => {
    expect(verdictFor(3 * 2 ** 30, deviceWith(2 ** 31)).sentence).toBe(
      'Does not fit: needs 3.00 GiB of 2.00 GiB available on test device, 1.00 GiB too much.',
    );
  });
});

describe('largest micro-batch', () => {
  const config = configOf(LARGE);
  const options = { kind: 'cuda' } as const;
  const bytes = (micro: number) => fitPlan({ ...config, 'batch.micro': micro % 96 }, options).totalBytes;

  it('fits and the next does not, for every place of the limit (would catch a search that stops one too early)', () => {
    const choices = divisors(96);
    for (const wanted of [1, 3, 8, 48]) {
      const device = deviceWith(bytes(wanted) + marginBytes('cuda', bytes(wanted)));
      const { largest, next } = largestMicroBatch(config, device, options);
      expect(largest).toEqual({ sequences: wanted, bytes: bytes(wanted) });
      const following = choices[choices.indexOf(wanted) + 1]!;
      expect(next).toEqual({ sequences: following, bytes: bytes(following) });
      expect(judge('cuda', bytes(following), device.availableBytes)).not.toBe('fits');
    }
  });
  it('is the whole batch where all fits, and none where nothing does', () => {
    expect(largestMicroBatch(config, deviceWith(2 ** 40), options)).toMatchObject({
      largest: { sequences: 96 },
      next: null,
    });
    expect(largestMicroBatch(config, deviceWith(700 * MIB), options).largest).toBeNull();
  });
  it('overall: one sequence more does not fit', () => {
    const device = deviceWith(4 * 2 ** 30);
    const { largest, next } = largestOverall(config, device, options);
    expect(next!.sequences).toBe(largest!.sequences + 1);
    const needs = (rows: number) =>
      fitPlan({ ...config, 'batch.sequences': rows, 'batch.micro': 0 }, options).totalBytes;
    expect(judge('cuda', needs(largest!.sequences), device.availableBytes)).toBe('fits');
    expect(judge('cuda', needs(next!.sequences), device.availableBytes)).not.toBe('fits');
    expect(largestOverall(config, deviceWith(700 * MIB), options).largest).toBeNull();
  });
});

describe('suggestions', () => {
  const config = configOf(LARGE);
  const options = { kind: 'cuda' } as const;
  it('are as planned when planned again, obey the rules, and come with the least change first', () => {
    const device = deviceWith(0.6 * fitPlan(config, options).totalBytes);
    const suggestions = suggest(config, device, options);
    expect(suggestions.length).toBeGreaterThan(3);
    for (const { changes, bytes, freedBytes, fit } of suggestions) {
      const next = { ...config, ...changes };
      expect(builtInCatalog.check(next).problems).toEqual([]);
      expect(fitPlan(next, options).totalBytes).toBe(bytes);
      expect(freedBytes).toBe(fitPlan(config, options).totalBytes - bytes);
      expect(judge('cuda', bytes, device.availableBytes)).toBe(fit);
    }
    expect(suggestions[0]).toMatchObject({ fit: 'fits', effect: 'same result' });
    expect(Object.keys(suggestions[0]!.changes)).toEqual(['batch.micro']);
    const fitting = suggestions.filter(({ fit }) => fit === 'fits').map(({ effect }) => effect);
    const order = ['same result', 'other rounding', 'other training', 'other task'];
    expect(fitting).toEqual(fitting.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
  });
  it('there are none where it fits', () => {
    expect(suggest(config, deviceWith(2 ** 40), options)).toEqual([]);
  });
  it('do not offer what the device cannot do (would advise bf16 on a card without it)', () => {
    const total = fitPlan(config, options).totalBytes;
    const old = { ...deviceWith(0.9 * total), compute: { ...deviceWith(1).compute, bf16: null } };
    const policies = suggest(config, old, options).map(({ changes }) => changes['precision.policy']);
    expect(policies).toContain('fp16');
    expect(policies).not.toContain('bf16');
  });
  it('recomputation costs time (would catch a factor upside down)', () => {
    const device = deviceWith(0.6 * fitPlan(config, options).totalBytes);
    const block = suggest(config, device, options).find(({ flags }) => flags === '--precision.recompute block');
    expect(block!.timeFactor).toBeGreaterThan(1.02);
    expect(block!.timeFactor).toBeLessThan(1.5);
  });
});

describe('what a run never comes to', () => {
  const EPOCHS = {
    ...SMALL,
    'model.context': 16,
    'stop.steps': 0,
    'stop.epochs': 1,
    'schedule.warmup_steps': 0,
  } as const;
  const grown = (at: number) => ({ ...EPOCHS, 'batch.length': 'listed', 'batch.lengths': `8 16@${at}` });
  const of = (given: Readonly<Record<string, string | number>>) => {
    const config = configOf(given);
    return [
      fitReport(config, deviceWith(2 ** 40)).warnings.filter((each) => each.includes('and never')),
      config,
    ] as const;
  };

  it('is said of batches and of the warm-up (would catch a run of epochs that ends before them in silence)', async () => {
    expect(of(grown(1))[0]).toEqual([]);
    expect(of(grown(900_000))[0]).toEqual([
      expect.stringMatching(/ × 16 tokens, which begin at step 900,000; what helps/u),
    ]);
    for (const [name, value] of [
      ['schedule.warmup_steps', 900_000],
      ['schedule.warmup_tokens', 10 ** 9],
    ] as const) {
      const [said, config] = of({ ...EPOCHS, [name]: value });
      expect(said).toEqual([
        expect.stringContaining(`never reaches its learning rate: ${name} is ${value.toLocaleString('en')};`),
      ]);
      // A dry run plans no model, and a start says what its check has found.
      const messages = (await dryRunTextWarnings([config])).map(({ message }) => message);
      expect(messages).toEqual(expect.arrayContaining(said));
      const { warnings } = await checkLaunch([config], {}, () => Promise.resolve(deviceWith(2 ** 40)));
      expect(warnings).toEqual(expect.arrayContaining(said));
    }
  });

  it('is not said where the text may be longer than is known, nor where the model says when it ends', () => {
    const { trainTokens } = estimateDataset(configOf(EPOCHS))!;
    const steps = trainTokens / 16 / Number(configOf(EPOCHS)['batch.sequences']);
    const near = (share: number) => ({ ...EPOCHS, 'schedule.warmup_steps': Math.ceil(share * steps) });
    expect(of(near(1.02))[0]).toEqual([]);
    expect(of(near(1.2))[0]).toHaveLength(1);
    // Its tokens hold an unknown number of bytes.
    const cut = { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 1024 };
    expect(notReachedUnplanned(configOf({ ...near(0.4), ...cut }))).toEqual([]);
    expect(notReachedUnplanned(configOf({ ...near(9), ...cut }))).toHaveLength(1);
    expect(notReachedUnplanned(configOf({ ...near(9), 'stop.flops': 1e9 }))).toEqual([]);
    expect(notReachedUnplanned(configOf({ ...near(9), 'stop.seconds': 5 }))[0]).toContain(' at the latest and never');
    // The rules of the settings have said so.
    expect(notReachedUnplanned(configOf({ ...grown(900_000), 'stop.steps': 10 }))).toEqual([]);
  });
});

describe('time', () => {
  const config = configOf({ ...LARGE, 'stop.steps': 100, 'eval.tokens': 1000, 'schedule.warmup_steps': 0 });
  it('is a range around what the arithmetic needs, and says that it is estimated', () => {
    const { time, plan } = fitReport(config, deviceWith(2 ** 40));
    expect(time.basis).toBe('estimated');
    const fastest = (plan.flopsPerToken * plan.length.tokensPerStep) / 1e13;
    expect(time.stepSeconds!.low).toBeGreaterThan(fastest);
    expect(time.stepSeconds!.high).toBeLessThan(20 * fastest);
    expect(time.stepSeconds!.low).toBeLessThan(time.stepSeconds!.high);
    expect(time.seconds!.low).toBeGreaterThan(100 * time.stepSeconds!.low);
  });
  it('is measured where earlier runs say so', () => {
    const samples = () => [{ tokensPerSecond: 1000 }, { tokensPerSecond: 1200 }];
    const { time, plan } = fitReport(config, deviceWith(2 ** 40), { samples });
    expect(time.basis).toBe('measured');
    // Slower than anything such a device is known for: two runs alone may have been disturbed.
    expect(time.stepSeconds!.high).toBeCloseTo((plan.length.tokensPerStep / 1000) * 1.15, 6);
    expect(time.stepSeconds!.low).toBeLessThan(plan.length.tokensPerStep / 1200 / 1.15);
    expect(time.explanation).toContain('2 earlier runs');
  });
  it('is unknown on a device of unknown speed (would catch a made-up figure)', () => {
    const unknown = {
      ...deviceWith(2 ** 40),
      compute: { fp32: null, bf16: null, fp16: null, bytesPerSecond: null, basis: 'unknown' },
    };
    expect(fitReport(config, unknown).time).toMatchObject({ basis: 'unknown', seconds: null, stepSeconds: null });
  });
  it('stop.seconds bounds it', () => {
    const short = configOf({ ...LARGE, 'stop.steps': 100_000, 'stop.seconds': 60 });
    const { time } = fitReport(short, deviceWith(2 ** 40));
    expect(time.seconds!.low - (time.evaluationSeconds?.low ?? 0)).toBeLessThanOrEqual(60);
  });
  it('stop.seconds alone leaves time for as many steps as their speed says, and for their evaluations', () => {
    const short = configOf({ ...LARGE, 'stop.steps': 0, 'stop.seconds': 60 });
    const { time } = fitReport(short, deviceWith(2 ** 40));
    const { low, high } = time.stepSeconds!;
    expect(time.steps).toEqual({ low: Math.ceil(60 / high), high: Math.ceil(60 / low) });
    expect(time.seconds!.low).toBeCloseTo(60 + time.evaluationSeconds!.low, 9);
    const more = fitReport(configOf({ ...LARGE, 'stop.steps': 0, 'stop.seconds': 6000 }), deviceWith(2 ** 40)).time;
    expect(more.evaluationSeconds!.low).toBeGreaterThan(time.evaluationSeconds!.low);
    const steps = fitReport(config, deviceWith(2 ** 40)).time.steps!;
    expect([steps.low, steps.high]).toEqual([config['stop.steps'], config['stop.steps']]);
  });
  it('costs hours × price + kW × hours × tariff', () => {
    const { time, cost } = fitReport(config, deviceWith(2 ** 40), {
      prices: { pricePerHour: 2, kilowatts: 0.5, tariff: 0.3 },
    });
    expect(cost!.low).toBeCloseTo((time.seconds!.low / 3600) * 2.15, 10);
    expect(fitReport(config, deviceWith(2 ** 40)).cost).toBeNull();
  });
});

describe('before a launch', () => {
  const small = configOf(SMALL);
  const large = configOf(LARGE);
  it('refuses what does not fit, with advice, and lets it pass when forced', () => {
    const device = deviceWith(0.7 * fitPlan(large, { kind: 'cuda' }).totalBytes);
    const configs = [small, large, { ...large, 'optimizer.lr': 0.5, seed: 7 }];
    const check = checkBeforeLaunch(configs, device);
    expect(check.refusals).toHaveLength(1);
    expect(check.refusals[0]!.indices).toEqual([1, 2]);
    expect(check.refusals[0]!.message).toMatch(
      /^2 of 3 runs .*Does not fit.*too much\.\n {2}fits with --batch\.micro/u,
    );
    expect(check.checked.map(({ indices }) => indices)).toEqual([[1, 2], [0]]);
    const forced = checkBeforeLaunch(configs, device, { force: true });
    expect(forced.refusals).toEqual([]);
    expect(forced.warnings.join()).toMatch(/Does not fit.*Started all the same/u);
  });
  it('finds how many fit side by side (would let two runs exhaust what one of them may take)', () => {
    const { totalBytes } = fitPlan(large, { kind: 'cuda' });
    const device = deviceWith(2.5 * totalBytes);
    const check = checkBeforeLaunch([large, { ...large, seed: 2 }, { ...large, seed: 3 }], device, { concurrency: 3 });
    expect(check.concurrency).toBe(2);
    expect(check.warnings.join()).toMatch(/train 2 at a time/u);
    expect(checkBeforeLaunch([large], device, { concurrency: 3 }).concurrency).toBe(3);
  });
  it('a sweep: different plans once, the largest first', () => {
    const settings = [
      { label: 'small', config: small, runs: 3 },
      { label: 'large', config: large, runs: 3 },
      { label: 'large lr', config: { ...large, 'optimizer.lr': 0.1 }, runs: 3 },
    ];
    const report = fitSweep(settings, deviceWith(0.7 * fitPlan(large, { kind: 'cuda' }).totalBytes));
    expect(report.groups.map(({ labels, runs }) => [labels, runs])).toEqual([
      [['large', 'large lr'], 6],
      [['small'], 3],
    ]);
    expect(report.counts).toEqual({ fits: 3, tight: 0, 'does not fit': 6 });
    expect(report.suggestions[0]!.fit).toBe('fits');
    expect(report.seconds!.low).toBeGreaterThan(0);
  });
  it('says how many steps its runs have, which follow from their parameters (would catch those of the first for all)', () => {
    const perParameter = { 'stop.steps': 0, 'stop.counted_parameters': 'matrices_and_head', 'batch.sequences': 1 };
    const of = (depth: number, ratio: number) => ({
      label: `${depth} ${ratio}`,
      // Apart by more than what cards give memory in.
      config: configOf({
        ...SMALL,
        ...perParameter,
        'model.depth': depth,
        'model.width': 64 * depth,
        'stop.tokens_per_parameter': ratio,
      }),
      runs: 1,
    });
    const { groups } = fitSweep([of(1, 1), of(1, 2), of(4, 1)], deviceWith(2 ** 40));
    const steps = (depth: number, ratio: number) => {
      const { plan } = fitReport(of(depth, ratio).config, deviceWith(2 ** 40));
      return Math.ceil((ratio * plan.parameterCounts['matrices_and_head']!) / plan.length.tokensPerStep);
    };
    expect(groups.map((group) => [group.labels, group.steps])).toEqual([
      [['4 1'], { low: steps(4, 1), high: steps(4, 1) }],
      [['1 1', '1 2'], { low: steps(1, 1), high: steps(1, 2) }],
    ]);
  });
});

describe('report as JSON', () => {
  it('holds numbers only where there are numbers (would catch NaN or an infinity, which JSON turns into null)', () => {
    const report = fitReport(configOf(LARGE), deviceWith(2 ** 30), { prices: { pricePerHour: 1 } });
    const bad: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value === 'number' && !Number.isFinite(value)) bad.push(path);
      else if (typeof value === 'object' && value !== null)
        for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    };
    walk(report, 'report');
    expect(bad).toEqual([]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(Object.keys(report)).toEqual([
      'device',
      'plan',
      'verdict',
      'largest',
      'suggestions',
      'time',
      'cost',
      'warnings',
    ]);
  });
});
