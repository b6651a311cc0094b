/**
 * The learning rate over a run: a warm-up, the same for all schedules, and then the schedule that is chosen (schedules/).
 *
 * With s the position before the step (0 at the first), W the warm-up and m₀ = schedule.start: while s < W,
 * m = m₀ + (1 − m₀)·min(1, (s + 1)/W), so step W − 1, the last of the warm-up, has the peak rate.
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { BUILT_IN } from '../kind.ts';
import type { Kinds } from '../kind.ts';
import { scheduleFamily } from './schedules/index.ts';
import { ScheduleError } from './schedules/schedule.ts';
import type { Length, Schedule, ScheduledRun, SchedulePosition } from './schedules/schedule.ts';
import type { GroupSpec } from './groups.ts';
import { counted } from '../../../preload/shared/format.ts';

export { ScheduleError } from './schedules/schedule.ts';
export type { Schedule, SchedulePosition } from './schedules/schedule.ts';

/** Where the run is expected to end; undefined when its stop rules do not say (time, target loss). */
export interface PlannedEnd {
  readonly steps: number | undefined;
  /** Training tokens of a full step. */
  readonly tokensPerStep: number;
}

/** How the numbers of a step move over a run. */
export interface Schedules {
  readonly lr: Schedule;
  /** Of the groups that have one of their own, by name. */
  readonly ofGroups?: ReadonlyMap<string, Schedule>;
}

function lengthOf(config: Config, name: string, tokensPerStep: number): Length {
  const steps = config[`schedule.${name}_steps`] as number;
  const tokens = config[`schedule.${name}_tokens`] as number;
  if (steps > 0 && tokens > 0)
    throw new ScheduleError(
      `schedule.${name}_steps is ${steps} and schedule.${name}_tokens is ${tokens}: give one of them and leave the other 0`,
    );
  return tokens > 0 ? { steps: tokens / tokensPerStep, inTokens: true } : { steps, inTokens: false };
}

/** Where a schedule that needs an end has it: the horizon, else the planned end of the run. */
function horizonOf(config: Config, end: PlannedEnd): Length {
  const horizon = lengthOf(config, 'horizon', end.tokensPerStep);
  if (horizon.steps > 0) return horizon;
  if (end.steps === undefined)
    throw new ScheduleError(
      `schedule.kind is ${config['schedule.kind']}, which needs an end, and the stop rules give none: ` +
        'set schedule.horizon_steps or schedule.horizon_tokens, or schedule.kind constant or inverse_power',
    );
  // A planned end in steps is used for a warm-up in tokens too: both are positions in steps.
  return { steps: end.steps, inTokens: (config['schedule.warmup_tokens'] as number) > 0 };
}

/** The schedule of a complete configuration. Throws a {@link ScheduleError} that names the settings to change. */
export function buildSchedule(config: Config, end: PlannedEnd, kinds: Kinds = BUILT_IN): Schedule {
  const { tokensPerStep } = end;
  const kind = kinds.of(scheduleFamily, config);
  const c = kinds.view(kind, config);
  const length = (name: string): Length => lengthOf(c, name, tokensPerStep);
  const at = (position: SchedulePosition, along: Length): number =>
    along.inTokens ? position.tokens / tokensPerStep : position.step;
  const warmup = length('warmup');
  const horizon = kind.needsEnd ? horizonOf(c, end) : undefined;
  const span = (horizon?.steps ?? 0) - warmup.steps;
  const progress = (position: SchedulePosition): number => {
    if (horizon === undefined) throw new ScheduleError(`schedule ${kind.name} does not need an end, so it has none`);
    return span > 0 ? Math.min(1, Math.max(0, (at(position, horizon) - warmup.steps) / span)) : 1;
  };
  const run: ScheduledRun = { warmup, length, at, progress };
  const start = config['schedule.start'] as number;
  const after = kind.after(c, run);
  return (position) => {
    const s = at(position, warmup);
    return s < warmup.steps ? start + (1 - start) * Math.min(1, (s + 1) / warmup.steps) : after(position);
  };
}

/** The schedule of a run and those of the groups that have their own. Throws a {@link ScheduleError}. */
export function buildSchedules(
  config: Config,
  groups: readonly GroupSpec[],
  end: PlannedEnd,
  kinds: Kinds = BUILT_IN,
): Schedules {
  const ofGroups = new Map(
    groups.flatMap(({ name, schedule }) =>
      schedule === undefined ? [] : [[name, buildSchedule({ ...config, ...schedule }, end, kinds)] as const],
    ),
  );
  return { lr: buildSchedule(config, end, kinds), ofGroups };
}

/** Things that are allowed but rarely meant, in words for the user. */
export function scheduleWarnings(config: Config, end: PlannedEnd, kinds: Kinds = BUILT_IN): readonly string[] {
  const warnings: string[] = [];
  const warmup = lengthOf(config, 'warmup', end.tokensPerStep).steps;
  if (end.steps !== undefined && warmup > end.steps)
    warnings.push(
      `the warm-up (${counted(warmup, 'step')}) is longer than the run (${counted(end.steps, 'step')}): the peak learning rate is never reached`,
    );
  if (kinds.of(scheduleFamily, config).needsEnd) {
    const horizon = horizonOf(config, end).steps;
    if (horizon <= warmup)
      warnings.push(
        `the schedule ends (${counted(horizon, 'step')}) before the warm-up does (${counted(warmup, 'step')}): the learning rate drops at once to schedule.final`,
      );
  }
  return warnings;
}
