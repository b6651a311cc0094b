/**
 * nanochat's transformer (Karpathy 2025), of which picoLLM is a variant. With n an RMS norm without gain, e the embeddings of a token:
 *
 *   x₀ = n(e) + smear of the token before;  x ← λᵣ·x + λ₀·x₀;  x ← x + attention(n(x));  x ← x + mlp(n(x))   for each layer
 *   hidden = n(x − λ·x of the middle layer);  logits = 15·tanh(hidden·headᵀ / 15)
 *
 * Rotary queries and keys are normalised and scaled by 1.2; every second layer adds embeddings of its own to the values, through a gate.
 */
import {
  activation,
  add,
  cast,
  concat,
  fill,
  gather,
  mul,
  norm,
  reshape,
  rotary,
  scalar,
  sigmoid,
  slice,
  sub,
} from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { changed } from '../../changed.ts';
import { linearLayer } from '../layers/linear.ts';
import { tokenTables } from '../layers/vocabulary.ts';
import { defineModel } from '../model.ts';
import type { AttentionPlace, Initial, ModelContext, ModelOutput } from '../model.ts';
import { dialSizes, hasValueEmbedding, headSizeOf } from './depthDial.dimensions.ts';
import type { DialSizes } from './depthDial.dimensions.ts';
import { mlpAtWidth } from './gpt.dimensions.ts';
import { depthDialRules } from './depthDial.rules.ts';
import { depthDialDefaults, depthDialSettings } from './depthDial.settings.ts';

/** Factor on normalised queries and keys: sharper attention. */
const QK_SCALE = 1.2;
/** Largest gate of a value embedding. */
const VALUE_GATE_MOST = 3;

/** Uniform with the deviation 1/√width. */
const uniform = (width: number, share = 1): Initial => ({
  kind: 'uniform',
  limit: (share * Math.sqrt(3)) / Math.sqrt(width),
});
const ZERO: Initial = { kind: 'constant', value: 0 };
const GATE: Initial = { kind: 'uniform', least: 0, limit: 0.02 };

/** A learned number. */
const learned = (m: ModelContext, name: string, value: number): Value =>
  m.parameter(name, [1], { role: 'vector', initial: { kind: 'constant', value } });

/** x / root mean square, in the type of products unless `type` says otherwise. */
function rms(m: ModelContext, x: Value, type = m.computeType): Value {
  const gain = fill(m.graph, [x.shape.at(-1)!], 1);
  return norm(x, gain, { kind: 'rms', eps: m.config['model.norm_eps'] as number, out: type });
}

/** Adds to each token some of the one before, as much as a gate on its first channels says. */
function smear(m: ModelContext, x: Value, { width, smearGate }: DialSizes): Value {
  const { rows, context } = m;
  const open = sigmoid(linearLayer(m, 'gate', slice(x, 2, 0, smearGate), 1, { initial: GATE }));
  const share = mul(open, learned(m, 'scale', 0));
  const first = fill(m.graph, [rows, 1, width], 0, x.dtype);
  const before = context === 1 ? first : concat([first, slice(x, 1, 0, context - 1)], 1);
  return add(x, mul(share, before));
}

/** Values with the token's own embedding of this layer added, as much as a gate per head says. */
function withValueEmbedding(m: ModelContext, x: Value, v: Value, s: DialSizes, tableRows: number): Value {
  const table = m.within('value_embedding', () =>
    m.parameter('weight', [tableRows, s.kvHeads * s.headSize], { role: 'embedding', initial: uniform(s.width) }),
  );
  const own = reshape(cast(gather(table, m.tokens), m.computeType), v.shape);
  const gate = sigmoid(linearLayer(m, 'value_gate', slice(x, 2, 0, s.valueGate), s.kvHeads, { initial: GATE }));
  const open = reshape(mul(gate, scalar(gate, VALUE_GATE_MOST)), [m.rows, m.context, s.kvHeads, 1]);
  return add(v, mul(own, open));
}

