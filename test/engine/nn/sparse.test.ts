/** Patterns of Sparse Transformers: who sees whom, what it costs, what reaches what, and which settings fit together. */
import { describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../main/engine/executors/cpu/index.ts';
import type { Executor } from '../../../main/engine/executors/executor.ts';
import { openTfjsExecutor } from '../../../main/engine/executors/tfjs/index.ts';
import { costOf } from '../../../main/engine/graph/operation.ts';
import {
  attention,
  input,
  keysSeen,
  PATTERNS,
  seenKeys,
  sparseAttention,
  sparsePairs,
} from '../../../main/engine/graph/ops/index.ts';
import type { Pattern, SparsePattern } from '../../../main/engine/graph/ops/index.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { patternAt } from '../../../main/engine/nn/attention/sparse.ts';
import { twoHops } from '../../../main/engine/nn/attention/reach.ts';
import { fitPlan } from '../../../main/lab/fit/index.ts';
import { builtInRegistry, resolveConfig } from '../../../main/lab/settings/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { random, SEED } from '../../oracles/random.ts';
import { missingAddon } from '../executors/cpu/harness.ts';
import { generator, programsOf, randomFeeds, variantConfig } from './variants.ts';

const registry = builtInRegistry();

/** The definition, token by token. */
function allowed({ patterns, block, summary, groups }: SparsePattern, h: number, i: number, j: number): boolean {
  if (j > i) return false;
  const kind = patterns[h % patterns.length];
  if (kind === 'all') return true;
  if (kind === 'local') return i - block < j;
  if (kind === 'strided') return (i - j) % block === 0;
  const v = Math.floor(h / patterns.length) % groups;
  const own = Math.floor(j / block) === Math.floor(i / block);
  return own || (block - (v + 1) * summary <= j % block && j % block < block - v * summary);
}

const positions = (length: number) => Array.from({ length }, (_, i) => i);

function randomPattern(r: ReturnType<typeof random>): SparsePattern {
  const block = r.integer(1, 9);
  const summary = r.integer(1, block);
  const patterns = positions(r.integer(1, 4)).map(() => r.pick(PATTERNS) as Pattern);
  return { patterns, block, summary, groups: r.integer(1, Math.floor(block / summary)) };
}

describe(`patterns of sparse attention (seed ${SEED})`, () => {
  test('let a token see what their definition says (catches blocks and columns off by one)', () => {
    const r = random(SEED);
    for (let n = 0; n < 60; n++) {
      const pattern = randomPattern(r);
      const [heads, length] = [r.integer(1, 6), r.integer(1, 40)];
      let pairs = 0;
      for (let h = 0; h < heads; h++)
        for (let i = 0; i < length; i++) {
          const wanted = positions(length).filter((j) => allowed(pattern, h, i, j));
          expect(keysSeen(pattern, h, i), JSON.stringify({ pattern, h, i })).toEqual(wanted);
          expect(seenKeys(pattern, h, i)).toBe(wanted.length);
          pairs += wanted.length;
        }
      expect(sparsePairs(pattern, heads, length)).toBe(pairs);
    }
  });

  test('cost what they compute (catches a plan that counts every pair)', () => {
    const graph = newGraph();
    const x = input(graph, 'x', [2, 37, 4, 8], 'f32');
    const pattern: SparsePattern = { patterns: ['fixed', 'local'], block: 6, summary: 2, groups: 2 };
    const sparse = costOf(sparseAttention(x, x, x, { pattern }).node).flops;
    const dense = costOf(attention(x, x, x, { causal: true }).node).flops;
    expect(sparse / dense).toBeCloseTo(sparsePairs(pattern, 4, 37) / (4 * ((37 * 38) / 2)), 12);
  });

  test.each([
    ['fixed', 'heads', 1],
    ['local strided', 'heads', 1],
    ['local strided', 'layers', 1],
    ['all local', 'layers', 1],
  ])('%s by %s reach every earlier token in two hops (catches a column that nobody reads)', (words, by, share) => {
    const config = {
      'attention.sparse': words,
      'attention.sparse_by': by,
      'attention.block': 7,
      'attention.summary': 2,
    };
    const layers = [0, 1].map((layer) => ({
      layer,
      layers: 2,
      heads: 4,
      length: 90,
      pattern: patternAt({ ...config, 'attention.summary_groups': 1 }, { layer }),
    }));
    expect(twoHops(layers[0]!, layers[1]!)).toBe(share);
    expect(twoHops(layers[1]!, layers[0]!)).toBe(share);
  });

  test('of one kind alone reach what their two steps span', () => {
    const use = { layer: 0, layers: 2, heads: 1, length: 30 };
    const layer = (name: Pattern) => ({ ...use, pattern: { patterns: [name], block: 4, summary: 1, groups: 1 } });
    const share = (name: Pattern) => twoHops(layer(name), layer(name));
    // Two windows of 4 span 7 tokens; strides of 4 stay in their residue.
    const spanned = positions(30).reduce((sum, i) => sum + Math.min(i + 1, 7), 0);
    expect(share('local')).toBe(spanned / ((30 * 31) / 2));
    const residues = positions(30).reduce((sum, i) => sum + Math.floor(i / 4) + 1, 0);
    expect(share('strided')).toBe(residues / ((30 * 31) / 2));
  });
});

describe('attention.kind sparse', () => {
  const sparse = (given: Config = {}): Config => variantConfig({ 'attention.kind': 'sparse', ...given });

  test('takes a block near the root of the context unless one is given', () => {
    const derived = (context: number, more: Config = {}) => {
      const config = sparse({ 'model.context': context, ...more });
      return [config['attention.block'], config['attention.summary']];
    };
    expect(derived(256)).toEqual([16, 2]);
    expect(derived(2048)).toEqual([64, 8]);
    expect(derived(3)).toEqual([2, 1]);
    expect(derived(1024, { 'attention.block': 128 })).toEqual([128, 16]);
  });

  test('of all is causal attention, bit for bit the same graph', () => {
    const ops = (given: Config) =>
      programsOf(given)
        .evaluate(2)
        .graph.nodes.map(({ op }) => op);
    expect(ops({ 'attention.kind': 'sparse', 'attention.sparse': 'all all' })).toEqual(ops({}));
    expect(ops({ 'attention.kind': 'sparse' })).toContain('sparseAttention');
  });

  test('plans less memory for the fast executor than causal, and says its density and reach', () => {
    const { config } = resolveConfig({
      registry,
      overrides: { 'attention.kind': 'sparse', 'model.context': '256', 'attention.sparse': 'local strided' },
    });
    const plan = fitPlan(config, { kind: 'cpu' });
    const causal = fitPlan({ ...config, 'attention.kind': 'causal' }, { kind: 'cpu' });
    expect(plan.notes).toEqual([
      expect.stringMatching(/^density 9\.?\d* % of the pairs that causal attention computes$/u),
      'every token reaches every earlier one within two layers',
    ]);
    expect(causal.notes).toEqual([]);
    expect(plan.flopsPerToken).toBeLessThan(causal.flopsPerToken);
    expect(plan.plannedBytes).toBeLessThanOrEqual(causal.plannedBytes);
  });

  test.each([
    [{ 'attention.sparse': 'fxed strided' }, 'attention.sparse', 'fixed strided', 'all, local, strided, fixed'],
    [{ 'attention.sparse': '' }, 'attention.sparse', 'fixed', '1 to 16'],
    [{ 'attention.block': '300', 'model.context': '256' }, 'attention.block', 256, 'at most model.context 256'],
    [{ 'attention.block': '16', 'attention.summary': '17' }, 'attention.summary', 16, '17 × 1 = 17, above 16'],
    [
      { 'attention.block': '16', 'attention.summary': '6', 'attention.summary_groups': '3' },
      'attention.summary_groups',
      2,
      '6 × 3 = 18, above 16',
    ],
  ])('refuses %o with the nearest choice (catches a crash when the run starts)', (given, setting, nearest, part) => {
    const overrides = { 'attention.kind': 'sparse', ...given };
    const { problems } = resolveConfig({ registry, overrides });
    expect(problems.map((problem) => [problem.setting, problem.nearest])).toEqual([[setting, nearest]]);
    expect(problems[0]!.message).toContain(part);
    expect(resolveConfig({ registry, overrides: { ...overrides, [setting]: String(nearest) } }).problems).toEqual([]);
  });
});

describe('attention.kind sparsek', () => {
  test('never lets a later token change an earlier one, to the bit (catches a threshold over all tokens)', async () => {
    const given: Config = {
      'attention.kind': 'sparsek',
      'model.context': 37,
      'attention.selected': 4,
      'attention.recent': 2,
    };
    const programs = programsOf(given);
    const p = programs.evaluate(1);
    const feeds = randomFeeds(p, generator(SEED));
    const executor: Executor = missingAddon === undefined ? openCpuExecutor() : await openTfjsExecutor('tfjs-cpu');
    const session = executor.open(programs.states);
    try {
      for (const { name } of programs.parameters) session.write(name, Float32Array.from(feeds[name]!));
      const loaded = session.load(p);
      const targets = Int32Array.from(feeds.targets!, (t) => Math.max(0, t));
      const losses = async (tokens: Int32Array) => [...(await session.run(loaded, { tokens, targets })).loss!];
      const tokens = Int32Array.from(feeds.tokens!);
      const before = await losses(tokens);
      for (const t of [1, 5, 20, 36]) {
        const after = await losses(tokens.with(t, (tokens[t]! + 1) % 23));
        expect(after.slice(0, t)).toEqual(before.slice(0, t));
        expect(after.slice(t)).not.toEqual(before.slice(t));
      }
    } finally {
      session.dispose();
    }
  });

  test.each([
    [{ 'attention.selected': '300', 'model.context': '256' }, 'attention.selected'],
    [{ 'attention.recent': '300', 'model.context': '256' }, 'attention.recent'],
  ])('refuses %o with the nearest choice', (given, setting) => {
    const overrides = { 'attention.kind': 'sparsek', ...given };
    const { problems } = resolveConfig({ registry, overrides });
    expect(problems.map((problem) => [problem.setting, problem.nearest])).toEqual([[setting, 256]]);
    expect(resolveConfig({ registry, overrides: { ...overrides, [setting]: '256' } }).problems).toEqual([]);
  });
});

describe('latent keys and values', () => {
  const cacheOf = (overrides: Record<string, string>) => {
    const { config, problems } = resolveConfig({ registry, overrides });
    expect(problems).toEqual([]);
    return fitPlan(config, { kind: 'cpu' }).cacheBytesPerToken;
  };

  test('are what a cache keeps, and the plan says so (catches a cache counted by heads)', () => {
    const model = { 'model.depth': '3', 'model.width': '64', 'model.heads': '4' };
    expect(cacheOf(model)).toBe(3 * 2 * 64 * 4);
    expect(cacheOf({ ...model, 'model.kv_heads': '2', 'precision.policy': 'bf16' })).toBe(3 * 2 * 32 * 2);
    expect(cacheOf({ ...model, 'model.kv_latent': '20' })).toBe(3 * 20 * 4);
    // Half of a head of 16, for all heads.
    expect(cacheOf({ ...model, 'model.kv_latent': '20', 'model.positions': 'rotary' })).toBe(3 * 28 * 4);
  });

  test('refuse a rotary key that has no pairs, with the nearest', () => {
    const overrides = { 'model.kv_latent': '8', 'model.positions': 'rotary', 'model.rope_size': '5' };
    const { problems } = resolveConfig({ registry, overrides });
    expect(problems.map(({ setting, nearest }) => [setting, nearest])).toEqual([['model.rope_size', 6]]);
  });
});
