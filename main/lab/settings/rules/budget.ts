/** Rules for batches, schedules, evaluation and stop rules: what depends on how long a run is. */
import type { Config, SettingProblem } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { divisors, nearestWhere } from '../../../../preload/shared/settings/arithmetic.ts';

const number = (config: Config, name: string): number => config[name] as number;

export const STOP_RULES = [
  'stop.steps',
  'stop.epochs',
  'stop.tokens',
  'stop.seconds',
  'stop.loss',
  'stop.tokens_per_parameter',
  'stop.flops',
] as const;

/** Tokens of a full optimizer step. */
export function tokensPerStep(config: Config): number {
  return number(config, 'batch.sequences') * number(config, 'model.context');
}

/** A length in tokens given as steps or tokens; 0 when neither is set. */
function length(config: Config, steps: string, tokens: string): number {
  return number(config, steps) * tokensPerStep(config) || number(config, tokens);
}

/** Refuses two settings that say the same thing in two units. */
function onlyOne(code: string, steps: string, tokens: string): Rule {
  return {
    code,
    settings: [steps, tokens],
    severity: 'error',
    check: (config) => {
      if (number(config, steps) === 0 || number(config, tokens) === 0) return null;
      const why = `${steps} is ${number(config, steps)} too`;
      return problem(tokens, number(config, tokens), `one of ${steps} and ${tokens}, the other 0`, 0, why);
    },
  };
}

/** A length as the setting's own unit, for messages. */
function inUnit(config: Config, tokens: number, setting: string): number {
  return setting.endsWith('_steps') ? Math.floor(tokens / tokensPerStep(config)) : tokens;
}

/** The warm-up must end before `end` tokens. */
function warmupBefore(config: Config, end: number, what: string): SettingProblem | null {
  const warmup = length(config, 'schedule.warmup_steps', 'schedule.warmup_tokens');
  if (warmup === 0 || end === 0 || warmup <= end) return null;
  const setting = number(config, 'schedule.warmup_steps') > 0 ? 'schedule.warmup_steps' : 'schedule.warmup_tokens';
  const most = inUnit(config, end, setting);
  return problem(setting, number(config, setting), `at most ${most}, ${what}`, most);
}

const hasEnd = (config: Config): boolean => ['cosine', 'linear'].includes(config['schedule.kind'] as string);
const horizon = (config: Config): number => length(config, 'schedule.horizon_steps', 'schedule.horizon_tokens');

/** Tokens after which the run ends by steps or tokens, whichever is first; 0 when neither rule is on. */
function plannedTokens(config: Config): number {
  const ends = [number(config, 'stop.steps') * tokensPerStep(config), number(config, 'stop.tokens')].filter(
    (n) => n > 0,
  );
  return ends.length > 0 ? Math.min(...ends) : 0;
}

export const budgetRules: readonly Rule[] = [
  {
    code: 'batch.micro_divides_batch',
    settings: ['batch.sequences', 'batch.micro'],
    severity: 'error',
    check: (config) => {
      const batch = number(config, 'batch.sequences');
      const micro = number(config, 'batch.micro');
      if (micro === 0 || batch % micro === 0) return null;
      const choices = divisors(batch);
      const nearest = nearestWhere(micro, 1, Math.max(micro, batch), (m) => choices.includes(m));
      const why = { rule: 'batch.sequences % batch.micro', numbers: `${batch} % ${micro} = ${batch % micro}` };
      return problem('batch.micro', micro, `a divisor of batch.sequences ${batch}, or 0 for all at once`, nearest, why);
    },
  },
  onlyOne('schedule.one_warmup', 'schedule.warmup_steps', 'schedule.warmup_tokens'),
  onlyOne('schedule.one_horizon', 'schedule.horizon_steps', 'schedule.horizon_tokens'),
  onlyOne('schedule.one_step_length', 'schedule.step_every_steps', 'schedule.step_every_tokens'),
  {
    code: 'schedule.step_length_missing',
    settings: ['schedule.kind', 'schedule.step_every_steps', 'schedule.step_every_tokens'],
    severity: 'error',
    check: (config) => {
      if (config['schedule.kind'] !== 'step') return null;
      if (length(config, 'schedule.step_every_steps', 'schedule.step_every_tokens') > 0) return null;
      const third = Math.max(1, Math.floor(number(config, 'stop.steps') / 3)) || 100;
      const allowed = 'at least 1 with schedule.kind step (or set schedule.step_every_tokens)';
      return problem('schedule.step_every_steps', 0, allowed, third);
    },
  },
  {
    code: 'schedule.warmup_in_horizon',
    settings: ['schedule.warmup_steps', 'schedule.warmup_tokens', 'schedule.horizon_steps', 'schedule.horizon_tokens'],
    severity: 'error',
    check: (config) =>
      hasEnd(config) && horizon(config) > 0
        ? warmupBefore(config, horizon(config), 'so that the warm-up ends before the horizon')
        : null,
  },
  {
    code: 'schedule.warmup_in_run',
    settings: ['schedule.warmup_steps', 'schedule.warmup_tokens', 'stop.steps', 'stop.tokens', 'schedule.kind'],
    severity: 'error',
    check: (config) =>
      hasEnd(config) && horizon(config) === 0
        ? warmupBefore(config, plannedTokens(config), 'so that the warm-up ends before the run, and its schedule, do')
        : null,
  },
  {
    code: 'schedule.peak_unreached',
    settings: ['schedule.warmup_steps', 'schedule.warmup_tokens', 'stop.steps', 'stop.tokens', 'schedule.kind'],
    severity: 'warning',
    check: (config) =>
      hasEnd(config) && horizon(config) === 0
        ? null
        : warmupBefore(config, plannedTokens(config), 'so that the run reaches the peak learning rate'),
  },
  {
    code: 'schedule.horizon_unknown',
    settings: ['schedule.kind', 'schedule.horizon_steps', 'schedule.horizon_tokens', ...STOP_RULES],
    severity: 'error',
    check: (config) => {
      if (!hasEnd(config) || horizon(config) > 0) return null;
      const plans = ['stop.steps', 'stop.tokens', 'stop.epochs', 'stop.tokens_per_parameter', 'stop.flops'];
      const others = ['stop.seconds', 'stop.loss'].filter((name) => number(config, name) > 0);
      if (others.length === 0 || plans.some((name) => number(config, name) > 0)) return null;
      return problem(
        'schedule.kind',
        config['schedule.kind'],
        'constant, step or inverse_power here; or set schedule.horizon_steps, or a limit in steps or tokens',
        'constant',
        `${others.join(' and ')} alone cannot say where the schedule ends`,
      );
    },
  },
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
