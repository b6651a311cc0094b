/** Rules for all schedules: lengths in one unit, and a warm-up that ends before what follows it. */
import type { Config, SettingProblem } from '../../../../preload/contract/settings.ts';
import { onlyOne } from '../../../../preload/shared/settings/onlyOne.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { tokensPerStep } from '../../settings/batch.ts';
import { settingNames } from '../../kind.ts';
import { ENDS, followsTheClock, HORIZONS, isOpen, openWhy } from './end.rules.ts';
import type { ScheduleKind } from './schedule.ts';

const number = (config: Config, name: string): number => config[name] as number;

/** A length in tokens given as steps or tokens; 0 when neither is set. */
function length(config: Config, steps: string, tokens: string): number {
  return number(config, steps) * tokensPerStep(config) || number(config, tokens);
}

/** A length as the setting's own unit, for messages. */
function inUnit(config: Config, tokens: number, setting: string): number {
  return setting.endsWith('_steps') ? Math.floor(tokens / tokensPerStep(config)) : tokens;
}

/** The warm-up must end before `end` tokens. */
function warmupBefore(config: Config, end: number, what: string): SettingProblem | null {
  const warmup = length(config, 'schedule.warmup_steps', 'schedule.warmup_tokens');
  // A fraction of the horizon ends before it.
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

const RATE = 'the learning rate';
const FRACTION = 'schedule.warmup_fraction';
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
  settings: ['schedule.kind', ...ENDS],
  severity: 'error',
  yields: ['schedule.kind'],
  check: (config) => {
    if (!isOpen(config)) return null;
    const why = openWhy('the schedule');
    const allowed = 'one that falls to no end; or set schedule.horizon_steps, or a limit in steps, tokens or time';
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

/** What can be given in steps or in tokens. */
const LENGTHS = ['warmup', 'horizon', 'step_every', 'decay'].flatMap((name) => [
  `schedule.${name}_steps`,
  `schedule.${name}_tokens`,
]);

/** Lengths of the schedule that are given in a unit. */
const lengthsIn = (config: Config, names: readonly string[], unit: string): string[] =>
  names.filter((name) => name.endsWith(`_${unit}`) && number(config, name) > 0);

/** A unit that was chosen is that of all lengths. */
const inTheUnit = (names: readonly string[]): Rule => ({
  code: 'schedule.one_unit',
  settings: ['schedule.unit', ...LENGTHS],
  severity: 'error',
  yields: ['schedule.unit', ...LENGTHS],
  check: (config) => {
    const unit = config['schedule.unit'] as string;
    if (unit === 'auto') return null;
    const other = unit === 'steps' ? 'tokens' : 'steps';
    const wrong = lengthsIn(config, names, other);
    if (wrong.length === 0) return null;
    const why = `beside ${wrong.map((name) => `${name} ${number(config, name)}`).join(' and ')}`;
    const allowed = `0 with schedule.unit ${unit}`;
    const others =
      wrong.length === 1 ? [{ setting: wrong[0]!, value: number(config, wrong[0]!), nearest: 0, allowed }] : undefined;
    return problem('schedule.unit', unit, `the unit of ${wrong.join(' and ')}, or auto`, 'auto', why, others);
  },
});

/** Without one, lengths in both are allowed and told: they are alike only while all steps have as many tokens. */
const unitsMixed = (names: readonly string[]): Rule => ({
  code: 'schedule.mixed_units',
  settings: ['schedule.unit', ...LENGTHS, 'batch.sequences', 'model.context'],
  severity: 'warning',
  check: (config) => {
    if (config['schedule.unit'] !== 'auto') return null;
    const [[steps], [tokens]] = [lengthsIn(config, names, 'steps'), lengthsIn(config, names, 'tokens')];
    if (steps === undefined || tokens === undefined) return null;
    // Where batches change, a step has a mean number of them that is seldom whole.
    const perStep = tokensPerStep(config);
    const [each, all] = [perStep, number(config, tokens) / perStep].map((many) => Number(many.toFixed(1)));
    const why = `${steps} counts steps and ${tokens} tokens, ${each} of them a step, so it is ${all} steps`;
    return problem(tokens, number(config, tokens), 'better all lengths of a schedule in one unit', undefined, why);
  },
});

export function scheduleRules(kind: ScheduleKind): readonly Rule[] {
  const { needsEnd } = kind;
  const lengths = [...WARMUP, ...settingNames(kind).filter((name) => /^schedule\..*_(?:steps|tokens)$/u.test(name))];
  return [
    onlyOne('schedule.one_warmup', ...WARMUP, FRACTION),
    ...(needsEnd
      ? [onlyOne('schedule.one_horizon', ...HORIZONS), ...beforeTheEnd, horizonKnown, followsTheClock(RATE)]
      : [followsTheClock(RATE, (config) => number(config, FRACTION) > 0)]),
    inTheUnit(lengths),
    unitsMixed(lengths),
    peakReached(needsEnd),
  ];
}
