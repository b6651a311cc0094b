/**
 * What a kind is: whatever a user chooses by name (an optimizer, a model, a schedule …) is a kind, and a kind is one file that holds its
 * name, its help, its settings and what it does. Kinds of one sort form a family. The define functions of the families, for built-in
 * kinds and for plug-ins, are made here; which kinds there are is in catalog.ts.
 */
import type { Config, SettingSpec, SettingValue } from '../../preload/contract/settings.ts';
import { nearestName } from '../../preload/shared/settings/nearest.ts';
import type { Rule } from '../../preload/shared/settings/rules.ts';

/** A default that depends on other settings; used only where the user did not set the setting. */
export interface DerivedDefault {
  readonly setting: string;
  /** How the value comes about, for people: `model.width / 64`. */
  readonly rule: string;
  /** Undefined: the declared default stays. `kinds` are those that exist: a default may ask another family, the tokenizer for its vocabulary. */
  readonly value: (config: Config, kinds: Kinds) => SettingValue | undefined;
}

export interface Kind {
  /** Set by the define function. */
  readonly family: string;
  /** The value by which it is chosen, lower case: `adamw`, `inverse_power`. */
  readonly name: string;
  /** One line for the user: what it is and when to take it. */
  readonly help: string;
  /**
   * Every setting that it reads beyond those that all kinds of its family share. A name stands for a setting that another kind
   * declares. What is not listed has no effect while this kind is chosen, and reading it is an error.
   */
  readonly settings?: readonly (SettingSpec | string)[];
  /**
   * For kinds that do not list their settings: what such a kind reads under a configuration. It then sees every setting, and those
   * that it does not read have no effect.
   */
  readonly reads?: (config: Config) => ReadonlySet<string>;
  /** Families whose choice matters to it (a model that takes an attention). Where no chosen kind uses a family, its settings have no effect. */
  readonly uses?: readonly string[];
  /** Further values of the family's setting that mean this kind, for families whose setting is free text: `hf:owner/name`. */
  readonly matches?: (value: string) => boolean;
  /** Checked only while this kind is chosen. */
  readonly rules?: readonly Rule[];
  /** Applied only while this kind is chosen. */
  readonly derived?: readonly DerivedDefault[];
}

/** Where the settings of the kinds stand among those that all kinds of the family share. */
export const KINDS_HERE = 'settings of the kinds';

export interface Family<K extends Kind = Kind> {
  readonly name: string;
  /**
   * The setting whose value is the name of a kind; its choices are completed by the catalogue. Where kinds are chosen elsewhere than in a
   * run's configuration: what it is called there. Without one all kinds count at once.
   */
  readonly setting?: string;
  /** Settings that all kinds share, {@link setting} among them where it is one. */
  readonly shared: readonly (SettingSpec | typeof KINDS_HERE)[];
  /** Rules for every kind; `kinds` are all that could be chosen, `all` those of every family. */
  rules?(kind: K, kinds: readonly K[], all: Pick<Kinds, 'all'>): readonly Rule[];
  /** The built-in kinds, in the order in which they are offered. */
  readonly kinds: readonly K[];
  /** What a value means that no kind is named by or matches, where the setting is free text: one of {@link kinds}. */
  readonly otherwise?: K;
}

/** Settings that a run has whatever kinds it chooses. */
export interface Common {
  readonly settings: readonly SettingSpec[];
  readonly rules?: readonly Rule[];
  readonly derived?: readonly DerivedDefault[];
}

/** A declaration that cannot be right: a mistake of a programmer or of a plug-in's author. */
export class DeclarationError extends Error {
  override readonly name: string = 'DeclarationError';
}

/** What the engine asks of a catalogue: the kinds that exist, and the one that a configuration chooses. */
export interface Kinds {
  all<K extends Kind>(family: Family<K>): readonly K[];
  /** @throws Error naming the setting, its value, what is allowed and the nearest choice */
  of<K extends Kind>(family: Family<K>, config: Config): K;
  /** `config` as this kind may see it: reading a setting that belongs to others is a {@link DeclarationError}. */
  view(kind: Kind, config: Config): Config;
  /** A stored configuration with the settings that did not exist yet when it was stored, as they would have been. */
  complete(config: Config): Config;
}

