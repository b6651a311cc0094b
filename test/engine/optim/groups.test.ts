/** Groups of parameters: which numbers each gets, what they are refused for, and that training uses them. */
import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { buildTraining, gradientName } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { buildSchedules } from '../../../main/engine/optim/schedule.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../train/helpers.ts';

const LATENT = { 'model.kind': 'latent', 'model.tied': false, 'model.heads': 1, 'optimizer.lr': 0.01 };
/** hlb-gpt's table of groups. */
const HLB = `
  head: lr_scale 2, beta1 0.6, schedule power_law, schedule.power 0.2, schedule.warmup_steps 0
  position: lr_scale=100, weight_decay=0
  vector: lr_scale 32
  embedding: lr_scale 32
`;

const programsFor = (config: Config) => buildTraining({ config, vocabularySize: 17, keyMasked: false });
const inputsAt = (config: Config, step: number) => {
  const programs = programsFor(config);
  const schedules = buildSchedules(config, programs, { steps: 1000, tokensPerStep: 64 });
  const { inputs, rates } = hyperParameters(config, programs, schedules, { step, tokens: 64 * step });
  return { rates, found: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value[0]!])) };
};
const problemsOf = (groups: string, given: Config = {}) =>
  builtInCatalog
    .check(testConfig({ ...given, 'optimizer.groups': groups }))
    .problems.map(({ message, nearest }) => ({ message, nearest }));

describe('groups of parameters', () => {
  test('have rate, decay, betas and schedule of their own (catches a group that follows the whole)', () => {
    const config = testConfig({
      ...LATENT,
      'schedule.kind': 'power_law',
      'schedule.power': 0.08,
      'schedule.warmup_steps': 100,
      'schedule.start': 0.02,
      'optimizer.weight_decay': 0.5,
      'optimizer.groups': HLB,
    });
    const { found, rates } = inputsAt(config, 399);
    const main = 0.01 * 300 ** -0.08;
    expect(found['lr.matrix']).toBeCloseTo(main, 8);
    expect(found['lr.position']).toBeCloseTo(100 * main, 6);
    expect(found['lr.vector']).toBeCloseTo(32 * main, 6);
    expect(found['lr.head']).toBeCloseTo(0.02 * 400 ** -0.2, 8);
    expect(found['decay.head']).toBe(0.5);
    expect(found['decay.position']).toBe(0);
    expect(found['decay.matrix']).toBe(0.5);
    expect(found['adamw.bias1']).toBeCloseTo(1, 6);
    expect(Object.keys(rates)).toEqual(['embedding', 'head', 'vector', 'position']);
    expect(inputsAt(config, 0).found['adamw@head.bias1']).toBeCloseTo(0.4, 6);
  });

  test('by pattern take an absolute rate, first line first (catches a pattern that means more than its text)', () => {
    const config = testConfig({
      'optimizer.lr': 0.01,
      'optimizer.groups': 'block.0.attention.*: lr 0.03, weight_decay 0.2; matrix: lr_scale 3',
    });
    const { groups } = programsFor(config);
    const attention = groups.filter(({ name }) => name.startsWith('block.0.attention'));
    expect(
      attention.flatMap(({ parameters }) => parameters).every((name) => name.startsWith('block.0.attention.')),
    ).toBe(true);
    for (const group of attention) expect([group.lrScale, group.weightDecay]).toEqual([3, 0.2]);
    const matrix = groups.find(({ name }) => name === 'matrix')!;
    expect(matrix.lrScale).toBe(3);
    expect(matrix.weightDecay).toBe(config['optimizer.weight_decay']);
  });

  test('keep what their own settings need, planned (catches state of the whole for all)', () => {
    const config = testConfig({ 'optimizer.groups': 'embedding: amsgrad true' });
    const { states, parameters } = programsFor(config);
    const roles = new Map(parameters.map(({ name, role }) => [name, role]));
    const largest = states.filter(({ name }) => name.endsWith(':largest')).map(({ name }) => name.split(':')[0]!);
    expect(largest.length).toBeGreaterThan(0);
    expect(new Set(largest.map((name) => roles.get(name)))).toEqual(new Set(['embedding']));
  });

  test('without any are those of the roles (catches runs that change with a new version)', () => {
    const { groups, rules } = programsFor(testConfig(LATENT));
    expect(groups.map(({ name }) => name)).toEqual(['matrix', 'embedding', 'head', 'vector']);
    expect(rules.map(({ name }) => name)).toEqual(['adamw']);
  });

  test('move by their own betas (catches constants of the whole in a kernel)', async () => {
    const config = testConfig({
      ...LATENT,
      'optimizer.clip': 0,
      'optimizer.groups': 'head: beta1 0.6, weight_decay 0',
    });
    const programs = programsFor(config);
    const opened = (await openTfjsExecutor('tfjs-cpu')).open(programs.states);
    try {
      const update = opened.load(programs.update());
      const head = programs.parameters.find(({ role }) => role === 'head')!;
      opened.write(head.name, new Float32Array(sizeOf(head.shape)));
      // m̂/√v̂ after gradients 1, −1 is (β₁ − 1 + 1 − …) only for the right β₁.
      for (const [step, sign] of [1, -1].entries()) {
        for (const { name, shape } of programs.parameters)
          opened.write(gradientName(name), new Float32Array(sizeOf(shape)).fill(sign));
        const { inputs } = hyperParameters(config, programs, () => 1, { step, tokens: 0 });
        await opened.run(update, { ...inputs, gradientScale: Float32Array.of(1) });
      }
      const second = (0.6 * 0.4 - 0.4) / (1 - 0.36);
      const [first] = await opened.read(head.name);
      expect(first).toBeCloseTo(-0.01 * (1 + second), 5);
    } finally {
      opened.dispose();
    }
  });
});

