/** What a schedule of the momentum is: a kind that says what the momentum of a step is, from the one that is set. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { DeclarationError, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import type { SchedulePosition } from '../schedules/schedule.ts';

/** A step before it is made. */
export interface MomentumMoment {
  readonly position: SchedulePosition;
  /** Multiple of the peak learning rate. */
  readonly rate: number;
}

export interface MomentumRun {
  /** Share of the rise that is done, 0 … 1. */
  rise(position: SchedulePosition): number;
  /** Share of the way to the end of the run's schedule, 0 … 1. Only for kinds that need an end. */
  progress(position: SchedulePosition): number;
}

export interface MomentumKind extends Kind {
  readonly needsEnd: boolean;
  /** `set` is the momentum of the optimizer's settings. */
  at(c: Config, run: MomentumRun): (set: number, moment: MomentumMoment) => number;
}

const define = definer<MomentumKind>('momentum', ['at']);

export function defineMomentum(kind: Declared<MomentumKind>): MomentumKind {
  if (typeof kind.needsEnd !== 'boolean')
    throw new DeclarationError(`momentum ${String(kind.name)}: needsEnd must be true or false`);
  return define(kind);
}

/** The setting that chooses it, and its value for a momentum that is always as it is set. */
export const MOMENTUM_SCHEDULE = 'optimizer.momentum_schedule';
export const CONSTANT = 'constant';

/** Whether the momentum is another one at each step, so that it cannot be a constant of a kernel. Where nothing is said it is not. */
export const momentumMoves = (c: Config): boolean => (c[MOMENTUM_SCHEDULE] ?? CONSTANT) !== CONSTANT;