function attentionPart(m: ModelContext, x: Value, s: DialSizes, tableRows: number, place: AttentionPlace): Value {
  const inner = { initial: uniform(s.width) };
  const part = (name: string, heads: number) =>
    reshape(linearLayer(m, name, x, heads * s.headSize, inner), [m.rows, m.context, heads, s.headSize]);
  const turned = (value: Value) =>
    rms(m, m.config['model.positions'] === 'rotary' ? rotary(value, m.config['model.rope_base'] as number) : value);
  const [q, k, plain] = [part('query', s.heads), part('key', s.kvHeads), part('value', s.kvHeads)];
  const valued = hasValueEmbedding(m.config, place.layer, place.layers);
  const v = valued ? withValueEmbedding(m, x, plain, s, tableRows) : plain;
  // Both factors of 1.2 are one factor on the scores.
  const options = { scale: (QK_SCALE * QK_SCALE) / Math.sqrt(s.headSize) };
  const mixed = m.attend({ q: turned(q), k: turned(k), v, x }, options, place);
  return linearLayer(m, 'output', reshape(mixed, [m.rows, m.context, s.heads * s.headSize]), s.width, {
    initial: ZERO,
  });
}

function mlpPart(m: ModelContext, x: Value, { width, mlpWidth }: DialSizes): Value {
  const up = linearLayer(m, 'up', x, mlpWidth, { initial: uniform(width, 0.4) });
  return linearLayer(m, 'down', activation(up, 'relu2'), width, { initial: ZERO });
}

/** From `first` in the first layer to `last` in the last. */
const between = (first: number, last: number, { layer, layers }: AttentionPlace): number =>
  layers === 1 ? first : first + ((last - first) * layer) / (layers - 1);

/** x and the embeddings, each as much as it has been learned. */
function remixed(m: ModelContext, x: Value, x0: Value, place: AttentionPlace): Value {
  if (m.config['model.input_skip'] !== true) return x;
  const own = mul(x, learned(m, 'residual_scale', between(1.15, 1.05, place)));
  return add(own, mul(x0, learned(m, 'input_scale', between(0.2, 0.05, place))));
}

function build(m: ModelContext): ModelOutput {
  const s = dialSizes(m.config);
  const tables = tokenTables(m, s.width, { kind: 'normal', std: 0.8 }, { kind: 'normal', std: 0.001 });
  const tableRows = tables.head.shape[0]!;
  const embedded = m.within('embedding', () => rms(m, tables.x, tables.x.dtype));
  const x0 = m.config['model.smear'] === true ? m.within('smear', () => smear(m, embedded, s)) : embedded;
  let x = x0;
  let middle = x0;
  for (let layer = 0; layer < s.depth; layer++) {
    const place = { layer, layers: s.depth };
    x = m.within(`block.${layer}`, () => {
      const taken = remixed(m, x, x0, place);
      const attended = m.branch(s.depth, () => {
        const seen = rms(m, taken);
        return m.within('attention', () => attentionPart(m, seen, s, tableRows, place));
      });
      const y = add(taken, attended);
      const changed = m.branch(s.depth, () => {
        const inner = rms(m, y);
        return m.within('mlp', () => mlpPart(m, inner, s));
      });
      return add(y, changed);
    });
    if (layer === s.depth >> 1) middle = x;
  }
  const out =
    m.config['model.backout'] === true ? m.within('backout', () => sub(x, mul(middle, learned(m, 'scale', 0.2)))) : x;
  const hidden = m.within('final_norm', () => rms(m, out));
  return { hidden, head: tables.head, softcap: m.config['model.softcap'] as number };
}

export const depthDial = defineModel({
  name: 'depth-dial',
  help: 'nanochat: model.depth is the one dial; width, batch, learning rate, weight decay and steps follow from it, each shown with its rule. Its numbers are tuned for Muon: AdamW takes matrices here.',
  uses: ['attention'],
  settings: depthDialSettings,
  rules: depthDialRules,
  derived: depthDialDefaults,
  // Heads keep their size: wider is more heads.
  atWidth: (config, width) =>
    changed(config, {
      'model.width': width,
      'model.heads': Math.max(1, Math.round(width / headSizeOf(config))),
      ...mlpAtWidth(config, width),
    }),
  identity: {
    settings: ['model.kv_heads', 'model.mlp_ratio', 'model.mlp_width'],
    of: (config) => JSON.stringify(dialSizes(config)),
  },
  build,
});
