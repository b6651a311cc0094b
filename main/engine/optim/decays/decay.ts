/** What a schedule of the weight decay is: a kind that says by which factor the decay of a step is multiplied. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { DeclarationError, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import type { SchedulePosition } from '../schedules/schedule.ts';

/** A step before it is made. */
export interface DecayMoment {
  readonly position: SchedulePosition;
  /** Multiple of the peak learning rate. */
  readonly rate: number;
  /** Mean loss of the step before, in nats per token; undefined before the second step. */
  readonly loss: number | undefined;
}

export interface DecayRun {
  /** Share of the way to the end of the run's schedule, 0 … 1. Only for kinds that need an end. */
  progress(position: SchedulePosition): number;
  /** Parameters of the model. */
  readonly parameters: number;
}

export interface DecayKind extends Kind {
  readonly needsEnd: boolean;
  /** Whether it reads the loss of the step before: then no step is given to the device ahead of it. */
  readonly followsLoss?: boolean;
  factor(c: Config, run: DecayRun): (moment: DecayMoment) => number;
}

const define = definer<DecayKind>('decay', ['factor']);

export function defineDecay(kind: Declared<DecayKind>): DecayKind {
  if (typeof kind.needsEnd !== 'boolean')
    throw new DeclarationError(`decay ${String(kind.name)}: needsEnd must be true or false`);
  return define(kind);
}
