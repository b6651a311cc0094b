/** What moves with the learning rate to the end of a run. */
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import type { Kinds } from '../../kind.ts';
import { followsTheClock } from './end.rules.ts';
import { scheduleFamily } from './index.ts';

/** Says that `what` follows the clock, unless the learning rate does, of which that is said already. */
export const movesByTheClock = (what: string, kinds: Pick<Kinds, 'all'>): Rule =>
  followsTheClock(what, (config) => {
    const schedule = kinds.all(scheduleFamily).find(({ name }) => name === config['schedule.kind']);
    return schedule?.needsEnd !== true;
  });
