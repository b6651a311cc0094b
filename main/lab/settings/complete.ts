/** From given values to a complete configuration, and what is wrong with one: for single runs and for each combination of a sweep alike. */
import type { Config, Problem } from '../../../preload/contract/settings.ts';
import { fastestHere } from '../../engine/executors/fastest.ts';
import type { FastestOn } from '../../engine/executors/fastest.ts';
import { type Asked, ASKED_ANEW } from '../../../preload/shared/settings/answers.ts';
import { type Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';
import { AUTO_POLICY, CHOSEN } from '../../../preload/shared/settings/policy.ts';
import { problem, showValue, type Why } from '../../../preload/shared/settings/values.ts';
import type { SettingsRegistry } from './registry.ts';

/** Why a configuration does not satisfy a constraint, with the numbers, or why that cannot be said; undefined when it does. */
export function whyBroken(constraint: Expression, config: Config): Why | undefined {
  try {
    if (constraint.test(config)) return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
  const numbers = constraint.numbers(config);
  return numbers === '' ? `${constraint.source} is false` : { rule: constraint.source, numbers };
}

/** Rules, plug-in constraints and `when` for a complete configuration. Used for single runs and for each run of a sweep. */
export function checkConfig(
  registry: SettingsRegistry,
  config: Config,
  asked: Asked = ASKED_ANEW,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const { problems, warnings } = registry.catalog.check(config, asked);
  const broken = registry.constraints.flatMap((constraint): Problem[] => {
    const why = whyBroken(constraint, config);
    if (why === undefined) return [];
    const setting = constraint.names[0] ?? 'constraint';
    return [{ ...problem(setting, config[setting], constraint.source, undefined, why), code: 'constraint' }];
  });
  return { problems: [...problems, ...broken], warnings };
}

/** What is said of settings that gave way to those of the user: what they were, and what they had to be. */
function gaveWay(before: Config, after: Config, settled: Readonly<Record<string, string>>): Problem[] {
  return Object.entries(settled).map(([name, allowed]) => {
    const found = problem(name, after[name], allowed);
    const was = showValue(before[name]);
    const message = `${name} is ${showValue(after[name])} instead of ${was}, which gives way to what you set: ${allowed}`;
    return { ...found, code: 'gave_way', message };
  });
}

/** The same as the rule of a value that nobody gave. */
const rulesOf = (before: Config, settled: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settled).map(([name, allowed]) => [
      name,
      `${allowed} (${showValue(before[name])} gave way to what is set)`,
    ]),
  );

const POLICY = 'precision.policy';

/** The policy that `auto` comes to on the device of a configuration, before anything depends on it, and what is said of it. */
function withPolicy(given: Config, fastest: FastestOn): { readonly given: Config; readonly said: readonly Problem[] } {
  if (given[POLICY] !== AUTO_POLICY) return { given, said: [] };
  const { executor, policy, why } = fastest(String(given.device));
  const message = `${POLICY} ${AUTO_POLICY} is ${policy} on ${executor}: ${why}`;
  const found = { ...problem(POLICY, policy, 'any policy that the device runs'), code: CHOSEN, message };
  return { given: { ...given, [POLICY]: policy }, said: [found] };
}

export interface Completed {
  readonly config: Config;
  /** How each value came about that nobody gave and that is not the declared default, by setting. */
  readonly derived: Readonly<Record<string, string>>;
  /** What gave way to what the user set, and what the device chose. */
  readonly warnings: readonly Problem[];
}

/**
 * The one way from given values to a complete configuration, for a single run and for each combination of a sweep alike: defaults that
 * depend on other settings are put in, and what the user did not give gives way to what he did.
 *
 * @param given valid values, over the declared defaults
 * @param isSet given by any layer, a recipe among them
 * @param isOfUser given by a file, a flag or a parameter of the sweep
 * @param asked where many configurations are completed: what rules and defaults said of others
 * @param fastest what `precision.policy: auto` means
 */
export function completeConfig(
  { catalog }: SettingsRegistry,
  given: Config,
  isSet: (name: string) => boolean,
  isOfUser: (name: string) => boolean,
  asked: Asked = ASKED_ANEW,
  fastest: FastestOn = fastestHere,
): Completed {
  const settled = withPolicy(given, fastest);
  const whole = catalog.withDefaults(settled.given, isSet, asked);
  const { config, derived } = catalog.settle(whole.config, isOfUser, asked);
  const rules = rulesOf(whole.config, derived);
  return {
    config,
    derived: { ...whole.derived, ...rules },
    warnings: [...settled.said, ...gaveWay(whole.config, config, derived)],
  };
}
