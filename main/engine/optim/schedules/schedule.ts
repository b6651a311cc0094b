/**
 * What a schedule is: a kind that says by which multiple of the peak learning rate each step is made, once the warm-up has ended.
 *
 * Every length can be given in steps or in tokens. Both become a position in *steps*: a length in tokens is divided by the planned tokens
 * per step, and so is the number of tokens seen. A schedule in tokens is therefore the same function of training progress as one in
 * steps: no exponent and no time constant depends on the unit.
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
}

/** Multiplier of the peak learning rate for the step that begins at `position`. */
export type Schedule = (position: SchedulePosition) => number;

/** A length in steps, not necessarily whole, and whether the position along it is counted in tokens. */
export interface Length {
  readonly steps: number;
  readonly inTokens: boolean;
}

/** The run that a schedule is for. */
export interface ScheduledRun {
  /** Zero steps without one. */
  readonly warmup: Length;
  /** The length that the settings `schedule.NAME_steps` and `schedule.NAME_tokens` give, one of which is 0. */
  length(name: string): Length;
  /** Steps made, in the unit in which `length` was given. */
  at(position: SchedulePosition, length: Length): number;
  /** Share of the way from the end of the warm-up to the horizon, 0 … 1. Only for schedules that need an end. */
  progress(position: SchedulePosition): number;
}

export interface ScheduleKind extends Kind {
  /** Whether it falls to an end, which must then be known: a horizon, or limits of the run in steps or tokens. */
  readonly needsEnd: boolean;
  /** The multiplier after the warm-up, which ends at 1. */
  after(c: Config, run: ScheduledRun): Schedule;
}

/** The end of a schedule where it is not that of the run. */
const HORIZON = ['schedule.horizon_steps', 'schedule.horizon_tokens'];

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
