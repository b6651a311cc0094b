/** From a sweep to the list of its runs: every configuration complete and checked, nothing twice, nothing dropped without a reason. */
import { metricCatalog } from '../../engine/train/measures/index.ts';
import { createHash } from 'node:crypto';
import { type Draft, DRAFT_FIELDS, EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Config, Problem, SettingValue, Warning } from '../../../preload/contract/settings.ts';
import type { Expression } from '../../../preload/shared/settings/expression.ts';
import type { Recipe } from '../settings/recipes.ts';
import type { SettingsRegistry } from '../settings/registry.ts';
import { checkConfig, resolveConfig, type ResolveInput, whyBroken } from '../settings/resolve.ts';
import type { SettingsSource } from '../settings/source.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import { checkValue, problem } from '../../../preload/shared/settings/values.ts';
import { type BoundParameter, bindSweep } from './check.ts';
import { Combiner, identityOf, type Values } from './combine.ts';
import { byName, gridValues, product } from './grid.ts';
import { draws } from './random.ts';
import { NOWHERE, type Places } from './places.ts';

export interface PlannedSetting {
  /** Hash of the varied values, the same in every sweep that has this combination. */
  readonly key: string;
  /** Values of the parameters that have an effect here, by name. */
  readonly values: Values;
  /** `width=64 depth=2` */
  readonly label: string;
}

export interface PlannedRun {
  readonly name: string;
  readonly seed: number;
  readonly settingKey: string;
  readonly config: Config;
}

export interface Dropped {
  readonly values: Values;
  readonly label: string;
  /** Why: `value`, the code of a rule, or `constraint` (of the sweep: its setting is `constraints.INDEX`). */
  readonly problem: Problem;
}

export interface SweepPlan {
  readonly settings: readonly PlannedSetting[];
  /** The same for every setting. */
  readonly seeds: readonly number[];
  /** All seeds of the first setting, then of the second, and so on. */
  readonly runs: readonly PlannedRun[];
  readonly dropped: readonly Dropped[];
  /** Combinations left out because they are the same run as an earlier one. */
  readonly duplicates: number;
  /** Combinations looked at: settings + dropped + duplicates. */
  readonly combinations: number;
  readonly warnings: readonly Warning[];
  /** When not empty nothing may start. */
  readonly problems: readonly Problem[];
}

export interface PlanInput {
  readonly registry: SettingsRegistry;
  readonly sweep: Draft;
  /** Where its parts stand, when it was read from a file. */
  readonly places?: Places;
  /** What the runs start from; the sweep's own `settings` win over recipe and file, overrides over all but parameters. */
  readonly base?: Omit<ResolveInput, 'registry'>;
  /** Recipes that the sweep may name. */
  readonly recipes?: readonly Recipe[];
}

/** What a user might wait for: of W&B's own keys, those that say what is run. */
const IDLE: ReadonlySet<string> = new Set(['program', 'command', 'job', 'imageUri']);

/** Mistakes in the base that no parameter can put right. */
const FATAL = new Set(['unknown', 'value', 'duplicate', 'yaml', 'too_many']);

/** A random sweep that has drawn so often without finding anything new has found everything. */
const MOST_IDLE = 20_000;

function failed(problems: readonly Problem[]): SweepPlan {
  return { settings: [], seeds: [], runs: [], dropped: [], duplicates: 0, combinations: 0, warnings: [], problems };
}

/** The base layers with the sweep's `recipe` and `settings` in their places. */
function baseInput(input: PlanInput): { base: Omit<ResolveInput, 'registry'>; problems: Problem[] } {
  const { sweep, base = {}, recipes = [] } = input;
  const problems: Problem[] = [];
  let recipe = base.recipe;
  if (!recipe && sweep.recipe !== null) {
    const names = recipes.map(({ name }) => name);
    recipe = recipes.find(({ name }) => name === sweep.recipe)?.source;
    if (!recipe) {
      const found = problem('recipe', sweep.recipe, `one of ${names.join(', ')}`, nearestName(sweep.recipe, names));
      problems.push({ ...found, code: 'recipe' });
    }
  }
  const own = Object.entries(sweep.settings).map(([name, value]) => ({ name, value, fromText: true }));
  const fromFile = (base.file?.entries ?? []).filter(({ name }) => !Object.hasOwn(sweep.settings, name));
  const file: SettingsSource = {
    origin: 'file',
    label: base.file?.label ?? 'sweep',
    entries: [...fromFile, ...own],
    problems: base.file?.problems ?? [],
  };
  return {
    base: { ...(recipe ? { recipe } : {}), file, ...(base.overrides ? { overrides: base.overrides } : {}) },
    problems,
  };
}

