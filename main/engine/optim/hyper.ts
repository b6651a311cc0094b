/** The numbers that an update program takes at each step: learning rate and decay of every group, and the rules' own scalars. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { UpdateRule } from '../graph/ops/index.ts';
import type { GroupSpec } from './groups.ts';
import type { Schedule, SchedulePosition, Schedules } from './schedule.ts';

/** A rule in use, with its settings, which groups may have others of. */
export interface RuleUse {
  /** That of the rule, followed by the group's where the settings are its own. */
  readonly name: string;
  readonly rule: UpdateRule;
  readonly settings: Config;
}

/** Parts of the training programs that the numbers depend on. */
export interface Updated {
  readonly groups: readonly GroupSpec[];
  /** Usually one. */
  readonly rules: readonly RuleUse[];
}

export interface Hyper {
  /** Scheduled learning rate before group multiples. */
  readonly lr: number;
  /** Learning rates of the groups that have one of their own. */
  readonly rates: Readonly<Record<string, number>>;
  /** Inputs of the update program, by name, except `gradientScale`. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
}

/** Numbers of the update that begins at `position`; t = step + 1 counts from 1. Computed in float64 and rounded once. */
export function hyperParameters(
  config: Config,
  { groups, rules }: Updated,
  schedules: Schedule | Schedules,
  position: SchedulePosition,
): Hyper {
  const { lr: schedule, ofGroups }: Schedules = typeof schedules === 'function' ? { lr: schedules } : schedules;
  const peak = config['optimizer.lr'] as number;
  const lr = peak * schedule(position);
  const inputs: Record<string, Float32Array> = {};
  for (const use of rules) {
    for (const [name, value] of Object.entries(use.rule.scalars?.(use.settings, position.step + 1) ?? {})) {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw new Error(`optimizer ${use.rule.name}: scalars gives ${name} = ${String(value)}, not a number`);
      inputs[scalarName(use, name)] = Float32Array.of(value);
    }
  }
  const rates: Record<string, number> = {};
  for (const group of groups) {
    const own = ofGroups?.get(group.name);
    const rate = (own === undefined ? lr : peak * own(position)) * group.lrScale;
    if (own !== undefined || group.lrScale !== 1) rates[group.name] = rate;
    inputs[`lr.${group.name}`] = Float32Array.of(rate);
    inputs[`decay.${group.name}`] = Float32Array.of(group.weightDecay);
  }
  return { lr, rates, inputs };
}

/** Input of the update program that holds a scalar of a rule. */
export const scalarName = (use: Pick<RuleUse, 'name'>, scalar: string): string => `${use.name}.${scalar}`;
