/**
 * The draft of a sweep and everything that can be done to it, as pure functions: the form, the YAML tab and the keyboard all
 * go through these. A setting is in one of five forms: as its base has it or following from others (in neither record), fixed
 * (`settings`), a list of values, or a distribution (both in `parameters`). It is never in both records.
 */
import type { Draft, DraftParameter } from '../../../preload/contract/draft.ts';
import type { Config, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';
import type { MethodInfo } from '../../../preload/contract/shapes.ts';

export type Field =
  | { readonly form: 'base'; readonly value: SettingValue }
  /** Follows from other settings, in every run by the same rules; `more` values are not listed. */
  | { readonly form: 'derived'; readonly values: readonly SettingValue[]; readonly more: number }
  | { readonly form: 'fixed'; readonly value: SettingValue }
  | { readonly form: 'list'; readonly values: readonly SettingValue[] }
  | { readonly form: 'distribution'; readonly parameter: DraftParameter };

/**
 * What the draft says of a setting; the plan knows which follow from others. `base` is the configuration that the recipe alone gives,
 * without settings that follow from others in this draft.
 */
export function fieldOf(draft: Draft, name: string, base: Config): Field {
  const parameter = draft.parameters[name];
  if (parameter !== undefined) {
    const values = listOf(parameter);
    return values === undefined ? { form: 'distribution', parameter } : { form: 'list', values };
  }
  const value = draft.settings[name];
  return value === undefined ? { form: 'base', value: base[name] ?? '' } : { form: 'fixed', value };
}

/** The values of a plain list; undefined for a distribution (weights make a list a distribution). */
export function listOf(parameter: DraftParameter): readonly SettingValue[] | undefined {
  if (parameter.value !== undefined) return [parameter.value];
  if (parameter.values === undefined || parameter.probabilities !== undefined) return undefined;
  return parameter.values;
}

export const isSwept = (field: Field): boolean =>
  field.form === 'distribution' || (field.form === 'list' && field.values.length > 1);

/** Whether the setting takes another value than it would by default. */
export function isChanged(field: Field, spec: SettingSpec): boolean {
  if (field.form === 'derived') return false;
  if (field.form === 'base' || field.form === 'fixed') return field.value !== spec.default;
  return true;
}

function without<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  const { [name]: _, ...rest } = record;
  return rest;
}

/** Back to what recipe and defaults say. */
export function reset(draft: Draft, name: string): Draft {
  return { ...draft, settings: without(draft.settings, name), parameters: without(draft.parameters, name) };
}

/**
 * Limits for which "as the default" and "the default's value, typed" differ: stop.steps steps aside when another limit is
 * set, unless someone asked for it.
 */
const KEPT = new Set(['stop.steps']);

/** One value for all runs. A value that the base has anyway leaves the draft unless it was asked for explicitly. */
export function setFixed(draft: Draft, name: string, value: SettingValue, base: Config): Draft {
  const clean = reset(draft, name);
  if (value === base[name] && !KEPT.has(name)) return clean;
  return { ...clean, settings: { ...clean.settings, [name]: value } };
}

/** Sets a list: no value twice, no list of none, and a list of one is a fixed value. */
export function setValues(draft: Draft, name: string, values: readonly SettingValue[], base: Config): Draft {
  const unique = [...new Set(values)];
  if (unique.length === 0) return reset(draft, name);
  if (unique.length === 1) return setFixed(draft, name, unique[0], base);
  const when = draft.parameters[name]?.when;
  const parameter: DraftParameter = { values: unique, ...(when === undefined ? {} : { when }) };
  return { ...reset(draft, name), parameters: { ...without(draft.parameters, name), [name]: parameter } };
}

/** The values that a further one would join. A distribution is left behind by typing a value. */
export function valuesOf(field: Field): readonly SettingValue[] {
  switch (field.form) {
    case 'list':
    case 'derived':
      return field.values;
    case 'distribution':
      return [];
    default:
      return [field.value];
  }
}

/** A second value makes a fixed setting swept. */
export function addValue(draft: Draft, name: string, value: SettingValue, base: Config): Draft {
  return setValues(draft, name, [...valuesOf(fieldOf(draft, name, base)), value], base);
}

/** Another value in the same place of the list. */
export function replaceValue(draft: Draft, name: string, from: SettingValue, to: SettingValue, base: Config): Draft {
  const field = fieldOf(draft, name, base);
  if (field.form === 'base' || field.form === 'fixed') return setFixed(draft, name, to, base);
  return setValues(
    draft,
    name,
    valuesOf(field).map((each) => (each === from ? to : each)),
    base,
  );
}

/** Ascending for numbers; other values keep their order. */
export function sortValues(values: readonly SettingValue[]): SettingValue[] {
  return values.every((value) => typeof value === 'number') ? [...values].sort((a, b) => a - b) : [...values];
}

export function setParameter(draft: Draft, name: string, parameter: DraftParameter): Draft {
  const clean = reset(draft, name);
  return { ...clean, parameters: { ...clean.parameters, [name]: parameter } };
}

/** A recipe replaces what it sets; what the user typed stays and goes on winning over it. */
export function setRecipe(draft: Draft, recipe: string | null): Draft {
  return { ...draft, recipe };
}

/** Names of everything that takes several values, sorted as the plan sorts them. */
export function sweptNames(draft: Draft): string[] {
  return Object.entries(draft.parameters)
    .filter(([, parameter]) => (listOf(parameter)?.length ?? 2) > 1)
    .map(([name]) => name)
    .sort((a, b) => (a < b ? -1 : 1));
}

/** Whether there is anything in it that would be missed. */
export function isEmpty(draft: Draft): boolean {
  return (
    Object.keys(draft.settings).length === 0 &&
    Object.keys(draft.parameters).length === 0 &&
    draft.constraints.length === 0 &&
    draft.name === '' &&
    draft.notes === ''
  );
}

/** What the settings are ranked by; undefined: as usual. */
/** As many runs as a method draws where nobody says how many. */
export const USUAL_DRAWS = 20;

/** Another method; one that draws must know how often. */
export function setMethod(draft: Draft, { name, draws }: Pick<MethodInfo, 'name' | 'draws'>): Draft {
  return { ...draft, method: name, runCap: draws ? (draft.runCap ?? USUAL_DRAWS) : draft.runCap };
}

export function setMetric(draft: Draft, metric: Draft['metric']): Draft {
  const { metric: _, ...rest } = draft;
  return metric === undefined ? rest : { ...rest, metric };
}

/** Every run trains to its end. */
export function withoutEarlyEnd(draft: Draft): Draft {
  const { earlyTerminate: _, ...rest } = draft;
  return rest;
}
