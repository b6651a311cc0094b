/** The decoder-only transformer with all its usual variants. */
import { gather, mul, scalar } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { selfAttention } from '../layers/attention.ts';
import { mixtureOfExperts, routingOutput } from '../layers/experts.ts';
import type { Routing } from '../layers/experts.ts';
import { firstRows, residualDivisor } from '../layers/initial.ts';
import { latentSizes } from '../layers/latentKv.ts';
import { gptLinear } from '../layers/linear.ts';
import { mlp } from '../layers/mlp.ts';
import { normLayer } from '../layers/norm.ts';
import { addPositions } from '../layers/positions.ts';
import { residual } from '../layers/residual.ts';
import { defineModel } from '../model.ts';
import type { AttentionPlace, Initial, ModelContext, ModelOutput } from '../model.ts';
import { gptAtWidth } from './gpt.dimensions.ts';
import { gptWidths, layerIn, layerSizes } from './gptLayers.ts';
import { gptLayerRules } from './gptLayers.rules.ts';
import { gptRules } from './gpt.rules.ts';
import { gptSettings } from './gpt.settings.ts';
import { latentSaves, ropeOfHalfAHead, ropeSizeEven } from './latentKv.settings.ts';
import { windowWhereSet, zeroQueryUnlessNormed } from './shared.rules.ts';

/** One block: attention takes the stream to the layer's width, the MLP or its experts keep it. */
function block(m: ModelContext, x: Value, place: AttentionPlace, divisor: number, routed: Routing[]): Value {
  const { layer, layers } = place;
  const own: ModelContext = { ...m, config: layerIn(m.config, layer) };
  const sizes = { ...layerSizes(m.config, layer), latent: latentSizes(own.config) };
  const from = x.shape.at(-1)!;
  const kept = from === sizes.width ? x : gptLinear(own, 'residual', x, sizes.width);
  const attend = (inner: Value) => selfAttention(own, inner, sizes, divisor, place);
  const attended = residual(own, 'attention', x, layers, attend, kept);
  return residual(own, 'mlp', attended, layers, (inner) => {
    if ((m.config['model.experts'] as number) === 1) return mlp(own, inner, sizes, divisor);
    const { out, routing } = mixtureOfExperts(own, inner, sizes, divisor);
    if (m.training) routed.push(routing());
    return out;
  });
}

/** The embeddings of the tokens, with positions. */
function embed(m: ModelContext, table: Value): Value {
  const gathered = gather(table, m.tokens);
  const scaled = m.config['model.embedding_scale'] === true;
  const embedded = scaled ? mul(gathered, scalar(gathered, Math.sqrt(table.shape[1]!))) : gathered;
  return m.dropout(addPositions(m, embedded), m.training ? (m.config['model.dropout'] as number) : 0);
}

function build(m: ModelContext): ModelOutput {
  const { config } = m;
  const width = config['model.width'] as number;
  const layers = gptWidths(config).length - 1;
  const divisor = residualDivisor(m, layers);
  const rows = firstRows(m, m.vocabularySize, width);
  const std = config['model.embedding_std'] as number;
  const initial: Initial = std > 0 ? { kind: 'normal', std } : rows;
  const table = m.within('embedding', () =>
    m.parameter('weight', [m.vocabularySize, width], { role: 'embedding', initial }),
  );
  let x = m.within('embedding', () => embed(m, table));
  const routed: Routing[] = [];
  for (let layer = 0; layer < layers; layer++)
    x = m.within(`block.${layer}`, () => block(m, x, { layer, layers }, divisor, routed));
  const hidden = config['model.norm_position'] === 'post' ? x : normLayer(m, 'final_norm', x);
  const head =
    config['model.tied'] === true
      ? table
      : m.within('head', () => m.parameter('weight', [m.vocabularySize, width], { role: 'head', initial: rows }));
  const zero = { role: 'vector', initial: { kind: 'constant', value: 0 } } as const;
  return {
    hidden,
    head,
    softcap: config['model.softcap'] as number,
    ...(config['model.head_bias'] === true
      ? { headBias: m.within('head', () => m.parameter('bias', [m.vocabularySize], zero)) }
      : {}),
    ...(routed.length === 0 ? {} : routingOutput(m, routed)),
  };
}

export const gpt = defineModel({
  name: 'gpt',
  help: 'The decoder-only transformer with all its usual variants: GPT-2, Llama-like and what lies between.',
  uses: ['attention'],
  settings: gptSettings,
  rules: [...gptRules, ...gptLayerRules, ropeSizeEven, latentSaves],
  derived: [windowWhereSet, zeroQueryUnlessNormed, ropeOfHalfAHead],
  identity: {
    settings: [
      'model.kv_heads',
      'model.head_size',
      'model.attention_width',
      'model.widths',
      'model.per_layer',
      'model.mlp_width',
      'model.mlp_ratio',
    ],
    of: (config) => {
      const depth = gptWidths(config).length - 1;
      const layers = Array.from({ length: depth }, (_, layer) => {
        const { width, heads, kvHeads, headSize, mlpWidth } = layerSizes(config, layer);
        const own = layerIn(config, layer);
        const choices = ['model.mlp', 'model.attention_softcap', 'model.qk_norm'].map((name) => own[name]);
        return [width, heads, kvHeads, headSize, mlpWidth, ...choices];
      });
      return JSON.stringify(layers);
    },
  },
  atWidth: gptAtWidth,
  build,
});
