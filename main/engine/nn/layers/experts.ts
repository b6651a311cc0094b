/**
 * A mixture of experts in place of the MLP (Shazeer et al. 2017): a router gives every token to the `model.experts_active` experts that it
 * scores highest, and their results are added by its probabilities. No expert has a capacity: no token is ever dropped.
 *
 * With p = softmax(router·x): weights are p of the chosen experts divided by their sum (Jiang et al. 2024), or p itself where one expert is
 * chosen, so that the router learns (Fedus et al. 2022). Two losses keep the router well: experts · Σ f·P, with f the share of tokens that
 * an expert gets and P its mean probability (Fedus et al. 2022), and the mean of (log Σ exp scores)² (Zoph et al. 2022). They are means over
 * the tokens of a micro-batch.
 *
 * Tokens are put side by side by expert, and each expert computes its own: what was not chosen is not computed, planned or counted. An
 * executor without such a product computes all experts for all places instead.
 */
import {
  activation,
  add,
  argMax,
  cast,
  div,
  exp,
  expertPlaces,
  fromPlaces,
  gather,
  gatedActivation,
  groupedMatmul,
  linear,
  log,
  maximum,
  mul,
  neg,
  oneHot,
  reduceMax,
  reduceSum,
  reshape,
  rows,
  scalar,
  square,
  sub,
  toPlaces,
} from '../../graph/ops/index.ts';
import type { Activation, Places } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Initial, ModelContext, ModelOutput } from '../model.ts';
import { firstWeights } from './initial.ts';
import { GATES } from './mlp.ts';
import type { MlpSizes } from './mlp.ts';

/** What a router did with the tokens of a micro-batch. */
export interface Routing {
  /** f32 [experts]: share of the places that each expert got; 1 ÷ experts where all are alike. */
  readonly load: Value;
  /** f32 []: both losses, 1 and 0 at best. */
  readonly balance: Value;
  readonly z: Value;
  /** f32 []: tokens that are no padding. */
  readonly tokens: Value;
}

/** Subtracted from the score of what is already chosen. */
const CHOSEN = 1e30;

/** f32 [n, experts]: 1 for the highest `active` scores of each row, the first of equal ones. */
function highest(scores: Value, active: number): Value {
  const experts = scores.shape[1]!;
  let left = scores;
  let chosen: Value | undefined;
  for (let i = 0; i < active; i++) {
    const best = oneHot(argMax(left), experts);
    chosen = chosen === undefined ? best : add(chosen, best);
    left = sub(left, mul(best, scalar(best, CHOSEN)));
  }
  return chosen!;
}

/** Mean over rows [n, ..] that are no padding. */
function means(x: Value, valid: Value | undefined, count: Value): Value {
  const kept = valid === undefined ? x : mul(x, valid);
  return div(reshape(reduceSum(kept, [0]), [-1]), count);
}

interface Routed {
  /** f32 [n, experts]: weight of each expert's result. */
  readonly weights: Value;
  /** Where each token's experts find it. */
  readonly places: Places;
  /** Built only where it is asked for. */
  routing(): Routing;
}

function route(m: ModelContext, x: Value, experts: number, active: number): Routed {
  const router = m.within('router', () =>
    m.parameter('weight', [experts, x.shape[1]!], {
      role: 'matrix',
      initial: firstWeights(m, experts, x.shape[1]!),
    }),
  );
  const scores = m.within('router', () => cast(linear(x, router), 'f32'));
  const top = reduceMax(scores, [1]);
  const shifted = exp(sub(scores, top));
  const sum = reduceSum(shifted, [1]);
  const p = div(shifted, sum);
  const chosen = highest(scores, active);
  const kept = mul(p, chosen);
  const weights = active === 1 ? kept : div(kept, reduceSum(kept, [1]));
  const places = expertPlaces(chosen, active);
  return { weights, places, routing: () => routingOf(m, { p, chosen, logSum: add(log(sum), top) }, active) };
}

