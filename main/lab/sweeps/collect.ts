/** Combinations of a sweep, one after the other: which become settings, which are dropped, which were there before. */
import type { Config, Problem, SettingValue, Warning } from '../../../preload/contract/settings.ts';
import type { Expression } from '../../../preload/shared/settings/expression.ts';
import { checkValue, problem } from '../../../preload/shared/settings/values.ts';
import { checkConfig, whyBroken } from '../settings/complete.ts';
import { Suggestions } from '../settings/suggest.ts';
import { type Combiner, identityOf, type Values, withValues } from './combine.ts';
import { type DerivedSettings, DerivedValues } from './derived.ts';
import { type Dropped, type PlannedSetting, settingKey } from './planned.ts';
import { counted } from '../../../preload/shared/format.ts';

/** `model.width` as `width` where no other varied setting ends alike. */
function shortNames(names: readonly string[]): ReadonlyMap<string, string> {
  const tail = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
  return new Map(
    names.map((name) => [name, names.filter((other) => tail(other) === tail(name)).length > 1 ? name : tail(name)]),
  );
}

/** A value in a label: sampled numbers are cut to five digits. */
const brief = (value: SettingValue): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(5))) : String(value);

/** Combinations dropped for one reason whose nearest choices are looked for, and those where they are only tried: nobody reads them all. */
const MOST_SEARCHED = 8;
const MOST_TRIED = 200;

/** So many dropped combinations are looked at for derived values. */
const MOST_DROPPED = 100;

/** Whether a configuration keeps to all constraints of a sweep. */
export const holdAll =
  (constraints: readonly (Expression | undefined)[]) =>
  (config: Config): boolean =>
    constraints.every((each) => !each || !whyBroken(each, config));

export class Collector {
  readonly combiner: Combiner;
  readonly settings: PlannedSetting[] = [];
  /** Of each setting. */
  readonly configs: Config[] = [];
  readonly dropped: Dropped[] = [];
  duplicates = 0;
  combinations = 0;
  /** Combinations since the last that became a setting. */
  idle = 0;
  readonly #constraints: readonly (Expression | undefined)[];
  /** How varied settings are called in labels. */
  readonly #short: ReadonlyMap<string, string>;
  readonly #seen = new Set<string>();
  readonly #derived = new DerivedValues();
  /** Without any setting, what is dropped shows what it was. */
  readonly #derivedDropped = new DerivedValues();
  readonly #configsDropped: Config[] = [];
  readonly #suggestedFor = new Map<string, number>();
  readonly #warned = new Map<string, { readonly first: Problem; readonly alike: number; readonly count: number }>();

  constructor(combiner: Combiner, constraints: readonly (Expression | undefined)[]) {
    this.combiner = combiner;
    this.#constraints = constraints;
    this.#short = shortNames(this.varied);
  }

  /** Names of the settings that take several values. */
  get varied(): readonly string[] {
    const { parameters } = this.combiner;
    return parameters.filter(({ distribution }) => distribution.kind !== 'constant').map(({ name }) => name);
  }

