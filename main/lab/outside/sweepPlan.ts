/**
 * The runs of a sweep over a script: its settings are the script's own, so nothing here knows them. Same schema, same methods, same order and
 * draws as for sweeps that Sweeplab trains.
 */
import type { Draft } from '../../../preload/contract/draft.ts';
import { LIMITS } from '../../../preload/contract/limits.ts';
import type { Config, SettingSpec } from '../../../preload/contract/settings.ts';
import type { NewRun } from '../../../preload/contract/runs.ts';
import { formatSetting } from '../../../preload/shared/format.ts';
import { distributionOf } from '../../../preload/shared/sweeps/parameters.ts';
import { searchFamily } from '../search/index.ts';
import { listedValues } from '../search/listed.ts';
import { proposals } from '../search/search.ts';
import type { Combination, SearchKind, SearchParameter, SearchSpace } from '../search/search.ts';
import { outsideSettingKey } from './settings.ts';

/** Runs that wait ahead of those that ask, where a sweep has no end. */
const AHEAD = 16;
/** Draws without anything new after which a sweep has found everything. */
const MOST_IDLE = 2000;

export interface ScriptSweep {
  readonly draft: Draft;
  readonly method: SearchKind;
  readonly space: SearchSpace;
  /** Null: the script is told none, and each setting runs once. */
  readonly seeds: readonly number[] | null;
}

/** What is wrong with a sweep over a script, in words; empty when nothing is. */
export function scriptSweepProblems({
  method: name,
  earlyTerminate,
  constraints,
  settings,
  recipe,
  parameters,
}: Draft): string[] {
  const methods = searchFamily.kinds;
  const method = methods.find((each) => each.name === name);
  const names = methods.map((each) => each.name).join(' or ');
  const problems: string[] = [];
  if (method === undefined) problems.push(`method is ${name}; allowed: ${names} (others are not available yet)`);
  if (earlyTerminate !== undefined)
    problems.push(`early_terminate is ${earlyTerminate.type}; allowed: none (ending runs early is not available yet)`);
  if (constraints.length > 0) problems.push('constraints hold for models of Sweeplab; a sweep over a script has none');
  if (recipe !== null || Object.keys(settings).length > 0)
    problems.push('recipe and settings are for models of Sweeplab; give a script fixed values as parameters');
  for (const [parameter, given] of Object.entries(parameters)) {
    const { distribution, problems: found = [] } = distributionOf(parameter, given);
    problems.push(...found.map(({ message }) => message));
    if (given.when !== undefined)
      problems.push(`parameters.${parameter}.when is not available in a sweep over a script`);
    const spec = {
      name: parameter,
      type: { kind: 'float' },
      default: 0,
      help: '',
      question: 'budget',
    } satisfies SettingSpec;
    const listed = distribution !== undefined && method?.draws === false && listedValues(distribution) !== undefined;
    const unfit = distribution === undefined || listed ? undefined : method?.check?.(spec, distribution);
    if (unfit !== undefined) problems.push(unfit.message);
  }
  return problems;
}

/** @param draft one without problems */
export function scriptSweep(draft: Draft): ScriptSweep {
  const method = searchFamily.kinds.find(({ name }) => name === draft.method)!;
  const all = Object.entries(draft.parameters).map(([name, parameter]): SearchParameter => ({
    name,
    distribution: distributionOf(name, parameter).distribution!,
  }));
  const swept = all.find(({ name }) => name === 'seed');
  const listed = swept && listedValues(swept.distribution)?.filter((seed) => Number.isSafeInteger(seed));
  const parameters = all.filter(({ name }) => name !== 'seed' || listed === undefined);
  parameters.sort((a, b) => (a.name < b.name ? -1 : 1));
  const { seeds } = draft;
  const given =
    typeof seeds === 'number' ? (seeds === 1 ? null : Array.from({ length: seeds }, (_, i) => i + 1)) : seeds;
  return {
    draft,
    method,
    space: { parameters, seed: draft.sweepSeed },
    seeds: (listed as number[] | undefined) ?? given,
  };
}

/** Runs, at most, that may still be planned where `planned` are. */
function roomFor({ draft, method }: ScriptSweep, planned: number): number {
  const cap = draft.runCap ?? (method.draws ? Math.min(planned + AHEAD, LIMITS.runs) : LIMITS.runs);
  return Math.max(0, cap - planned);
}

/**
 * The runs that come after `planned` ones, in their order: each setting with all of its seeds, none twice. All of a sweep that has an end; of
 * one without, some ahead.
 */
export function nextRuns(sweep: ScriptSweep, planned: number): NewRun[] {
  const { space, method, seeds } = sweep;
  const each = seeds?.length ?? 1;
  const settings = Math.ceil(roomFor(sweep, planned) / each);
  const whole = sweep.draft.runCap === null ? settings : Math.floor(sweep.draft.runCap / each) - planned / each;
  const found: NewRun[] = [];
  const seen = new Set<string>();
  let idle = 0;
  // Planned again from the beginning: what was planned before only counts.
  for (const values of space.parameters.length === 0 ? [[]] : proposals(method, space)) {
    if (found.length >= Math.max(0, Math.min(settings, whole)) * each || idle >= MOST_IDLE) break;
    const config = configOf(space, values);
    const key = outsideSettingKey(config);
    if (seen.has(key)) {
      idle++;
      continue;
    }
    idle = 0;
    seen.add(key);
    if (seen.size * each <= planned) continue;
    found.push(...runsOf(config, key, seeds));
  }
  return found;
}

const configOf = ({ parameters }: SearchSpace, values: Combination): Config =>
  Object.fromEntries(parameters.map(({ name }, i) => [name, values[i]!]));

function runsOf(config: Config, settingKey: string, seeds: readonly number[] | null): NewRun[] {
  const label = Object.entries(config)
    .map(([name, value]) => `${name}=${formatSetting(value)}`)
    .join(' ');
  return (seeds ?? [null]).map((seed) => ({
    name: [label, ...(seed === null ? [] : [`seed=${seed}`])].filter(Boolean).join(' ') || 'run',
    config: seed === null ? config : { ...config, seed },
    seed: seed ?? 1,
    settingKey,
    origin: 'wandb',
  }));
}
