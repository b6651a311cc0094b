/** From layers of settings (recipe ← file ← flags) to one complete, checked configuration. */
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Config, Problem, SettingProblem, SettingValue } from '../../../preload/contract/settings.ts';
import { type Expression, ExpressionError } from '../../../preload/shared/settings/expression.ts';
import type { SettingsRegistry } from './registry.ts';
import { flagSource, type Origin, type SettingEntry, type SettingsSource } from './source.ts';
import { checkValue, parseValue, problem, showValue, type Why } from '../../../preload/shared/settings/values.ts';
import { counted } from '../../../preload/shared/format.ts';

export interface Resolved {
  /** Complete: every declared setting is present. Wrong values are replaced by the default, so use it only without problems. */
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** Settings without effect, roundings, risky choices: the run may start. */
  readonly warnings: readonly Problem[];
  /** Settings that differ from the default, in order of declaration. */
  readonly changed: readonly string[];
  readonly origins: Readonly<Record<string, Origin>>;
  /** How each derived default came about, by setting. */
  readonly derived: Readonly<Record<string, string>>;
  /** The values as they were given, over the defaults: what {@link completeConfig} begins with. */
  readonly given: Config;
  /** Names of the settings that some layer gives. */
  readonly set: ReadonlySet<string>;
  /** Those among them that a file or a flag gives. */
  readonly ofUser: ReadonlySet<string>;
}

export interface ResolveInput {
  readonly registry: SettingsRegistry;
  readonly recipe?: SettingsSource;
  readonly file?: SettingsSource;
  /** Texts of flags or values of a form. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** A problem under its code, where it stands. */
export function placed(found: SettingProblem, code: string, where: string | undefined): Problem {
  return { ...found, code, ...(where === undefined ? {} : { where }) };
}

/** Looking for the name that was meant takes time: for a handful, not for hundreds that are wrong. */
const MOST_SUGGESTIONS = 20;

function unknown(registry: SettingsRegistry, entry: SettingEntry, suggest: boolean): Problem {
  const { name, value, where } = entry;
  const section = registry.names.filter((other) => other.startsWith(`${name}.`));
  const allowed =
    section.length > 0 ? `a setting of the section ${name}: ${section.join(', ')}` : 'the name of a setting';
  // `optimizer: adamw` means the choice that the section is about.
  const about = registry.get(`${name}.kind`);
  const meant = about && checkValue(about, value) === null ? about.name : undefined;
  const near = section.length > 0 ? meant : suggest ? registry.suggest(name) : undefined;
  const hint = near ? `; did you mean ${near}?` : '';
  const message = `${name} is not a setting (given: ${showValue(value)}); allowed: ${allowed}${hint}`;
  return placed({ ...problem(name, value, allowed, near, 'it is not a setting'), message }, 'unknown', where);
}

/** Reads one entry. Text stands for a number or boolean where it was written without quotes. */
export function readEntry(
  registry: SettingsRegistry,
  entry: SettingEntry,
  suggest = true,
): { readonly value: SettingValue } | { readonly problem: Problem } {
  const spec = registry.get(entry.name);
  if (!spec) return { problem: unknown(registry, entry, suggest) };
  const { value } = entry;
  // YAML reads 1e3 as a number and `text: 12` as one too; a text setting takes it as it is written.
  if (spec.type.kind === 'string' && entry.fromText && (typeof value === 'number' || typeof value === 'boolean'))
    return { value: String(value) };
  if (entry.fromText && typeof value === 'string' && (spec.type.kind !== 'string' || !entry.where)) {
    const parsed = parseValue(spec, value);
    return parsed.problem ? { problem: placed(parsed.problem, 'value', entry.where) } : { value: parsed.value };
  }
  const wrong = checkValue(spec, value);
  return wrong ? { problem: placed(wrong, 'value', entry.where) } : { value: value as SettingValue };
}

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
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const { problems, warnings } = registry.catalog.check(config);
  const broken = registry.constraints.flatMap((constraint): Problem[] => {
    const why = whyBroken(constraint, config);
    if (why === undefined) return [];
    const setting = constraint.names[0] ?? 'constraint';
    return [{ ...problem(setting, config[setting], constraint.source, undefined, why), code: 'constraint' }];
  });
  return { problems: [...problems, ...broken], warnings };
}

const isOfTheUser = (origin: Origin): boolean => origin === 'file' || origin === 'flag';

/** What is said of settings that gave way to those of the user: what they were, and what they had to be. */
function gaveWay(before: Config, after: Config, settled: Readonly<Record<string, string>>): Problem[] {
  return Object.entries(settled).map(([name, allowed]) => {
    const found = problem(name, after[name], allowed);
    const was = showValue(before[name]);
    const message = `${name} is ${showValue(after[name])} instead of ${was}, which gives way to what you set: ${allowed}`;
    return { ...found, code: 'gave_way', message };
  });
}

