/** What follows the way to the end of a run must know where that is. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { STOP_RULES } from '../../settings/stop.ts';

export const HORIZONS = ['schedule.horizon_steps', 'schedule.horizon_tokens', 'schedule.horizon_seconds'];
/** Limits from which the steps of a run can be told before it begins. */
const PLANS = ['stop.steps', 'stop.tokens', 'stop.epochs', 'stop.tokens_per_parameter', 'stop.flops'];

const isOn = (config: Config, name: string): boolean => (config[name] as number) > 0;

/** The limits that alone leave the end open; empty where something says where it is, or where there is no limit at all. */
export const openEnds = (config: Config): readonly string[] =>
  [...HORIZONS, ...PLANS].some((name) => isOn(config, name))
    ? []
    : STOP_RULES.filter((name) => !PLANS.includes(name) && isOn(config, name));

/** Refuses a choice that needs an end where there is none; `without` is one that does not. */
export const endKnown = (setting: string, without: string): Rule => ({
  code: `${setting}_end`,
  settings: [setting, ...HORIZONS, ...STOP_RULES],
  severity: 'error',
  yields: [setting],
  check: (config) => {
    const open = openEnds(config);
    if (open.length === 0) return null;
    const why = `${open.join(' and ')} alone cannot say where the run ends`;
    const allowed = 'one that needs no end; or set a limit in steps or tokens';
    return { ...problem(setting, config[setting], allowed, without, why), yielded: { value: without, why } };
  },
});
