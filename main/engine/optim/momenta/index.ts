/** How the momentum moves over a run, in the order in which it is offered. */
import type { Family } from '../../kind.ts';
import { endKnown } from '../schedules/end.rules.ts';
import { movesByTheClock } from '../schedules/movesByTheClock.ts';
import { constant } from './constant.ts';
import { cycle } from './cycle.ts';
import { CONSTANT, MOMENTUM_SCHEDULE } from './momentum.ts';
import type { MomentumKind } from './momentum.ts';
import { rise } from './rise.ts';
import { riseAndFall } from './riseAndFall.ts';
import { momentumSettings } from './shared.settings.ts';

/** Of optimizers that use it (see `uses` of a kind). */
export const momentumFamily: Family<MomentumKind> = {
  name: 'momentum',
  setting: MOMENTUM_SCHEDULE,
  shared: momentumSettings,
  rules: ({ needsEnd }, _, all) =>
    needsEnd ? [endKnown(MOMENTUM_SCHEDULE, CONSTANT), movesByTheClock('the momentum', all)] : [],
  kinds: [constant, rise, riseAndFall, cycle],
};
