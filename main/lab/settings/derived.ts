/** Every rule between settings. Ranges of single settings are in their declarations, not here. */
import type { Config } from '../../../preload/contract/settings.ts';
import { applyRules, type Rule, type RuleResult } from '../../../preload/shared/settings/rules.ts';
import { budgetRules } from './rules/budget.ts';
import { dataRules } from './rules/data.ts';
import { modelRules } from './rules/model.ts';

export const rules: readonly Rule[] = [...modelRules, ...budgetRules, ...dataRules];

/** Applies every rule to a complete configuration whose single values are valid. */
export function checkRules(config: Config): RuleResult {
  return applyRules(rules, config);
}
