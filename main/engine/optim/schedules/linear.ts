/** m = 1 − (1 − f)·q at the share q of the way to the horizon, f = schedule.final. */
import { defineSchedule } from './schedule.ts';
import { ofAnEnd } from './shared.settings.ts';

export const linear = defineSchedule({
  name: 'linear',
  help: 'Falls in a straight line to schedule.final at the horizon, and stays there.',
  settings: ofAnEnd,
  needsEnd: true,
  after(c, { progress }) {
    const final = c['schedule.final'] as number;
    return (position) => 1 - (1 - final) * progress(position);
  },
});
