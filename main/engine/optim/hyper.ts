/** The numbers that an update program takes at each step: learning rate and decay of every group, Adam's bias corrections. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { Schedule, SchedulePosition } from './schedule.ts';

/** What the update of a parameter group needs to know. */
export interface GroupSpec {
  readonly name: string;
  /** Multiple of the scheduled learning rate. */
  readonly lrScale: number;
  readonly weightDecay: number;
}

export interface Hyper {
  /** Scheduled learning rate before group multiples. */
  readonly lr: number;
  /** Inputs of the update program, by name, except `gradientScale`. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
}

/**
 * 1 − β^t, exact to rounding for large t and for β near 1 (where 1 − β ** t loses digits): −expm1(t·ln β). 1 for β = 0.
 */
export function biasCorrection(beta: number, t: number): number {
  return beta === 0 ? 1 : -Math.expm1(t * Math.log(beta));
}

/**
 * Numbers of the update that begins at `position`; t = step + 1 counts from 1 (Kingma & Ba 2015). Computed in float64 and
 * rounded once.
 */
export function hyperParameters(
  config: Config,
  groups: readonly GroupSpec[],
  schedule: Schedule,
  position: SchedulePosition,
): Hyper {
  const kind = config['optimizer.kind'];
  const adaptive = kind === 'adamw' || kind === 'adam';
  const t = position.step + 1;
  const lr = (config['optimizer.lr'] as number) * schedule(position);
  const inputs: Record<string, Float32Array> = {
    bias1: Float32Array.of(adaptive ? biasCorrection(config['optimizer.beta1'] as number, t) : 1),
    bias2: Float32Array.of(adaptive ? biasCorrection(config['optimizer.beta2'] as number, t) : 1),
  };
  for (const group of groups) {
    inputs[`lr.${group.name}`] = Float32Array.of(lr * group.lrScale);
    inputs[`decay.${group.name}`] = Float32Array.of(group.weightDecay);
  }
  return { lr, inputs };
}
