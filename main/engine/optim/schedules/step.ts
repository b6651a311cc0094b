/** m = factor^⌊s/every⌋, counted from the start of the run whatever the warm-up. */
import { onlyOne } from '../../../../preload/shared/settings/onlyOne.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { defineSchedule, ScheduleError } from './schedule.ts';

const LENGTHS = ['schedule.step_every_steps', 'schedule.step_every_tokens', 'schedule.step_every_fraction'];

export const step = defineSchedule({
  name: 'step',
  help: 'Drops by schedule.step_factor at even distances, without an end.',
  settings: [
    {
      name: 'schedule.step_every_steps',
      type: { kind: 'int', min: 0 },
      default: 0,
      unit: 'steps',
      help: 'Steps between two drops of the step schedule; give this or schedule.step_every_tokens.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'schedule.step_every_tokens',
      type: { kind: 'int', min: 0 },
      default: 0,
      unit: 'tokens',
      help: 'Tokens between two drops of the step schedule; give this or schedule.step_every_steps.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'schedule.step_every_fraction',
      type: { kind: 'float', min: 0, max: 1 },
      default: 0,
      unit: 'fraction',
      help: 'Distance of two drops as a fraction of the run; give this or one of the lengths above.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'schedule.step_factor',
      type: { kind: 'float', min: 0, max: 1, exclusiveMin: true },
      default: 0.1,
      help: 'What each drop of the step schedule multiplies the learning rate by.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  rules: [
    onlyOne('schedule.one_step_length', ...LENGTHS),
    {
      code: 'schedule.step_length_missing',
      settings: ['schedule.kind', ...LENGTHS],
      severity: 'error',
      check: (config) => {
        const number = (name: string): number => config[name] as number;
        if (LENGTHS.some((name) => number(name) > 0)) return null;
        const third = Math.max(1, Math.floor(number('stop.steps') / 3)) || 100;
        const allowed = 'at least 1 with schedule.kind step (or set schedule.step_every_tokens)';
        return problem('schedule.step_every_steps', 0, allowed, third);
      },
    },
  ],
  needsEnd: false,
  after(c, run) {
    const every = run.length('step_every');
    if (every.steps === 0)
      throw new ScheduleError(
        'schedule.kind is step but schedule.step_every_steps, schedule.step_every_tokens and schedule.step_every_fraction are 0: set one of them',
      );
    const factor = c['schedule.step_factor'] as number;
    // The small addition keeps a whole number of drops whole after the division by tokens per step.
    return (position) => factor ** Math.floor(run.at(position, every) / every.steps + 1e-9);
  },
});
