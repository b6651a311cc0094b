/** The schedules, in the order in which they are offered. */
import type { Family } from '../../kind.ts';
import { constant } from './constant.ts';
import { cosine } from './cosine.ts';
import { exponential } from './exponential.ts';
import { inversePower } from './inversePower.ts';
import { linear } from './linear.ts';
import { oneCycle } from './oneCycle.ts';
import { powerLaw } from './powerLaw.ts';
import type { ScheduleKind } from './schedule.ts';
import { scheduleRules } from './shared.rules.ts';
import { scheduleSettings } from './shared.settings.ts';
import { step } from './step.ts';
import { wsd } from './wsd.ts';

export const scheduleFamily: Family<ScheduleKind> = {
  name: 'schedule',
  setting: 'schedule.kind',
  shared: scheduleSettings,
  rules: scheduleRules,
  kinds: [cosine, linear, wsd, oneCycle, step, constant, inversePower, powerLaw, exponential],
};
