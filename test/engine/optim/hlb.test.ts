/** The recipe hlb-gpt moves as its original does, at tabulated steps. */
import { expect, test } from 'vitest';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { buildSchedules } from '../../../main/engine/optim/schedule.ts';
import { builtInRegistry, loadRecipe, resolveConfig } from '../../../main/lab/settings/index.ts';

const { source: recipe } = await loadRecipe('hlb-gpt');
const { config, problems } = resolveConfig({ registry: builtInRegistry(), recipe });
const programs = buildTraining({ config, vocabularySize: 50_257, keyMasked: false });
const schedules = buildSchedules(config, programs, { steps: 1000, tokensPerStep: 57_236 });

const inputs = (step: number): Readonly<Record<string, number>> => {
  const position = { step, tokens: 57_236 * step };
  const found = hyperParameters(config, programs, schedules, position, 5).inputs;
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, value[0]!]));
};

/** Step; multiple of 2.62 × 9e7 / ln(parameters)^8.8 of matrices, of gains and embeddings, of the head and of positions. */
const TABLE: readonly (readonly [number, number, number, number, number])[] = [
  [0, 0.02, 0.64, 2, 100],
  [1, 0.0298, 0.9536, 1.741101, 99.5],
  [50, 0.51, 16.32, 0.910995, 77.831256],
  [99, 0.9902, 31.6864, 0.796214, 60.881451],
  [100, 1, 32, 0.794631, 60.577044],
  [101, 0.946058, 30.273845, 0.793067, 60.274158],
  [500, 0.619082, 19.810636, 0.576849, 8.157186],
  [1000, 0.580259, 18.568294, 0.502277, 0.665397],
];

test.each(TABLE)('at step %d its groups learn as the table says (catches a warm-up that is a step ahead)', (...row) => {
  const [step, matrix, vector, head, position] = row;
  const peak = (2.62 * 9e7) / Math.log(46_009_736) ** 8.8;
  expect(programs.parameterCount).toBe(46_009_736);
  const found = inputs(step);
  for (const [name, wanted] of Object.entries({ matrix, vector, embedding: vector, head, position }))
    expect(found[`lr.${name}`]! / peak / wanted, name).toBeCloseTo(1, 5);
});

test('only its matrices decay, and the head forgets sooner', () => {
  expect(problems).toEqual([]);
  const decays = Object.fromEntries(programs.groups.map(({ name, weightDecay }) => [name, weightDecay]));
  expect(decays).toEqual({ matrix: 16, vector: 0, embedding: 0, head: 0, position: 0 });
  // 1 − β at the first step.
  const first = inputs(0);
  const betas = ['adamw.bias1', 'adamw.bias2', 'adamw@head.bias1', 'adamw@head.bias2'].map((name) => 1 - first[name]!);
  [0.9, 0.95, 0.6, 0.95].forEach((beta, i) => expect(betas[i]).toBeCloseTo(beta, 6));
  expect(config).toMatchObject({ 'optimizer.eps': 1e-9, 'optimizer.clip': 0 });
});
