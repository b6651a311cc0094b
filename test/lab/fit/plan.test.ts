import { describe, expect, it } from 'vitest';
import { granules } from '../../../main/engine/executors/cuda/granules.ts';
import { CUDA_ALIGNMENT } from '../../../main/engine/executors/cuda/target.ts';
import { compileForCpu } from '../../../main/engine/executors/cpu/target.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { aligned } from '../../../main/engine/compile/plan.ts';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import { fitPlan, forgetPlans } from '../../../main/lab/fit/index.ts';
import { layerOf, placeOf } from '../../../main/lab/fit/describe.ts';
import { GAPS } from '../../../main/lab/fit/plan.ts';
import { configOf, SMALL, sum } from './helpers.ts';

const MOMENTS: readonly (readonly [string, Record<string, number | boolean>, number])[] = [
  ['adamw', {}, 2],
  ['adamw', { 'optimizer.amsgrad': true }, 3],
  ['nadam', {}, 2],
  ['lion', {}, 1],
  ['adam', {}, 2],
  ['sgd', {}, 0],
  ['sgd', { 'optimizer.momentum': 0.9 }, 1],
  ['adagrad', {}, 1],
  ['rmsprop', {}, 1],
  ['rmsprop', { 'optimizer.momentum': 0.9 }, 2],
  ['rmsprop', { 'optimizer.momentum': 0.9, 'optimizer.centered': true }, 3],
];

/** 12·w² per block and 2 norms, embeddings of tokens and positions, final norm; with `bias` 9·w per block and a shift per norm. */
function gptParameters({ depth = 3, width = 48, context = 32, vocabulary = 257, tied = true, bias = false }): number {
  const norm = bias ? 2 * width : width;
  const block = 12 * width * width + (bias ? 9 * width : 0) + 2 * norm;
  return depth * block + vocabulary * width * (tied ? 1 : 2) + context * width + norm;
}

const GRANULE = granules(1);

/** The loss of a step, and (where steps are not repeated) whether the run has halted: numbers that guard the update. */
const guardBytes = (policy: string, alignment?: number) => aligned(4, alignment) * (policy === 'fp16' ? 1 : 2);

