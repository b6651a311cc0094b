/**
 * Rules between settings: each combination that cannot work is refused before anything starts, with the numbers and the
 * nearest combination that does work. Ranges of single settings are in their declarations, not here.
 */
import type { Config, SettingProblem } from '../../../preload/contract/settings.ts';
import { budgetRules } from './rules/budget.ts';
import { dataRules } from './rules/data.ts';
import { modelRules } from './rules/model.ts';

export interface RuleFinding extends SettingProblem {
  /** The rule, stable: `model.heads_divide_width`. */
  readonly code: string;
}

export interface Rule {
  readonly code: string;
  /** Every setting that the rule reads. */
  readonly settings: readonly string[];
  /** An error refuses the run; a warning lets it start. */
  readonly severity: 'error' | 'warning';
  /** True for rules of the model kind gpt alone. */
  readonly gptOnly?: boolean;
  /** Null when the configuration keeps the rule. */
  readonly check: (config: Config) => SettingProblem | null;
}

export const rules: readonly Rule[] = [...modelRules, ...budgetRules, ...dataRules];

export interface RuleResult {
  readonly problems: readonly RuleFinding[];
  readonly warnings: readonly RuleFinding[];
}

/** Applies every rule to a complete configuration whose single values are valid. */
export function checkRules(config: Config): RuleResult {
  const problems: RuleFinding[] = [];
  const warnings: RuleFinding[] = [];
  for (const rule of rules) {
    if (rule.gptOnly && config['model.kind'] !== 'gpt') continue;
    const found = rule.check(config);
    if (found) (rule.severity === 'error' ? problems : warnings).push({ ...found, code: rule.code });
  }
  return { problems, warnings };
}
