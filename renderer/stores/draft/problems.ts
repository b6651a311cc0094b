/** Where a problem belongs in the form, and its one-click fix: from the fields of its record, never from its words. */
import type { Draft, DraftParameter } from '../../../preload/contract/draft.ts';
import type { Config, Problem, SettingValue } from '../../../preload/contract/settings.ts';
import { type DistributionInfo, infoOf } from '../../../preload/shared/sweeps/distributions.ts';
import { kindOf } from '../../../preload/shared/sweeps/parameters.ts';
import { fieldOf, replaceValue, setFixed, setParameter } from './draft.ts';

/** A place in the form: a setting, or one of the parts that are no setting. */
export type Place =
  | { readonly part: 'setting'; readonly name: string }
  | { readonly part: 'constraint'; readonly index: number }
  | { readonly part: 'seeds' | 'method' | 'cap' | 'recipe' | 'sweep' };

/** `parameters.model.width.min`, `model.width`, `run_cap`, `constraints.2` … → where the user changes it. */
export function placeOf(setting: string, isSetting: (name: string) => boolean): Place {
  const constraint = /^constraints\.(\d+)$/u.exec(setting);
  if (constraint !== null) return { part: 'constraint', index: Number(constraint[1]) };
  if (setting === 'seeds' || setting === 'parameters.seed') return { part: 'seeds' };
  if (setting === 'run_cap') return { part: 'cap' };
  if (setting === 'method' || setting === 'early_terminate') return { part: 'method' };
  if (setting === 'recipe') return { part: 'recipe' };
  let name = setting.replace(/^(parameters|settings)\./u, '');
  while (!isSetting(name) && name.includes('.')) name = name.slice(0, name.lastIndexOf('.'));
  return isSetting(name) ? { part: 'setting', name } : { part: 'sweep' };
}

export const placeKey = (place: Place): string =>
  place.part === 'setting' ? place.name : place.part === 'constraint' ? `constraint ${place.index}` : place.part;

/** Problems by place. @param everywhere one that several settings can settle stands beside each of them */
export function byPlace(
  problems: readonly Problem[],
  isSetting: (name: string) => boolean,
  everywhere = true,
): ReadonlyMap<string, readonly Problem[]> {
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    const others = everywhere ? (problem.others ?? []).map(({ setting }) => setting) : [];
    const places = [placeKey(placeOf(problem.setting, isSetting)), ...others];
    for (const place of new Set(places)) found.set(place, [...(found.get(place) ?? []), problem]);
  }
  return found;
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'number' && typeof b === 'string' && String(a) === b);

/** What a fix needs to know of a problem: also one of its `others`. */
export type Fixable = Pick<Problem, 'setting' | 'value' | 'nearest' | 'field'>;

/** The draft with the nearest valid choice taken; null where there is none to take. */
export function fixed(
  draft: Draft,
  problem: Fixable,
  isSetting: (name: string) => boolean,
  base: Config,
): Draft | null {
  const { nearest } = problem;
  if (nearest === undefined) return null;
  const place = placeOf(problem.setting, isSetting);
  switch (place.part) {
    case 'method':
      return { ...draft, method: String(nearest) };
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

function fixedSetting(draft: Draft, name: string, problem: Fixable, nearest: SettingValue, base: Config): Draft | null {
  const field = fieldOf(draft, name, base);
  if (field.form === 'list') {
    const wrong = field.values.find((value) => same(value, problem.value));
    return wrong === undefined ? null : replaceValue(draft, name, wrong, nearest, base);
  }
  if (field.form !== 'distribution') return setFixed(draft, name, nearest, base);
  const changed = fixedDistribution(field.parameter, problem, nearest);
  return changed === null ? null : setParameter(draft, name, changed);
}

function fixedDistribution(parameter: DraftParameter, problem: Fixable, nearest: SettingValue): DraftParameter | null {
  const kind = kindOf(parameter);
  if (problem.field === 'distribution') {
    const info = typeof nearest === 'string' ? infoOf(nearest) : undefined;
    return info === undefined ? null : withKind(parameter, info);
  }
  if (typeof nearest !== 'number') return null;
  const end = problem.field ?? endAt(parameter, problem.value);
  if (end === undefined) return null;
  return {
    ...parameter,
    distribution: kind,
    [end]: infoOf(kind)?.exponents === true ? exponent(kind, nearest) : nearest,
  };
}

/** The bound of a distribution of exponents that stands for a value. */
const exponent = (kind: string, value: number): number => (kind === 'inv_log_uniform' ? -1 : 1) * Math.log(value);

/** The same bounds in another distribution; integers and their steps are made whole. */
function withKind(parameter: DraftParameter, { kind, fields, integers }: DistributionInfo): DraftParameter {
  const { min = 0, max = 1, q = 1 } = parameter;
  const whole = integers === 'always';
  return {
    ...parameter,
    distribution: kind,
    ...(whole ? { min: Math.floor(min), max: Math.ceil(max) } : {}),
    ...(fields.includes('q') ? { q: Math.max(1, Math.round(q)) } : {}),
  };
}

/** The end of a range that has this value. */
function endAt(parameter: DraftParameter, value: unknown): 'min' | 'max' | undefined {
  return value === parameter.min ? 'min' : value === parameter.max ? 'max' : undefined;
}

function renamed(draft: Draft, from: string, to: string): Draft | null {
  const move = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name === from ? to : name, value]));
  if (draft.settings[from] === undefined && draft.parameters[from] === undefined) return null;
  return { ...draft, settings: move(draft.settings), parameters: move(draft.parameters) };
}

/** The line of a file that a problem is about (`file.yaml:3:5`), counted from 1; null when it has none. */
export function lineOf({ where }: Pick<Problem, 'where'>): number | null {
  const found = /:(\d+):\d+$/u.exec(where ?? '');
  return found === null ? null : Number(found[1]);
}

/** Whether a combination was dropped by a constraint of the sweep: the user's own wish and no problem. */
const isWanted = ({ setting }: Pick<Problem, 'setting'>): boolean => setting.startsWith('constraints.');

/** The same for combinations that one change settles. */
const cause = ({ setting, value, others = [] }: Problem): string =>
  JSON.stringify([setting, value, others.map((other) => [other.setting, other.value])]);

/** Why combinations were dropped, as problems of the settings that they name, each once. */
export function problemsFromDropped(
  dropped: readonly { readonly problem: Problem }[],
  isSetting: (name: string) => boolean,
): Problem[] {
  const found = new Map<string, Problem>();
  for (const { problem } of dropped) {
    if (isWanted(problem) || !isSetting(problem.setting)) continue;
    const key = cause(problem);
    if (!found.has(key)) found.set(key, problem);
  }
  return [...found.values()];
}

/** Whether `problems` say of every combination why it was dropped. */
export function tellDropped(problems: readonly Problem[], dropped: readonly { readonly problem: Problem }[]): boolean {
  const told = new Set(problems.map(cause));
  return dropped.every(({ problem }) => told.has(cause(problem)));
}
