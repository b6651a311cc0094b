/** The numbers that an update program takes at each step: learning rate and decay of every group, and the rules' own scalars. */
import type { Config } from '../../../preload/contract/settings.ts';
import type { UpdateRule } from '../graph/ops/index.ts';
import { changed } from '../changed.ts';
import { AVERAGE_SHARE } from './averages/average.ts';
import type { MomentumMoment } from './momenta/momentum.ts';
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
  /** Share of the newest weights in their average after update t, where there is one. */
  readonly average?: ((t: number) => number) | undefined;
}

export interface Hyper {
  /** Scheduled learning rate before group multiples. */
  readonly lr: number;
  /** Learning rates of the groups that have one of their own. */
  readonly rates: Readonly<Record<string, number>>;
  /** Weight decay of the groups where it moves. */
  readonly decays: Readonly<Record<string, number>>;
  /** Momentum of the rules where it moves. */
  readonly momenta: Readonly<Record<string, number>>;
  /** Inputs of the update program, by name, except `gradientScale`. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
}

/**
 * Numbers of the update that begins at `position`; t = step + 1 counts from 1. Computed in float64 and rounded once. `loss` is that of the
 * step before, where there was one.
 */
export function hyperParameters(
  config: Config,
  { groups, rules, average }: Updated,
  schedules: Schedule | Schedules,
  position: SchedulePosition,
  loss?: number,
): Hyper {
  const { lr: schedule, ...others }: Schedules = typeof schedules === 'function' ? { lr: schedules } : schedules;
  const peak = config['optimizer.lr'] as number;
  const rate = schedule(position);
  const lr = peak * rate;
  const inputs: Record<string, Float32Array> = {};
  const momenta: Record<string, number> = {};
  for (const use of rules) {
    const { settings, momentum } = atMomentum(use, others, { position, rate });
    if (momentum !== undefined) momenta[use.name] = momentum;
    for (const [name, value] of Object.entries(use.rule.scalars?.(settings, position.step + 1) ?? {})) {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw new Error(`optimizer ${use.rule.name}: scalars gives ${name} = ${String(value)}, not a number`);
      inputs[scalarName(use, name)] = Float32Array.of(value);
    }
  }
  const factor = others.decay?.({ position, rate, loss });
  const rates: Record<string, number> = {};
  const decays: Record<string, number> = {};
  for (const { name, lrScale, weightDecay, ownDecay } of groups) {
    const own = others.ofGroups?.get(name);
    const ownRate = (own === undefined ? lr : peak * own(position)) * lrScale;
    if (own !== undefined || lrScale !== 1) rates[name] = ownRate;
    const moves = factor !== undefined && ownDecay !== true && weightDecay > 0;
    const decay = moves ? weightDecay * factor : weightDecay;
    if (moves) decays[name] = decay;
    inputs[`lr.${name}`] = Float32Array.of(ownRate);
    inputs[`decay.${name}`] = Float32Array.of(decay);
  }
  if (average !== undefined) inputs[AVERAGE_SHARE] = Float32Array.of(average(position.step + 1));
  return { lr, rates, decays, momenta, inputs };
}

/** The settings of a rule with the momentum of this step. */
function atMomentum({ rule, settings }: RuleUse, { momentum }: Partial<Schedules>, moment: MomentumMoment) {
  if (momentum === undefined || rule.momentum === undefined) return { settings };
  const value = momentum(settings[rule.momentum] as number, moment);
  return { settings: changed(settings, { [rule.momentum]: value }), momentum: value };
}

/** Input of the update program that holds a scalar of a rule. */
export const scalarName = (use: Pick<RuleUse, 'name'>, scalar: string): string => `${use.name}.${scalar}`;
