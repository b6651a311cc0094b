/**
 * hlb-gpt v0.3.0 (Balsam 2023), the version before attention and MLP became one: pre-norm blocks, a gated MLP, and a slope of distance for
 * each layer that is softplus(100·u), so that it learns a hundred times faster than its learning rate says.
 */
import { add, broadcastTo, gatedActivation, mul, reshape, scalar, softplus } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { changed } from '../../changed.ts';
import { linearLayer } from '../layers/linear.ts';
import { gainNorm } from '../layers/norm.ts';
import { tokenTables } from '../layers/vocabulary.ts';
import { defineModel } from '../model.ts';
import type { AttentionPlace, ModelContext, ModelOutput } from '../model.ts';
import { mlpAtWidth, roundMlpWidth } from './gpt.dimensions.ts';
import { headsDivide, mlpWidthRules, windowInContext, windowWhereSet } from './shared.rules.ts';

/** How much faster than others a slope moves. */
const SLOPE_SPEED = 100;

interface Deviations {
  readonly inner: { readonly std: number };
  /** Of the projections that end in the residual stream: shrunk with depth. */
  readonly outer: { readonly std: number };
}

function attentionPart(m: ModelContext, x: Value, { inner, outer }: Deviations, place: AttentionPlace): Value {
  const width = x.shape.at(-1)!;
  const heads = m.config['model.heads'] as number;
  const part = (name: string) =>
    reshape(linearLayer(m, name, x, width, inner), [m.rows, m.context, heads, width / heads]);
  const u = m.parameter('slope', [1], {
    role: 'vector',
    part: 'position',
    initial: { kind: 'constant', value: 1 / SLOPE_SPEED },
  });
  const slope = broadcastTo(softplus(mul(u, scalar(u, SLOPE_SPEED))), [heads]);
  const mixed = m.attend({ q: part('query'), k: part('key'), v: part('value'), x }, { slope }, place);
  return linearLayer(m, 'output', reshape(mixed, [m.rows, m.context, width]), width, outer);
}

function mlpPart(m: ModelContext, x: Value, features: number, { inner, outer }: Deviations): Value {
  const gate = linearLayer(m, 'gate', x, features, inner);
  const up = linearLayer(m, 'up', x, features, inner);
  return linearLayer(m, 'down', gatedActivation(gate, up, 'silu'), x.shape.at(-1)!, outer);
}

function build(m: ModelContext): ModelOutput {
  const [width, depth] = [m.config['model.width'] as number, m.config['model.depth'] as number];
  const std = m.config['model.init_std'] as number;
  const deviations: Deviations = { inner: { std }, outer: { std: std / Math.sqrt(2 * m.initialDepth(depth)) } };
  const features =
    (m.config['model.mlp_width'] as number) || roundMlpWidth(m.config['model.mlp_ratio'] as number, width);
  const tables = tokenTables(m, width, { kind: 'normal', std });
  let { x } = tables;
  for (let layer = 0; layer < depth; layer++) {
    x = m.within(`block.${layer}`, () => {
      const place = { layer, layers: depth };
      const attended = m.branch(depth, () => {
        const seen = gainNorm(m, 'attention_norm', x, 'layer');
        return m.within('attention', () => attentionPart(m, seen, deviations, place));
      });
      const y = add(x, attended);
      const changed = m.branch(depth, () => {
        const inner = gainNorm(m, 'mlp_norm', y, 'layer');
        return m.within('mlp', () => mlpPart(m, inner, features, deviations));
      });
      return add(y, changed);
    });
  }
  return { hidden: gainNorm(m, 'final_norm', x, 'layer'), head: tables.head };
}

export const classic = defineModel({
  name: 'classic',
  help: 'hlb-gpt v0.3.0: pre-norm blocks with a SwiGLU MLP and a learned distance slope per layer; 6 × 384 with 3 heads unless given.',
  uses: ['attention'],
  settings: [
    'model.depth',
    'model.width',
    'model.heads',
    'model.mlp_ratio',
    'model.mlp_width',
    'model.tied',
    'model.norm_eps',
    'model.init_std',
    'model.vocabulary_multiple',
  ],
  rules: [
    headsDivide({
      code: 'model.classic_heads',
      settings: [],
      what: 'model.width',
      sizes: (config) => [config['model.width'] as number],
    }),
    ...mlpWidthRules,
    windowInContext,
  ],
  derived: [
    windowWhereSet,
    { setting: 'model.depth', rule: '6 for classic', value: () => 6 },
    { setting: 'model.width', rule: '384 for classic', value: () => 384 },
    { setting: 'model.heads', rule: '3 for classic', value: () => 3 },
    { setting: 'model.mlp_ratio', rule: '3 for classic', value: () => 3 },
  ],
  atWidth: (config, width) => changed(config, { 'model.width': width, ...mlpAtWidth(config, width) }),
  build,
});
