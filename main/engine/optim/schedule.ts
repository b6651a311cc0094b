/**
 * Learning-rate schedules: the multiplier of the peak learning rate at each optimizer step.
 *
 * Every length can be given in steps or in tokens. Both become a position in *steps*: a length in tokens is divided by the
 * planned tokens per step, and so is the number of tokens seen. A schedule in tokens is therefore the same function of
 * training progress as one in steps: no exponent and no time constant depends on the unit.
 *
 * With s the position before the step (0 at the first), W the warm-up, H the horizon, m₀ = schedule.start and f = schedule.final:
 *
 *   warm-up (s < W)   m = m₀ + (1 − m₀)·min(1, (s + 1)/W), so step W − 1 (the last of the warm-up) has the peak rate
 *   cosine            m = f + (1 − f)·(1 + cos πq)/2 with q = (s − W)/(H − W) clamped to [0, 1]   (Loshchilov & Hutter 2017)
 *   linear            m = 1 − (1 − f)·q
 *   step              m = factor^⌊s/every⌋, counted from the start of the run whatever the warm-up
 *   constant          m = 1
 *   inverse_power     m = ((s + 1)/max(W, 1))^−power, which is 1 where the warm-up ends   (power ½: Vaswani et al. 2017)
 *
 * Beyond the horizon cosine and linear stay at f.
 */
import type { Config } from '../../../preload/contract/settings.ts';

/** Where a run stands before a step. */
export interface SchedulePosition {
  /** Updates made. */
  readonly step: number;
  /** Training tokens seen. */
  readonly tokens: number;
}

/** Where the run is expected to end; undefined when its stop rules do not say (time, target loss). */
export interface PlannedEnd {
  readonly steps: number | undefined;
  /** Training tokens of a full step. */
  readonly tokensPerStep: number;
}

/** Multiplier of the peak learning rate for the step that begins at `position`. */
export type Schedule = (position: SchedulePosition) => number;

/** A schedule that cannot be built from these settings. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

/** A length in steps, and whether the position is counted in tokens. */
interface Length {
  readonly steps: number;
  readonly inTokens: boolean;
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

function warmUp(position: number, length: number, start: number): number {
  return start + (1 - start) * Math.min(1, (position + 1) / length);
}

function decay(kind: string, progress: number, final: number): number {
  const q = Math.min(1, Math.max(0, progress));
  return kind === 'cosine' ? final + ((1 - final) * (1 + Math.cos(Math.PI * q))) / 2 : 1 - (1 - final) * q;
}

/** The schedule of a complete configuration. Throws a {@link ScheduleError} that names the settings to change. */
export function buildSchedule(config: Config, end: PlannedEnd): Schedule {
  const { tokensPerStep } = end;
  const kind = config['schedule.kind'] as string;
  const number = (name: string): number => config[`schedule.${name}`] as number;
  const at = (position: SchedulePosition, length: Length): number =>
    length.inTokens ? position.tokens / tokensPerStep : position.step;

  const warmup = lengthOf(config, 'warmup', tokensPerStep);
  const start = number('start');
  const after = afterWarmUp();
  return (position) => {
    const s = at(position, warmup);
    return s < warmup.steps ? warmUp(s, warmup.steps, start) : after(position);
  };

  function afterWarmUp(): Schedule {
    switch (kind) {
      case 'constant':
        return () => 1;
      case 'cosine':
      case 'linear': {
        const horizon = horizonOf(config, end);
        const final = number('final');
        const span = horizon.steps - warmup.steps;
        return (position) => decay(kind, span > 0 ? (at(position, horizon) - warmup.steps) / span : 1, final);
      }
      case 'step': {
        const every = lengthOf(config, 'step_every', tokensPerStep);
        if (every.steps === 0)
          throw new ScheduleError(
            'schedule.kind is step but schedule.step_every_steps and schedule.step_every_tokens are 0: set one of them',
          );
        const factor = number('step_factor');
        // The small addition keeps a whole number of drops whole after the division by tokens per step.
        return (position) => factor ** Math.floor(at(position, every) / every.steps + 1e-9);
      }
      case 'inverse_power': {
        const power = number('power');
        return (position) => ((at(position, warmup) + 1) / Math.max(warmup.steps, 1)) ** -power;
      }
      default:
        throw new ScheduleError(
          `schedule.kind is ${kind}: allowed are cosine, linear, step, constant and inverse_power`,
        );
    }
  }
}

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

/** Things that are allowed but rarely meant, in words for the user. */
export function scheduleWarnings(config: Config, end: PlannedEnd): readonly string[] {
  const warnings: string[] = [];
  const warmup = lengthOf(config, 'warmup', end.tokensPerStep).steps;
  const kind = config['schedule.kind'] as string;
  if (end.steps !== undefined && warmup > end.steps)
    warnings.push(
      `the warm-up (${warmup} steps) is longer than the run (${end.steps} steps): the peak learning rate is never reached`,
    );
  if (kind === 'cosine' || kind === 'linear') {
    const horizon = horizonOf(config, end).steps;
    if (horizon <= warmup)
      warnings.push(
        `the schedule ends (${horizon} steps) before the warm-up does (${warmup} steps): the learning rate drops at once to schedule.final`,
      );
  }
  return warnings;
}
