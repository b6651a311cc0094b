import { afterEach, describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import type { Session } from '../../../../main/engine/executors/executor.ts';
import { persistentBytes } from '../../../../main/engine/compile/plan.ts';
import { isKeyMasked, vocabularyOf } from '../../../../main/engine/data/index.ts';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { attentionFamily } from '../../../../main/engine/nn/attention/index.ts';
import { modelFamily } from '../../../../main/engine/nn/models/index.ts';
import { programsOf, trains } from '../../../../main/engine/nn/programs.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import { fitPlan } from '../../../../main/lab/fit/index.ts';
import { builtInRegistry, listRecipes, resolveConfig } from '../../../../main/lab/settings/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { loadAddon, missingAddon } from './harness.ts';

const recipes = await listRecipes();
const registry = builtInRegistry();

function fromRecipe(recipe: (typeof recipes)[number], changes: Config): Config {
  return { ...resolveConfig({ registry, recipe: recipe.source }).config, ...changes };
}

/** Blocks that the addon holds now, without the kernels' scratch. */
function held(): number {
  const { allocated, scratch } = loadAddon().memory();
  return allocated - scratch;
}

let session: Session | undefined;
afterEach(() => {
  session?.dispose();
  session = undefined;
});

/** Opens what a run would load, and compares every byte with the plan and with what the user is shown. */
function expectPlanned(config: Config): void {
  const before = held();
  const training = buildTraining({ config, vocabularySize: vocabularyOf(config), keyMasked: isKeyMasked(config) });
  session = openCpuExecutor().open(training.states);
  const persistent = held() - before;
  expect(persistent).toBe(persistentBytes(training.states).total);
  const arenas = programsOf(config).map((call) => session!.load(call.build(training)).plan.arenaBytes);
  expect(held() - before - persistent).toBe(Math.max(...arenas));
  expect(session.memory()).toEqual({ persistentBytes: persistent, peakTemporaryBytes: Math.max(...arenas) });
  const shown = fitPlan(config, { kind: 'cpu' });
  expect(shown.persistent.bytes).toBe(persistent);
  expect(shown.programs.map(({ arenaBytes }) => arenaBytes)).toEqual(arenas);
  session.dispose();
  session = undefined;
  expect(held()).toBe(before);
}

const POLICIES = [
  ...['fp32', 'bf16'].flatMap((policy) =>
    ['none', 'attention', 'block'].map((recomputation) => [policy, recomputation] as const),
  ),
  // As bf16 but for what guards a step.
  ['fp16', 'attention'] as const,
];

/** Whatever changes which values a step has, on odd sizes: `model.kind` and `attention.kind` name the kind that a row stands for. */
const KINDS: readonly Config[] = [
  { 'model.kind': 'gpt', 'model.depth': 4, 'model.widths': '48 24 48', 'model.init': 'xavier' },
  { 'model.kind': 'gpt', 'model.attention_width': 24, 'model.mlp': 'geglu', 'model.norm_position': 'post' },
  { 'model.kind': 'gpt', 'model.kv_latent': 20, 'model.positions': 'learned' },
  { 'model.kind': 'gpt', 'model.kv_latent': 20, 'model.positions': 'rotary', 'model.rope_size': 6 },
  { 'model.kind': 'gpt', 'model.experts': 5, 'model.experts_active': 2 },
  { 'model.kind': 'gpt', 'model.experts': 3, 'model.experts_active': 3, 'model.mlp': 'swiglu', 'model.dropout': 0.1 },
  { 'model.kind': 'latent', 'model.heads': 3 },
  { 'model.kind': 'latent', 'model.heads': 3, 'model.linear_value': true },
  { 'model.kind': 'classic' },
  { 'model.kind': 'unet', 'model.depth': 5 },
  { 'model.kind': 'unet', 'model.depth': 5, 'model.skips': 'none' },
  { 'model.kind': 'depth-dial', 'model.head_size': 12 },
  { 'attention.kind': 'causal', 'model.kv_heads': 2 },
  { 'attention.kind': 'window', 'model.window': 7 },
  { 'attention.kind': 'window_pattern', 'attention.pattern': 'SL', 'attention.short_window': 5 },
  ...['all', 'fixed', 'local', 'strided', 'local strided fixed'].flatMap((patterns) =>
    ['heads', 'layers'].map((by) => ({
      'attention.kind': 'sparse',
      'attention.sparse': patterns,
      'attention.sparse_by': by,
      'attention.block': 7,
    })),
  ),
  { 'attention.kind': 'sparsek', 'attention.selected': 5, 'attention.recent': 6 },
  ...['causal', 'sparse', 'sparsek'].map((kind) => ({
    'attention.kind': kind,
    'data.batching': 'packed',
    'data.document_mask': true,
  })),
  { 'data.batching': 'documents' },
  { 'batch.length': 'listed', 'batch.lengths': '5 11@2 33@4', 'batch.micro': 0, 'model.positions': 'learned' },
  {
    'batch.length': 'doubling',
    'batch.length_start': 7,
    'batch.kind': 'tokens',
    'batch.tokens': 200,
    'batch.micro': 0,
    'batch.micro_tokens': 70,
    'batch.accumulation': 'gradient_norm',
  },
];

const SIZES: Config = {
  'model.depth': 3,
  'model.width': 48,
  'model.heads': 4,
  'model.context': 33,
  'batch.sequences': 6,
  'batch.micro': 3,
  'eval.batch': 2,
  'log.sample_tokens': 9,
};

/** The row on these sizes, as far as its kind has them. */
function fromKind(row: Config): Config {
  const { config, problems } = resolveConfig({ registry, overrides: { ...SIZES, ...row } });
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return config;
}

const named = (row: Config): string =>
  Object.entries(row)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

describe.skipIf(missingAddon !== undefined)('the plan is what is allocated', () => {
  // Catches a plan that differs from the allocation by a single byte, for every recipe as it would be launched. Memory that is not
  // touched costs nothing, so large models can be allocated here.
  test.each(
    recipes.flatMap((recipe) =>
      POLICIES.map(([policy, recomputation]) => [recipe.name, policy, recomputation, recipe] as const),
    ),
  )('recipe %s, %s, recompute %s', (_name, policy, recomputation, recipe) => {
    expectPlanned(fromRecipe(recipe, { 'precision.policy': policy, 'precision.recompute': recomputation }));
  });

  // The same for what no recipe has: each option that changes which values a step has.
  test.each(
    KINDS.flatMap((row) =>
      POLICIES.map(([policy, recomputation]) => [named(row), policy, recomputation, row] as const),
    ),
  )('%s, %s, recompute %s', (_name, policy, recomputation, row) => {
    expectPlanned(fromKind({ ...row, 'precision.policy': policy, 'precision.recompute': recomputation }));
  });

  // Would catch a length whose memory nobody sees behind that of a larger one.
  test.each([
    ['hlb-gpt-small', {}, [16, 32, 64, 128]],
    ['hlb-gpt', {}, [32, 64, 128, 256, 512, 1024]],
    ['depth-dial-small', { 'model.depth': 4 }, [128]],
  ] as [string, Config, number[]][])('%s %o at each of its lengths alone', (name, overrides, lengths) => {
    const { source: recipe } = recipes.find((each) => each.name === name)!;
    const { config } = resolveConfig({ registry, recipe, overrides });
    const training = buildTraining({ config, vocabularySize: vocabularyOf(config), keyMasked: isKeyMasked(config) });
    const { stages, base, persistent } = fitPlan(config, { kind: 'cpu' });
    expect(stages.map(({ length }) => length)).toEqual(lengths);
    for (const { length, arenaBytes, totalBytes } of stages) {
      const before = held();
      session = openCpuExecutor().open(training.states);
      const ofStage = programsOf(config).filter((call) => trains(call) && [0, length].includes(call.length));
      for (const call of ofStage) session.load(call.build(training));
      expect(held() - before, `${length} tokens`).toBe(persistent.bytes + arenaBytes);
      expect(totalBytes).toBe(persistent.bytes + arenaBytes + base.bytes);
      session.dispose();
      session = undefined;
    }
  });

  test('has a row for every kind of model and attention (would catch a new one that nobody planned)', () => {
    const rows = (setting: string) => new Set(KINDS.map((row) => row[setting]));
    for (const { name } of builtInCatalog.all(modelFamily)) expect(rows('model.kind')).toContain(name);
    for (const { name } of builtInCatalog.all(attentionFamily)) expect(rows('attention.kind')).toContain(name);
  });
});
