import { defineSchedule } from './schedule.ts';

export const constant = defineSchedule({
  name: 'constant',
  help: 'Stays at the peak: for runs whose end is not known, and for comparing at every length.',
  needsEnd: false,
  after: () => () => 1,
});
