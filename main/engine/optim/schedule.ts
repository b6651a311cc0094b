/**
 * The learning rate over a run: a warm-up, the same for all schedules, and then the schedule that is chosen (schedules/).
 *
 * With s the position before the step (0 at the first), W the warm-up and m₀ = schedule.start: while s < W,
 * m = m₀ + (1 − m₀)·min(1, (s + 1)/W), so step W − 1, the last of the warm-up, has the peak rate; with schedule.from_start s/W, so step W has it.
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { BUILT_IN } from '../kind.ts';
import type { Kinds } from '../kind.ts';
import { decayFamily } from './decays/index.ts';
import type { DecayMoment } from './decays/decay.ts';
import { momentumFamily } from './momenta/index.ts';
import { momentumMoves } from './momenta/momentum.ts';
import type { MomentumMoment } from './momenta/momentum.ts';
import { scheduleFamily } from './schedules/index.ts';
import { ScheduleError } from './schedules/schedule.ts';
import type { Clock, Length, Schedule, ScheduledRun, SchedulePosition } from './schedules/schedule.ts';
import type { GroupSpec } from './groups.ts';
import { counted } from '../../../preload/shared/format.ts';

export { ScheduleError } from './schedules/schedule.ts';
export type { Schedule, SchedulePosition } from './schedules/schedule.ts';

/** Where the run is expected to end. */
export interface PlannedEnd {
  /** Undefined when its stop rules do not say (time, target loss). */
  readonly steps: number | undefined;
  /** Of training, where a rule says so. Where steps are known the schedule goes by them, and time may end the run earlier. */
  readonly seconds?: number | undefined;
  /** Training tokens of a step, on the average over the run. */
  readonly tokensPerStep: number;
  /** Whether tokens say where it is, not steps: nobody knows how many tokens each step will take. */
  readonly inTokens?: boolean;
}

/** How the numbers of a step move over a run. */
export interface Schedules {
  readonly lr: Schedule;
  /** Of the groups that have one of their own, by name. */
  readonly ofGroups?: ReadonlyMap<string, Schedule>;
  /** Factor on the weight decay, where it moves. */
  readonly decay?: ((moment: DecayMoment) => number) | undefined;
  /** Whether the decay reads the loss of the step before. */
  readonly followsLoss?: boolean;
  /** Momentum of a step from the one that is set, where it moves. */
  readonly momentum?: ((set: number, moment: MomentumMoment) => number) | undefined;
}

/** 0 for what this schedule does not have: not every length can be given in every unit. */
const number = (config: Config, name: string): number => (name in config ? (config[name] as number) : 0);

/** What positions are counted in where no length says it: the unit that is set, or that of a length of the schedule. */
function clockOf(config: Config, given: Clock): Clock {
  const unit = config['schedule.unit'] as string;
  return unit === 'steps' || unit === 'tokens' ? unit : given;
}

function lengthOf(config: Config, name: string, tokensPerStep: number): Length {
  const steps = number(config, `${name}_steps`);
  const tokens = number(config, `${name}_tokens`);
  if (steps > 0 && tokens > 0)
    throw new ScheduleError(
      `${name}_steps is ${steps} and ${name}_tokens is ${tokens}: give one of them and leave the other 0`,
    );
  return tokens > 0
    ? { steps: tokens / tokensPerStep, clock: clockOf(config, 'tokens') }
    : { steps, clock: clockOf(config, 'steps') };
}

/** The horizon that is set, if any. */
function givenHorizon(config: Config, { tokensPerStep }: PlannedEnd): Length | undefined {
  const seconds = number(config, 'schedule.horizon_seconds');
  if (seconds > 0) return { steps: seconds, clock: 'seconds' };
  const horizon = lengthOf(config, 'schedule.horizon', tokensPerStep);
  return horizon.steps > 0 ? horizon : undefined;
}

/** Where a schedule that needs an end has it: the horizon, else the planned end of the run. */
function horizonOf(config: Config, end: PlannedEnd): Length {
  const horizon = givenHorizon(config, end) ?? plannedHorizon(config, end);
  if (horizon !== undefined) return horizon;
  throw new ScheduleError(
    `schedule.kind is ${config['schedule.kind']}, which needs an end, and the stop rules give none: ` +
      'set schedule.horizon_steps or schedule.horizon_tokens, or schedule.kind constant or inverse_power',
  );
}

function plannedHorizon(config: Config, { steps, seconds, inTokens }: PlannedEnd): Length | undefined {
  if (steps === undefined) return seconds === undefined ? undefined : { steps: seconds, clock: 'seconds' };
  // A planned end in steps is used for a warm-up in tokens too: both are positions in steps.
  const clock = inTokens === true || number(config, 'schedule.warmup_tokens') > 0 ? 'tokens' : 'steps';
  return { steps, clock: inTokens === true ? clock : clockOf(config, clock) };
}

/** A length that may be a fraction of the horizon, or of the run where the schedule has none. */
function lengthIn(config: Config, name: string, end: PlannedEnd, horizon: Length | undefined): Length {
  const length = lengthOf(config, `schedule.${name}`, end.tokensPerStep);
  const fraction = number(config, `schedule.${name}_fraction`);
  if (length.steps > 0 || fraction === 0) return length;
  const whole = horizon ?? plannedHorizon(config, end);
  if (whole === undefined)
    throw new ScheduleError(
      `schedule.${name}_fraction is ${fraction}, and neither a horizon nor a stop rule says of how many steps: ` +
        `set schedule.${name}_steps, or a limit beside stop.loss`,
    );
  return { ...whole, steps: fraction * whole.steps };
}

