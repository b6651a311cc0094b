/** Where a problem belongs in the form, and its one-click fix. */
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import type { Problem as ContractProblem } from '../../../preload/contract/shapes.ts';
import { kindOf } from '../../../preload/shared/sweeps/distributions.ts';
import { fieldOf, replaceValue, setFixed, setParameter } from './draft.ts';
import type { Draft, DraftParameter } from './types.ts';

/** Of the contract's problem what is needed here. */
export type Problem = Pick<ContractProblem, 'setting' | 'message'> &
  Partial<ContractProblem> & {
    /** Other settings that would settle it too, each with the value that it has and the nearest that does. */
    readonly others?: readonly {
      readonly setting: string;
      readonly value: SettingValue;
      readonly nearest: SettingValue;
    }[];
  };

/** A place in the form: a setting, or one of the parts that are no setting. */
export type Place =
  | { readonly part: 'setting'; readonly name: string }
  | { readonly part: 'constraint'; readonly index: number }
  | { readonly part: 'seeds' | 'method' | 'cap' | 'recipe' | 'sweep' };

/** `parameters.model.width.min`, `model.width`, `run_cap`, `constraints.2` … → where the user changes it. */
export function placeOf(problem: Problem, isSetting: (name: string) => boolean): Place {
  const { setting } = problem;
  const constraint = /^constraints\.(\d+)$/u.exec(setting);
  if (constraint !== null) return { part: 'constraint', index: Number(constraint[1]) };
  if (setting === 'seeds' || setting === 'parameters.seed') return { part: 'seeds' };
  if (setting === 'run_cap' || setting === 'runCap') return { part: 'cap' };
  if (setting === 'method' || setting === 'early_terminate') return { part: 'method' };
  if (setting === 'recipe') return { part: 'recipe' };
  let name = setting.replace(/^(parameters|settings)\./u, '');
  while (!isSetting(name) && name.includes('.')) name = name.slice(0, name.lastIndexOf('.'));
  return isSetting(name) ? { part: 'setting', name } : { part: 'sweep' };
}

export const placeKey = (place: Place): string =>
  place.part === 'setting' ? place.name : place.part === 'constraint' ? `constraint ${place.index}` : place.part;

/** Problems by place. @param everywhere one that several settings can settle stands beside each of them */
export function byPlace<T extends Problem>(
  problems: readonly T[],
  isSetting: (name: string) => boolean,
  everywhere = true,
): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const problem of problems) {
    const others = everywhere ? (problem.others ?? []).map(({ setting }) => setting) : [];
    const places = [placeKey(placeOf(problem, isSetting)), ...others];
    for (const place of new Set(places)) found.set(place, [...(found.get(place) ?? []), problem]);
  }
  return found;
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'number' && typeof b === 'string' && String(a) === b);

/** The draft with the nearest valid choice taken; null where there is none to take. */
export function fixed(
  draft: Draft,
  problem: Problem,
  isSetting: (name: string) => boolean,
  base: Config,
): Draft | null {
  const { nearest } = problem;
  if (nearest === undefined || nearest === null) return null;
  const place = placeOf(problem, isSetting);
  switch (place.part) {
    case 'method':
      return nearest === 'grid' || nearest === 'random' ? { ...draft, method: nearest } : null;
    case 'cap':
      return typeof nearest === 'number' ? { ...draft, runCap: nearest } : null;
    case 'seeds':
      return typeof nearest === 'number' ? { ...draft, seeds: nearest } : null;
    case 'recipe':
      return { ...draft, recipe: String(nearest) };
    case 'setting':
      return fixedSetting(draft, place.name, problem, nearest, base);
    default: {
      // An unknown setting whose name was meant otherwise: it is renamed with its values.
      const from = problem.setting.replace(/^(parameters|settings)\./u, '');
      return typeof nearest === 'string' && isSetting(nearest) ? renamed(draft, from, nearest) : null;
    }
  }
}

function fixedSetting(draft: Draft, name: string, problem: Problem, nearest: SettingValue, base: Config): Draft | null {
  const field = fieldOf(draft, name, base);
  if (field.form === 'list') {
    const wrong = field.values.find((value) => same(value, problem.value));
    return wrong === undefined ? null : replaceValue(draft, name, wrong, nearest, base);
  }
  if (field.form !== 'distribution') return setFixed(draft, name, nearest, base);
  const changed = fixedDistribution(field.parameter, problem, nearest);
  return changed === null ? null : setParameter(draft, name, changed);
}

