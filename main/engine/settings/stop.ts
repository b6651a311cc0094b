/** When a run ends: the first rule reached, always after a final evaluation. 0 switches a rule off. */
import type { Config, SettingSpec } from '../../../preload/contract/settings.ts';
import type { Rule } from '../../../preload/shared/settings/rules.ts';
import { problem } from '../../../preload/shared/settings/values.ts';
import type { Common, DerivedDefault } from '../kind.ts';
import { tokensPerStep } from './batch.ts';

/**
 * Which parameters count: tables that are only looked up are embeddings, `matrices_and_head` is the count of nanochat, and without embeddings and
 * head is that of Kaplan et al. 2020.
 */
export const COUNTED_PARAMETERS = [
  'all',
  'without_embeddings',
  'without_embeddings_and_head',
  'matrices_and_head',
] as const;

const COUNTED = 'stop.counted_parameters';

export type CountedParameters = (typeof COUNTED_PARAMETERS)[number];

const settings: readonly SettingSpec[] = [
  {
    name: 'stop.steps',
    type: { kind: 'int', min: 0 },
    default: 500,
    unit: 'steps',
    help: 'End after this many optimizer steps; 0 is off. The default steps aside when another limit (not stop.loss) is set.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'stop.epochs',
    type: { kind: 'float', min: 0 },
    default: 0,
    unit: 'epochs',
    help: 'End after this many passes over the training tokens (fractions allowed); 0 is off.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'stop.tokens',
    type: { kind: 'int', min: 0 },
    default: 0,
    unit: 'tokens',
    help: 'End after this many training tokens; 0 is off. Compares batch sizes fairly.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'stop.seconds',
    type: { kind: 'float', min: 0 },
    default: 0,
    unit: 'seconds',
    help: 'End after this much training time, evaluations not counted; 0 is off.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'stop.loss',
    type: { kind: 'float', min: 0 },
    default: 0,
    unit: 'nats/token',
    help: 'End once val/loss is at or below this; 0 is off. Seen only at evaluations.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: 'stop.tokens_per_parameter',
    type: { kind: 'float', min: 0 },
    default: 0,
    unit: 'tokens',
    help: 'End after this many training tokens per parameter (about 20 is compute-optimal); 0 is off.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
  {
    name: COUNTED,
    type: { kind: 'enum', values: COUNTED_PARAMETERS },
    default: 'all',
    help: 'Which parameters stop.tokens_per_parameter counts. A tied table is a head; matrices_and_head is what depth-dial is scaled by.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
    when: 'stop.tokens_per_parameter > 0',
  },
  {
    name: 'stop.flops',
    type: { kind: 'float', min: 0 },
    default: 0,
    unit: 'FLOPs',
    help: 'End after this many floating-point operations (1e15, for example); 0 is off. Compares sizes at equal compute.',
    question: 'budget',
    touches: ['time'],
    plan: 'none',
  },
];

/** Names of all stop rules. */
export const STOP_RULES: readonly string[] = settings.map(({ name }) => name).filter((name) => name !== COUNTED);

const number = (config: Config, name: string): number => config[name] as number;

/** Limits that make the default of stop.steps step aside; stop.loss is not one, since it may never be reached. */
export const LIMITS = STOP_RULES.filter((name) => name !== 'stop.steps' && name !== 'stop.loss');

const derived: readonly DerivedDefault[] = [
  {
    setting: 'stop.steps',
    rule: '0 where another limit (not stop.loss) is set, so that the run ends there',
    value: (config) => (LIMITS.some((name) => number(config, name) > 0) ? 0 : undefined),
  },
];

const rules: readonly Rule[] = [
  {
    code: 'stop.none',
    settings: STOP_RULES,
    severity: 'error',
    check: (config) =>
      STOP_RULES.some((name) => number(config, name) > 0)
        ? null
        : problem('stop.steps', 0, `at least one of ${STOP_RULES.join(', ')} above 0`, 500, 'the run would never end'),
  },
  {
    code: 'stop.loss_needs_evaluations',
    settings: ['stop.loss', 'eval.every_steps'],
    severity: 'error',
    yields: ['eval.every_steps'],
    check: (config) => {
      if (number(config, 'stop.loss') === 0 || number(config, 'eval.every_steps') > 0) return null;
      return problem('eval.every_steps', 0, 'at least 1 with stop.loss, which is seen only at evaluations', 100);
    },
  },
  {
    code: 'stop.tokens_unreached',
    settings: ['stop.steps', 'stop.tokens', 'batch.sequences', 'model.context'],
    severity: 'warning',
    check: (config) => {
      const [steps, tokens] = [number(config, 'stop.steps'), number(config, 'stop.tokens')];
      const most = steps * tokensPerStep(config);
      if (steps === 0 || tokens <= most) return null;
      const why = `stop.steps ${steps} × ${tokensPerStep(config)} tokens = ${most} ends the run first`;
      return problem('stop.tokens', tokens, `at most ${most} to be reached, or stop.steps 0`, most, why);
    },
  },
  {
    code: 'stop.loss_alone',
    settings: STOP_RULES,
    severity: 'warning',
    check: (config) => {
      const on = STOP_RULES.filter((name) => number(config, name) > 0);
      if (on.length !== 1 || on[0] !== 'stop.loss') return null;
      const why = 'a run that never gets there never ends';
      return problem(
        'stop.loss',
        number(config, 'stop.loss'),
        'better with a limit beside it, such as stop.steps',
        undefined,
        why,
      );
    },
  },
];

export const stopSettings: Common = { settings, rules, derived };
