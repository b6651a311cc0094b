/**
 * Units that do the same whatever the token is. A unit is dead where no token moves it beyond a thousandth of what is usual in its layer. It is
 * saturated where its function is flat at every token, so that no gradient comes through it: its slope there is under a twentieth of its steepest.
 * Functions without bounds above (gelu, silu) saturate below alone, tanh and the sigmoid at both ends; relu and relu2 are flat where they give
 * nothing, so what there would be to say of them is said by their dead units. Of a gated MLP the gate is what saturates.
 *
 * A unit of an expert is one of its own: only tokens that were given to the expert count. One that got no token has dead units, but none that are
 * saturated. Padding is no token, nor does it count in what is usual.
 */
import {
  cast,
  div,
  fill,
  gather,
  greater,
  groupedOuter,
  maximum,
  mul,
  neg,
  reduceMax,
  reshape,
  scalar,
  select,
  sqrt,
  square,
  sub,
} from '../../graph/ops/index.ts';
import type { Activation } from '../../graph/ops/index.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Node, Value } from '../../graph/value.ts';
import { rootMeanSquare, sizes, total } from './reductions.ts';

/** A unit that never reaches this share of the root mean square of its layer is dead. */
const DEAD = 1e-3;
/** Activations are flat for numbers below these. */
const FLAT_BELOW: Partial<Record<Activation, number>> = { gelu: -2.3, gelu_tanh: -2.3, silu: -4 };
/** tanh is flat where it gives more than this, in size; so is the sigmoid as one from −1 to 1. */
const FLAT_BEYOND = 0.975;

/** So many units of all these. */
export interface Counted {
  /** f32 []. */
  readonly count: Value;
  readonly units: number;
}

/** What a batch consists of. */
export interface BatchTokens {
  readonly count: number;
  /** u8 [rows, context]: 0 at padding; undefined where a batch has none. */
  readonly keyMask?: Value | undefined;
}

/** Below whatever a unit gives. */
const NOTHING = -1e30;

/** Numbers of units, token by token. */
interface Units {
  /** f32 [tokens or places, units]. */
  readonly x: Value;
  /** Of experts: where the places of each end. */
  readonly ends: Value | undefined;
  /** u8 [tokens or places, 1]: 0 for padding; undefined where there is none. */
  readonly held: Value | undefined;
}

/** Where the places of experts end, for what comes from their products. */
function endsOf(value: Value): Value | undefined {
  let { node } = value;
  while (node.op === 'cast' || node.op === 'reshape' || node.op === 'activation' || node.op === 'gatedActivation')
    node = node.inputs[0]!.node;
  return node.op === 'groupedMatmul' ? node.inputs[2] : undefined;
}

/** Where no padding stands: of all tokens, or of those at the places of experts. */
function heldOf(keyMask: Value, ends: Value | undefined): Value | undefined {
  const tokens = reshape(keyMask, [-1, 1]);
  if (ends === undefined) return tokens;
  if (ends.node.op !== 'expertPlaces') return undefined;
  const wide = cast(tokens, 'f32');
  return greater(gather(wide, ends.node.outputs[0]!), scalar(wide, 0));
}

/** Undefined for what has no number of each unit for each token. */
function unitsOf(value: Value, { count, keyMask }: BatchTokens): Units | undefined {
  const units = value.shape.at(-1) ?? 0;
  const ends = endsOf(value);
  if (ends === undefined && sizeOf(value.shape) !== count * units) return undefined;
  const held = keyMask === undefined ? undefined : heldOf(keyMask, ends);
  return { x: reshape(cast(value, 'f32'), [-1, units]), ends, held };
}

const heldElse = ({ x, held }: Units, otherwise: number): Value =>
  held === undefined ? x : select(held, x, scalar(x, otherwise));

/** f32 []: what is usual in the layer. */
function usual(units: Units): Value {
  const { x, held } = units;
  if (held === undefined) return rootMeanSquare(x);
  const tokens = total(cast(held, 'f32'));
  const numbers = mul(maximum(tokens, scalar(tokens, 1)), scalar(tokens, x.shape[1]!));
  return sqrt(div(total(square(heldElse(units, 0))), numbers));
}

/** f32 []: how many units are above the bound at some token. */
function reaching(units: Units, bound: Value): Value {
  const { ends } = units;
  const x = heldElse(units, NOTHING);
  if (ends === undefined) return total(cast(greater(reduceMax(x, [0]), bound), 'f32'));
  const tokens = groupedOuter(fill(x.graph, [x.shape[0]!, 1], 1), cast(greater(x, bound), 'f32'), ends);
  return total(cast(greater(tokens, scalar(tokens, 0)), 'f32'));
}

/** f32 []: experts that got a token. */
function busy({ x, held }: Units, ends: Value): Value {
  const ones = fill(x.graph, [x.shape[0]!, 1], 1);
  const tokens = groupedOuter(ones, held === undefined ? ones : cast(held, 'f32'), ends);
  return total(cast(greater(tokens, scalar(tokens, 0)), 'f32'));
}

const numberOf = ({ x, ends }: Units): number => x.shape[1]! * (ends === undefined ? 1 : sizeOf(ends.shape));

/** The units of a node that are dead; undefined where it has none that could be. */
export function deadUnits({ op, outputs }: Node, tokens: BatchTokens): Counted | undefined {
  if (op !== 'activation' && op !== 'gatedActivation') return undefined;
  const found = unitsOf(outputs[0]!, tokens);
  if (found === undefined) return undefined;
  const root = usual(found);
  const alive = reaching({ ...found, x: sizes(found.x) }, mul(root, scalar(root, DEAD)));
  const units = numberOf(found);
  return { count: sub(scalar(alive, units), alive), units };
}

/** What tells whether a function is flat at a token: a number that is above the bound where it is not. */
interface Steepness {
  readonly value: Value;
  readonly of: (x: Value) => Value;
  readonly bound: number;
}

function steepness({ op, attrs, inputs, outputs }: Node): Steepness | undefined {
  const value = outputs[0]!;
  const bound = -FLAT_BEYOND;
  if (op === 'tanh') return { value, of: (x) => neg(sizes(x)), bound };
  if (op === 'sigmoid') return { value, of: (x) => neg(sizes(sub(mul(x, scalar(x, 2)), scalar(x, 1)))), bound };
  if (op !== 'activation' && op !== 'gatedActivation') return undefined;
  const below = FLAT_BELOW[attrs.fn as Activation];
  return below === undefined ? undefined : { value: inputs[0]!, of: (x) => x, bound: below };
}

/** The units of a node that are saturated; undefined where it has none that could be. */
export function saturatedUnits(node: Node, tokens: BatchTokens): Counted | undefined {
  const steep = steepness(node);
  const found = steep === undefined ? undefined : unitsOf(steep.value, tokens);
  if (steep === undefined || found === undefined) return undefined;
  const { x, ends } = found;
  const moving = reaching({ ...found, x: steep.of(x) }, scalar(x, steep.bound));
  const each = scalar(moving, x.shape[1]!);
  return { count: sub(ends === undefined ? each : mul(busy(found, ends), each), moving), units: numberOf(found) };
}