function fixedDistribution(parameter: DraftParameter, problem: Problem, nearest: SettingValue): DraftParameter | null {
  const kind = kindOf(parameter);
  if (problem.value === kind && typeof nearest === 'string') {
    // "q_log_uniform_values with an integer q"
    const [next] = nearest.split(' ', 1);
    const whole = (value: number | undefined, up: boolean): number | undefined =>
      value === undefined ? undefined : up ? Math.ceil(value) : Math.floor(value);
    const q = next.startsWith('q_') ? { q: Math.max(1, Math.round(parameter.q ?? 1)) } : {};
    const bounds =
      next === 'int_uniform' ? { min: whole(parameter.min, false) ?? 0, max: whole(parameter.max, true) ?? 1 } : {};
    return { ...parameter, distribution: next, ...bounds, ...q };
  }
  if (typeof nearest !== 'number') return null;
  const end = /\.(min|max|q|mu|sigma|a|b)$/u.exec(problem.setting)?.[1] ?? endOf(parameter, problem);
  if (end === undefined) return null;
  const exponents = /^(q_)?log_uniform$/u.test(kind);
  return { ...parameter, [end]: exponents && nearest > 0 ? Math.log(nearest) : nearest };
}

function endOf(parameter: DraftParameter, { value, message }: Problem): 'min' | 'max' | undefined {
  if (message.includes('lower end')) return 'min';
  if (message.includes('upper end')) return 'max';
  return value === parameter.min ? 'min' : value === parameter.max ? 'max' : undefined;
}

function renamed(draft: Draft, from: string, to: string): Draft | null {
  const move = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name === from ? to : name, value]));
  if (draft.settings[from] === undefined && draft.parameters[from] === undefined) return null;
  return { ...draft, settings: move(draft.settings), parameters: move(draft.parameters) };
}

/** The line of a file that a problem is about (`file.yaml:3:5`), counted from 1; null when it has none. */
export function lineOf(problem: Problem): number | null {
  const found = /:(\d+):\d+$/u.exec(problem.where ?? '') ?? /^[^\s:]*:(\d+):\d+: /u.exec(problem.message);
  return found === null ? null : Number(found[1]);
}

/**
 * What rules between settings said of dropped combinations, as problems of the settings that they name, each once:
 * `model.heads is 7 (…: 64 % 7 = 1); allowed: …; nearest: 8`. Constraints are the user's own wish and no problem.
 */
export function problemsFromDropped(
  dropped: readonly { readonly code: string; readonly reason: string }[],
  isSetting: (name: string) => boolean,
): Problem[] {
  const found = new Map<string, Problem>();
  for (const { code, reason } of dropped) {
    if (code === 'constraint') continue;
    const parts = /^(\S+) is (\S+)(?: \(.*?\))?; allowed: (.*?)(?:; nearest: (.*))?$/su.exec(reason);
    if (parts === null || !isSetting(parts[1])) continue;
    const [, setting, value, allowed, nearest] = parts;
    const others = othersIn(reason, allowed, isSetting);
    const key = [setting, value, ...others.map((other) => `${other.setting} ${other.value}`)].join(' ');
    if (found.has(key)) continue;
    found.set(key, {
      setting,
      value: literal(value),
      allowed,
      message: reason,
      code,
      ...(nearest === undefined ? {} : { nearest: literal(nearest) }),
      ...(others.length === 0 ? {} : { others }),
    });
  }
  return [...found.values()];
}

/**
 * `… (model.width % model.heads: 33 % 4 = 1); allowed: a divisor of …, or model.width 32, …`: the width may be changed instead.
 * What it is now stands in the reason.
 */
function othersIn(
  reason: string,
  allowed: string,
  isSetting: (name: string) => boolean,
): NonNullable<Problem['others']> {
  return [...allowed.matchAll(/(?:^|, or )([\w.]+) (\d+)(?=,|$)/gu)].flatMap(([, setting, nearest]) => {
    if (!isSetting(setting)) return [];
    const names = /\(([\w.]+) % [\w.]+: (\d+) %/u.exec(reason) ?? /\((head size) (\d+) \//u.exec(reason);
    const now =
      names?.[1] === setting || (names?.[1] === 'head size' && setting === 'model.width') ? names[2] : undefined;
    return now === undefined ? [] : [{ setting, value: Number(now), nearest: Number(nearest) }];
  });
}

function literal(text: string): SettingValue {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  } catch {
    // Text without quotes.
  }
  return text;
}
