/** What a setting of 0 stands for, where 0 leaves the choice to the other settings. */
import type { Config, SettingSpec } from '../../contract/settings.ts';
import { conditionOf } from './conditions.ts';
import { ExpressionError } from './expression.ts';

/** The number that 0 stands for in this configuration; undefined where it stands for itself, or nothing can be said. */
export function automatic({ name, auto }: Pick<SettingSpec, 'name' | 'auto'>, config: Config): number | undefined {
  const expression = auto === undefined || config[name] !== 0 ? null : conditionOf(auto);
  if (expression === null) return undefined;
  try {
    const value = expression.evaluate(config);
    return typeof value === 'number' && value > 0 ? value : undefined;
  } catch (error) {
    // A setting that the expression reads is missing (a run of an earlier version), or zero.
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}
