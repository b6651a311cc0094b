/** m = f + (1 − f)·(1 + cos πq)/2 at the share q of the way to the horizon (Loshchilov & Hutter 2017), f = schedule.final. */
import { defineSchedule } from './schedule.ts';
import { ofAnEnd } from './shared.settings.ts';

export const cosine = defineSchedule({
  name: 'cosine',
  help: 'Falls along half a cosine to schedule.final at the horizon, and stays there: the usual choice.',
  settings: ofAnEnd,
  needsEnd: true,
  after(c, { progress }) {
    const final = c['schedule.final'] as number;
    return (position) => final + ((1 - final) * (1 + Math.cos(Math.PI * progress(position)))) / 2;
  },
});