/** The kind that a value of the family's setting means, if any. */
export function kindFor<K extends Kind>({ otherwise }: Family<K>, kinds: readonly K[], value: unknown): K | undefined {
  const named = kinds.find(({ name }) => name === value);
  return named ?? kinds.find(({ matches }) => typeof value === 'string' && matches?.(value) === true) ?? otherwise;
}

/** Whether a kind goes by its name alone, so that conditions can name it. */
export const isNamed = <K extends Kind>({ otherwise }: Family<K>, kind: K): boolean =>
  kind !== otherwise && kind.matches === undefined;

/** The kind that a configuration chooses, among `kinds`. */
export function chosen<K extends Kind>(family: Family<K>, kinds: readonly K[], config: Config): K {
  if (family.setting === undefined) throw new Error(`no setting chooses a ${family.name}: all of them count`);
  const wanted = config[family.setting];
  const found = kindFor(family, kinds, wanted);
  if (found !== undefined) return found;
  const names = kinds.map(({ name }) => name);
  const near = nearestName(String(wanted), names);
  const hint = near === undefined ? '' : `; nearest: ${near}`;
  throw new Error(`${family.setting} is ${String(wanted)}; allowed: ${names.join(', ')}${hint}`);
}

/** The built-in kinds alone. */
export const BUILT_IN: Kinds = {
  all: (family) => family.kinds,
  of: (family, config) => chosen(family, family.kinds, config),
  view: (_, config) => config,
  complete: (config) => config,
};

const NAME = /^[a-z][a-z0-9_-]*$/u;

export interface DefinerOptions {
  /** What names may be, where they are not the value of a setting; and such names in words. */
  readonly names?: { readonly pattern: RegExp; readonly words: string };
}

/** For families whose settings are told from others by their section: plans and datasets are shared by it. @throws DeclarationError */
export function checkSection({ family, name, settings = [] }: Kind, section: string): void {
  for (const entry of settings)
    if (typeof entry !== 'string' && !entry.name.startsWith(`${section}.`))
      throw new DeclarationError(`${family} ${name}: its setting ${entry.name} must be named ${section}.…`);
}

/** A kind without its family: what a define function takes. */
export type Declared<K extends Kind> = Omit<K, 'family'>;

/**
 * Makes the define function of a family. `functions` are the members that must be functions: a plug-in's file is not compiled by
 * anybody, so what is missing or misspelt is found here. @throws DeclarationError naming the kind and the field
 */
export function definer<K extends Kind>(
  family: string,
  functions: readonly (keyof K & string)[],
  { names = { pattern: NAME, words: `lower case, such as my-${family}` } }: DefinerOptions = {},
) {
  return (kind: Declared<K>): K => {
    const given = kind as unknown as Record<string, unknown>;
    const fail = (field: string, what: string): never => {
      const name = typeof given.name === 'string' ? ` ${given.name}` : '';
      throw new DeclarationError(`${family}${name}: ${field} ${what}`);
    };
    if (typeof given.name !== 'string' || !names.pattern.test(given.name))
      fail('name', `is ${JSON.stringify(given.name)}; allowed: ${names.words}`);
    if (typeof given.help !== 'string' || given.help.trim() === '') fail('help', 'is missing: one line for the user');
    for (const field of functions) if (typeof given[field] !== 'function') fail(field, 'must be a function');
    for (const list of ['settings', 'rules', 'derived'])
      if (given[list] !== undefined && !Array.isArray(given[list])) fail(list, 'must be a list');
    return { ...given, family } as unknown as K;
  };
}

/** Names of the settings that a kind lists, of its own and of others. */
export const settingNames = ({ settings = [] }: Pick<Kind, 'settings'>): string[] =>
  settings.map((entry) => (typeof entry === 'string' ? entry : entry.name));