/** The seed list: `seeds`, or a parameter named seed, or the base seed alone. */
function seedList(
  { seeds }: Draft,
  parameters: readonly BoundParameter[],
  baseSeed: number,
): { seeds: readonly number[]; problems: Problem[] } {
  const swept = parameters.find(({ name }) => name === 'seed');
  if (!swept) {
    return {
      seeds: typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => baseSeed + i) : seeds,
      problems: [],
    };
  }
  const refuse = (why: string): { seeds: readonly number[]; problems: Problem[] } => {
    const found = problem(
      'parameters.seed',
      swept.distribution.kind,
      'seeds: N or a list of seeds at the top level',
      undefined,
      why,
    );
    return { seeds: [], problems: [{ ...found, code: 'seeds' }] };
  };
  if (seeds !== EMPTY_DRAFT.seeds) return refuse('seeds is given too');
  const values = gridValues(swept.distribution);
  if (!values) return refuse('every setting must have the same seeds');
  return { seeds: values as readonly number[], problems: [] };
}

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

/** Hash of values by name, sorted: 64 bits, as 16 hexadecimal digits. */
export function settingKey(values: Values): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

/** Why a complete configuration cannot run; undefined when it can. */
function reasonToDrop(
  registry: SettingsRegistry,
  constraints: readonly (Expression | undefined)[],
  active: Values,
  config: Config,
  warn: (found: Problem) => void,
): Problem | undefined {
  for (const [name, value] of Object.entries(active)) {
    const spec = registry.get(name);
    const wrong = spec && checkValue(spec, value);
    if (wrong) return { ...wrong, code: 'value' };
  }
  for (const [i, constraint] of constraints.entries()) {
    const why = constraint && whyBroken(constraint, config);
    if (constraint === undefined || why === undefined) continue;
    const found = problem(`constraints.${i}`, false, constraint.source, undefined, why);
    return { ...found, code: 'constraint', message: found.why ?? found.message };
  }
  const { problems, warnings } = checkConfig(registry, config);
  if (problems.length > 0) return problems[0];
  warnings.forEach(warn);
  return undefined;
}

/** How many settings run_cap leaves room for; every setting keeps all of its seeds. */
function settingCap({ runCap, method }: Draft, seeds: number): { cap: number; problems: Problem[] } {
  if (runCap === null) return { cap: Infinity, problems: [] };
  // In a grid it only cuts off; a random sweep is as long as it says.
  if (runCap > LIMITS.runs && method === 'random') {
    const found = problem('run_cap', runCap, `at most ${LIMITS.runs} runs in a sweep, seeds counted`, LIMITS.runs);
    return { cap: 0, problems: [{ ...found, code: 'run_cap' }] };
  }
  const cap = Math.floor(runCap / seeds);
  if (cap > 0) return { cap, problems: [] };
  const found = problem('run_cap', runCap, `at least ${seeds}, one setting with its ${seeds} seeds`, seeds);
  return { cap, problems: [{ ...found, code: 'run_cap' }] };
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
  problems.push(...resolved.problems.filter(({ code }) => FATAL.has(code)), ...bound.problems);
  const seeding = seedList(sweep, bound.parameters, resolved.config.seed as number);
  const { cap, problems: capProblems } = settingCap(sweep, Math.max(1, seeding.seeds.length));
  problems.push(...seeding.problems, ...capProblems);
  if (problems.length > 0) return failed(places.locate(problems));

  const parameters = bound.parameters.filter(({ name }) => name !== 'seed').sort(byName);
  const names = parameters.filter(({ distribution }) => distribution.kind !== 'constant').map(({ name }) => name);
  const short = shortNames(names);
  const columns = sweep.method === 'grid' ? parameters.map(({ distribution }) => gridValues(distribution) ?? []) : [];
  const size = columns.reduce((total, column) => total * column.length, 1);
  // A slip must not fill the memory.
  if (size > LIMITS.combinations) {
    const found = problem(
      'parameters',
      size,
      `at most ${LIMITS.combinations} combinations in a grid`,
      undefined,
      'or method: random with run_cap',
    );
    return failed([{ ...found, code: 'too_many' }]);
  }
  const random = sweep.method === 'random' && parameters.length > 0;
  const candidates = random ? draws(parameters, sweep.sweepSeed) : product(columns);
  const mostDraws = random ? Math.min(LIMITS.combinations, 1000 + 50 * cap) : Infinity;
  const mostSettings = Math.floor(LIMITS.runs / Math.max(1, seeding.seeds.length));

  const combiner = new Combiner(
    registry,
    parameters,
    resolved.config,
    (name) => !['default', 'derived'].includes(resolved.origins[name]),
  );
  const warned = new Map<string, { first: Problem; count: number }>();
  const warn = (found: Problem): void => {
    const seen = warned.get(found.code);
    warned.set(found.code, { first: seen?.first ?? found, count: (seen?.count ?? 0) + 1 });
  };
  const label = (values: Values): string =>
    Object.entries(values)
      .filter(([name]) => short.has(name))
      .map(([name, value]) => `${short.get(name)}=${brief(value)}`)
      .join(' ');

  const settings: PlannedSetting[] = [];
  const configs: Config[] = [];
  const dropped: Dropped[] = [];
  const seen = new Set<string>();
  let duplicates = 0;
  let combinations = 0;
  let lastNew = 0;
  for (const values of candidates) {
    if (settings.length >= cap || combinations >= mostDraws) break;
    if (random && combinations - lastNew >= MOST_IDLE) break;
    combinations++;
    const combined = combiner.combine(values);
    if ('dropped' in combined) {
      dropped.push({ ...combined.dropped, label: label(combined.dropped.values) });
      continue;
    }
    const { config, active } = combined;
    const plain = JSON.stringify(active);
    if (seen.has(plain)) {
      duplicates++;
      continue;
    }
    seen.add(plain);
    const found = reasonToDrop(registry, bound.constraints, active, config, warn);
    if (found) {
      dropped.push({ values: active, label: label(active), problem: found });
      continue;
    }
    const identity = identityOf(active, config, registry.catalog);
    if (identity !== undefined && seen.has(`same:${identity}`)) {
      duplicates++;
      continue;
    }
    if (identity !== undefined) seen.add(`same:${identity}`);
    if (settings.length >= mostSettings) return failed([tooManyRuns(sweep, seeding.seeds.length)]);
    settings.push({ key: settingKey(active), values: active, label: label(active) });
    configs.push(config);
    lastNew = combinations;
  }

  const runs = settings.flatMap((setting, i) =>
    seeding.seeds.map((seed): PlannedRun => {
      const name = setting.label ? `${setting.label} seed=${seed}` : `seed=${seed}`;
      return { name, seed, settingKey: setting.key, config: { ...configs[i], seed } };
    }),
  );
  const warnings = [...warned.values()].map(({ first: { code, setting, message }, count }): Warning => {
    if (count === 1) return { code, setting, message };
    return { code, setting, message: `${message} (in ${count} settings)`, count };
  });
  warnings.push(...planWarnings(input, names, combiner, cap, settings.length, random));
  const whole = { settings, seeds: seeding.seeds, runs, dropped, duplicates, combinations, warnings };
  return { ...whole, problems: settings.length > 0 ? [] : [nothingLeft(dropped)] };
}