  /** Of single settings; each once, with how many it concerns. */
  get warnings(): Warning[] {
    return [...this.#warned.values()].map(({ first: { code, setting, message }, alike, count }): Warning => {
      const inAll = alike === this.settings.length;
      const differs = code === 'gave_way' && !inAll;
      if (count === 1 && !differs) return { code, setting, message };
      const where = inAll ? counted(alike, 'setting') : `${alike} of ${counted(this.settings.length, 'setting')}`;
      const others = count > alike ? `, and with other numbers in ${count - alike} more` : '';
      const so = differs ? ': what is compared differs in it too' : '';
      return { code, setting, message: `${message} (in ${where}${others}${so})`, ...(count > 1 ? { count } : {}) };
    });
  }

  /** Values that follow from others, in the settings; where all were dropped, in the first of those. */
  get derived(): DerivedSettings {
    return this.settings.length > 0 ? this.#derived.in(this.configs) : this.#derivedDropped.in(this.#configsDropped);
  }

  add(values: readonly SettingValue[]): void {
    this.combinations++;
    this.idle++;
    const { registry, asked } = this.combiner;
    const combined = this.combiner.combine(values);
    if ('dropped' in combined) {
      this.#drop(combined.dropped.values, combined.dropped.problem);
      return;
    }
    const { config, active, warnings, derived, replaced } = combined;
    if (this.#isKnown(JSON.stringify(active))) return;
    const { reason, noted } = this.#judge(active, config);
    if (reason !== undefined) {
      this.#drop(active, reason);
      if (this.settings.length > 0 || this.#configsDropped.length >= MOST_DROPPED) return;
      this.#configsDropped.push(config);
      this.#derivedDropped.add(derived, replaced);
      return;
    }
    const identity = identityOf(active, config, registry.catalog, asked);
    if (identity !== undefined && this.#isKnown(`same:${identity}`)) return;
    [...noted, ...warnings].forEach((warning) => this.#warn(warning));
    this.settings.push({ key: settingKey(active), values: active, label: this.#label(active) });
    this.configs.push(config);
    this.#derived.add(derived, replaced);
    this.idle = 0;
  }

  #isKnown(key: string): boolean {
    if (this.#seen.has(key)) this.duplicates++;
    const known = this.#seen.has(key);
    this.#seen.add(key);
    return known;
  }

  /** Why a complete configuration cannot run, undefined when it can, and what is to be noted of it. */
  #judge(active: Values, config: Config): { readonly reason?: Problem; readonly noted: readonly Problem[] } {
    const { registry, asked } = this.combiner;
    for (const [name, value] of Object.entries(active)) {
      const wrong = checkValue(registry.get(name)!, value);
      if (wrong) return { reason: this.#suggested([{ ...wrong, code: 'value' }], active), noted: [] };
    }
    for (const [i, constraint] of this.#constraints.entries()) {
      const why = constraint && whyBroken(constraint, config);
      if (constraint === undefined || why === undefined) continue;
      const found = problem(`constraints.${i}`, false, constraint.source, undefined, why);
      return { reason: { ...found, code: 'constraint', message: found.why ?? found.message }, noted: [] };
    }
    const { problems, warnings } = checkConfig(registry, config, asked);
    return { ...(problems.length > 0 ? { reason: this.#suggested(problems, active) } : {}), noted: warnings };
  }

  /** The first of what is wrong, with choices that this sweep would take. */
  #suggested(problems: readonly Problem[], active: Values): Problem {
    const about = `${problems[0]!.code} ${problems[0]!.setting}`;
    const before = this.#suggestedFor.get(about) ?? 0;
    this.#suggestedFor.set(about, before + 1);
    const { registry, base, asked } = this.combiner;
    const holds = holdAll(this.#constraints);
    const most = before < MOST_SEARCHED ? undefined : before < MOST_TRIED ? 2 : 0;
    return new Suggestions(registry, holds, most, asked).mend(
      problems.slice(0, 1),
      withValues(base, active),
      problems,
    )[0]!;
  }

  #drop(values: Values, found: Problem): void {
    this.dropped.push({ values, label: this.#label(values), problem: found });
  }

  #warn(found: Problem): void {
    const about = `${found.code} ${found.setting}`;
    const seen = this.#warned.get(about);
    const first = seen?.first ?? found;
    const alike = (seen?.alike ?? 0) + (found.message === first.message ? 1 : 0);
    this.#warned.set(about, { first, alike, count: (seen?.count ?? 0) + 1 });
  }

  #label(values: Values): string {
    return Object.entries(values)
      .filter(([name]) => this.#short.has(name))
      .map(([name, value]) => `${this.#short.get(name)}=${brief(value)}`)
      .join(' ');
  }
}
