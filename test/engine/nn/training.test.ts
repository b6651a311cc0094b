import { describe, expect, test } from 'vitest';
import { buildTraining, gradientName } from '../../../main/engine/nn/training.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { evaluator } from '../../oracles/reference.ts';
import { generator, programsOf, randomFeeds, variantConfig, VARIANTS, VOCABULARY } from './variants.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

describe.each(Object.entries(VARIANTS))('model %s', (name, overrides) => {
  // Catches any wrong gradient rule, and wrong wiring between rules, in the composition that is trained.
  test(`gradients agree with central differences (seed ${seed})`, () => {
    const random = generator(seed + name.length);
    const programs = programsOf(overrides);
    const p = programs.accumulate(2, true);
    const feeds = randomFeeds(p, random);
    feeds['lossScale'] = Float64Array.of(0.37);
    const gradients = evaluator(p.updates.map(({ value }) => value))(feeds);
    const loss = evaluator([p.outputs.get('lossSum')!]);
    const direction = programs.parameters.map(({ shape }) =>
      Float64Array.from({ length: sizeOf(shape) }, () => random() - 0.5),
    );
    const along = (step: number) => {
      const moved = { ...feeds };
      programs.parameters.forEach((spec, i) => {
        moved[spec.name] = feeds[spec.name]!.map((value, e) => value + step * direction[i]![e]!);
      });
      return loss(moved)[0]![0]! * 0.37;
    };
    // relu2 has no second derivative at 0: where a feature crosses it, the difference is wrong by a multiple of h.
    const h = 1e-6;
    // Fourth-order central difference.
    const numeric = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h);
    let analytic = 0;
    programs.parameters.forEach((spec, i) => {
      const at = p.updates.findIndex(({ state }) => state === gradientName(spec.name));
      gradients[at]!.forEach((value, e) => {
        analytic += value * direction[i]![e]!;
      });
    });
    expect(Math.abs(analytic - numeric)).toBeLessThan(1e-6 * Math.max(1, Math.abs(numeric)));
  });

  // Catches any look at the future: a mask off by one, a norm over positions, a leaking window.
  test('a token never changes the loss of earlier positions', () => {
    const random = generator(seed + 1);
    const p = programsOf(overrides).evaluate(1);
    const run = evaluator([p.outputs.get('loss')!]);
    const feeds = randomFeeds(p, random);
    feeds['targets'] = feeds['targets']!.map(() => Math.floor(random() * VOCABULARY));
    const before = run(feeds)[0]!;
    for (let t = 1; t < 7; t++) {
      const tokens = feeds['tokens']!.slice();
      tokens[t] = (tokens[t]! + 1) % VOCABULARY;
      const after = run({ ...feeds, tokens })[0]!;
      expect(after.slice(0, t)).toEqual(before.slice(0, t));
      expect(after[t]).not.toBe(before[t]);
    }
  });
});

