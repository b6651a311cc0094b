/** Parts of update rules that several optimizers share. */
import { add, mul, scalar, sub } from '../../graph/ops/index.ts';
import type { Hyper } from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';

/** old + rate·(target − old): an exponential average that is exact for rate 1. */
export const towards = (old: Value, target: Value, rate: number): Value =>
  add(old, mul(scalar(old, rate), sub(target, old)));

/** The gradient with weight decay as an L2 term: g + decay·p. */
export const withDecay = (g: Value, p: Value, h: Hyper): Value => add(g, mul(h.decay, p));

/** The parameter after decoupled weight decay: p·(1 − lr·decay). */
export const decayed = (p: Value, h: Hyper): Value => mul(p, sub(scalar(p, 1), mul(h.lr, h.decay)));

/** 1 − β^t, exact to rounding for large t and for β near 1 (where 1 − β ** t loses digits): −expm1(t·ln β). 1 for β = 0. */
export function biasCorrection(beta: number, t: number): number {
  return beta === 0 ? 1 : -Math.expm1(t * Math.log(beta));
}
