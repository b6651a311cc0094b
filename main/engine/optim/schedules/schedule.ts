/**
 * What a schedule is: a kind that says by which multiple of the peak learning rate each step is made, once the warm-up has ended.
 *
 * Every length can be given in steps, in tokens, or as a fraction of the horizon. All become a position in *steps*: a length in tokens is
 * divided by the planned tokens per step, and so is the number of tokens seen. A schedule in tokens is therefore the same function of training
 * progress as one in steps: no exponent and no time constant depends on the unit.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import { DeclarationError, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';

/** Where a run stands before a step. */
export interface SchedulePosition {
  /** Updates made. */
  readonly step: number;
  /** Training tokens seen. */
  readonly tokens: number;
  /** Seconds spent in training steps; 0 where nobody counts them. */
  readonly seconds?: number;
}

/** Multiplier of the peak learning rate for the step that begins at `position`. */
export type Schedule = (position: SchedulePosition) => number;

/** What a position is counted in. */
export type Clock = 'steps' | 'tokens' | 'seconds';

/** A length in steps (of a clock in seconds, in seconds), not necessarily whole, and what the position along it is counted in. */
export interface Length {
  readonly steps: number;
  readonly clock: Clock;
}

/** The run that a schedule is for. */
export interface ScheduledRun {
  /** Zero steps without one. */
  readonly warmup: Length;
  /**
   * The length that the settings `schedule.NAME_steps`, `schedule.NAME_tokens` and `schedule.NAME_fraction` give: the first that is above 0.
   * A fraction is one of the horizon.
   */
  length(name: string): Length;
  /** Steps made, in the unit in which `length` was given; without one, in that of the schedule. */
  at(position: SchedulePosition, length?: Length): number;
  /** Where the schedule ends. Only for schedules that need an end. */
  horizon(): Length;
  /** Share of the way from the end of the warm-up to the horizon, 0 … 1. Only for schedules that need an end. */
  progress(position: SchedulePosition): number;
}

export interface ScheduleKind extends Kind {
  /** Whether it falls to an end, which must then be known: a horizon, or limits of the run in steps, tokens or time. */
  readonly needsEnd: boolean;
  /** The multiplier after the warm-up, which ends at 1. */
  after(c: Config, run: ScheduledRun): Schedule;
}

/** The end of a schedule where it is not that of the run. */
const HORIZON = ['schedule.horizon_steps', 'schedule.horizon_tokens', 'schedule.horizon_seconds'];

const define = definer<ScheduleKind>('schedule', ['after']);

export function defineSchedule(kind: Declared<ScheduleKind>): ScheduleKind {
  if (typeof kind.needsEnd !== 'boolean')
    throw new DeclarationError(`schedule ${String(kind.name)}: needsEnd must be true or false`);
  const { settings = [], needsEnd } = kind;
  const named = new Set(settings.map((entry) => (typeof entry === 'string' ? entry : entry.name)));
  // Whoever needs an end can be given one.
  const horizon = needsEnd ? HORIZON.filter((name) => !named.has(name)) : [];
  return define({ ...kind, settings: [...settings, ...horizon] });
}

/** A schedule that cannot be built from these settings. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}