/** What a router gave: probabilities and choices [n, experts], and log Σ exp of its scores [n, 1]. */
interface Scores {
  readonly p: Value;
  readonly chosen: Value;
  readonly logSum: Value;
}

function routingOf(m: ModelContext, { p, chosen, logSum }: Scores, active: number): Routing {
  const [n, experts] = p.shape as [number, number];
  const valid = m.keyMask === undefined ? undefined : cast(reshape(m.keyMask, [n, 1]), 'f32');
  const tokens = valid === undefined ? scalar(p, n) : reshape(reduceSum(valid, [0, 1]), []);
  const load = div(means(chosen, valid, tokens), scalar(p, active));
  const total = (value: Value) => reshape(reduceSum(value, [0]), []);
  const balance = mul(total(mul(load, means(p, valid, tokens))), scalar(p, experts));
  const z = total(means(square(logSum), valid, tokens));
  return { load, balance, z, tokens };
}

/** x [.., width] → [.., width] through the experts. `divisor` shrinks the first values of their last projections. */
export function mixtureOfExperts(
  m: ModelContext,
  x: Value,
  { width, mlpWidth, mlpGated }: MlpSizes,
  divisor: number,
): { readonly out: Value; routing(): Routing } {
  const { config } = m;
  const [experts, active] = [config['model.experts'] as number, config['model.experts_active'] as number];
  const kind = config['model.mlp'] as string;
  const flat = rows(x);
  const n = flat.shape[0]!;
  const { weights, places, routing } = route(m, flat, experts, active);
  const inner = flat.shape[1]!;
  const mine = toPlaces(flat, places);
  const weight = (features: number, size: number, initial: Initial) =>
    m.parameter('weight', [experts, features, size], { role: 'matrix', initial });
  const wide = (name: string) =>
    m.within(name, () => {
      const own = weight(mlpWidth, inner, firstWeights(m, mlpWidth, inner));
      return groupedMatmul(mine, own, places.ends, { transposed: true });
    });
  const up = wide('up');
  const features = mlpGated ? gatedActivation(wide('gate'), up, GATES[kind]!) : activation(up, kind as Activation);
  const down = m.within('down', () =>
    groupedMatmul(features, weight(mlpWidth, width, firstWeights(m, width, mlpWidth, divisor)), places.ends),
  );
  const shares = gather(reshape(weights, [n * experts, 1]), places.source);
  const out = fromPlaces(mul(down, cast(shares, down.dtype)), places, n);
  const joined = reshape(out, [...x.shape.slice(0, -1), width]);
  return { out: m.dropout(joined, m.training ? (config['model.dropout'] as number) : 0), routing };
}

/** The losses of all routers together, and how busy experts were: what a model with experts gives beside its logits. */
export function routingOutput(
  m: ModelContext,
  routed: readonly Routing[],
): Pick<ModelOutput, 'auxiliary' | 'measures'> {
  const { config } = m;
  const sum = (values: readonly Value[]) => values.reduce(add);
  const times = (x: Value, factor: number) => mul(x, scalar(x, factor));
  const weighted = [
    ['model.experts_balance', sum(routed.map(({ balance }) => balance))],
    ['model.experts_z', sum(routed.map(({ z }) => z))],
  ] as const;
  const losses = weighted.flatMap(([name, loss]) => {
    const weight = config[name] as number;
    return weight > 0 ? [times(loss, weight)] : [];
  });
  const relative = routed.map(({ load }) => times(load, config['model.experts'] as number));
  const most = (x: Value) => reshape(reduceMax(x, [0]), []);
  const mean = (values: readonly Value[]) => times(sum(values), 1 / values.length);
  return {
    ...(losses.length === 0 ? {} : { auxiliary: mul(sum(losses), routed[0]!.tokens) }),
    measures: {
      'experts/busiest': relative.map(most).reduce(maximum),
      'experts/idlest': neg(relative.map((load) => most(neg(load))).reduce(maximum)),
      'experts/balance': mean(routed.map(({ balance }) => balance)),
      'experts/z': mean(routed.map(({ z }) => z)),
    },
  };
}
