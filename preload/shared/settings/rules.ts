/** Rules between settings: each combination that cannot work is refused before anything starts, with the numbers. */
import type { Config, Problem, SettingProblem } from '../../contract/settings.ts';
import { type Asked, ASKED_ANEW } from './answers.ts';

/** What a rule found, under its code. */
export type RuleFinding = Problem;

export interface Rule {
  /** Stable, `section.what_must_hold`: programs look at it, never at the message. */
  readonly code: string;
  /** Every setting that the rule reads. */
  readonly settings: readonly string[];
  /** An error refuses the run; a warning lets it start. */
  readonly severity: 'error' | 'warning';
  /**
   * Settings that give way when nobody gave them and something that somebody gave breaks the rule: they take the nearest valid value, which
   * is said. What the user sets never fails because of a default or of a recipe's value.
   */
  readonly yields?: readonly string[];
  /** Null when the configuration keeps the rule. */
  readonly check: (config: Config) => SettingProblem | null;
}

export interface RuleResult {
  readonly problems: readonly RuleFinding[];
  readonly warnings: readonly RuleFinding[];
}

/** Applies rules to a complete configuration whose single values are valid. */
export function applyRules(rules: readonly Rule[], config: Config, asked: Asked = ASKED_ANEW): RuleResult {
  const problems: RuleFinding[] = [];
  const warnings: RuleFinding[] = [];
  for (const rule of rules) {
    const { code, severity, check } = rule;
    const found = asked.ask(rule, config, check);
    if (found) (severity === 'error' ? problems : warnings).push({ ...found, code });
  }
  return { problems, warnings };
}
