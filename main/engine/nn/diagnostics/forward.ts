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
  broadcastTo,
  cast,
  div,
  exp,
  greater,
  linear,
  log,
  maximum,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  select,
  slice,
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
import { largest, rootMeanSquare, sizes, total } from './reductions.ts';
import { deadUnits, saturatedUnits } from './units.ts';
import type { BatchTokens, Counted } from './units.ts';

/** Attention is looked at for the queries of this many sequences … */
const ROWS = 2;
/** … in at most so many stretches of so many queries, spread over the context. */
const STRETCHES = 4;
const STRETCH = 64;
/** Tokens whose logits are computed: those of a whole batch would not fit. */
const LOGIT_TOKENS = 256;

/** Share of a soft cap beyond which a number is as good as the cap: the slope is a tenth of what it is without. */
const CAPPED = 0.95;

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
  /** f32 [heads]: share of the scores that are at their soft cap, where there is one. */
  readonly capped?: Value;
}

/** f32 [1, heads, 1, 1]: scores, and those that are at their cap. */
interface Caps {
  readonly capped: Value;
  readonly scores: Value;
}

/** Of the slopes f32 [rows, heads, queries, keys] of a soft cap, those that count. */
function cappedOf(slope: Value, held: (x: Value) => Value): Caps {
  const sum = (x: Value) => reduceSum(held(x), [0, 2, 3]);
  const flat = cast(greater(scalar(slope, 1 - CAPPED * CAPPED), slope), 'f32');
  return { capped: sum(flat), scores: sum(broadcastTo(scalar(slope, 1), slope.shape)) };
}

/** Of a node that is SCORED, whose queries see earlier keys alone. */
function sharpnessOf(node: Node): Sharpness {
  const [q] = node.inputs as [Value];
  const [batch, context, heads] = q.shape as [number, number, number];
  const rows = Math.min(ROWS, batch);
  const parts = stretchesOf(context).map(([from, size]) => {
    const { scores, mask: seen, weights: counted, capSlope } = SCORED[node.op]!(node, rows, from, size);
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
    const caps = capSlope === undefined ? undefined : cappedOf(capSlope, (x) => held(x, 0));
    return { entropy: reduceSum(each, [0, 2, 3]), top: highest, queries: rows * size, caps };
  });
  const queries = parts.reduce((sum, each) => sum + each.queries, 0);
  const entropy = parts.map((each) => each.entropy).reduce(add);
  const caps = parts.flatMap((each) => each.caps ?? []);
  const sum = (which: keyof Caps) => caps.map((each) => each[which]).reduce(add);
  return {
    entropy: reshape(div(entropy, scalar(entropy, queries)), [heads]),
    top: reshape(parts.map((each) => each.top).reduce(maximum), [heads]),
    ...(caps.length === 0
      ? {}
      : { capped: reshape(div(sum('capped'), maximum(sum('scores'), scalar(entropy, 1))), [heads]) }),
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
  const { graph, output, tokens, keyMask } = built;
  const count = sizeOf(tokens.shape);
  const outputs: Record<string, Value> = {};
  const nodes = [...graph.nodes];
  const within = (node: Node, name: string, build: () => Value) => {
    const layer = layerOf(node.scope)!;
    outputs[addressOf({ name, layer })] = graph.during('forward', build, node.scope);
  };
  /** The share of all units of a layer that are so. */
  const unitShares = (name: string, of: (node: Node, tokens: BatchTokens) => Counted | undefined) => {
    const found = new Map<number, { node: Node; counted: Counted }>();
    for (const node of nodes) {
      const layer = layerOf(node.scope);
      const own =
        layer === undefined ? undefined : graph.during('forward', () => of(node, { count, keyMask }), node.scope);
      if (layer === undefined || own === undefined) continue;
      const before = found.get(layer)?.counted;
      const both = () => ({ count: add(before!.count, own.count), units: before!.units + own.units });
      const counted = before === undefined ? own : graph.during('forward', both, node.scope);
      found.set(layer, { node, counted });
    }
    for (const { node, counted } of found.values())
      within(node, name, () => div(counted.count, scalar(counted.count, counted.units)));
  };
  /** Of the first tokens. */
  const logits = (): Record<string, Value> => {
    const all = reshape(output.hidden, [count, output.hidden.shape.at(-1)!]);
    const { hidden, head } = headOf(slice(all, 0, 0, Math.min(count, LOGIT_TOKENS)));
    const raw = cast(linear(hidden, head), 'f32');
    const cap = output.softcap ?? 0;
    if (cap <= 0) return { logit_max: largest(raw) };
    const bounded = tanh(mul(raw, scalar(raw, 1 / cap)));
    const capped = total(cast(greater(sizes(bounded), scalar(bounded, CAPPED)), 'f32'));
    return {
      logit_max: largest(mul(bounded, scalar(bounded, cap))),
      logit_capped: div(capped, scalar(capped, sizeOf(raw.shape))),
    };
  };
  if (groups.has('activations')) {
    for (const [, value] of layerOutputs(built)) {
      const wide = () => cast(value, 'f32');
      within(value.node, 'activation_norm', () => rootMeanSquare(wide()));
      within(value.node, 'activation_max', () => largest(sizes(wide())));
    }
    unitShares('dead_units', deadUnits);
    unitShares('saturated_units', saturatedUnits);
    for (const node of nodes)
      if (node.op === 'expertPlaces' && layerOf(node.scope) !== undefined)
        within(node, 'expert_load', () => loadOf(node.inputs[0]!));
  }
  if (groups.has('attention'))
    for (const node of nodes) {
      if (!(node.op in SCORED) || layerOf(node.scope) === undefined) continue;
      const { entropy, top, capped } = graph.during('forward', () => sharpnessOf(node), node.scope);
      within(node, 'attention_entropy', () => entropy);
      within(node, 'attention_logit_max', () => top);
      if (capped !== undefined) within(node, 'attention_logit_capped', () => capped);
    }
  if (groups.has('loss')) {
    outputs.loss = loss;
    Object.assign(outputs, graph.during('loss', logits, 'head'));
  }
  return program('diagnose', graph, outputs);
}
