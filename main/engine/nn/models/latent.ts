/**
 * hlb-gpt v0.4.1 (Balsam 2024): blocks in which attention and MLP share one norm and one gated expansion, the values among the gated
 * features. Per block, with x̂ = norm(x):
 *
 *   local = (U x̂) ⊙ gelu(G x̂)            value = (V x̂) ⊙ gelu(W x̂), or W x̂ where the value is linear
 *   x + D·local + O·softmax(QKᵀ/√size − softplus(p)·distance)·value
 *
 * hlb-gpt holds Q, K and the rest as one matrix and cuts its result up; here they are matrices of their own, so that nothing is copied, and
 * the branch that a linear value does not read does not exist.
 */
import { add, broadcastTo, gatedActivation, reshape, softplus } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { linearLayer } from '../layers/linear.ts';
import { gainNorm } from '../layers/norm.ts';
import { knownVocabulary, tokenTables, vocabularyMultiple } from '../layers/vocabulary.ts';
import { defineModel } from '../model.ts';
import type { AttentionPlace, ModelContext, ModelOutput } from '../model.ts';
import { latentRules } from './latent.rules.ts';
import { depthOf, latentLearningRate, latentParameters, latentSizes, widthOf } from './latent.dimensions.ts';
import type { LatentSizes } from './latent.dimensions.ts';
import { windowWhereSet } from './shared.rules.ts';

/** Standard deviations of the initial weights. */
function deviations(m: ModelContext, { width, depth }: LatentSizes) {
  const expand = m.config['model.expand'] as number;
  const root = Math.sqrt(width);
  return {
    embedding: 0.25 / root,
    head: 0.5 / root,
    inner: 0.5 / (root * expand),
    outer: 1 / (root * expand * m.initialDepth(depth)),
  };
}

interface Part {
  readonly sizes: LatentSizes;
  readonly inner: { readonly std: number };
  readonly outer: { readonly std: number };
}

/** The MLP's share: features that stay with their token. */
function localPart(m: ModelContext, x: Value, { sizes, inner, outer }: Part): Value {
  const features = sizes.expanded - sizes.width;
  const gate = linearLayer(m, 'gate', x, features, inner);
  const up = linearLayer(m, 'up', x, features, inner);
  return linearLayer(m, 'down', gatedActivation(gate, up, 'gelu'), sizes.width, outer);
}

/** The attention's share: features that are gathered from earlier tokens. */
function attentionPart(m: ModelContext, x: Value, { sizes, inner, outer }: Part, place: AttentionPlace): Value {
  const { width, heads, queryWidth, linearValue } = sizes;
  const byHead = (value: Value) => reshape(value, [m.rows, m.context, heads, value.shape.at(-1)! / heads]);
  const q = linearLayer(m, 'query', x, queryWidth, inner);
  const k = linearLayer(m, 'key', x, queryWidth, inner);
  const gate = linearLayer(m, 'gate', x, width, inner);
  const v = linearValue ? gate : gatedActivation(gate, linearLayer(m, 'value', x, width, inner), 'gelu');
  const slope = m.parameter('slope', [1], {
    role: 'vector',
    part: 'position',
    initial: { kind: 'constant', value: 1 },
  });
  const parts = { q: byHead(q), k: byHead(k), v: byHead(v), x };
  const mixed = m.attend(parts, { slope: broadcastTo(softplus(slope), [heads]) }, place);
  return linearLayer(m, 'output', reshape(mixed, [m.rows, m.context, width]), width, outer);
}

function build(m: ModelContext): ModelOutput {
  const sizes = latentSizes(m.config);
  const std = deviations(m, sizes);
  const part: Part = { sizes, inner: { std: std.inner }, outer: { std: std.outer } };
  const normal = (deviation: number) => ({ kind: 'normal', std: deviation }) as const;
  const tables = tokenTables(m, sizes.width, normal(std.embedding), normal(std.head));
  let { x } = tables;
  for (let layer = 0; layer < sizes.depth; layer++) {
    x = m.within(`block.${layer}`, () => {
      const place = { layer, layers: sizes.depth };
      const inner = gainNorm(m, 'norm', x, 'layer');
      const branch = (build: () => Value) => m.branch(sizes.depth, build);
      const local =
        sizes.expanded === sizes.width ? undefined : m.within('mlp', () => branch(() => localPart(m, inner, part)));
      const mixed = m.within('attention', () => branch(() => attentionPart(m, inner, part, place)));
      return add(local === undefined ? x : add(x, local), mixed);
    });
  }
  return { hidden: gainNorm(m, 'final_norm', x, 'layer'), head: tables.head };
}

export const latent = defineModel({
  name: 'latent',
  help: 'hlb-gpt v0.4.1: attention and MLP in one gated block with a learned distance slope; sized by model.scale. Its embedding gradients are plain sums, so that micro-batches change nothing.',
  uses: ['attention'],
  settings: [
    'model.depth',
    'model.width',
    'model.heads',
    'model.tied',
    'model.norm_eps',
    vocabularyMultiple,
    {
      name: 'model.scale',
      type: { kind: 'float', min: 0, max: 1000, exclusiveMin: true },
      default: 1,
      help: 'Size of latent: width 64·round(6·log2(1 + scale)) and depth round(8·log2(1 + scale)), about 46M × scale parameters. Whichever of the two is given itself does not follow.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
      plan: 'none',
    },
    {
      name: 'model.linear_value',
      type: { kind: 'bool' },
      default: false,
      help: 'Values of latent are a plain product instead of a gated one; the matrix that would gate them is left out.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: 'model.query_divisor',
      type: { kind: 'int', min: 1, max: 1024 },
      default: 8,
      help: 'Queries and keys of latent have model.width / so many features, rounded down, all heads together.',
      question: 'capacity',
      touches: ['memory', 'time'],
    },
    {
      name: 'model.expand',
      type: { kind: 'int', min: 1, max: 64 },
      default: 2,
      help: 'Gated features of a latent block as a multiple of model.width; one of these widths is the values, the rest is the MLP.',
      question: 'capacity',
      touches: ['memory', 'time'],
    },
  ],
  rules: latentRules,
  derived: [
    windowWhereSet,
    {
      setting: 'model.width',
      rule: '64 × round(6 × log2(1 + model.scale))',
      value: (config) => widthOf(config['model.scale'] as number),
    },
    {
      setting: 'model.depth',
      rule: 'round(8 × log2(1 + model.scale))',
      value: (config) => depthOf(config['model.scale'] as number),
    },
    { setting: 'model.heads', rule: '1 for latent', value: () => 1 },
    { setting: 'model.tied', rule: 'off for latent', value: () => false },
    {
      setting: 'optimizer.lr',
      rule: '2.62 × 9e7 / ln(parameters)^8.8 for latent, at most 0.01',
      value: (config, kinds) => {
        const vocabulary = knownVocabulary(config, kinds);
        return vocabulary === undefined ? undefined : latentLearningRate(latentParameters(config, vocabulary));
      },
    },
  ],
  // Width and depth say all: sweeping a scale beside both makes no second run.
  identity: { settings: ['model.scale'], of: (config) => `${config['model.depth']} × ${config['model.width']}` },
  build,
});
