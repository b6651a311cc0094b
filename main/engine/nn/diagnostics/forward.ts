/**
 * What a model does with a batch, layer by layer: how large activations are, how many units are dead, how sharp attention is, and the loss of each
 * token. It is found in the graph by what its operations are, so it works for every model that builds its layers within `block.N`.
 */
import { addressOf } from '../../../../preload/shared/metricPlace.ts';
import { attentionScores } from '../../graph/ops/attention.ts';
import { both } from '../../graph/ops/attentionParts.ts';
import { sparseScores } from '../../graph/ops/sparseAttention.ts';
import {
  add,
  cast,
  div,
  exp,
  greater,
  linear,
  log,
  maximum,
  mul,
  neg,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  select,
  slice,
  sqrt,
  square,
  sub,
  tanh,
} from '../../graph/ops/index.ts';
import { program } from '../../graph/program.ts';
import type { Program } from '../../graph/program.ts';
import { isFloat } from '../../graph/shapes.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import type { Diagnostic } from '../../settings/diagnostics.ts';
import type { BuiltModel } from '../context.ts';
import { layerOf } from './layers.ts';

/** A unit that never reaches this share of the root mean square of its layer is dead. */
export const DEAD = 1e-3;
/** Attention is looked at for the queries of this many sequences … */
const ROWS = 2;
/** … in at most so many stretches of so many queries, spread over the context. */
const STRETCHES = 4;
const STRETCH = 64;
/** Tokens whose logits are computed: those of a whole batch would not fit. */
const LOGIT_TOKENS = 256;

const axes = (x: Value): number[] => x.shape.map((_, axis) => axis);
const total = (x: Value): Value => reshape(reduceSum(x, axes(x)), []);
const largest = (x: Value): Value => reshape(reduceMax(x, axes(x)), []);
const sizes = (x: Value): Value => maximum(x, neg(x));
/** f32 []: root of the mean square. */
function rootMeanSquare(x: Value): Value {
  const sum = total(square(x));
  return sqrt(div(sum, scalar(sum, sizeOf(x.shape))));
}

/** f32 []: share of the last axis that is dead for all tokens. */
function deadShare(x: Value): Value {
  const units = x.shape.at(-1)!;
  const wide = reshape(cast(x, 'f32'), [-1, units]);
  const root = rootMeanSquare(wide);
  const top = reduceMax(sizes(wide), [0]);
  const alive = total(cast(greater(top, mul(root, scalar(root, DEAD))), 'f32'));
  return sub(scalar(alive, 1), div(alive, scalar(alive, units)));
}

/** f32 [experts] of choices f32 [tokens, experts], 0 or not: places of each expert, as a multiple of an even share. */
function loadOf(chosen: Value): Value {
  const experts = chosen.shape[1]!;
  const taken = reduceSum(cast(greater(chosen, scalar(chosen, 0)), 'f32'), [0]);
  const all = maximum(total(taken), scalar(taken, 1));
  return reshape(mul(div(taken, all), scalar(taken, experts)), [experts]);
}

/** First query and number of queries of each stretch. */
export function stretchesOf(context: number): readonly (readonly [from: number, size: number])[] {
  const count = Math.min(STRETCHES, Math.ceil(context / STRETCH));
  return Array.from({ length: count }, (_, i) => {
    const end = Math.floor(((i + 1) * context) / count);
    const size = Math.min(STRETCH, end - Math.floor((i * context) / count));
    return [end - size, size] as const;
  });
}

/** Operations that mix values by the scores of queries and keys, and what they score. */
const SCORED: Readonly<Record<string, typeof sparseScores>> = {
  attention: attentionScores,
  sparseAttention: sparseScores,
};

interface Sharpness {
  /** f32 [heads]: −Σ p ln p, mean over queries. */
  readonly entropy: Value;
  /** f32 [heads]: the largest score. */
  readonly top: Value;
}

