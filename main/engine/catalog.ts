/** Every kind, built in or of a plug-in, and what follows from them all: settings with their choices and conditions, rules, defaults. */
import type { Config, Problem, SettingSpec, SettingValue } from '../../preload/contract/settings.ts';
import { type Asked, ASKED_ANEW, recorder } from '../../preload/shared/settings/answers.ts';
import { nearestName } from '../../preload/shared/settings/nearest.ts';
import { checkValue, describeType, problem, showValue } from '../../preload/shared/settings/values.ts';
import { applyRules } from '../../preload/shared/settings/rules.ts';
import type { Rule, RuleResult } from '../../preload/shared/settings/rules.ts';
import { accumulationFamily } from './batch/accumulation/index.ts';
import { lengthFamily } from './batch/lengths/index.ts';
import { batchFamily } from './batch/sizes/index.ts';
import { corpusFamily } from './data/corpora/index.ts';
import { tokenizerFamily } from './data/tokenizers/index.ts';
import { executorFamily } from './executors/index.ts';
import { chosen, DeclarationError, isNamed, kindFor, KINDS_HERE } from './kind.ts';
import type { Common, DerivedDefault, Family, Kind, Kinds } from './kind.ts';
import { attentionFamily } from './nn/attention/index.ts';
import { modelFamily } from './nn/models/index.ts';
import { parametrizationFamily } from './nn/parametrization/index.ts';
import { averageFamily } from './optim/averages/index.ts';
import { decayFamily } from './optim/decays/index.ts';
import { momentumFamily } from './optim/momenta/index.ts';
import { optimizerFamily } from './optim/optimizers/index.ts';
import { scheduleFamily } from './optim/schedules/index.ts';
import { batchSettings } from './settings/batch.ts';
import { evalSettings } from './settings/eval.ts';
import { generalSettings } from './settings/general.ts';
import { logSettings } from './settings/log.ts';
import { precisionSettings } from './settings/precision.ts';
import { stopSettings } from './settings/stop.ts';
import { metricFamily } from './train/measures/index.ts';

/** Families of kinds and common settings, in the order in which their settings are shown. */
export const SECTIONS: readonly (Family | Common)[] = [
  generalSettings,
  executorFamily,
  corpusFamily,
  tokenizerFamily,
  modelFamily,
  parametrizationFamily,
  attentionFamily,
  optimizerFamily,
  momentumFamily,
  decayFamily,
  averageFamily,
  scheduleFamily,
  batchFamily,
  lengthFamily,
  accumulationFamily,
  batchSettings,
  precisionSettings,
  evalSettings,
  stopSettings,
  logSettings,
  metricFamily,
];

/** What does not come with Sweeplab. Kinds of families that the catalogue does not know are left to others. */
export interface Contribution {
  /** For messages: the file of a plug-in. */
  readonly file: string;
  readonly kinds?: readonly Kind[];
  /** Settings of no kind. */
  readonly settings?: readonly SettingSpec[];
}

/** A setting that kinds declare, and the kinds (of any family) that read it. */
interface Owned {
  readonly spec: SettingSpec;
  /** Family of the kinds that declare it. */
  readonly family: Family;
  readonly readers: Kind[];
}

/** More settings than this do not give way one after the other. */
const MOST_YIELDS = 8;
/** Choices of kinds for which rules and derived defaults are remembered. */
const MOST_REMEMBERED = 256;

export interface WithDefaults {
  readonly config: Config;
  /** How each derived value came about, by setting. */
  readonly derived: Readonly<Record<string, string>>;
}

/** A value that follows from other settings, and how. */
export interface Followed {
  readonly rule: string;
  readonly value: SettingValue;
}

/** What holds for every configuration that chooses the same kinds. */
interface OfChosen {
  readonly rules: readonly Rule[];
  /** For a rule of a kind: the setting that chose it. */
  readonly chosenBy: ReadonlyMap<Rule, string>;
  readonly derived: readonly DerivedDefault[];
}

