/** From a sweep to the list of its runs: every configuration complete and checked, nothing twice, nothing dropped without a reason. */
import type { Draft } from '../../../preload/contract/draft.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Problem, Warning } from '../../../preload/contract/settings.ts';
import { checkValue, problem } from '../../../preload/shared/settings/values.ts';
import { searchFamily } from '../search/index.ts';
import { proposals, type SearchKind, type SearchSpace } from '../search/search.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { resolveConfig, type Resolved } from '../settings/resolve.ts';
import { Suggestions } from '../settings/suggest.ts';
import { listedValues } from '../search/listed.ts';
import { type BaseInput, baseInput, seedList, settingCap } from './base.ts';
import { type BoundParameter, type BoundSweep, bindSweep } from './check.ts';
import { Collector, holdAll } from './collect.ts';
import { Combiner, type Values, withValues } from './combine.ts';
import { derivedIn } from './derived.ts';
import { NOWHERE, type Places } from './places.ts';
import type { PlannedRun, SweepPlan } from './planned.ts';
import { nothingLeft, planWarnings } from './warnings.ts';

export interface PlanInput extends BaseInput {
  readonly registry: SettingsRegistry;
  /** Where its parts stand, when it was read from a file. */
  readonly places?: Places;
}

/** Mistakes in the base that no parameter can put right. */
const FATAL = new Set(['unknown', 'value', 'duplicate', 'yaml', 'too_many']);
/** A sweep that has drawn so often without finding anything new has found everything. */
const MOST_IDLE = 20_000;

/** More draws than this find hardly anything new. */
const mostDraws = (cap: number): number => Math.min(LIMITS.combinations, 1000 + 50 * cap);

function failed(problems: readonly Problem[], { config, derived }: Resolved): SweepPlan {
  const nothing = { settings: [], seeds: [], runs: [], dropped: [], duplicates: 0, combinations: 0, warnings: [] };
  return { ...nothing, derived: derivedIn(config, derived), problems };
}

/** What is wrong with values of parameters, with choices that are taken beside the first value of each other one. */
function suggested(registry: SettingsRegistry, { parameters, constraints, problems }: BoundSweep, base: Resolved) {
  const firsts: Values = Object.fromEntries(
    parameters.flatMap(({ name, distribution }) => {
      const first = listedValues(distribution)?.find((value) => checkValue(registry.get(name)!, value) === null);
      return first === undefined ? [] : [[name, first] as const];
    }),
  );
  const suggestions = new Suggestions(registry, holdAll(constraints));
  const from = withValues(base, firsts);
  return problems.map((found) => (found.code === 'value' ? suggestions.mend([found], from)[0]! : found));
}

/** Sorted by name (code points, as Python does), which fixes the order of a sweep. */
const byName = (a: BoundParameter, b: BoundParameter): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function tooMany(method: SearchKind, space: SearchSpace): Problem[] {
  const size = method.size?.(space) ?? 0;
  // A slip must not fill the memory.
  if (size <= LIMITS.combinations) return [];
  const allowed = `at most ${LIMITS.combinations} combinations in a ${method.name}`;
  const found = problem('parameters', size, allowed, undefined, 'or method: random with run_cap');
  return [{ ...found, code: 'too_many' }];
}

function tooManyRuns({ method }: Draft, seeds: number): Problem {
  const why = seeds > 1 ? `${seeds} seeds each` : `method ${method}`;
  const nearest = Math.max(1, Math.floor(LIMITS.runs / seeds));
  const allowed = `at most ${LIMITS.runs} runs in a sweep, seeds counted (${nearest} settings here); fewer values or seeds, or run_cap`;
  return { ...problem('parameters', `more than ${nearest} settings`, allowed, undefined, why), code: 'too_many' };
}

/**
 * Plans a sweep. Never throws for bad input: `problems` says why nothing may start. Deterministic: the same input gives the
 * same runs in the same order.
 */
export function planSweep(input: PlanInput): SweepPlan {
  const { registry, sweep, places = NOWHERE } = input;
  const bound = bindSweep(registry, sweep);
  const { base, problems } = baseInput(input);
  const resolved = resolveConfig({ registry, ...base });
  problems.push(...resolved.problems.filter(({ code }) => FATAL.has(code)), ...suggested(registry, bound, resolved));
  const { seeds, problems: seedProblems } = seedList(sweep, bound.parameters, resolved.config.seed as number);
  const method = registry.catalog.all(searchFamily).find(({ name }) => name === sweep.method);
  const { cap, problems: capProblems } = settingCap(sweep, method, Math.max(1, seeds.length));
  problems.push(...seedProblems, ...capProblems);
  if (problems.length > 0 || method === undefined) return failed(places.locate(problems), resolved);

  const parameters = bound.parameters.filter(({ name }) => name !== 'seed').sort(byName);
  const space = { parameters, seed: sweep.sweepSeed };
  const many = tooMany(method, space);
  if (many.length > 0) return failed(many, resolved);

  const combiner = new Combiner(registry, parameters, resolved);
  const found = new Collector(combiner, bound.constraints);
  const mostSettings = Math.floor(LIMITS.runs / Math.max(1, seeds.length));
  const most = method.draws ? mostDraws(cap) : Infinity;
  // Without parameters there is one combination, whatever the method.
  for (const values of parameters.length === 0 ? [[]] : proposals(method, space)) {
    if (found.settings.length >= cap || found.combinations >= most) break;
    if (method.draws && found.idle >= MOST_IDLE) break;
    found.add(values);
    if (found.settings.length > mostSettings) return failed([tooManyRuns(sweep, seeds.length)], resolved);
  }
  const plan = finished(input, found, seeds, method.draws && parameters.length > 0 ? cap : 0);
  return { ...plan, warnings: [...valueNotes(method, parameters), ...plan.warnings] };
}

function valueNotes(method: SearchKind, parameters: readonly BoundParameter[]): Warning[] {
  return parameters.flatMap(({ name, distribution }) => {
    const note = method.note?.(distribution);
    return note === undefined ? [] : [{ code: 'values', setting: name, message: `${name}: ${note}` }];
  });
}

/** `wanted`: as many settings as draws were to find; 0 where nothing was drawn. */
function finished(input: PlanInput, found: Collector, seeds: readonly number[], wanted: number): SweepPlan {
  const { settings, configs, dropped, duplicates, combinations, derived } = found;
  const runs = settings.flatMap((setting, i) =>
    seeds.map((seed): PlannedRun => {
      const name = setting.label ? `${setting.label} seed=${seed}` : `seed=${seed}`;
      return { name, seed, settingKey: setting.key, config: { ...configs[i], seed } };
    }),
  );
  const warnings = [...found.warnings, ...planWarnings(input, found, wanted, runs.length)];
  const problems = settings.length > 0 ? [] : [nothingLeft(dropped)];
  return { settings, seeds, runs, dropped, duplicates, combinations, derived, warnings, problems };
}