/** Of a node that is SCORED, whose queries see earlier keys alone. */
function sharpnessOf(node: Node): Sharpness {
  const [q] = node.inputs as [Value];
  const [batch, context, heads] = q.shape as [number, number, number];
  const rows = Math.min(ROWS, batch);
  const parts = stretchesOf(context).map(([from, size]) => {
    const { scores, mask: seen, weights: counted } = SCORED[node.op]!(node, rows, from, size);
    // A key that counts in part is one of a lower score: p·w ÷ Σ p·w is the soft-max of s + ln w.
    const part = counted?.factor;
    const counts = part === undefined ? undefined : greater(part, scalar(part, 0));
    const mask = seen === undefined || counts === undefined ? (seen ?? counts) : both(seen, counts);
    const held = (x: Value, otherwise: number) => (mask === undefined ? x : select(mask, x, scalar(x, otherwise)));
    const effective = part === undefined ? scores : add(scores, log(maximum(part, scalar(part, 1e-30))));
    const safe = held(effective, -1e30);
    const top = reduceMax(safe, [3]);
    const below = sub(safe, top);
    const weights = held(exp(below), 0);
    const sum = reduceSum(weights, [3]);
    // ln Σ e^s − Σ p·s, both less the largest score. A query that sees nothing has no entropy.
    const mean = div(reduceSum(mul(weights, held(below, 0)), [3]), maximum(sum, scalar(sum, 1e-30)));
    const each = sub(log(maximum(sum, scalar(sum, 1))), mean);
    const highest = reduceMax(held(scores, -1e30), [0, 2, 3]);
    return { entropy: reduceSum(each, [0, 2, 3]), top: highest, queries: rows * size };
  });
  const queries = parts.reduce((sum, each) => sum + each.queries, 0);
  const entropy = parts.map((each) => each.entropy).reduce(add);
  return {
    entropy: reshape(div(entropy, scalar(entropy, queries)), [heads]),
    top: reshape(parts.map((each) => each.top).reduce(maximum), [heads]),
  };
}

/** The last value of [rows, context, width] of each layer: its contribution to the stream, with the stream. */
function layerOutputs({ graph, tokens }: BuiltModel): Map<number, Value> {
  const [rows, context] = tokens.shape as [number, number];
  const found = new Map<number, Value>();
  for (const { scope, outputs } of graph.nodes) {
    const layer = layerOf(scope);
    const [value] = outputs;
    if (layer === undefined || value === undefined || !isFloat(value.dtype)) continue;
    const { shape } = value;
    if (shape.length === 3 && shape[0] === rows && shape[1] === context) found.set(layer, value);
  }
  return found;
}

export interface ForwardParts {
  readonly built: BuiltModel;
  readonly groups: ReadonlySet<Diagnostic>;
  /** f32 [rows·context]: the loss of each token. */
  readonly loss: Value;
  /** What the head multiplies, of [n, width] hidden values. */
  readonly headOf: (hidden: Value) => { readonly hidden: Value; readonly head: Value };
}

/**
 * Inputs `tokens`, `targets` (and masks). Outputs by address, f32 []; per head f32 [heads] under the address of the layer. `loss` f32
 * [rows·context].
 */
export function forwardDiagnosis({ built, groups, loss, headOf }: ForwardParts): Program {
  const { graph, output, tokens } = built;
  const count = sizeOf(tokens.shape);
  const outputs: Record<string, Value> = {};
  const nodes = [...graph.nodes];
  const within = (node: Node, name: string, build: () => Value) => {
    const layer = layerOf(node.scope)!;
    outputs[addressOf({ name, layer })] = graph.during('forward', build, node.scope);
  };
  if (groups.has('activations')) {
    for (const [, value] of layerOutputs(built)) {
      const wide = () => cast(value, 'f32');
      within(value.node, 'activation_norm', () => rootMeanSquare(wide()));
      within(value.node, 'activation_max', () => largest(sizes(wide())));
    }
    for (const node of nodes) {
      if (node.op !== 'activation' && node.op !== 'gatedActivation') continue;
      const [value] = node.outputs as [Value];
      const units = value.shape.at(-1)!;
      if (layerOf(node.scope) !== undefined && sizeOf(value.shape) === count * units)
        within(node, 'dead_units', () => deadShare(value));
    }
    for (const node of nodes)
      if (node.op === 'expertPlaces' && layerOf(node.scope) !== undefined)
        within(node, 'expert_load', () => loadOf(node.inputs[0]!));
  }
  if (groups.has('attention'))
    for (const node of nodes) {
      if (!(node.op in SCORED) || layerOf(node.scope) === undefined) continue;
      const { entropy, top } = graph.during('forward', () => sharpnessOf(node), node.scope);
      within(node, 'attention_entropy', () => entropy);
      within(node, 'attention_logit_max', () => top);
    }
  if (groups.has('loss')) {
    outputs.loss = loss;
    outputs.logit_max = graph.during(
      'loss',
      () => {
        const all = reshape(output.hidden, [count, output.hidden.shape.at(-1)!]);
        const { hidden, head } = headOf(slice(all, 0, 0, Math.min(count, LOGIT_TOKENS)));
        const raw = cast(linear(hidden, head), 'f32');
        const cap = output.softcap ?? 0;
        return largest(cap > 0 ? mul(tanh(mul(raw, scalar(raw, 1 / cap))), scalar(raw, cap)) : raw);
      },
      'head',
    );
  }
  return program('diagnose', graph, outputs);
}
