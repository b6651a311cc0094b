/** Rules for all schedules: lengths in one unit, and a warm-up that ends before what follows it. */
import type { Config, SettingProblem } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { tokensPerStep } from '../../settings/batch.ts';
import { STOP_RULES } from '../../settings/stop.ts';
import type { ScheduleKind } from './schedule.ts';

const number = (config: Config, name: string): number => config[name] as number;

/** A length in tokens given as steps or tokens; 0 when neither is set. */
function length(config: Config, steps: string, tokens: string): number {
  return number(config, steps) * tokensPerStep(config) || number(config, tokens);
}

/** Refuses two settings that say the same thing in two units. */
export function onlyOne(code: string, steps: string, tokens: string): Rule {
  return {
    code,
    settings: [steps, tokens],
    severity: 'error',
    yields: [steps, tokens],
    check: (config) => {
      if (number(config, steps) === 0 || number(config, tokens) === 0) return null;
      const why = `${steps} is ${number(config, steps)} too`;
      const other = { setting: steps, value: number(config, steps), nearest: 0 };
      return problem(tokens, number(config, tokens), `one of ${steps} and ${tokens}, the other 0`, 0, why, [other]);
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
  const found = problem(setting, number(config, setting), `at most ${most}, ${what}`, most);
  // A warm-up that nobody asked for must not take up the whole of a short run.
  const half = Math.floor(most / 2);
  return { ...found, yielded: { value: half, why: `half of ${most}, ${what}` } };
}

const horizon = (config: Config): number => length(config, 'schedule.horizon_steps', 'schedule.horizon_tokens');

/** Tokens after which the run ends by steps or tokens, whichever is first; 0 when neither rule is on. */
function plannedTokens(config: Config): number {
  const ends = [number(config, 'stop.steps') * tokensPerStep(config), number(config, 'stop.tokens')].filter(
    (n) => n > 0,
  );
  return ends.length > 0 ? Math.min(...ends) : 0;
}

const WARMUP: readonly string[] = ['schedule.warmup_steps', 'schedule.warmup_tokens'];

/** The warm-up must end before the horizon, or before the run where that is the horizon. */
const beforeTheEnd: readonly Rule[] = [
  {
    code: 'schedule.warmup_in_horizon',
    settings: ['schedule.warmup_steps', 'schedule.warmup_tokens', 'schedule.horizon_steps', 'schedule.horizon_tokens'],
    severity: 'error',
    yields: WARMUP,
    check: (config) =>
      horizon(config) > 0 ? warmupBefore(config, horizon(config), 'so that the warm-up ends before the horizon') : null,
  },
  {
    code: 'schedule.warmup_in_run',
    settings: ['schedule.warmup_steps', 'schedule.warmup_tokens', 'stop.steps', 'stop.tokens', 'schedule.kind'],
    severity: 'error',
    yields: WARMUP,
    check: (config) =>
      horizon(config) === 0
        ? warmupBefore(config, plannedTokens(config), 'so that the warm-up ends before the run, and its schedule, do')
        : null,
  },
];

/** What can be chosen where there is no end: it needs no setting of its own. */
const WITHOUT_END = 'constant';

/** A schedule that falls to its end must know where that is. */
const horizonKnown: Rule = {
  code: 'schedule.horizon_unknown',
  settings: ['schedule.kind', 'schedule.horizon_steps', 'schedule.horizon_tokens', ...STOP_RULES],
  severity: 'error',
  yields: ['schedule.kind'],
  check: (config) => {
    if (horizon(config) > 0) return null;
    const plans = ['stop.steps', 'stop.tokens', 'stop.epochs', 'stop.tokens_per_parameter', 'stop.flops'];
    const others = ['stop.seconds', 'stop.loss'].filter((name) => number(config, name) > 0);
    if (others.length === 0 || plans.some((name) => number(config, name) > 0)) return null;
    const why = `${others.join(' and ')} alone cannot say where the schedule ends`;
    const allowed = 'one that falls to no end; or set schedule.horizon_steps, or a limit in steps or tokens';
    const found = problem('schedule.kind', config['schedule.kind'], allowed, WITHOUT_END, why);
    return { ...found, yielded: { value: WITHOUT_END, why } };
  },
};

function peakReached(needsEnd: boolean): Rule {
  return {
    code: 'schedule.peak_unreached',
    settings: ['schedule.warmup_steps', 'schedule.warmup_tokens', 'stop.steps', 'stop.tokens', 'schedule.kind'],
    severity: 'warning',
    check: (config) =>
      needsEnd && horizon(config) === 0
        ? null
        : warmupBefore(config, plannedTokens(config), 'so that the run reaches the peak learning rate'),
  };
}

export function scheduleRules({ needsEnd }: ScheduleKind): readonly Rule[] {
  return [
    onlyOne('schedule.one_warmup', 'schedule.warmup_steps', 'schedule.warmup_tokens'),
    onlyOne('schedule.one_horizon', 'schedule.horizon_steps', 'schedule.horizon_tokens'),
    ...(needsEnd ? [...beforeTheEnd, horizonKnown] : []),
    peakReached(needsEnd),
  ];
}
