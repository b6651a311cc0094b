/** One combination of a sweep as a configuration, and when two of them are the same run. */
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import { deriveModel } from '../../engine/nn/models/dimensions.ts';
import { ExpressionError } from '../../../preload/shared/settings/expression.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { adjustDefaults } from '../settings/resolve.ts';
import type { BoundParameter } from './check.ts';

export type Values = Readonly<Record<string, SettingValue>>;

/** Settings that a model is built from only through `deriveModel`. */
export const DERIVED = ['model.kv_heads', 'model.head_size', 'model.mlp_width', 'model.mlp_ratio'];

/** Settings that give the same model have the same identity: 0 heads for keys and values is as many as heads, and so on. */
export function identityOf(values: Values, config: Config, derivedVaried: boolean): string {
  const pairs = Object.entries(values).filter(([name]) => !derivedVaried || !DERIVED.includes(name));
  if (derivedVaried && config['model.kind'] === 'gpt') {
    const { kvHeads, headSize, mlpWidth } = deriveModel(config);
    pairs.push(['derived', `${kvHeads}/${headSize}/${mlpWidth}`]);
  } else if (derivedVaried) pairs.push(...Object.entries(values).filter(([name]) => DERIVED.includes(name)));
  return JSON.stringify(pairs);
}

/** A configuration with the values in effect, or why a condition cannot be evaluated. */
export type Combined =
  | { readonly config: Config; readonly active: Values }
  | { readonly dropped: { readonly values: Values; readonly code: string; readonly reason: string } };

/** Makes the configuration of one combination: parameters without effect fall back to the base. */
export class Combiner {
  readonly registry: SettingsRegistry;
  readonly parameters: readonly BoundParameter[];
  readonly base: Config;
  readonly isBaseSet: (name: string) => boolean;
  /** Parameters that had an effect in some combination. */
  readonly everActive = new Set<string>();

  constructor(
    registry: SettingsRegistry,
    parameters: readonly BoundParameter[],
    base: Config,
    isBaseSet: (name: string) => boolean,
  ) {
    this.registry = registry;
    this.parameters = parameters;
    this.base = base;
    this.isBaseSet = isBaseSet;
  }

  /** Conditions may depend on one another, so parameters are switched off until nothing changes. */
  combine(values: readonly SettingValue[]): Combined {
    const on = this.parameters.map(() => true);
    for (;;) {
      const config: Record<string, SettingValue> = { ...this.base };
      const active: Record<string, SettingValue> = {};
      this.parameters.forEach(({ name }, i) => {
        if (!on[i]) return;
        config[name] = values[i];
        active[name] = values[i];
      });
      const isSet = (name: string): boolean => name in active || this.isBaseSet(name);
      if (!isSet('stop.steps')) config['stop.steps'] = this.registry.defaults['stop.steps'];
      adjustDefaults(config, isSet);
      let changed = false;
      for (const [i, { name, when }] of this.parameters.entries()) {
        if (!on[i]) continue;
        try {
          if (this.registry.applies(name, config) && (!when || when.test(config))) continue;
        } catch (error) {
          if (!(error instanceof ExpressionError)) throw error;
          return { dropped: { values: active, code: 'expression', reason: error.message } };
        }
        on[i] = false;
        changed = true;
      }
      if (!changed) {
        for (const name of Object.keys(active)) this.everActive.add(name);
        return { config, active };
      }
    }
  }
}