const commonOf = (common: readonly Common[]): Pick<OfChosen, 'rules' | 'derived'> => ({
  rules: common.flatMap(({ rules = [] }) => rules),
  derived: common.flatMap(({ derived = [] }) => derived),
});

const isFamily = (section: Family | Common): section is Family => 'kinds' in section;

export class Catalog implements Kinds {
  /** Every setting, with the choices and conditions that follow from the kinds. */
  readonly settings: readonly SettingSpec[];
  readonly #specs: ReadonlyMap<string, SettingSpec>;
  readonly #families: readonly Family[];
  readonly #common: readonly Common[];
  readonly #kinds = new Map<string, readonly Kind[]>();
  readonly #owned = new Map<string, Owned>();
  /** Settings with a derived default of some kind. */
  readonly #derivable: ReadonlySet<string>;
  readonly #ofChosen = new Map<string, OfChosen>();
  /** Where a kind comes from, for messages. */
  readonly #sources = new Map<Kind, string>();

  /** @throws DeclarationError naming kind and file: a name taken twice, a setting declared in two ways, one that nobody declares */
  constructor(contributions: readonly Contribution[] = [], sections: readonly (Family | Common)[] = SECTIONS) {
    this.#families = sections.filter(isFamily);
    this.#common = sections.filter((section): section is Common => !isFamily(section));
    for (const family of this.#families) this.#gather(family, contributions);
    this.#findReaders();
    this.settings = [
      ...sections.flatMap((section) => (isFamily(section) ? this.#compose(section) : section.settings)),
      ...contributions.flatMap(({ settings = [] }) => settings),
    ];
    this.#specs = new Map(this.settings.map((spec) => [spec.name, spec]));
    this.#checkNames();
    const everyDerived = [...[...this.#kinds.values()].flat(), ...this.#common].flatMap(({ derived = [] }) => derived);
    this.#derivable = new Set(everyDerived.map(({ setting }) => setting));
  }

  /** Whether kinds of that family are taken from contributions. */
  knows(family: string): boolean {
    return this.#kinds.has(family);
  }

  all<K extends Kind>(family: Family<K>): readonly K[] {
    return (this.#kinds.get(family.name) ?? family.kinds) as readonly K[];
  }

  of<K extends Kind>(family: Family<K>, config: Config): K {
    return chosen(family, this.all(family), config);
  }

  /** What kinds list is theirs; what none lists is everybody's. */
  view(kind: Kind, config: Config): Config {
    if (kind.reads !== undefined) return config;
    return new Proxy(config, {
      get: (target, name: string) => {
        const owned = this.#owned.get(name);
        if (owned === undefined && typeof name === 'string' && name.includes('.') && !(name in target))
          throw new DeclarationError(`${this.#nameOf(kind)} reads ${name}, which is not a setting${this.#hint(name)}`);
        if (owned === undefined || owned.readers.includes(kind)) return target[name];
        throw new DeclarationError(
          `${this.#nameOf(kind)} reads ${name}, which is not among its settings: add '${name}' to its list`,
        );
      },
    });
  }

  /** False for a setting of kinds that the chosen one could read and does not (see `reads` of a kind). */
  isRead(name: string, config: Config): boolean {
    const owned = this.#owned.get(name);
    // A reader that lists its settings reads them all.
    if (owned === undefined || owned.readers.every(({ reads }) => reads === undefined)) return true;
    const readers = owned.readers.filter((each) => this.#isChosen(this.#familyOf(each), each, config));
    return readers.length === 0 || readers.some(({ reads }) => reads === undefined || reads(config).has(name));
  }

  /** Applies the rules of the kinds that a complete configuration chooses, and the common ones. Values that were given must be valid. */
  check(config: Config, asked: Asked = ASKED_ANEW): RuleResult {
    const outside = this.#outside(config);
    // Rules are for values that are valid, those that follow from others too.
    if (outside.length > 0) return { problems: outside, warnings: [] };
    return applyRules(this.#forChosen(config).rules, config, asked);
  }

  /** What follows from given values and is not allowed, told of what it follows from. */
  #outside(config: Config): Problem[] {
    const found = new Map<string, Problem>();
    for (const { setting, rule } of this.#forChosen(config).derived) {
      if (found.has(setting) || this.#allows(setting, config[setting])) continue;
      const from = this.#givenFor(setting, config);
      // One that was given is refused where it is read.
      if (from.length === 0) continue;
      const said = from.map((name) => `${name} ${showValue(config[name])}`).join(' and ');
      const why = `with ${said}, ${setting} is ${showValue(config[setting])}: ${rule}`;
      const allowed = `one for which ${setting} is ${describeType(this.#specs.get(setting)!.type)}`;
      found.set(setting, { ...problem(from[0]!, config[from[0]!], allowed, undefined, why), code: 'derived' });
    }
    return [...found.values()];
  }

  #allows(setting: string, value: SettingValue | undefined): boolean {
    const spec = this.#specs.get(setting);
    return spec === undefined || checkValue(spec, value) === null;
  }

  /** The settings from which the value of another one follows, those that are no default first; none where it does not follow. */
  #givenFor(setting: string, config: Config, seen: ReadonlySet<string> = new Set([setting])): string[] {
    for (const each of this.#forChosen(config).derived) {
      if (each.setting !== setting) continue;
      const { read, seen: recorded } = recorder(config);
      const follows = each.value(recorded, this);
      if (follows === undefined) continue;
      if (follows !== config[setting]) return [];
      const names = [...(read.names ?? [])].filter((name) => !seen.has(name) && this.#specs.has(name));
      const all = names.flatMap((name) => {
        const further = this.#givenFor(name, config, new Set([...seen, ...names]));
        return further.length > 0 ? further : [name];
      });
      const isDefault = (name: string): boolean => config[name] === this.#specs.get(name)!.default;
      return [...new Set(all)].toSorted((a, b) => Number(isDefault(a)) - Number(isDefault(b)));
    }
    return [];
  }

  /** Every rule that a configuration could meet. */
  allRules(): readonly Rule[] {
    const ofKinds = this.#families.flatMap((family) => this.all(family).flatMap((kind) => this.#rulesOf(family, kind)));
    return [...ofKinds, ...commonOf(this.#common).rules];
  }

  /**
   * Gives every setting that was not set its default, or the derived default of the kinds that are chosen. A derived default may depend
   * on another one: they are computed again until nothing changes.
   *
   * @returns the complete configuration, and the rule of each setting with a derived value
   * @throws DeclarationError when derived defaults chase each other
   */
  withDefaults(config: Config, isSet: (name: string) => boolean, asked: Asked = ASKED_ANEW): WithDefaults {
    const plain: Record<string, SettingValue> = { ...config };
    for (const { name, default: value } of this.settings)
      if ((this.#derivable.has(name) || !(name in config)) && !isSet(name)) plain[name] = value;
    let current: Config = plain;
    for (let round = 0; round <= this.#derivable.size + 1; round++) {
      const found = new Map<string, SettingValue>();
      const derived: Record<string, string> = {};
      for (const each of this.#forChosen(current).derived) {
        const { setting, rule } = each;
        const follows = isSet(setting) || found.has(setting) ? undefined : this.#follows(each, current, asked);
        if (follows === undefined) continue;
        found.set(setting, follows);
        derived[setting] = rule;
      }
      const valueOf = (name: string): SettingValue | undefined => (found.has(name) ? found.get(name) : plain[name]);
      if ([...this.#derivable].every((name) => valueOf(name) === current[name])) return { config: current, derived };
      current = { ...plain, ...Object.fromEntries(found) };
    }
    throw new DeclarationError(`the derived defaults of ${[...this.#derivable].join(', ')} depend on each other`);
  }

  /** What settings that were set would be otherwise, with the rule of each. `config` is complete. */
  replaced(config: Config, isSet: (name: string) => boolean, asked: Asked = ASKED_ANEW): ReadonlyMap<string, Followed> {
    const found = new Map<string, Followed>();
    for (const each of this.#forChosen(config).derived) {
      const { setting, rule } = each;
      if (!isSet(setting) || found.has(setting)) continue;
      const follows = this.#follows(each, config, asked);
      if (follows !== undefined) found.set(setting, { rule, value: follows });
    }
    return found;
  }

  #follows(of: DerivedDefault, config: Config, asked: Asked): SettingValue | undefined {
    return asked.ask(of, config, (seen) => of.value(seen, this));
  }

  /**
   * Lets settings that were not given give way to those that were, where a rule says which may (see `yields` of a rule).
   *
   * @returns the configuration, and what each setting that gave way has to be, in words
   */
  settle(config: Config, isGiven: (name: string) => boolean, asked: Asked = ASKED_ANEW): WithDefaults {
    let current = config;
    const derived: Record<string, string> = {};
    // One that gives way may break another rule: as often as there are rules that could follow from it.
    for (let round = 0; round < MOST_YIELDS; round++) {
      const move = this.#yield(current, isGiven, asked);
      if (move === undefined) return { config: current, derived };
      current = { ...current, [move.setting]: move.nearest };
      derived[move.setting] = move.allowed;
    }
    return { config, derived: {} };
  }

  /** The first setting that has to give way, and its new value. */
  #yield(
    config: Config,
    isGiven: (name: string) => boolean,
    asked: Asked,
  ): { readonly setting: string; readonly nearest: SettingValue; readonly allowed: string } | undefined {
    const { rules, chosenBy } = this.#forChosen(config);
    for (const rule of rules) {
      const { yields = [], settings, severity, check } = rule;
      if (yields.length === 0 || severity !== 'error') continue;
      if (!settings.some(isGiven) && !isGiven(chosenBy.get(rule) ?? '')) continue;
      const found = asked.ask(rule, config, check);
      if (found === null) continue;
      const { yielded, others = [] } = found;
      // What follows from given values is bounded like them; a rule that nothing can settle says so itself.
      const mayBe = (setting: string, value: SettingValue): boolean =>
        yields.includes(setting) && !isGiven(setting) && this.#allows(setting, value);
      if (yielded !== undefined && mayBe(found.setting, yielded.value))
        return { setting: found.setting, nearest: yielded.value, allowed: yielded.why };
      for (const { setting, nearest, allowed = found.allowed } of [found, ...others])
        if (nearest !== undefined && mayBe(setting, nearest)) return { setting, nearest, allowed };
    }
    return undefined;
  }

  complete(config: Config): Config {
    if (this.settings.every(({ name }) => name in config)) return config;
    return this.withDefaults(config, (name) => name in config).config;
  }

  /** Remembered, as a sweep asks for each of ten thousand combinations, and a list for each run of an older version. */
  #forChosen(config: Config): OfChosen {
    let choices = '';
    for (const { setting } of this.#families)
      if (setting !== undefined) choices += `${JSON.stringify(config[setting])} `;
    let found = this.#ofChosen.get(choices);
    if (found === undefined) {
      const inUse = this.#inUse(config);
      const ofKinds = inUse.flatMap(([family, kind]) =>
        this.#rulesOf(family, kind).map((rule) => [rule, family.setting] as const),
      );
      const { rules, derived } = commonOf(this.#common);
      found = {
        rules: [...ofKinds.map(([rule]) => rule), ...rules],
        chosenBy: new Map(ofKinds.flatMap(([rule, setting]) => (setting === undefined ? [] : [[rule, setting]]))),
        derived: [...inUse.flatMap(([, kind]) => kind.derived ?? []), ...derived],
      };
      if (this.#ofChosen.size >= MOST_REMEMBERED) this.#ofChosen.clear();
      this.#ofChosen.set(choices, found);
    }
    return found;
  }

  /** The chosen kinds; those of plug-ins that are no longer there are left out. */
  #chosen(config: Config): [Family, Kind][] {
    return this.#families.flatMap((family) =>
      this.all(family)
        .filter((kind) => this.#isChosen(family, kind, config))
        .map((kind): [Family, Kind] => [family, kind]),
    );
  }

  /** The chosen kinds of the families that matter: those that no other family uses, or that a chosen kind does. */
  #inUse(config: Config): [Family, Kind][] {
    const chosenKinds = this.#chosen(config);
    return chosenKinds.filter(([family]) => {
      const users = this.#families.some((each) => this.all(each).some(({ uses = [] }) => uses.includes(family.name)));
      return !users || chosenKinds.some(([, { uses = [] }]) => uses.includes(family.name));
    });
  }

  #rulesOf(family: Family, kind: Kind): readonly Rule[] {
    return [...(family.rules?.(kind, this.all(family), this) ?? []), ...(kind.rules ?? [])];
  }

  #isChosen(family: Family, kind: Kind, config: Config): boolean {
    const kinds = this.#kinds.get(family.name)!;
    if (family.setting === undefined) return kinds.includes(kind);
    return kindFor(family, kinds, config[family.setting]) === kind;
  }

  #nameOf(kind: Kind): string {
    const source = this.#sources.get(kind);
    return `${kind.family} ${kind.name}${source === undefined ? '' : ` (${source})`}`;
  }

  /** The built-in kinds of a family and those of plug-ins. */
  #gather(family: Family, contributions: readonly Contribution[]): void {
    const all: Kind[] = [...family.kinds];
    for (const { file, kinds = [] } of contributions) {
      for (const kind of kinds) {
        if (kind.family !== family.name) continue;
        const twin = all.find(({ name }) => name === kind.name);
        if (twin !== undefined) {
          const owner = this.#sources.get(twin) ?? 'Sweeplab';
          throw new DeclarationError(`the ${family.name} ${kind.name} is already declared by ${owner}`);
        }
        this.#sources.set(kind, file);
        all.push(kind);
      }
    }
    this.#kinds.set(family.name, all);
  }

  #findReaders(): void {
    for (const family of this.#families)
      for (const kind of this.all(family))
        for (const entry of kind.settings ?? []) if (typeof entry !== 'string') this.#declare(family, kind, entry);
    const every = [...this.#kinds.values()].flat();
    for (const kind of every)
      for (const entry of kind.settings ?? [])
        if (typeof entry === 'string') this.#owned.get(entry)?.readers.push(kind);
    for (const kind of every.filter(({ reads }) => reads !== undefined))
      for (const { readers } of this.#owned.values())
        if (readers.some(({ family }) => family === kind.family) && !readers.includes(kind)) readers.push(kind);
  }

  #familyOf({ family }: Kind): Family {
    return this.#families.find(({ name }) => name === family)!;
  }

  /** The same declaration may stand in several kinds; another one under the same name may not. */
  #declare(family: Family, kind: Kind, spec: SettingSpec): void {
    const known = this.#owned.get(spec.name);
    if (known === undefined) this.#owned.set(spec.name, { spec, family, readers: [kind] });
    else if (JSON.stringify(known.spec) === JSON.stringify(spec)) known.readers.push(kind);
    else
      throw new DeclarationError(
        `setting ${spec.name} is declared differently by ${this.#nameOf(known.readers[0]!)} and by ${this.#nameOf(kind)}`,
      );
  }

  /** The settings of a family: what all its kinds share, and in their place those of the kinds. */
  #compose(family: Family): readonly SettingSpec[] {
    const kinds = this.all(family);
    const used = this.#usedWhen(family);
    return family.shared.flatMap((entry): SettingSpec[] => {
      if (entry !== KINDS_HERE)
        return [withCondition(entry.name === family.setting ? withChoices(entry, family, kinds) : entry, used)];
      const own = [...this.#owned.values()].filter((owned) => owned.family === family);
      return own.map(({ spec, readers }) => withCondition(spec, this.#readWhen(readers)));
    });
  }

  /** While any of its readers is chosen, of whatever family. Undefined where that is always. */
  #readWhen(readers: readonly Kind[]): string | undefined {
    const families = this.#families.filter((family) => this.all(family).some((kind) => readers.includes(kind)));
    const clauses = families.map((family) =>
      joined([this.#usedWhen(family), condition(family, this.all(family), readers)], '&&'),
    );
    return clauses.includes(undefined) ? undefined : joined(clauses, '||');
  }

  /** When a family that kinds of another one use matters at all. */
  #usedWhen({ name }: Family): string | undefined {
    for (const family of this.#families) {
      const kinds = this.all(family);
      const users = kinds.filter(({ uses = [] }) => uses.includes(name));
      if (users.length > 0) return condition(family, kinds, users);
    }
    return undefined;
  }

  /** Every name that a kind lists must be a setting. */
  #checkNames(): void {
    const names = this.settings.map(({ name }) => name);
    const known = new Set(names);
    for (const kind of [...this.#kinds.values()].flat())
      for (const entry of kind.settings ?? []) {
        if (typeof entry !== 'string' || known.has(entry)) continue;
        throw new DeclarationError(
          `${this.#nameOf(kind)}: settings lists ${entry}, which is not a setting${this.#hint(entry)}`,
        );
      }
  }

  #hint(name: string): string {
    const near = nearestName(
      name,
      this.settings.map((setting) => setting.name),
    );
    return near === undefined ? '' : `; did you mean ${near}?`;
  }
}

/** The setting that chooses a kind, with every kind's name among its choices. */
function withChoices(spec: SettingSpec, family: Family, kinds: readonly Kind[]): SettingSpec {
  if (spec.type.kind === 'string') {
    const suggestions = kinds.filter((kind) => isNamed(family, kind)).map(({ name }) => name);
    return { ...spec, type: { ...spec.type, suggestions } };
  }
  const { values, ...rest } = spec.type.kind === 'enum' ? spec.type : { values: [] };
  return { ...spec, type: { ...rest, kind: 'enum', values: [...values, ...kinds.map(({ name }) => name)] } };
}

/** When a setting has an effect at all: while one of its readers is chosen. Undefined where that is always. */
function condition(family: Family, kinds: readonly Kind[], readers: readonly Kind[]): string | undefined {
  const names = kinds.filter((kind) => readers.includes(kind)).map(({ name }) => JSON.stringify(name));
  if (names.length === kinds.length || family.setting === undefined) return undefined;
  // No condition can say which values mean a kind that goes by more than its name.
  if (readers.some((kind) => kinds.includes(kind) && !isNamed(family, kind))) return undefined;
  return names.length === 1 ? `${family.setting} == ${names[0]}` : `${family.setting} in [${names.join(', ')}]`;
}

/** Conditions as one; undefined where none is left. */
function joined(clauses: readonly (string | undefined)[], by: '&&' | '||'): string | undefined {
  const given = clauses.filter((clause) => clause !== undefined);
  if (given.length < 2) return given[0];
  return given.map((clause) => (/&&|\|\|/u.test(clause) ? `(${clause})` : clause)).join(` ${by} `);
}

function withCondition(spec: SettingSpec, clause: string | undefined): SettingSpec {
  if (clause === undefined) return spec;
  if (spec.when === undefined) return { ...spec, when: clause };
  return { ...spec, when: `${clause.includes('||') ? `(${clause})` : clause} && (${spec.when})` };
}

/** The kinds that come with Sweeplab. */
export const builtInCatalog = new Catalog();
