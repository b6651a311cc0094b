/**
 * Nearest valid choices, each tried before it is named: the value is put in the place of the wrong one, and the whole configuration is
 * checked as it would be if somebody typed it. What does not pass is not named; where a rule's own choice does not, others near the value
 * are looked at.
 */
import type { Config, OtherChoice, Problem, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import type { FastestOn } from '../../engine/executors/fastest.ts';
import { Answers, type Asked } from '../../../preload/shared/settings/answers.ts';
import { checkValue, problemText } from '../../../preload/shared/settings/values.ts';
import { checkConfig, completeConfig } from './complete.ts';
import type { SettingsRegistry } from './registry.ts';

/** What a configuration is made from. */
export interface Given {
  /** The values as they were given, over the defaults. */
  readonly given: Config;
  /** Names of the settings that some layer gives. */
  readonly set: ReadonlySet<string>;
  /** Those among them that the user gives. */
  readonly ofUser: ReadonlySet<string>;
  /** What `precision.policy: auto` means; what it does here unless given. */
  readonly fastest?: FastestOn | undefined;
}

/** Configurations that are tried for all problems of one question together: a second of them would be felt. */
const MOST_TRIED = 2000;
/** Whole numbers on each side of a wrong one. */
const FARTHEST = 256;
/** Choices that are listed at all: of more nobody reads on. */
const MOST_LISTED = 24;
/** A choice that is itself wrong, and the one that is named then, and so on. */
const LONGEST_CHAIN = 6;
/** Of a range whose end is left out: how far from that end. */
const FROM_OPEN_END = 0.01;

export class Suggestions {
  readonly #registry: SettingsRegistry;
  /** What must hold beside the rules: constraints of a sweep. */
  readonly #also: (config: Config) => boolean;
  /** What was said of other candidates. */
  readonly #asked: Asked;
  #left: number;

  constructor(
    registry: SettingsRegistry,
    also: (config: Config) => boolean = () => true,
    most: number = MOST_TRIED,
    asked: Asked = new Answers(),
  ) {
    this.#registry = registry;
    this.#also = also;
    this.#asked = asked;
    this.#left = most;
  }

  /** The same problems with choices that pass, and no others. `all` is what is wrong at all, where these are some of it. */
  mend(problems: readonly Problem[], from: Given, all = problems): Problem[] {
    return problems.map((found) => new Search(this, found, all, from).mended());
  }

  /** The same warnings with choices that pass: nothing is looked for where none was named. */
  checked(warnings: readonly Problem[], from: Given): Problem[] {
    return warnings.map((found) => new Search(this, found, [], from).kept());
  }

  /** Settings that what was found depends on. */
  involved({ code, setting }: Problem): ReadonlySet<string> {
    return new Set([setting, ...this.#registry.readBy(code)]);
  }

  spec(name: string): SettingSpec | undefined {
    return this.#registry.get(name);
  }

  /** Whether nothing more is tried. */
  get spent(): boolean {
    return this.#left <= 0;
  }

  /** What is wrong where a value is given instead; undefined where nothing more is tried. */
  try({ given, set, ofUser, fastest }: Given, name: string, value: SettingValue): readonly Problem[] | undefined {
    if (this.spent) return undefined;
    this.#left--;
    const wrong = checkValue(this.spec(name)!, value);
    if (wrong !== null) return [{ ...wrong, code: 'value' }];
    const { config } = completeConfig(
      this.#registry,
      { ...given, [name]: value },
      (each) => each === name || set.has(each),
      (each) => each === name || ofUser.has(each),
      this.#asked,
      fastest,
    );
    const { problems } = checkConfig(this.#registry, config, this.#asked);
    return problems.length > 0 || this.#also(config) ? problems : undefined;
  }
}

/** What comes near to a value that is wrong: from whole numbers beside it to the declared default. */
function* candidates({ type, default: usual }: SettingSpec, value: unknown): Generator<SettingValue> {
  if (type.kind === 'bool' && typeof value === 'boolean') yield !value;
  // What is no number is not near to one.
  if (typeof value !== 'number' || !Number.isFinite(value)) return;
  if (type.kind === 'int') {
    const { multipleOf: unit = 1, min = -Infinity, max = Infinity } = type;
    const middle = Math.round(Math.min(Math.max(value, min), max) / unit) * unit;
    for (let distance = 0; distance <= FARTHEST; distance++)
      for (const near of distance === 0 ? [middle] : [middle + distance * unit, middle - distance * unit])
        if (near >= min && near <= max) yield near;
    yield usual;
  }
  if (type.kind !== 'float') return;
  const { min, max, exclusiveMax } = type;
  if (exclusiveMax === true && min !== undefined && max !== undefined && value >= max)
    yield max - FROM_OPEN_END * (max - min);
  yield usual;
}

/** The search of one problem's nearest choice. */
class Search {
  readonly #all: Suggestions;
  readonly #found: Problem;
  /** Codes of what else is wrong, which may stay so. */
  readonly #others: ReadonlySet<string>;
  readonly #from: Given;

  constructor(all: Suggestions, found: Problem, problems: readonly Problem[], from: Given) {
    this.#all = all;
    this.#found = found;
    this.#others = new Set(problems.filter((each) => each !== found).map(({ code }) => code));
    this.#from = from;
  }

  mended(): Problem {
    const found = this.#found;
    const { setting, value, nearest } = found;
    const spec = this.#all.spec(setting);
    if (spec === undefined || found.code === 'unknown' || found.code === 'duplicate') return found;
    const others = (found.others ?? []).filter((each) => this.#passes(each.setting, each.nearest));
    const { ofUser } = this.#from;
    const followed = nearest === undefined ? undefined : this.#follow(setting, nearest);
    if (ofUser.has(setting) || (nearest !== undefined && followed === nearest)) {
      // A rule that names none has looked through all of them.
      const searched = nearest === undefined && others.length > 0 ? undefined : this.#nearest(setting, value, followed);
      if (searched !== undefined || others.length > 0) return this.#said(searched, others);
    }
    return this.#typed(others) ?? this.#said(this.#nearest(setting, value, followed), others);
  }

  /** The problem told of what the user set, which is what he can change: the rest only followed. */
  #typed(others: readonly OtherChoice[]): Problem | undefined {
    const found = this.#found;
    const { given, ofUser } = this.#from;
    for (const name of this.#all.involved(found)) {
      if (name === found.setting || !ofUser.has(name)) continue;
      const known = others.find(({ setting }) => setting === name);
      const nearest = known?.nearest ?? this.#nearest(name, given[name], undefined);
      if (nearest === undefined) continue;
      if (ofUser.has(found.setting)) return this.#said(undefined, [{ setting: name, value: given[name]!, nearest }]);
      // It stood where the other setting stands.
      const { others: _, where: __, choices: ___, ...rest } = found;
      const allowed = known?.allowed ?? `one that ${found.setting} can go with`;
      const told = { ...rest, setting: name, value: given[name]!, allowed, nearest };
      return { ...told, message: problemText(told) };
    }
    return undefined;
  }

  /** The finding as it is, without choices that do not pass. */
  kept(): Problem {
    const { setting, nearest, others = [] } = this.#found;
    const passing = others.filter((each) => this.#passes(each.setting, each.nearest));
    const passes = nearest !== undefined && this.#passes(setting, nearest);
    return this.#said(passes ? nearest : undefined, passing);
  }

  #said(nearest: SettingValue | undefined, others: readonly OtherChoice[]): Problem {
    const { nearest: before, others: all, choices: listed = [], ...found } = this.#found;
    const choices = this.#choices(listed);
    const same = choices.length === listed.length && others.length === (all?.length ?? 0);
    if (nearest === before && same) return this.#found;
    const said = {
      ...found,
      ...(choices.length === 0 ? {} : { choices }),
      ...(nearest === undefined ? {} : { nearest }),
      ...(all === undefined && others.length === 0 ? {} : { others }),
    };
    return { ...said, message: problemText(said) };
  }

  /** Those that pass: all of them are tried, or none is named. */
  #choices(listed: readonly SettingValue[]): SettingValue[] {
    if (listed.length > MOST_LISTED) return [];
    const passing = listed.filter((each) => this.#passes(this.#found.setting, each));
    return this.#all.spent ? [] : passing;
  }

  /** What remains wrong with a value does not concern its setting, and was wrong before. */
  #remains(setting: string, problems: readonly Problem[]): boolean {
    return problems.some((each) => !this.#others.has(each.code) || this.#all.involved(each).has(setting));
  }

  #passes(setting: string, value: SettingValue): boolean {
    if (this.#all.spec(setting) === undefined) return false;
    const problems = this.#all.try(this.#from, setting, value);
    return problems !== undefined && !this.#remains(setting, problems);
  }

  /** The choice next to a wrong value; `followed` is one that passes. */
  #nearest(setting: string, value: unknown, followed: SettingValue | undefined): SettingValue | undefined {
    if (followed !== undefined && followed === this.#found.nearest) return followed;
    for (const candidate of candidates(this.#all.spec(setting)!, value)) {
      if (this.#all.spent) break;
      if (followed !== undefined && !isNearer(value, candidate, followed)) break;
      if (candidate !== value && this.#passes(setting, candidate)) return candidate;
    }
    return followed;
  }

  /** Where a choice is refused with a better one, that one. */
  #follow(setting: string, first: SettingValue): SettingValue | undefined {
    const seen = new Set<SettingValue>();
    let value: SettingValue | undefined = first;
    while (value !== undefined && !seen.has(value) && seen.size < LONGEST_CHAIN) {
      seen.add(value);
      const problems = this.#all.try(this.#from, setting, value);
      if (problems === undefined) return undefined;
      if (!this.#remains(setting, problems)) return value;
      value = problems.find((each) => each.setting === setting && each.nearest !== undefined)?.nearest;
    }
    return undefined;
  }
}

const isNearer = (value: unknown, one: SettingValue, other: SettingValue): boolean =>
  typeof value === 'number' && Math.abs(Number(one) - value) < Math.abs(Number(other) - value);
