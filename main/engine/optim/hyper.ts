/** The numbers that an update program takes at each step: learning rate and decay of every group, and the rules' own scalars. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { UpdateRule } from '../graph/ops/index.ts';
import type { Schedule, SchedulePosition } from './schedule.ts';

/** What the update of a parameter group needs to know. */
export interface GroupSpec {
  readonly name: string;
  /** Multiple of the scheduled learning rate. */
  readonly lrScale: number;
  readonly weightDecay: number;
}

/** Parts of the training programs that the numbers depend on. */
export interface Updated {
  readonly groups: readonly GroupSpec[];
  /** Rules in use, usually one. */
  readonly rules: readonly UpdateRule[];
}

export interface Hyper {
  /** Scheduled learning rate before group multiples. */
  readonly lr: number;
  /** Inputs of the update program, by name, except `gradientScale`. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
}

/** Numbers of the update that begins at `position`; t = step + 1 counts from 1. Computed in float64 and rounded once. */
export function hyperParameters(
  config: Config,
  { groups, rules }: Updated,
  schedule: Schedule,
  position: SchedulePosition,
): Hyper {
  const lr = (config['optimizer.lr'] as number) * schedule(position);
  const inputs: Record<string, Float32Array> = {};
  for (const rule of rules) {
    for (const [name, value] of Object.entries(rule.scalars?.(config, position.step + 1) ?? {})) {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw new Error(`optimizer ${rule.name}: scalars gives ${name} = ${String(value)}, not a number`);
      inputs[scalarName(rule, name)] = Float32Array.of(value);
    }
  }
  for (const group of groups) {
    inputs[`lr.${group.name}`] = Float32Array.of(lr * group.lrScale);
    inputs[`decay.${group.name}`] = Float32Array.of(group.weightDecay);
  }
  return { lr, inputs };
}

/** Input of the update program that holds a scalar of a rule. */
export const scalarName = (rule: UpdateRule, scalar: string): string => `${rule.name}.${scalar}`;
