/** One combination of a sweep as a configuration, and when two of them are the same run. */
import type { Config, Problem, SettingValue } from '../../../preload/contract/settings.ts';
import type { Catalog, Followed } from '../../engine/catalog.ts';
import { attentionFamily } from '../../engine/nn/attention/index.ts';
import { masksIdentity } from '../../engine/nn/attention/masks.ts';
import { modelFamily } from '../../engine/nn/models/index.ts';
import { type Asked, Answers } from '../../../preload/shared/settings/answers.ts';
import { ExpressionError } from '../../../preload/shared/settings/expression.ts';
import { AUTO_POLICY } from '../../../preload/shared/settings/policy.ts';
import { checkValue, problem } from '../../../preload/shared/settings/values.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { completeConfig } from '../settings/complete.ts';
import type { Resolved } from '../settings/resolve.ts';
import type { Given } from '../settings/suggest.ts';
import type { BoundParameter } from './check.ts';

export type Values = Readonly<Record<string, SettingValue>>;

/**
 * Configurations that give the same model have the same identity: 0 heads for keys and values is as many as heads, and so on.
 * Undefined where only equal values can be the same run.
 */
export function identityOf(values: Values, config: Config, catalog: Catalog, asked: Asked): string | undefined {
  const model = catalog.of(modelFamily, config);
  const masks = model.uses?.includes(attentionFamily.name) ? masksIdentity(config, catalog) : undefined;
  const identities = [model.identity, masks].filter((identity) => identity !== undefined);
  const seen = new Set(identities.flatMap(({ settings }) => settings));
  const pairs = Object.entries(values).filter(([name]) => !seen.has(name));
  if (pairs.length === Object.keys(values).length) return undefined;
  const same = identities.map((identity) => asked.ask(identity, config, (read) => identity.of(read, catalog)));
  return JSON.stringify([...pairs, ['model', same]]);
}

/** What a configuration is made from that has these values over the base. */
export function withValues({ given, set, ofUser, fastest }: Given, values: Values): Given {
  const names = Object.keys(values);
  return {
    fastest,
    given: { ...given, ...values },
    set: new Set([...set, ...names]),
    ofUser: new Set([...ofUser, ...names]),
  };
}

/** A policy that was left to the device under the name that it came to: two that come to the same are the same run. */
const settled = (active: Values, config: Config): Values =>
  active['precision.policy'] === AUTO_POLICY ? { ...active, 'precision.policy': config['precision.policy']! } : active;

/** A configuration with the values in effect, or why a condition cannot be evaluated. */
export type Combined =
  | {
      readonly config: Config;
      readonly active: Values;
      readonly warnings: readonly Problem[];
      /** How each derived value came about, by setting. */
      readonly derived: Readonly<Record<string, string>>;
      /** What settings that were set would be otherwise. */
      readonly replaced: ReadonlyMap<string, Followed>;
    }
  | { readonly dropped: { readonly values: Values; readonly problem: Problem } };

/** Makes the configuration of one combination, as a single run with these values would have it: parameters without effect fall back to the base. */
export class Combiner {
  readonly registry: SettingsRegistry;
  readonly parameters: readonly BoundParameter[];
  readonly base: Resolved;
  /** What was said of other combinations: most differ in settings that few rules read. */
  readonly asked: Asked = new Answers();
  /** Parameters that had an effect in some combination. */
  readonly everActive = new Set<string>();

  constructor(registry: SettingsRegistry, parameters: readonly BoundParameter[], base: Resolved) {
    this.registry = registry;
    this.parameters = parameters;
    this.base = base;
  }

  /** Conditions may depend on one another, so parameters are switched off until nothing changes. */
  combine(values: readonly SettingValue[]): Combined {
    const { given, set, ofUser, fastest } = this.base;
    const on = this.parameters.map(() => true);
    for (;;) {
      const own = this.parameters.flatMap(({ name }, i) => (on[i] ? [[name, values[i]] as const] : []));
      const active: Values = Object.fromEntries(own);
      const isSet = (name: string): boolean => name in active || set.has(name);
      // Nothing gives way to values that are themselves wrong, as a drawn one can be.
      const valid = own.every(([name, value]) => checkValue(this.registry.get(name)!, value) === null);
      const isOfUser = (name: string): boolean => valid && (name in active || ofUser.has(name));
      const { config, warnings, derived } = completeConfig(
        this.registry,
        { ...given, ...active },
        isSet,
        isOfUser,
        this.asked,
        fastest,
      );
      let changed = false;
      for (const [i, { name, when }] of this.parameters.entries()) {
        if (!on[i]) continue;
        try {
          if (this.registry.applies(name, config) && (!when || when.test(config))) continue;
        } catch (error) {
          if (!(error instanceof ExpressionError)) throw error;
          const found = problem(
            `parameters.${name}.when`,
            when?.source,
            'a condition with a value',
            undefined,
            error.message,
          );
          return { dropped: { values: active, problem: { ...found, code: 'expression', message: error.message } } };
        }
        on[i] = false;
        changed = true;
      }
      if (changed) continue;
      for (const name of Object.keys(active)) this.everActive.add(name);
      const replaced = this.registry.catalog.replaced(config, isSet, this.asked);
      return { config, active: settled(active, config), warnings, derived, replaced };
    }
  }
}
