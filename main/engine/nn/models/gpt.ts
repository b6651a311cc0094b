/** The decoder-only transformer with all its usual variants. */
import { gather } from '../../graph/ops/index.ts';
import { attentionFamily } from '../attention/index.ts';
import { selfAttention } from '../layers/attention.ts';
import { mlp } from '../layers/mlp.ts';
import { normLayer } from '../layers/norm.ts';
import { addPositions } from '../layers/positions.ts';
import { residual } from '../layers/residual.ts';
import { defineModel } from '../model.ts';
import type { ModelContext, ModelOutput } from '../model.ts';
import { deriveModel, gptAtWidth } from './gpt.dimensions.ts';
import { gptRules } from './gpt.rules.ts';
import { gptSettings } from './gpt.settings.ts';
import { windowWhereSet, zeroQueryUnlessNormed } from './shared.rules.ts';

function build(m: ModelContext): ModelOutput {
  const d = deriveModel(m.config);
  const std = m.config['model.init_std'] as number;
  // GPT-2: residual projections shrink with depth so that the sum of 2·depth of them keeps its scale.
  const outputStd = m.config['model.residual_scale'] === true ? std / Math.sqrt(2 * m.initialDepth(d.depth)) : std;
  const table = m.within('embedding', () =>
    m.parameter('weight', [m.vocabularySize, d.width], { role: 'embedding', initial: { kind: 'normal', std } }),
  );
  let x = m.within('embedding', () => {
    const embedded = addPositions(m, gather(table, m.tokens));
    return m.dropout(embedded, m.training ? (m.config['model.dropout'] as number) : 0);
  });
  for (let layer = 0; layer < d.depth; layer++) {
    x = m.within(`block.${layer}`, () => {
      const attended = residual(m, 'attention', x, d.depth, (inner) =>
        selfAttention(m, inner, d, outputStd, { layer, layers: d.depth }),
      );
      return residual(m, 'mlp', attended, d.depth, (inner) => mlp(m, inner, d, outputStd));
    });
  }
  const hidden = m.config['model.norm_position'] === 'post' ? x : normLayer(m, 'final_norm', x);
  const head =
    m.config['model.tied'] === true
      ? table
      : m.within('head', () =>
          m.parameter('weight', [m.vocabularySize, d.width], { role: 'head', initial: { kind: 'normal', std } }),
        );
  return { hidden, head, softcap: m.config['model.softcap'] as number };
}

export const gpt = defineModel({
  name: 'gpt',
  help: 'The decoder-only transformer with all its usual variants: GPT-2, Llama-like and what lies between.',
  uses: ['attention'],
  settings: gptSettings,
  rules: gptRules,
  derived: [windowWhereSet, zeroQueryUnlessNormed],
  identity: {
    settings: [
      'model.kv_heads',
      'model.head_size',
      'model.mlp_width',
      'model.mlp_ratio',
      'model.window',
      'attention.kind',
    ],
    of: (config, kinds) => {
      const { kvHeads, headSize, mlpWidth, depth } = deriveModel(config);
      const { name, mask } = kinds.of(attentionFamily, config);
      const masks = Array.from({ length: depth }, (_, layer) => mask?.(config, { layer, layers: depth }));
      const seen = mask === undefined ? [name, config['model.window']] : masks;
      return JSON.stringify([kvHeads, headSize, mlpWidth, seen]);
    },
  },
  atWidth: gptAtWidth,
  build,
});