function positionAt(
  position: SchedulePosition,
  { clock }: Pick<Length, 'clock'>,
  { tokensPerStep }: PlannedEnd,
): number {
  if (clock === 'steps') return position.step;
  return clock === 'tokens' ? position.tokens / tokensPerStep : (position.seconds ?? 0);
}

/** The schedule of a complete configuration. Throws a {@link ScheduleError} that names the settings to change. */
export function buildSchedule(config: Config, end: PlannedEnd, kinds: Kinds = BUILT_IN): Schedule {
  const kind = kinds.of(scheduleFamily, config);
  const c = kinds.view(kind, config);
  const horizon = kind.needsEnd ? horizonOf(c, end) : undefined;
  const length = (name: string): Length => lengthIn(c, name, end, horizon);
  const warmup = length('warmup');
  const clock = horizon?.clock ?? warmup.clock;
  const at = (position: SchedulePosition, along: Pick<Length, 'clock'> = { clock }): number =>
    positionAt(position, along, end);
  const ending = (): Length => {
    if (horizon === undefined) throw new ScheduleError(`schedule ${kind.name} does not need an end, so it has none`);
    return horizon;
  };
  // How many seconds a warm-up in steps takes is not known: what follows counts from the start.
  const begins = (horizon?.clock === 'seconds') === (warmup.clock === 'seconds') ? warmup.steps : 0;
  const progress = (position: SchedulePosition): number => {
    const span = ending().steps - begins;
    return span > 0 ? Math.min(1, Math.max(0, (at(position, ending()) - begins) / span)) : 1;
  };
  const run: ScheduledRun = { warmup, length, at, progress, horizon: ending };
  const start = config['schedule.start'] as number;
  const after = kind.after(c, run);
  const step = warmup.clock === 'seconds' || config['schedule.from_start'] === true ? 0 : 1;
  return (position) => {
    const s = at(position, warmup);
    return s < warmup.steps ? start + (1 - start) * Math.min(1, (s + step) / warmup.steps) : after(position);
  };
}

/** Share of the way from the start of the run to the end of its schedule. */
function progressOf(config: Config, end: PlannedEnd, kinds: Kinds): (position: SchedulePosition) => number {
  const ends = kinds.of(scheduleFamily, config).needsEnd;
  const horizon = (ends ? givenHorizon(config, end) : undefined) ?? plannedHorizon(config, end);
  return (position) => {
    if (horizon === undefined)
      throw new ScheduleError(
        'neither a horizon nor a stop rule says where the run ends: set a limit beside stop.loss',
      );
    return Math.min(1, positionAt(position, horizon, end) / horizon.steps);
  };
}

/** How the weight decay moves; undefined where it does not. */
function buildDecay(config: Config, parameters: number, end: PlannedEnd, kinds: Kinds) {
  const kind = kinds.of(decayFamily, config);
  if (kind.name === decayFamily.kinds[0]!.name) return undefined;
  const factor = kind.factor(kinds.view(kind, config), { progress: progressOf(config, end, kinds), parameters });
  return { factor, followsLoss: kind.followsLoss === true };
}

/** How the momentum moves; undefined where it does not. */
function buildMomentum(config: Config, end: PlannedEnd, kinds: Kinds): Schedules['momentum'] {
  if (!momentumMoves(config)) return undefined;
  const kind = kinds.of(momentumFamily, config);
  const tokens = number(config, 'optimizer.momentum_rise_tokens');
  const length: Length =
    tokens > 0
      ? { steps: tokens / end.tokensPerStep, clock: 'tokens' }
      : { steps: number(config, 'optimizer.momentum_rise_steps'), clock: clockOf(config, 'steps') };
  const rise = (position: SchedulePosition): number =>
    length.steps > 0 ? Math.min(1, positionAt(position, length, end) / length.steps) : 1;
  return kind.at(kinds.view(kind, config), { rise, progress: progressOf(config, end, kinds) });
}

/** How everything moves that does over a run of these parameters. Throws a {@link ScheduleError}. */
export function buildSchedules(
  config: Config,
  { groups, parameterCount }: { readonly groups: readonly GroupSpec[]; readonly parameterCount: number },
  end: PlannedEnd,
  kinds: Kinds = BUILT_IN,
): Schedules {
  const ofGroups = new Map(
    groups.flatMap(({ name, schedule }) =>
      schedule === undefined ? [] : [[name, buildSchedule({ ...config, ...schedule }, end, kinds)] as const],
    ),
  );
  const decay = buildDecay(config, parameterCount, end, kinds);
  return {
    lr: buildSchedule(config, end, kinds),
    ofGroups,
    decay: decay?.factor,
    followsLoss: decay?.followsLoss === true,
    momentum: buildMomentum(config, end, kinds),
  };
}

/** Things that are allowed but rarely meant, in words for the user. */
export function scheduleWarnings(config: Config, end: PlannedEnd, kinds: Kinds = BUILT_IN): readonly string[] {
  const warnings: string[] = [];
  const needsEnd = kinds.of(scheduleFamily, config).needsEnd;
  const horizon = needsEnd ? horizonOf(config, end) : undefined;
  const warmup = lengthIn(config, 'warmup', end, horizon);
  if (warmup.clock === 'seconds') return warnings;
  if (end.steps !== undefined && warmup.steps > end.steps)
    warnings.push(
      `the warm-up (${counted(warmup.steps, 'step')}) is longer than the run (${counted(end.steps, 'step')}): the peak learning rate is never reached`,
    );
  if (horizon !== undefined && horizon.clock !== 'seconds' && horizon.steps <= warmup.steps)
    warnings.push(
      `the schedule ends (${counted(horizon.steps, 'step')}) before the warm-up does (${counted(warmup.steps, 'step')}): the learning rate drops at once to schedule.final`,
    );
  return warnings;
}
