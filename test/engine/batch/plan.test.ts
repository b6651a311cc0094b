import { describe, expect, it } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { fixedBatch } from '../../../main/engine/batch/fixedBatch.ts';
import { readMilestones } from '../../../main/engine/batch/milestones.ts';
import { BatchPlan } from '../../../main/engine/batch/plan.ts';
import { stagesText } from '../../../main/engine/batch/words.ts';
import { tokensPerStep } from '../../../main/engine/settings/batch.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../train/helpers.ts';

/** hlb-gpt at its default size. */
const HLB: Config = {
  'model.context': 1024,
  'batch.kind': 'tokens',
  'batch.tokens': 57236,
  'batch.length': 'doubling',
  'stop.steps': 1000,
};
const planOf = (given: Config) => new BatchPlan(testConfig(given));
const brief = (plan: BatchPlan) =>
  plan.stages().map(({ length, sequences, from, steps }) => [from.step, length, sequences, steps]);
const problemsOf = (given: Config) => builtInCatalog.check(testConfig(given)).problems;

describe('the batches of a run', () => {
  it("grow as hlb-gpt's do: 32 to 1024 tokens in 400 steps, as many sequences as the capacity holds", () => {
    expect(brief(planOf(HLB))).toEqual([
      [0, 32, 1788, 80],
      [80, 64, 894, 80],
      [160, 128, 447, 80],
      [240, 256, 223, 80],
      [320, 512, 111, 80],
      [400, 1024, 55, Infinity],
    ]);
    // The other sizes of its table, by tokens of a batch.
    for (const [capacity, sequences] of [
      [71272, [2227, 1113, 556, 278, 139, 69]],
      [46818, [1463, 731, 365, 182, 91, 45]],
      [5763, [180, 90, 45, 22, 11, 5]],
    ] as const)
      expect(
        planOf({ ...HLB, 'batch.tokens': capacity })
          .stages()
          .map((stage) => stage.sequences),
      ).toEqual(sequences);
  });

  it('end at the context even where it is no power of two times the first length', () => {
    const lengths = planOf({ 'model.context': 100, 'batch.length': 'doubling', 'batch.length_start': 24 }).stages();
    expect(lengths.map(({ length }) => length)).toEqual([24, 48, 96, 100]);
  });

  it('change at tokens where tokens are said, at the first step that begins there', () => {
    const plan = planOf({
      'model.context': 32,
      'batch.sequences': 4,
      'batch.length': 'doubling',
      'batch.length_start': 8,
      'batch.length_every_tokens': 100,
    });
    // 4 × 8 tokens a step: 128 are the first number of whole steps that is at least 100, then 4 × 16.
    expect(brief(plan)).toEqual([
      [0, 8, 4, 4],
      [4, 16, 4, 2],
      [6, 32, 4, Infinity],
    ]);
    expect(plan.at({ step: 3, tokens: 99 }).length).toBe(8);
    expect(plan.at({ step: 3, tokens: 100 }).length).toBe(16);
    // Padding is no token: with half of each row it takes twice as many steps.
    expect(plan.stages(({ length, sequences }) => (length * sequences) / 2)[1]!.from.step).toBe(7);
  });

  it('can change their size and their length at once, in units of their own', () => {
    const plan = planOf({
      'model.context': 32,
      'batch.length': 'listed',
      'batch.lengths': '8 32@6',
      'batch.kind': 'listed',
      'batch.schedule': '2, 4@32, 8@500',
      'batch.schedule_unit': 'tokens',
      'stop.steps': 12,
    });
    expect(brief(plan)).toEqual([
      [0, 8, 2, 2],
      [2, 8, 4, 4],
      [6, 32, 4, 3],
      [9, 32, 8, Infinity],
    ]);
    const shapes = plan.shapes().map(({ length, sequences }) => `${sequences}×${length}`);
    expect(shapes.toSorted()).toEqual(['2×32', '2×8', '4×32', '4×8', '8×32', '8×8']);
    expect(stagesText(plan)).toBe(
      'batches: 2 × 8 tokens from step 0, 4 × 8 tokens from step 2, 4 × 32 tokens from step 6, 8 × 32 tokens from step 9',
    );
  });

  it('have programs for every shape that a step can have, whatever tokens turn out to be (random plans)', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const whole = (from: number, to: number): number => {
      state = (state * 48271 + 11) % 2147483647;
      return from + (state % (to - from + 1));
    };
    const list = (most: number) => {
      let at = 0;
      return Array.from({ length: whole(1, 4) }, (_, i) => {
        if (i > 0) at += whole(1, 40);
        return `${whole(1, most)}${i > 0 ? `@${at}` : ''}`;
      }).join(' ');
    };
    const unit = () => (whole(0, 1) === 0 ? 'steps' : 'tokens');
    for (let trial = 0; trial < 60; trial++) {
      const config = testConfig({
        'model.context': 16,
        'batch.length': 'listed',
        'batch.lengths': list(16),
        'batch.lengths_unit': unit(),
        'batch.kind': 'listed',
        'batch.schedule': list(8),
        'batch.schedule_unit': unit(),
        'stop.steps': whole(0, 1) * whole(1, 60),
        'stop.tokens': whole(1, 2000),
      });
      const plan = new BatchPlan(config);
      const known = new Set(plan.shapes().map(({ length, sequences }) => `${length} ${sequences}`));
      const [most, mostTokens] = [(config['stop.steps'] as number) || 1000, config['stop.tokens'] as number];
      let tokens = 0;
      for (let step = 0; step < most && tokens < mostTokens; step++) {
        const { length, sequences } = plan.at({ step, tokens });
        if (!known.has(`${length} ${sequences}`))
          expect.fail(`seed ${seed}: ${sequences}×${length} at step ${step} of ${JSON.stringify(config)}`);
        tokens += Math.max(1, whole(1, length * sequences));
      }
    }
  });

  it('are computed in micro-batches as even as they can be', () => {
    const micros = (given: Config) => {
      const plan = planOf(given);
      return plan.stages().map((stage) => plan.micros(stage));
    };
    expect(micros({ 'batch.sequences': 6, 'batch.micro': 2 })).toEqual([[2, 2, 2]]);
    expect(micros({ 'batch.sequences': 6 })).toEqual([[6]]);
    const tokens = { 'model.context': 64, 'batch.kind': 'tokens', 'batch.tokens': 700, 'batch.length': 'doubling' };
    // 21 sequences of 32 tokens, 10 of 64, of which 128 tokens at once are 4 and 2.
    expect(micros({ ...tokens, 'batch.micro_tokens': 128 })).toEqual([
      [4, 4, 4, 3, 3, 3],
      [2, 2, 2, 2, 2],
    ]);
    expect(micros({ ...tokens, 'batch.micro': 8 })).toEqual([
      [7, 7, 7],
      [5, 5],
    ]);
    // Not even one sequence is within the limit: one it is.
    expect(micros({ ...tokens, 'batch.micro_tokens': 5 })[1]).toHaveLength(10);
  });

  it('count as their mean over the run where a rule compares steps with tokens', () => {
    expect(tokensPerStep(testConfig({}))).toBe(4 * 16);
    // 80 × 1788 × 32 + 20 × 894 × 64 tokens in 100 steps.
    expect(tokensPerStep(testConfig({ ...HLB, 'stop.steps': 100 }))).toBe((80 * 1788 * 32 + 20 * 894 * 64) / 100);
    expect(tokensPerStep(testConfig({ ...HLB, 'stop.steps': 0, 'stop.tokens': 1e9 }))).toBe(55 * 1024);
  });

  it('stay the same in checks of a few steps: the largest batch of the whole context', () => {
    const config = fixedBatch(
      testConfig({ ...HLB, 'batch.accumulation': 'gradient_norm', 'batch.micro_tokens': 16384 }),
    );
    const plan = new BatchPlan(config);
    expect(plan.changes).toBe(false);
    expect(plan.shapes()).toEqual([{ length: 1024, sequences: 55 }]);
    expect(plan.micros(plan.shapes()[0]!)).toEqual([14, 14, 14, 13]);
  });

  it.each([
    [{ 'batch.length': 'listed', 'batch.lengths': '8 8' }, 'batch.lengths', /"8" is not NUMBER@WHERE/],
    [{ 'batch.length': 'listed', 'batch.lengths': '8 16@9 32@4' }, 'batch.lengths', /4 does not come after 9/],
    [{ 'batch.length': 'listed', 'batch.lengths': '8 17@9' }, 'batch.lengths', /17 is more than model\.context 16/],
    [{ 'batch.length': 'listed', 'batch.lengths': '0 16@9' }, 'batch.lengths', /0 is not a number from 1 on/],
    [{ 'batch.kind': 'listed', 'batch.schedule': '8@5' }, 'batch.schedule', /the first begins at 5/],
    [{ 'batch.kind': 'listed', 'batch.schedule': '8 9999999@5' }, 'batch.schedule', /9999999 is more than 1048576/],
    [{ 'batch.kind': 'tokens', 'batch.tokens': 15 }, 'batch.tokens', /at least model\.context 16/],
    [{ 'batch.length': 'doubling', 'batch.length_start': 17 }, 'batch.length_start', /at most model\.context 16/],
    [
      { 'batch.length': 'doubling', 'batch.length_start': 8, 'batch.length_every_steps': 0 },
      'batch.length_every_steps',
      /at least 1, or batch\.length_every_tokens/,
    ],
    [
      {
        'batch.length': 'doubling',
        'batch.length_start': 8,
        'batch.length_every_steps': 4,
        'batch.length_every_tokens': 400,
      },
      'batch.length_every_tokens',
      /one of batch\.length_every_steps and batch\.length_every_tokens/,
    ],
    [{ 'batch.micro': 2, 'batch.micro_tokens': 64 }, 'batch.micro_tokens', /one of batch\.micro and/],
    [
      { 'model.context': 64, 'batch.micro_tokens': 63 },
      'batch.micro_tokens',
      /is 63; allowed: at least 64, one sequence at its longest, or 0/,
    ],
    [
      { 'model.context': 64, 'batch.length': 'listed', 'batch.lengths': '8 32@2', 'batch.micro_tokens': 31 },
      'batch.micro_tokens',
      /at least 32, one sequence/,
    ],
  ] as [Config, string, RegExp][])('are refused in words: %o', (given, setting, message) => {
    const [first] = problemsOf(given);
    expect(first).toMatchObject({ setting });
    expect(first!.message).toMatch(message);
  });

  it.each([
    [
      { 'batch.length': 'doubling', 'batch.length_start': 16, 'batch.length_every_steps': 4, 'stop.steps': 8 },
      'batch.length',
      'the run ends after 8 steps and never has sequences of 64 from 8 steps on',
    ],
    // 4 × 16 tokens a step: 64 are one step.
    [
      { 'batch.length': 'listed', 'batch.lengths': '16 32@3', 'stop.tokens': 130 },
      'batch.length',
      'the run ends after 3 steps and never has sequences of 32 from 3 steps on',
    ],
    [
      { 'batch.kind': 'listed', 'batch.schedule': '1 2@64 4@999 8@1999', 'batch.schedule_unit': 'tokens' },
      'batch.kind',
      'the run ends after 960 tokens and never has batches of 4 from 999 tokens on, 8 from 1999 tokens on',
    ],
  ] as [Config, string, string][])('are told where the run ends before they grow: %o', (given, setting, why) => {
    const { problems, warnings } = builtInCatalog.check(testConfig({ 'model.context': 64, ...given }));
    expect(problems).toEqual([]);
    expect(warnings.filter(({ code }) => code.endsWith('_unreached'))).toMatchObject([{ setting }]);
    expect(warnings.map(({ message }) => message).join()).toContain(why);
    const later = { 'stop.steps': 'stop.tokens' in given ? 0 : 40, 'stop.tokens': 'stop.tokens' in given ? 4000 : 0 };
    const longer = builtInCatalog.check(testConfig({ 'model.context': 64, ...given, ...later })).warnings;
    expect(longer.filter(({ code }) => code.endsWith('_unreached'))).toEqual([]);
  });

  it('are not refused for what another kind of batch would read', () => {
    expect(problemsOf({ 'batch.lengths': '99 8@1', 'batch.tokens': 1, 'batch.length_start': 4096 })).toEqual([]);
  });

  it('are written with spaces or commas', () => {
    expect(readMilestones(' 8@0,16@5  32@9 ')).toEqual(readMilestones('8 16@5, 32@9'));
  });
});
