/** From layers of settings (recipe ← file ← flags) to one complete, checked configuration. */
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Config, Problem, SettingProblem, SettingValue } from '../../../preload/contract/settings.ts';
import type { FastestOn } from '../../engine/executors/fastest.ts';
import { checkConfig, completeConfig } from './complete.ts';
import type { SettingsRegistry } from './registry.ts';
import { flagSource, type Origin, type SettingEntry, type SettingsSource } from './source.ts';
import { type Given, Suggestions } from './suggest.ts';
import { ASKED_ANEW } from '../../../preload/shared/settings/answers.ts';
import { checkValue, parseValue, problem, showValue } from '../../../preload/shared/settings/values.ts';
import { counted } from '../../../preload/shared/format.ts';

/** With the values as they were given, of which the configuration was made. */
export interface Resolved extends Given {
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
}

export interface ResolveInput {
  readonly registry: SettingsRegistry;
  readonly recipe?: SettingsSource;
  readonly file?: SettingsSource;
  /** Texts of flags or values of a form. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** What `precision.policy: auto` means, where not this machine is asked about. */
  readonly fastest?: FastestOn | undefined;
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

const isOfTheUser = (origin: Origin): boolean => origin === 'file' || origin === 'flag';

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
  const { registry, fastest } = input;
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
        // What is told of it is not told of the line that it was to replace.
        if (places.has(entry.name)) places.set(entry.name, entry.where);
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
  const completed = completeConfig(registry, given, (name) => set.has(name), isOfUser, ASKED_ANEW, fastest);
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
  const from = { given, set, ofUser, fastest };
  const suggestions = new Suggestions(registry);
  return {
    config,
    problems: suggestions
      .mend(problems, from)
      .map((found) => (found.where === undefined ? placed(found, found.code, places.get(found.setting)) : found)),
    warnings: suggestions.checked(warnings, from),
    changed,
    origins,
    derived,
    ...from,
  };
}