export interface Completed {
  readonly config: Config;
  /** How each value came about that nobody gave and that is not the declared default, by setting. */
  readonly derived: Readonly<Record<string, string>>;
  /** What gave way to what the user set. */
  readonly warnings: readonly Problem[];
}

/**
 * The one way from given values to a complete configuration, for a single run and for each combination of a sweep alike: defaults that
 * depend on other settings are put in, and what the user did not give gives way to what he did.
 *
 * @param given valid values, over the declared defaults
 * @param isSet given by any layer, a recipe among them
 * @param isOfUser given by a file, a flag or a parameter of the sweep
 */
export function completeConfig(
  { catalog }: SettingsRegistry,
  given: Config,
  isSet: (name: string) => boolean,
  isOfUser: (name: string) => boolean,
): Completed {
  const whole = catalog.withDefaults(given, isSet);
  const { config, derived } = catalog.settle(whole.config, isOfUser);
  return { config, derived: { ...whole.derived, ...derived }, warnings: gaveWay(whole.config, config, derived) };
}

/** A warning for a setting that was given but has no effect here. */
function withoutEffect(registry: SettingsRegistry, config: Config, name: string, where?: string): Problem {
  const why = registry.whyWithoutEffect(name, config);
  const found = problem(name, config[name], `any value, but it has no effect here`, undefined, why);
  return placed(found, 'no_effect', where);
}

/**
 * Resolves a configuration. Never throws for bad input: everything wrong is listed, each problem with setting, value, what
 * is allowed and the nearest valid choice.
 */
export function resolveConfig(input: ResolveInput): Resolved {
  const { registry } = input;
  const layers = [input.recipe, input.file, input.overrides ? flagSource(input.overrides) : undefined].filter(
    (layer) => layer !== undefined,
  );
  const problems: Problem[] = [];
  const given: Record<string, SettingValue> = { ...registry.defaults };
  const origins: Record<string, Origin> = Object.fromEntries(registry.names.map((name) => [name, 'default' as const]));
  const places = new Map<string, string | undefined>();
  const ofRecipe: Record<string, SettingValue> = { ...registry.defaults };

  for (const layer of layers) {
    for (const { message, where } of layer.problems)
      problems.push({
        code: 'yaml',
        setting: layer.label,
        value: undefined,
        allowed: 'valid YAML',
        message,
        ...(where ? { where } : {}),
      });
    const seen = new Map<string, SettingEntry>();
    if (layer.entries.length > LIMITS.settings) {
      const allowed = `at most ${LIMITS.settings} settings`;
      const found = problem(layer.label, counted(layer.entries.length, 'setting'), allowed);
      problems.push({
        ...found,
        code: 'too_many',
        message: `${layer.label}: ${counted(layer.entries.length, 'setting')}; allowed: ${allowed}`,
      });
      continue;
    }
    for (const entry of layer.entries) {
      const earlier = seen.get(entry.name);
      if (earlier) {
        const why = `given before${earlier.where ? ` at ${earlier.where}` : ''} as ${showValue(earlier.value)}`;
        problems.push(
          placed(problem(entry.name, entry.value, 'each setting once', undefined, why), 'duplicate', entry.where),
        );
        continue;
      }
      seen.set(entry.name, entry);
      const read = readEntry(registry, entry, problems.length < MOST_SUGGESTIONS);
      if ('problem' in read) {
        problems.push(read.problem);
        continue;
      }
      given[entry.name] = read.value;
      if (layer.origin === 'recipe') ofRecipe[entry.name] = read.value;
      origins[entry.name] = layer.origin;
      places.set(entry.name, entry.where);
    }
  }
  const set = new Set(places.keys());
  const ofUser = new Set([...set].filter((name) => isOfTheUser(origins[name])));
  // Nothing gives way to values that are themselves wrong.
  const isOfUser = (name: string): boolean => problems.length === 0 && ofUser.has(name);
  const completed = completeConfig(registry, given, (name) => set.has(name), isOfUser);
  const { config, derived } = completed;
  const warnings = [...completed.warnings];
  for (const name of Object.keys(derived)) origins[name] = 'derived';

  // Combinations of values that are themselves wrong would only repeat the same mistake.
  if (problems.length === 0) {
    const checked = checkConfig(registry, config);
    problems.push(...checked.problems.map((found) => placed(found, found.code, places.get(found.setting))));
    warnings.push(...checked.warnings.map((found) => placed(found, found.code, places.get(found.setting))));
    const alone = registry.catalog.complete(ofRecipe);
    for (const [name, where] of places) {
      // A value of the recipe that what the user set makes idle is nothing that the user wrote.
      const madeIdle = origins[name] === 'recipe' && registry.applies(name, alone);
      if (config[name] !== registry.defaults[name] && !madeIdle && !registry.applies(name, config))
        warnings.push(withoutEffect(registry, config, name, where));
    }
  }
  const changed = registry.names.filter((name) => config[name] !== registry.defaults[name]);
  return { config, problems, warnings, changed, origins, derived, given, set, ofUser };
}
