/** What follows the way to the end of a run must know where that is, and by what. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import { STOP_RULES } from '../../settings/stop.ts';

const CLOCK = 'schedule.horizon_seconds';
export const HORIZONS = ['schedule.horizon_steps', 'schedule.horizon_tokens', CLOCK];
/** The one limit that says nothing of where a run ends. */
const OPEN = 'stop.loss';
const TIME = 'stop.seconds';
/** Settings that say where what falls to an end has it. */
export const ENDS: readonly string[] = [...HORIZONS, ...STOP_RULES];

const isOn = (config: Config, name: string): boolean => (config[name] as number) > 0;
const onesOf = (config: Config): string[] => ENDS.filter((name) => isOn(config, name));

/** Whether a target loss alone ends the run: nobody knows where. */
export const isOpen = (config: Config): boolean => onesOf(config).join() === OPEN;

/** What is said of {@link isOpen}. */
export const openWhy = (what: string): string => `${OPEN} alone cannot say where ${what} ends`;

/** Refuses a choice that needs an end where there is none; `without` is one that does not. */
export const endKnown = (setting: string, without: string): Rule => ({
  code: `${setting}_end`,
  settings: [setting, ...ENDS],
  severity: 'error',
  yields: [setting],
  check: (config) => {
    if (!isOpen(config)) return null;
    const why = openWhy('the run');
    const allowed = 'one that needs no end; or set a limit in steps, tokens or time';
    return { ...problem(setting, config[setting], allowed, without, why), yielded: { value: without, why } };
  },
});

/** The setting by which the end is a time and not a number of steps; undefined where it is none. */
export function endingByTime(config: Config): string | undefined {
  const given = onesOf(config).filter((name) => name !== OPEN);
  if (given.includes(CLOCK)) return CLOCK;
  return given.join() === TIME ? TIME : undefined;
}

/** By which it is told whether anything goes by the end: the same for everything that may, as it is the same rule. */
const GOES_BY = ['schedule.kind', 'schedule.warmup_fraction'];

/** The clock makes each run another one. @param applies whether something goes by the end at all */
export const followsTheClock = (what: string, applies: (config: Config) => boolean = () => true): Rule => ({
  code: 'schedule.follows_the_clock',
  settings: [...GOES_BY, ...ENDS],
  severity: 'warning',
  check: (config) => {
    const setting = endingByTime(config);
    if (setting === undefined || !applies(config)) return null;
    const why = `${what} follows the time that steps take: a repeated or resumed run is not the same, bit for bit`;
    return problem(setting, config[setting], 'better a horizon or a limit in steps or tokens', undefined, why);
  },
});