describe('programs', () => {
  // Catches double counting of tied weights and a forgotten or doubled parameter.
  test('parameter counts follow the closed formula', () => {
    const [v, d, l, t, f] = [VOCABULARY, 12, 2, 7, 48];
    const block = 4 * d * d + 2 * d * f + 2 * d;
    expect(programsOf().parameterCount).toBe(v * d + t * d + l * block + d);
    expect(programsOf({ 'model.tied': false }).parameterCount).toBe(2 * v * d + t * d + l * block + d);
    const gpt2 = buildTraining({
      config: variantConfig({
        'model.context': 1024,
        'model.depth': 12,
        'model.width': 768,
        'model.heads': 12,
        'model.bias': true,
      }),
      vocabularySize: 50257,
      keyMasked: false,
    });
    // The published size of GPT-2 small, nanoGPT's without positions, 12·layers·width² with and without gains, biases and the tied head.
    expect(gpt2.parameterCounts).toEqual({
      all: 124_439_808,
      without_embeddings: 123_653_376,
      without_embeddings_and_head: 85_056_000,
      matrices_and_head: 12 * 12 * 768 ** 2 + 50257 * 768,
    });
  });

  // Catches a wrong FLOP convention: 6 per matmul parameter and 12·layers·width·context.
  test('FLOPs per token follow the stated convention', () => {
    const programs = programsOf();
    const matmul = 2 * (4 * 12 * 12 + 2 * 12 * 48) + VOCABULARY * 12;
    expect(programs.flopsPerToken).toBe(6 * matmul + 12 * 2 * 12 * 7);
    const windowed = programsOf({ 'model.window': 3 });
    expect(windowed.flopsPerToken).toBe(6 * matmul + 12 * 2 * 12 * 3);
  });

  // Catches an accumulate program that overwrites, or a first one that adds.
  test('accumulating twice adds, and the first program overwrites', () => {
    const random = generator(seed);
    const programs = programsOf();
    const [first, next] = [programs.accumulate(2, true), programs.accumulate(2, false)];
    const feeds = randomFeeds(next, random);
    const fresh = evaluator(first.updates.map(({ value }) => value))(feeds);
    const added = evaluator(next.updates.map(({ value }) => value))(feeds);
    next.updates.forEach(({ state }, i) => {
      const at = first.updates.findIndex((update) => update.state === state);
      const before = feeds[state]!;
      added[i]!.forEach((value, e) => expect(value).toBeCloseTo(before[e]! + fresh[at]![e]!, 10));
    });
  });

  // Catches a NaN that destroys weights or moments, at once or by an update that was queued behind it.
  test.each([
    ['fp32', 'fp32'],
    ['fp16', 'fp16'],
  ])('an update from a non-finite gradient or loss changes nothing, and is the last one (%s)', (_name, policy) => {
    const programs = programsOf({ 'precision.policy': policy });
    const p = programs.update();
    const run = evaluator([...p.updates.map(({ value }) => value), p.outputs.get('gradNorm')!]);
    const feeds = randomFeeds(p, generator(seed));
    feeds['gradientScale'] = Float64Array.of(1);
    feeds['step:loss'] = Float64Array.of(2);
    const halts = p.updates.some(({ state }) => state === 'step:halted');
    expect(halts).toBe(policy === 'fp32');
    if (halts) feeds['step:halted'] = Float64Array.of(0);
    const unchanged = (given: typeof feeds, halted: number) => {
      const out = run(given);
      p.updates.forEach(({ state }, i) => {
        // A working copy is written and not read: the rounding of what has not changed.
        if (given[state] === undefined) return;
        expect([...out[i]!], state).toEqual(state === 'step:halted' ? [halted] : [...given[state]]);
      });
      return out.at(-1)![0]!;
    };
    const grad = gradientName(programs.parameters[0]!.name);
    for (const value of [NaN, Infinity]) {
      const broken = feeds[grad]!.slice();
      broken[3] = value;
      expect(Number.isFinite(unchanged({ ...feeds, [grad]: broken }, 1))).toBe(false);
      expect(unchanged({ ...feeds, 'step:loss': Float64Array.of(value) }, 1)).toBeGreaterThan(0);
    }
    if (halts) unchanged({ ...feeds, 'step:halted': Float64Array.of(1) }, 1);
    const moved = run(feeds);
    p.updates.forEach(({ state }, i) => {
      if (state === 'step:halted') expect([...moved[i]!]).toEqual([0]);
      else if (state === programs.parameters[0]!.name) expect([...moved[i]!]).not.toEqual([...feeds[state]!]);
    });
  });

  // Catches groups that overlap or leave a parameter without a learning rate.
  test('every parameter is in exactly one group', () => {
    const programs = programsOf({ 'model.tied': false, 'model.bias': true, 'optimizer.decay_embedding': true });
    const grouped = programs.groups.flatMap((group) => group.parameters).sort();
    expect(grouped).toEqual(programs.parameters.map(({ name }) => name).sort());
    const decayOf = (group: string) => programs.groups.find(({ name }) => name === group)!.weightDecay;
    expect([decayOf('matrix'), decayOf('embedding'), decayOf('vector')]).toEqual([0.1, 0.1, 0]);
  });

  // Catches a generate program that reads another position than the one asked for.
  test('generate gives the logits of the asked position', () => {
    const programs = programsOf({ 'model.softcap': 4 });
    const [g, e] = [programs.generate(), programs.evaluate(1)];
    const feeds = randomFeeds(e, generator(seed));
    feeds['targets'] = Float64Array.from({ length: 7 }, (_, i) => i);
    const losses = evaluator([e.outputs.get('loss')!])(feeds)[0]!;
    for (let t = 0; t < 7; t++) {
      const logits = [...evaluator([g.outputs.get('logits')!])({ ...feeds, position: Float64Array.of(t) })[0]!];
      const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
      expect(total - logits[t]!).toBeCloseTo(losses[t]!, 9);
    }
  });
});
