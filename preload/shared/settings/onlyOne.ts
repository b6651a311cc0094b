/** A rule for settings that say the same thing in several ways: one of them is above 0 at most. */
import type { Rule } from './rules.ts';
import { problem } from './values.ts';

/** Refuses more than one of them; which of them give way to one that is set. */
export function onlyOne(code: string, ...settings: readonly string[]): Rule {
  return {
    code,
    settings,
    severity: 'error',
    yields: settings,
    check: (config) => {
      const number = (name: string): number => config[name] as number;
      const given = settings.filter((name) => number(name) > 0);
      if (given.length < 2) return null;
      const own = given.at(-1)!;
      const others = given.slice(0, -1).map((setting) => ({ setting, value: number(setting), nearest: 0 }));
      const why = `beside ${others.map(({ setting, value }) => `${setting} ${value}`).join(' and ')}`;
      const names = `${settings.slice(0, -1).join(', ')} and ${settings.at(-1)}`;
      const rest = settings.length > 2 ? 'the others 0' : 'the other 0';
      return problem(own, number(own), `one of ${names}, ${rest}`, 0, why, others);
    },
  };
}