describe('a text of groups is refused in words', () => {
  test.each<[string, string, unknown]>([
    ['head lr 2', 'no parameters before a colon', undefined],
    ['heads: lr_scale 2', 'there are no parameters heads', 'head: lr_scale 2'],
    ['head:', 'has no options', undefined],
    ['head: beta3 0.6', 'has no option beta3', 'head: beta1 0.6'],
    ['head: beta1 1.5', 'beta1 of the group head is 1.5', undefined],
    ['head: beta1 -1', 'beta1 of the group head is -1', 'head: beta1 0'],
    ['head: lr_scale many', 'lr_scale of the group head is many', undefined],
    ['head: lr 0.1, lr_scale 2', 'both lr and lr_scale', undefined],
    ['head: lr 0.1; head: beta1 0.5', 'stands twice', undefined],
    [';;', 'no group stands before ;', ''],
    ['head: lr 0.1;; vector: lr 0.2', 'no group stands before ;', 'head: lr 0.1; vector: lr 0.2'],
    ['head: lr 0.1,, beta1 0.5', 'in the group head nothing stands before ,', 'head: lr 0.1, beta1 0.5'],
    ['head: schedule cosin', 'schedule of the group head is cosin', 'head: schedule cosine'],
    ['head: schedule step', 'in the group head, schedule.step_every_steps is 0', undefined],
    ['head: momentum 0.9', 'has no option momentum', 'head: moments 0.9'],
  ])('%s', (text, words, nearest) => {
    const [found, ...others] = problemsOf(text);
    expect(others).toEqual([]);
    expect(found?.message).toContain('optimizer.groups is');
    expect(found?.message).toContain(words);
    expect(found?.nearest).toEqual(nearest);
    if (nearest === 'head: lr_scale 2') expect(problemsOf(nearest)).toEqual([]);
  });

  test('but not for a separator at its end, or lines that are empty', () => {
    expect(problemsOf('head: lr 0.1, beta1 0.5,;\n\n  \nvector: lr 0.2;\n')).toEqual([]);
  });

  test('and gives way where another optimizer is chosen (catches a recipe that only takes its own)', () => {
    const given = new Set(['optimizer.kind']);
    const config = testConfig({ 'optimizer.kind': 'sgd', 'optimizer.groups': 'head: beta1 0.6' });
    const settled = builtInCatalog.settle(config, (name) => given.has(name));
    expect(settled.config['optimizer.groups']).toBe('');
    expect(settled.derived['optimizer.groups']).toContain('has no option beta1');
  });

  test('a pattern that names nothing is told, when the model is known', () => {
    const { unused, notes } = programsFor(testConfig({ 'optimizer.groups': 'blok.*: lr_scale 2; head: lr_scale 3' }));
    expect(unused).toEqual([expect.stringContaining('optimizer.groups: no parameter of this model is named blok.*')]);
    expect(notes).toEqual(unused);
  });
});
