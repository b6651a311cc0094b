/**
 * AdamW whose moments are kept in eight bits (after Dettmers et al. 2022), two bytes per parameter and a little in place of eight. Blocks of 256
 * have a largest number each, s. The first moment is ±s·k⁴ with k in steps of 1/127 from 0 to 1, the second s·k⁸ with k in steps of 1/255:
 * nearly as exact, in proportion, a thousandth as large as at the largest.
 *
 * A mean that changes by less than a step would stand still if numbers went to the nearest one. They go up or down in proportion instead, by a
 * sequence that fills the unit interval evenly over the steps of a run (Weyl), so that no random number is drawn and a run is always the same.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import {
  add,
  cast,
  concat,
  div,
  fill,
  iota,
  less,
  maximum,
  minimum,
  mul,
  neg,
  reduceMax,
  reshape,
  scalar,
  slice,
  sqrt,
  square,
  sub,
  greater,
  greaterEqual,
  select,
} from '../../graph/ops/index.ts';
import type { Moments, UpdateRule } from '../../graph/ops/index.ts';
import { sizeOf } from '../../graph/value.ts';
import type { Shape, Value } from '../../graph/value.ts';
import { adamConstants, adamStep } from './adam.ts';
import { biasCorrection, decayed } from './formulas.ts';

/** Numbers that share a largest one. */
const BLOCK = 256;
const LEVELS = { first: 127, second: 255 } as const;
/** Fractional parts of these times the step and the place fill the interval evenly (Roberts 2018). */
const BY_STEP = { first: 0.7548776662466927, second: 0.5698402909980532 } as const;
const BY_PLACE = Math.fround(0.6180339887498949);

const blocksOf = (shape: Shape): number => Math.ceil(sizeOf(shape) / BLOCK);
const fraction = (x: number): number => x - Math.floor(x);

/** [blocks, 256], zeros at the end. */
function inBlocks(x: Value): Value {
  const size = sizeOf(x.shape);
  const blocks = blocksOf(x.shape);
  const flat = reshape(x, [size]);
  const rest = blocks * BLOCK - size;
  return reshape(rest === 0 ? flat : concat([flat, fill(x.graph, [rest], 0)], 0), [blocks, BLOCK]);
}

const outOfBlocks = (x: Value, shape: Shape): Value =>
  reshape(slice(reshape(x, [sizeOf(x.shape)]), 0, 0, sizeOf(shape)), shape);

const magnitude = (x: Value): Value => maximum(x, neg(x));
const fourth = (x: Value): Value => square(square(x));
const eighth = (x: Value): Value => square(fourth(x));
const fourthRoot = (x: Value): Value => sqrt(sqrt(x));
const eighthRoot = (x: Value): Value => sqrt(fourthRoot(x));

/** The parts below 1 of numbers from 0 to 255. */
const wrapped = (x: Value): Value => sub(x, cast(cast(x, 'u8'), 'f32'));

/** [1, 256] in [0, 1): the place in its range above which a number goes up. */
function thresholds(like: Value, offset: Value): Value {
  const places = iota(like.graph, BLOCK);
  const own = wrapped(mul(places, scalar(places, BY_PLACE)));
  const moved = add(own, offset);
  const one = scalar(moved, 1);
  return reshape(select(greaterEqual(moved, one), sub(moved, one), moved), [1, BLOCK]);
}

interface Code {
  readonly levels: number;
  readonly power: (x: Value) => Value;
  readonly inverse: (x: Value) => Value;
  readonly threshold: Value;
}

/** The level from 0 on for y in [0, 1]. */
function levelOf(y: Value, { levels, power, inverse, threshold }: Code): Value {
  const count = scalar(y, levels);
  const at = (level: Value): Value => power(div(level, count));
  const low = cast(cast(mul(inverse(y), count), 'u8'), 'f32');
  const [from, to] = [at(low), at(add(low, scalar(low, 1)))];
  const up = cast(less(mul(threshold, sub(to, from)), sub(y, from)), 'f32');
  return minimum(add(low, up), count);
}

/** Blocks over their largest magnitude, [blocks, 1]. */
function scaled(x: Value): { readonly y: Value; readonly scale: Value } {
  const scale = reduceMax(magnitude(x), [1]);
  // Where all are 0 whatever divides them leaves them so.
  const divisor = select(greater(scale, scalar(scale, 0)), scale, scalar(scale, 1));
  return { y: div(x, divisor), scale };
}

const centre = LEVELS.first;

function decodeFirst(code: Value, scale: Value, shape: Shape): Value {
  const x = inBlocks(cast(code, 'f32'));
  const k = div(sub(x, scalar(x, centre)), scalar(x, LEVELS.first));
  return outOfBlocks(mul(mul(mul(k, magnitude(k)), square(k)), reshape(scale, [blocksOf(shape), 1])), shape);
}

function decodeSecond(code: Value, scale: Value, shape: Shape): Value {
  const x = inBlocks(cast(code, 'f32'));
  const k = div(x, scalar(x, LEVELS.second));
  return outOfBlocks(mul(eighth(k), reshape(scale, [blocksOf(shape), 1])), shape);
}

function encodeFirst(moment: Value, offset: Value) {
  const { y, scale } = scaled(inBlocks(moment));
  const code = { levels: LEVELS.first, power: fourth, inverse: fourthRoot, threshold: thresholds(moment, offset) };
  const level = levelOf(magnitude(y), code);
  const signed = select(less(y, scalar(y, 0)), neg(level), level);
  const bytes = cast(add(signed, scalar(signed, centre)), 'u8');
  return { code: outOfBlocks(bytes, moment.shape), scale: reshape(scale, [blocksOf(moment.shape)]) };
}

function encodeSecond(moment: Value, offset: Value) {
  const { y, scale } = scaled(inBlocks(moment));
  const code = { levels: LEVELS.second, power: eighth, inverse: eighthRoot, threshold: thresholds(moment, offset) };
  const bytes = cast(levelOf(y, code), 'u8');
  return { code: outOfBlocks(bytes, moment.shape), scale: reshape(scale, [blocksOf(moment.shape)]) };
}

const decoded = (m: Moments, shape: Shape) => ({
  first: decodeFirst(m.first!, m.first_scale!, shape),
  second: decodeSecond(m.second!, m.second_scale!, shape),
});

const isScale = (moment: string): boolean => moment.endsWith('_scale');

export const adamwBytes: UpdateRule = {
  name: 'adamw8',
  moments: () => ['first', 'first_scale', 'second', 'second_scale'],
  momentShape: (moment, shape) => (isScale(moment) ? [blocksOf(shape)] : shape),
  momentType: (moment) => (isScale(moment) ? 'f32' : 'u8'),
  decoded,
  scalars: (c: Config, t) => ({
    bias1: biasCorrection(adamConstants(c).beta1, t),
    bias2: biasCorrection(adamConstants(c).beta2, t),
    offset1: fraction(t * BY_STEP.first),
    offset2: fraction(t * BY_STEP.second),
  }),
  flopsPerElement: 60,
  fused: (c) => ({ rule: 'adamw8', ...adamConstants(c) }),
  apply(p, g, m, h, c) {
    const { step, moments } = adamStep(g, decoded(m, p.shape), h, c);
    const first = encodeFirst(moments.first!, h.offset1!);
    const second = encodeSecond(moments.second!, h.offset2!);
    return {
      p: sub(decayed(p, h), mul(h.lr, step)),
      moments: { first: first.code, first_scale: first.scale, second: second.code, second_scale: second.scale },
    };
  },
};
