/** Values in the runs of a sweep that nobody set: which they are, and from what they follow. */
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import type { DerivedSetting } from '../../../preload/contract/shapes.ts';
import type { Followed } from '../../engine/catalog.ts';

/** A form names so many values of a setting. */
const MOST_VALUES = 8;

export type DerivedSettings = Readonly<Record<string, DerivedSetting>>;

/** Rules that differ in numbers only as one without them. */
function namedRules(rules: ReadonlySet<string>): string[] {
  const alike = Map.groupBy(rules, (rule) => rule.replaceAll(/(?<![\w.])\d[\d,.]*/gu, '…'));
  return [...alike].map(([words, all]) => (all.length === 1 ? all[0]! : words));
}

const derivedSetting = (
  rules: ReadonlySet<string>,
  values: ReadonlySet<SettingValue>,
  replaced: boolean,
): DerivedSetting => ({
  rules: namedRules(rules),
  values: [...values].slice(0, MOST_VALUES),
  more: Math.max(0, values.size - MOST_VALUES),
  replaced,
});

function addTo<V>(sets: Map<string, Set<V>>, name: string, value: V): void {
  const found = sets.get(name);
  if (found === undefined) sets.set(name, new Set([value]));
  else found.add(value);
}

/** Gathers them from one combination after the other. */
export class DerivedValues {
  readonly #rules = new Map<string, Set<string>>();
  readonly #replacedRules = new Map<string, Set<string>>();
  readonly #replaced = new Map<string, Set<SettingValue>>();

  add(derived: Readonly<Record<string, string>>, replaced: ReadonlyMap<string, Followed>): void {
    for (const [name, rule] of Object.entries(derived)) addTo(this.#rules, name, rule);
    for (const [name, { rule, value }] of replaced) {
      addTo(this.#replacedRules, name, rule);
      addTo(this.#replaced, name, value);
    }
  }

  /** `configs`: of the runs; where a setting follows in one of them, its values in all of them are listed. */
  in(configs: readonly Config[]): DerivedSettings {
    const found: Record<string, DerivedSetting> = {};
    for (const [name, values] of this.#replaced)
      found[name] = derivedSetting(this.#replacedRules.get(name)!, values, true);
    for (const [name, rules] of this.#rules)
      found[name] = derivedSetting(rules, new Set(configs.map((config) => config[name]!)), false);
    return found;
  }
}

/** Those of one configuration. */
export const derivedIn = (config: Config, derived: Readonly<Record<string, string>>): DerivedSettings =>
  Object.fromEntries(
    Object.entries(derived).map(([name, rule]) => [
      name,
      derivedSetting(new Set([rule]), new Set([config[name]!]), false),
    ]),
  );
