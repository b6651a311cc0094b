import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';

const WARMS_UP = 'schedule.warmup_steps > 0 || schedule.warmup_tokens > 0 || schedule.warmup_fraction > 0';

/** How the learning rate moves over the run: what all schedules share. */
export const scheduleSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: 'schedule.kind',
    type: { kind: 'enum', values: [] },
    default: 'cosine',
    help: 'Shape after the warm-up. cosine, linear, wsd and one_cycle fall to schedule.final at the horizon; the others need none.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'schedule.unit',
    type: { kind: 'enum', values: ['auto', 'steps', 'tokens'] },
    default: 'auto',
    help: 'What the schedule is counted in. auto: tokens where a length is given in tokens, else steps. A power or base is per step either way.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'schedule.warmup_steps',
    type: { kind: 'int', min: 0 },
    default: 0,
    unit: 'steps',
    help: 'Warm-up in optimizer steps; give this or schedule.warmup_tokens.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'schedule.warmup_tokens',
    type: { kind: 'int', min: 0 },
    default: 0,
    unit: 'tokens',
    help: 'Warm-up in tokens, the same whatever the batch size; give this or schedule.warmup_steps.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'schedule.warmup_fraction',
    type: { kind: 'float', min: 0, max: 1 },
    default: 0,
    unit: 'fraction',
    help: 'Warm-up as a fraction of the horizon, or of the run where there is none; give this or one of the lengths above.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
  },
  {
    name: 'schedule.start',
    type: { kind: 'float', min: 0, max: 1 },
    default: 0,
    unit: 'fraction',
    help: 'Where the warm-up begins, as a fraction of the peak: the first step is already one step above it, unless schedule.from_start.',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
    when: WARMS_UP,
  },
  {
    name: 'schedule.from_start',
    type: { kind: 'bool' },
    default: false,
    help: 'The first step has the rate schedule.start itself, and the one after the warm-up is the first at the peak (hlb-gpt).',
    question: 'stability',
    touches: ['stability'],
    plan: 'none',
    when: WARMS_UP,
  },
  KINDS_HERE,
];

/** Settings of every schedule that falls to an end. */
const horizonSteps: SettingSpec = {
  name: 'schedule.horizon_steps',
  type: { kind: 'int', min: 0 },
  default: 0,
  unit: 'steps',
  help: 'Step at which the schedule ends; 0 (with schedule.horizon_tokens 0) means the planned end of the run.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

const horizonTokens: SettingSpec = {
  name: 'schedule.horizon_tokens',
  type: { kind: 'int', min: 0 },
  default: 0,
  unit: 'tokens',
  help: 'Tokens after which the schedule ends; 0 (with schedule.horizon_steps 0) means the planned end of the run.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

const horizonSeconds: SettingSpec = {
  name: 'schedule.horizon_seconds',
  type: { kind: 'float', min: 0 },
  default: 0,
  unit: 'seconds',
  help: 'Seconds of training after which the schedule ends; 0 means the end of the run, which stop.seconds alone says in time. No two such runs are the same.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

const final: SettingSpec = {
  name: 'schedule.final',
  type: { kind: 'float', min: 0, max: 1 },
  default: 0.1,
  unit: 'fraction',
  help: 'Learning rate at the horizon, as a fraction of the peak.',
  question: 'stability',
  touches: ['stability'],
  plan: 'none',
};

export const ofAnEnd: readonly SettingSpec[] = [horizonSteps, horizonTokens, horizonSeconds, final];
