/** How the weight decay moves over a run, in the order in which it is offered. */
import type { Family } from '../../kind.ts';
import { endKnown } from '../schedules/end.rules.ts';
import { movesByTheClock } from '../schedules/movesByTheClock.ts';
import { constant } from './constant.ts';
import { cosine } from './cosine.ts';
import type { DecayKind } from './decay.ts';
import { linear } from './linear.ts';
import { loss } from './loss.ts';
import { lossPower } from './lossPower.ts';
import { decaySettings } from './shared.settings.ts';
import { withRate } from './withRate.ts';

export const decayFamily: Family<DecayKind> = {
  name: 'decay',
  setting: 'optimizer.decay_schedule',
  shared: decaySettings,
  rules: ({ needsEnd }, _, all) =>
    needsEnd ? [endKnown('optimizer.decay_schedule', constant.name), movesByTheClock('the weight decay', all)] : [],
  kinds: [constant, cosine, linear, withRate, loss, lossPower],
};
