/**
 * A U-shaped transformer: blocks that narrow the residual stream to the middle and widen it again. With mirrored skips, a block of the second
 * half also takes in what its mirror image of the first half gave, times a learned number (as U-Nets do for pictures, Ronneberger et al.
 * 2015). Without skips it is a plain list of widths with projected residuals.
 */
import { add, mul } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { selfAttention } from '../layers/attention.ts';
import { firstRows, firstWeights, residualDivisor } from '../layers/initial.ts';
import { linearLayer } from '../layers/linear.ts';
import { mlp } from '../layers/mlp.ts';
import { normLayer } from '../layers/norm.ts';
import { addPositions } from '../layers/positions.ts';
import { residual } from '../layers/residual.ts';
import { tokenTables } from '../layers/vocabulary.ts';
import { defineModel } from '../model.ts';
import type { AttentionPlace, ModelContext, ModelOutput } from '../model.ts';
import { isGated, roundMlpWidth } from './gpt.dimensions.ts';
import { windowWhereSet, zeroQueryUnlessNormed } from './shared.rules.ts';
import { skipSources, unetAtWidth, unetWidths } from './unet.dimensions.ts';
import { unetRules } from './unet.rules.ts';
import { listedWidths, MOST_WIDTHS } from './widths.ts';

/** A block from its input's width to `width`: attention changes it, the MLP keeps it. */
function block(m: ModelContext, x: Value, width: number, divisor: number, place: AttentionPlace): Value {
  const { config } = m;
  const [from, heads] = [x.shape.at(-1)!, config['model.heads'] as number];
  const sizes = { width, heads, kvHeads: heads, headSize: from / heads, attentionWidth: from };
  const kept = from === width ? x : linearLayer(m, 'residual', x, width, { initial: firstWeights(m, width, from) });
  const { layers } = place;
  const attend = (inner: Value) => selfAttention(m, inner, sizes, divisor, place);
  const attended = residual(m, 'attention', x, layers, attend, kept);
  const mlpWidth = (config['model.mlp_width'] as number) || roundMlpWidth(config['model.mlp_ratio'] as number, width);
  const mlpGated = isGated(config['model.mlp'] as string);
  return residual(m, 'mlp', attended, layers, (inner) => mlp(m, inner, { width, mlpWidth, mlpGated }, divisor));
}

/** What a mirror image gave, times a learned number that starts at 1. */
function skip(m: ModelContext, x: Value, from: Value): Value {
  const scale = m.within('skip', () =>
    m.parameter('scale', [1], { role: 'vector', initial: { kind: 'constant', value: 1 } }),
  );
  return add(x, mul(from, scale));
}

function build(m: ModelContext): ModelOutput {
  const { config } = m;
  const widths = unetWidths(config);
  const layers = widths.length - 1;
  const divisor = residualDivisor(m, layers);
  const sources = skipSources(config, layers);
  const tables = tokenTables(m, widths[0]!, (rows) => firstRows(m, rows, widths[0]!));
  let x = m.within('embedding', () =>
    m.dropout(addPositions(m, tables.x), m.training ? (config['model.dropout'] as number) : 0),
  );
  const results: Value[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const source = sources[layer];
    x = m.within(`block.${layer}`, () => {
      const taken = source === undefined ? x : skip(m, x, results[source]!);
      return block(m, taken, widths[layer + 1]!, divisor, { layer, layers });
    });
    results.push(x);
  }
  const hidden = config['model.norm_position'] === 'post' ? x : normLayer(m, 'final_norm', x);
  return { hidden, head: tables.head, softcap: config['model.softcap'] as number };
}

export const unet = defineModel({
  name: 'unet',
  help: 'A U-shaped transformer: blocks narrow to the middle and widen again, mirrored blocks joined by learned skips; or any list of widths.',
  uses: ['attention'],
  settings: [
    'model.depth',
    'model.width',
    'model.heads',
    'model.mlp',
    'model.mlp_ratio',
    'model.mlp_width',
    'model.norm',
    'model.norm_position',
    'model.norm_eps',
    'model.positions',
    'model.rope_base',
    'model.qk_norm',
    'model.softcap',
    'model.attention_softcap',
    'model.tied',
    'model.bias',
    'model.dropout',
    'model.init',
    'model.init_std',
    'model.residual_scale',
    'model.vocabulary_multiple',
    {
      name: 'model.skips',
      type: { kind: 'enum', values: ['mirrored', 'none'] },
      default: 'mirrored',
      help: 'mirrored: a block of the second half of a unet also takes in the result of its mirror image, times a learned number. none: a plain list of widths.',
      question: 'capacity',
      touches: ['memory', 'time', 'stability'],
    },
    {
      name: 'model.narrowest',
      type: { kind: 'int', min: 0, max: 65536 },
      default: 0,
      help: 'Width in the middle of a unet, reached in even steps; 0 means half of model.width. As wide as model.width: no narrowing.',
      question: 'capacity',
      touches: ['memory', 'time'],
      when: 'model.widths == ""',
    },
    'model.widths',
  ],
  rules: unetRules,
  derived: [
    windowWhereSet,
    zeroQueryUnlessNormed,
    { setting: 'model.vocabulary_multiple', rule: '1 for unet', value: () => 1 },
    {
      setting: 'model.depth',
      rule: 'one block more than model.widths has widths; 5 without them',
      value: (config) => {
        const { length } = listedWidths(config);
        return length > MOST_WIDTHS ? undefined : (length || 4) + 1;
      },
    },
  ],
  identity: {
    settings: ['model.widths', 'model.narrowest', 'model.skips', 'model.mlp_width', 'model.mlp_ratio'],
    of: (config) => {
      const widths = unetWidths(config);
      const mlpWidth = config['model.mlp_width'] || config['model.mlp_ratio'];
      return JSON.stringify([widths, skipSources(config, widths.length - 1), mlpWidth]);
    },
  },
  // The whole list goes with the width.
  atWidth: (config, width) => unetAtWidth(config, width),
  build,
});