describe('closed formulas', () => {
  it('counts parameters, tied ones once (would catch a tied head counted twice, or a forgotten norm)', () => {
    expect(fitPlan(configOf(SMALL), { kind: 'cpu' }).parameterCount).toBe(gptParameters({}));
    const untied = fitPlan(configOf({ ...SMALL, 'model.tied': false }), { kind: 'cpu' });
    expect(untied.parameterCount).toBe(gptParameters({ tied: false }));
    const biased = fitPlan(configOf({ ...SMALL, 'model.bias': true }), { kind: 'cpu' });
    expect(biased.parameterCount).toBe(gptParameters({ bias: true }));
  });

  it('counts GPT-2 124M as everyone does', () => {
    const gpt2 = { depth: 12, width: 768, context: 1024, vocabulary: 50_257, bias: true };
    expect(gptParameters(gpt2)).toBe(124_439_808);
    const config = configOf({
      'model.depth': 12,
      'model.width': 768,
      'model.heads': 12,
      'model.context': 1024,
      'model.bias': true,
      'tokenizer.kind': 'gpt2',
      'batch.sequences': 1,
    });
    expect(fitPlan(config, { kind: 'cuda' }).parameterCount).toBe(124_439_808);
  });

  it('knows the vocabulary of each tokenizer from the settings (would catch an id too few)', () => {
    const width = 48;
    const count = (values: Record<string, string | number>) =>
      fitPlan(configOf({ ...SMALL, ...values }), { kind: 'cpu' }).parameterCount;
    expect(count({ 'tokenizer.kind': 'gpt2' }) - count({})).toBe((50_257 - 257) * width);
    expect(count({ 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': 1000 }) - count({})).toBe((1000 - 257) * width);
  });

  it.each(MOMENTS)('%s %o keeps %i numbers per parameter (would catch a missing moment)', (kind, extra, moments) => {
    const { persistent, parameterCount } = fitPlan(configOf({ ...SMALL, 'optimizer.kind': kind, ...extra }), {
      kind: 'cpu',
    });
    // Every size here is a multiple of 64 bytes in 32 bits, so alignment adds nothing.
    expect(persistent.byCategory.parameters).toBe(4 * parameterCount);
    expect(persistent.byCategory.gradients).toBe(4 * parameterCount + guardBytes('fp32'));
    expect(persistent.byCategory['optimizer state'] ?? 0).toBe(4 * moments * parameterCount);
    expect(persistent.bytes).toBe(sum(Object.values(persistent.byCategory)));
  });

  it('adds 16-bit working copies of matrices under bf16, and halves weights and moments under pure-bf16 (would catch vectors in 16 bits)', () => {
    const vectors = (3 * 2 + 1) * 48;
    const positions = 32 * 48;
    // The table of tokens alone is no multiple of 64 bytes in 16 bits.
    const padding = aligned(2 * 257 * 48) - 2 * 257 * 48;
    const of = (policy: string) => fitPlan(configOf({ ...SMALL, 'precision.policy': policy }), { kind: 'cpu' });
    const matrices = of('bf16').parameterCount - vectors;
    for (const policy of ['bf16', 'fp16']) {
      const { byCategory } = of(policy).persistent;
      expect(byCategory).toEqual({
        parameters: 4 * (matrices + vectors),
        gradients: 4 * (matrices + vectors) + guardBytes(policy),
        'optimizer state': 8 * (matrices + vectors),
        // Every matrix and the tied table, but not the position table, which is only looked up.
        'working copies': 2 * (matrices - positions) + padding,
      });
    }
    const pure = of('pure-bf16').persistent.byCategory;
    expect(pure.parameters).toBe(2 * matrices + padding + 4 * vectors);
    expect(pure['optimizer state']).toBe(2 * (2 * matrices + padding + 4 * vectors));
    expect(pure['working copies']).toBeUndefined();
  });

  it('counts FLOPs as 6·N of the products + 12·layers·width·context (would catch a forgotten head or halved attention)', () => {
    const { flopsPerToken } = fitPlan(configOf(SMALL), { kind: 'cpu' });
    const products = 3 * 12 * 48 * 48 + 257 * 48;
    expect(flopsPerToken).toBe(6 * products + 12 * 3 * 48 * 32);
    const windowed = fitPlan(configOf({ ...SMALL, 'model.window': 8 }), { kind: 'cpu' });
    expect(windowed.flopsPerToken).toBe(6 * products + 12 * 3 * 48 * 8);
  });
});

describe('every optimizer under every precision', () => {
  const roles = (() => {
    const { parameters } = buildTraining({ config: configOf(SMALL), vocabularySize: 257, keyMasked: false });
    return parameters.map(({ name, shape, role }) => ({
      size: shape.reduce((a, b) => a * b, 1),
      vector: role === 'vector',
      // Look-ups read the table itself; the tied one is copied for the output layer.
      copied: role !== 'vector' && !name.endsWith('positions.weight'),
    }));
  })();
  const cases = MOMENTS.flatMap(([kind, extra, moments]) =>
    ['fp32', 'bf16', 'fp16', 'pure-bf16'].map((policy) => [policy, kind, extra, moments] as const),
  );
  it.each(cases)('%s %s %o: the bytes of the table per parameter', (policy, kind, extra, moments) => {
    const values = { ...SMALL, 'precision.policy': policy, 'optimizer.kind': kind, ...extra };
    const { byCategory } = fitPlan(configOf(values), { kind: 'cuda' }).persistent;
    const onGpu = (size: number) => aligned(size, CUDA_ALIGNMENT);
    const bytes = (perMatrix: number) => sum(roles.map(({ size, vector }) => onGpu(size * (vector ? 4 : perMatrix))));
    const pure = policy === 'pure-bf16';
    expect(byCategory.parameters).toBe(bytes(pure ? 2 : 4));
    expect(byCategory.gradients).toBe(bytes(4) + guardBytes(policy, CUDA_ALIGNMENT));
    expect(byCategory['optimizer state'] ?? 0).toBe(moments * bytes(pure ? 2 : 4));
    const copies = sum(roles.map(({ size, copied }) => (copied ? onGpu(2 * size) : 0)));
    expect(byCategory['working copies'] ?? 0).toBe(policy === 'bf16' || policy === 'fp16' ? copies : 0);
  });
});

describe('the plan is what executors allocate', () => {
  it.each(['none', 'attention', 'block'])('largest arena of all programs with recompute %s', (policy) => {
    const config = configOf({
      ...SMALL,
      'batch.micro': 8,
      'precision.recompute': policy,
      'eval.batch': 6,
      'log.sample_tokens': 9,
    });
    const training = buildTraining({ config, vocabularySize: 257, keyMasked: false });
    const arenas = {
      'accumulate-first': training.accumulate(8, true),
      accumulate: training.accumulate(8, false),
      update: training.update(),
      evaluate: training.evaluate(6),
      generate: training.generate(),
    };
    const expected = Object.entries(arenas).map(([name, program]) => ({
      name,
      arenaBytes: compileForCpu(program).plan.arenaBytes,
    }));
    const plan = fitPlan(config, { kind: 'cpu' });
    expect(plan.programs).toMatchObject(expected);
    expect(plan.arena.bytes).toBe(Math.max(...expected.map(({ arenaBytes }) => arenaBytes)));
    expect(plan.persistent.bytes).toBe(
      sum(
        training.states.map(({ shape, dtype }) =>
          aligned(sum([shape.reduce((a, b) => a * b, 1)]) * (dtype === 'f32' ? 4 : 2)),
        ),
      ),
    );
    expect(plan.exact).toBe(true);
  });

  it('counts no more than TensorFlow.js itself, which counts shared tensors twice, and not much less', async () => {
    const config = configOf({ ...SMALL, 'batch.sequences': 4 });
    const { programs, persistent } = fitPlan(config, { kind: 'tfjs-cpu' });
    const training = buildTraining({ config, vocabularySize: 257, keyMasked: false });
    const session = (await openTfjsExecutor('tfjs-cpu')).open(training.states);
    try {
      expect(session.memory().persistentBytes).toBe(persistent.bytes);
      const loaded = session.load(training.accumulate(4, true));
      const inputs = [...loaded.program.inputs].map(([name, { shape, dtype }]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [name, dtype === 'i32' ? new Int32Array(size).fill(3) : new Float32Array(size).fill(1)] as const;
      });
      await session.run(loaded, Object.fromEntries(inputs));
      const counted = programs[0]!.heldBytes;
      const { peakTemporaryBytes } = session.memory();
      const workspace = fitPlan(config, { kind: 'tfjs-cpu' }).byCategory.workspace ?? 0;
      expect(counted - workspace).toBeLessThanOrEqual(peakTemporaryBytes);
      expect(counted).toBeGreaterThan(0.6 * peakTemporaryBytes);
    } finally {
      session.dispose();
    }
  });

  it('counts 16-bit values of TensorFlow.js as the float32 that they are stored in', () => {
    const of = (policy: string) => fitPlan(configOf({ ...SMALL, 'precision.policy': policy }), { kind: 'tfjs-gpu' });
    expect(of('bf16').persistent.bytes).toBeGreaterThan(of('fp32').persistent.bytes);
    expect(of('bf16').exact).toBe(false);
  });
});

describe('breakdowns', () => {
  const cases = [
    ['cpu', {}],
    ['cpu', { 'batch.micro': 6, 'precision.policy': 'bf16', 'precision.recompute': 'block' }],
    [
      'cuda',
      {
        'model.tied': false,
        'model.kv_heads': 2,
        'model.mlp': 'swiglu',
        'model.norm': 'rmsnorm',
        'model.positions': 'rotary',
      },
    ],
    ['tfjs-wasm', { 'data.batching': 'documents' }],
  ] as const;
  it.each(cases)('add up on %s with %o (would catch bytes counted twice or left out)', (kind, values) => {
    const plan = fitPlan(configOf({ ...SMALL, ...values }), { kind });
    expect(sum(Object.values(plan.byCategory))).toBe(plan.totalBytes);
    expect(sum(plan.byLayer.map(({ persistentBytes, temporaryBytes }) => persistentBytes + temporaryBytes))).toBe(
      plan.plannedBytes,
    );
    expect(sum(plan.byLayer.map(({ persistentBytes }) => persistentBytes))).toBe(plan.persistent.bytes);
    // A GPU gives each of state, arena and tables in whole granules.
    const beside = plan.plannedBytes - plan.persistent.bytes - plan.arena.bytes;
    if (kind === 'cuda') expect(plan.plannedBytes % GRANULE).toBe(0);
    expect(beside).toBeGreaterThanOrEqual(0);
    expect(beside).toBeLessThan(kind === 'cuda' ? 3 * GRANULE : 1);
    expect(plan.totalBytes).toBe(plan.plannedBytes + plan.base.bytes);
    expect(plan.base.bytes).toBe(sum(plan.base.parts.map(({ bytes }) => bytes)));
    expect(Math.max(...plan.occupancy)).toBe(plan.peak.bytes);
    expect(beside + plan.arena.bytes - plan.peak.bytes).toBe(plan.byCategory[GAPS] ?? 0);
    const blocks = plan.byLayer.filter(({ layer }) => layer.startsWith('block '));
    expect(blocks.map(({ layer }) => layer)).toEqual(['block 0', 'block 1', 'block 2']);
    expect(new Set(blocks.map(({ persistentBytes }) => persistentBytes)).size).toBe(1);
  });

  it('name the instant, its program and its place', () => {
    const plan = fitPlan(configOf({ ...SMALL, 'batch.micro': 8, 'eval.batch': 500 }), { kind: 'cpu' });
    expect(plan.peak.program).toBe('evaluate');
    expect(plan.peak.sentence).toMatch(/^while evaluating, (in the forward pass of|at the loss)/u);
    expect(plan.peak.instant).toBeLessThan(plan.peak.instants);
    expect(placeOf('block.11.mlp.down')).toBe("block 11's MLP (down)");
    expect(placeOf('block.0.attention_norm')).toBe("block 0's attention norm");
    expect(placeOf('final_norm')).toBe('the final norm');
    expect(layerOf('block.11.mlp.down')).toBe('block 11');
    expect(layerOf('')).toBe('inputs and scalars');
  });
});

describe('what needs more memory', () => {
  it('more sequences at once never need less (would catch a plan of other rows than asked)', () => {
    const bytes = [1, 2, 3, 4, 6, 8, 12, 24].map(
      (micro) => fitPlan(configOf({ ...SMALL, 'batch.micro': micro % 24 }), { kind: 'cpu' }).totalBytes,
    );
    expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
    expect(bytes.at(-1)).toBeGreaterThan(2 * bytes[0]! - fitPlan(configOf(SMALL), { kind: 'cpu' }).base.bytes);
  });

  it('recomputation saves, and costs nothing in state', () => {
    const of = (policy: string) =>
      fitPlan(configOf({ ...SMALL, 'model.depth': 8, 'precision.recompute': policy }), { kind: 'cuda' });
    expect(of('block').arena.bytes).toBeLessThan(of('none').arena.bytes);
    expect(of('block').persistent.bytes).toBe(of('none').persistent.bytes);
  });

  it('remembers plans only by what changes them (would catch a stale plan after a change of shape)', () => {
    forgetPlans();
    const of = (values: Record<string, number | string>) => fitPlan(configOf({ ...SMALL, ...values }), { kind: 'cpu' });
    const before = of({});
    expect(of({ 'optimizer.lr': 0.5, 'model.init_std': 0.1, 'schedule.final': 0.5, seed: 9 })).toEqual(before);
    expect(of({ 'model.dropout': 0.1 }).arena.bytes).toBeGreaterThan(before.arena.bytes);
    expect(of({ 'model.width': 96 }).persistent.bytes).toBeGreaterThan(before.persistent.bytes);
    expect(of({ 'optimizer.kind': 'sgd' }).persistent.bytes).toBeLessThan(before.persistent.bytes);
    expect(of({})).toEqual(before);
  });
});

describe('length', () => {
  const length = (values: Record<string, number | string>) =>
    fitPlan(configOf({ ...SMALL, ...values }), { kind: 'cpu' }).length;
  it('follows the first stop rule that can be foreseen', () => {
    expect(length({ 'stop.steps': 10 })).toMatchObject({
      steps: 10,
      tokens: 10 * 24 * 32,
      tokensPerStep: 768,
      estimated: false,
    });
    expect(length({ 'stop.tokens': 768 * 4 + 1 }).steps).toBe(5);
    expect(length({ 'stop.seconds': 60 })).toMatchObject({
      steps: null,
      tokens: null,
      seconds: 60,
      limit: 'stop.seconds 60',
    });
  });
  it('epochs rest on the size of the data, where the settings give one', () => {
    expect(length({ 'stop.epochs': 2, 'data.size': 768 * 100, 'data.validation': 0.5 })).toMatchObject({
      steps: 100,
      estimated: true,
    });
    expect(length({ 'stop.epochs': 2, 'data.corpus': 'tinyshakespeare' }).steps).toBeNull();
  });
});