function planWarnings(
  { sweep, base, registry }: PlanInput,
  names: readonly string[],
  combiner: Combiner,
  cap: number,
  found: number,
  random: boolean,
): Warning[] {
  const warnings = names
    .filter((name) => !combiner.everActive.has(name))
    .map((name): Warning => {
      const why = registry.applies(name, combiner.base)
        ? 'its condition is never true'
        : registry.whyWithoutEffect(name, combiner.base);
      return {
        code: 'no_effect',
        setting: name,
        message: `${name} is varied but has no effect in any run (${why})`,
      };
    });
  const idle = DRAFT_FIELDS.filter(({ name }) => IDLE.has(name) && sweep[name] !== undefined).map(({ key }) => key);
  if (idle.length > 0)
    warnings.push({
      code: 'wandb_only',
      setting: idle[0],
      message: `${idle.join(', ')}: of W&B alone, without effect here, where Sweeplab trains its own models`,
    });
  for (const name of Object.keys(sweep.parameters))
    if (base?.overrides && Object.hasOwn(base.overrides, name))
      warnings.push({
        code: 'overridden',
        setting: name,
        message: `${name} is ${String(base.overrides[name])} on the command line, but the sweep varies it: the sweep's values are used`,
      });
  warnings.push(...metricWarnings(sweep, registry));
  if (random && found < cap)
    warnings.push({
      code: 'used_up',
      setting: 'run_cap',
      message: `only ${found} different settings were found for run_cap ${sweep.runCap}`,
    });
  return warnings;
}

/** Metrics that no run will have leave a sweep without a ranking; other keys of the metric have no effect. */
function metricWarnings({ metric }: Draft, { catalog }: SettingsRegistry): Warning[] {
  if (metric === undefined) return [];
  const { name, target, impute, impute_while_running } = metric;
  const idle = Object.entries({ target, impute, impute_while_running }).filter(([, value]) => value !== undefined);
  const words = idle.map(([key]) => `metric.${key}`).join(', ');
  const logged = metricCatalog(catalog).rankable;
  const near = nearestName(name, logged);
  return [
    ...(logged.includes(name)
      ? []
      : [
          {
            code: 'metric',
            setting: 'metric',
            message: `metric.name is ${name}, which Sweeplab's training does not log; logged are ${logged.join(', ')}${near ? `; nearest: ${near}` : ''}`,
          },
        ]),
    ...(idle.length > 0
      ? [
          {
            code: 'metric_unused',
            setting: 'metric',
            message: `${words}: kept, without effect here; runs end by the settings of stop`,
          },
        ]
      : []),
  ];
}

/** When every combination was dropped: the reasons, most frequent first. */
function nothingLeft(dropped: readonly Dropped[]): Problem {
  const groups = [...Map.groupBy(dropped, (each) => each.problem.code)].sort(([, a], [, b]) => b.length - a.length);
  const reasons = groups.slice(0, 3).map(([, list]) => `${list.length} × ${list[0].problem.message}`);
  const why = `all ${dropped.length} combinations were dropped: ${reasons.join(' | ')}`;
  return {
    ...problem('parameters', dropped.length, 'at least one combination that can run', undefined, why),
    code: 'nothing_left',
  };
}
