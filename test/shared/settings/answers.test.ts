import { describe, expect, it } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import { Answers } from '../../../preload/shared/settings/answers.ts';

describe('remembered answers', () => {
  // What is read second depends on what was read first.
  const branching = (config: Config): string =>
    config['a'] === 0 ? `b ${config['b']}` : `c ${config['c']} ${'d' in config ? config['d'] : 'none'}`;
  const whole = (config: Config): number => Object.values(config).length;

  it('are those that would be given anew, and given once for equal values of what is read (catches a path that is mixed up)', () => {
    const answers = new Answers();
    const calls = { branching: 0, whole: 0 };
    const rules = { branching: {}, whole: {} };
    for (let n = 0; n < 1000; n++) {
      const digit = (place: number): number => Math.floor(n / place) % 10;
      const config: Config = { a: digit(1) % 2, b: digit(10) % 3, c: digit(100), e: n };
      const asked = answers.ask(rules.branching, config, (seen) => (calls.branching++, branching(seen)));
      expect(asked).toBe(branching(config));
      expect(answers.ask(rules.whole, config, (seen) => (calls.whole++, whole(seen)))).toBe(4);
    }
    // a = 0 with three values of b, a = 1 with ten of c.
    expect(calls.branching).toBe(3 + 10);
    // What looks at all settings is asked again for each.
    expect(calls.whole).toBe(1000);
  });

  it('may be nothing (catches an absent answer that is asked for ever)', () => {
    const answers = new Answers();
    let calls = 0;
    const ask = () => answers.ask(answers, { a: 1 }, (seen) => (calls++, seen['a'] === 1 ? undefined : null));
    expect([ask(), ask()]).toEqual([undefined, undefined]);
    expect(calls).toBe(1);
  });
});
