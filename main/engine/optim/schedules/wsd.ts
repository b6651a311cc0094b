/** Warm-up, stable, decay (Hu et al. 2024, Hägele et al. 2024): the peak until the last part of the run, then down to schedule.final. */
import { onlyOne } from '../../../../preload/shared/settings/onlyOne.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { endingByTime, ENDS } from './end.rules.ts';
import { defineSchedule } from './schedule.ts';
import { ofAnEnd } from './shared.settings.ts';

/** What is left of the way from the peak to the final rate, at the share q of the decay. */
const SHAPES: Readonly<Record<string, (q: number) => number>> = {
  linear: (q) => 1 - q,
  cosine: (q) => (1 + Math.cos(Math.PI * q)) / 2,
  // Falls fast at first: 1 − √q of Hägele et al.
  root: (q) => 1 - Math.sqrt(q),
};

const DECAYS = ['schedule.decay_steps', 'schedule.decay_tokens'];

/** Nobody knows how many seconds they will take. */
const decayByTheClock: Rule = {
  code: 'schedule.decay_by_the_clock',
  settings: [...DECAYS, ...ENDS],
  severity: 'error',
  yields: DECAYS,
  check: (config) => {
    const ending = endingByTime(config);
    const given = DECAYS.find((name) => (config[name] as number) > 0);
    if (ending === undefined || given === undefined) return null;
    const why = `${ending} ${String(config[ending])} says in seconds where the schedule ends`;
    return problem(
      given,
      config[given],
      '0 where the schedule ends in seconds: schedule.decay_fraction says then how long it decays',
      0,
      why,
    );
  },
};

export const wsd = defineSchedule({
  name: 'wsd',
  help: 'Stays at the peak and falls to schedule.final in the last part: the stable part can be continued with other ends.',
  settings: [
    ...ofAnEnd,
    {
      name: 'schedule.decay_fraction',
      type: { kind: 'float', min: 0, max: 1, exclusiveMin: true },
      default: 0.2,
      unit: 'fraction',
      help: 'Last part of the horizon in which wsd decays.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
      when: 'schedule.decay_steps == 0 && schedule.decay_tokens == 0',
    },
    {
      name: 'schedule.decay_steps',
      type: { kind: 'int', min: 0 },
      default: 0,
      unit: 'steps',
      help: 'Last steps before the horizon in which wsd decays; 0 takes schedule.decay_tokens or schedule.decay_fraction.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'schedule.decay_tokens',
      type: { kind: 'int', min: 0 },
      default: 0,
      unit: 'tokens',
      help: 'Last tokens before the horizon in which wsd decays; 0 takes schedule.decay_steps or schedule.decay_fraction.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
    {
      name: 'schedule.decay_shape',
      type: { kind: 'enum', values: Object.keys(SHAPES) },
      default: 'linear',
      help: 'How wsd decays: linear, cosine, or root (1 − √q), which falls fast at first.',
      question: 'stability',
      touches: ['stability'],
      plan: 'none',
    },
  ],
  rules: [onlyOne('schedule.one_decay', ...DECAYS), decayByTheClock],
  needsEnd: true,
  after(c, { at, horizon, length }) {
    const final = c['schedule.final'] as number;
    const [end, decay] = [horizon(), length('decay')];
    const left = SHAPES[c['schedule.decay_shape'] as string]!;
    return (position) => {
      // Rounding must not carry the end beyond 1, where the root is no longer a fall.
      const q = Math.min(1, Math.max(0, (at(position, end) - (end.steps - decay.steps)) / decay.steps));
      return final + (1 - final) * left(q);
    };
  },
});
