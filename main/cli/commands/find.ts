/** Runs and sweeps as users name them. */
import type { RunFilter, RunOrder, RunRecord, RunState, SweepRecord } from '../../../preload/contract/runs.ts';
import { RUN_STATES } from '../../../preload/contract/runs.ts';
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import {
  metricNames,
  namesOf,
  parseCondition,
  parseSearch,
  resolveField,
  valueKindOf,
} from '../../../preload/shared/runFilter.ts';
import type { FilterNames } from '../../../preload/shared/runFilter.ts';
import { nearestName } from '../../../preload/shared/settings/nearest.ts';
import type { Workshop } from '../../host/lab.ts';
import type { Store } from '../../store/index.ts';
import { InputError } from '../errors.ts';

/** A sweep by id, beginning of an id, name (the latest of that name), or `latest`. @throws InputError */
export function findSweepOrLatest(store: Store, text: string): SweepRecord {
  const sweeps = store.listSweeps();
  const latest = text === 'latest' ? sweeps.at(-1) : undefined;
  const exact = latest ?? sweeps.find(({ id }) => id === text) ?? sweeps.findLast(({ name }) => name === text);
  if (exact !== undefined) return exact;
  const begins = sweeps.filter(({ id }) => text !== '' && id.startsWith(text));
  if (begins.length === 1) return begins[0];
  const some = sweeps.slice(-5).map(({ id, name }) => `${id} (${name})`);
  throw new InputError(
    `there is no sweep "${text}"${begins.length > 1 ? ' (several begin so)' : ''}` +
      (some.length > 0 ? `; the latest are ${some.join(', ')}` : '; there are no sweeps yet'),
  );
}

export interface FilterOptions {
  readonly state?: string[];
  readonly sweep?: string;
  readonly tag?: string[];
  readonly where?: string[];
  readonly search?: string;
  readonly sort?: string;
  readonly limit?: string;
  readonly deleted?: boolean;
}

/** Whether a setting or a metric may be named, so that the settings have to be known. */
export const asksByName = ({ where, search, sort }: FilterOptions): boolean =>
  where !== undefined || search !== undefined || sort !== undefined;

/**
 * The flags of `runs ls` and `export` as a filter.
 * @param workshop may be left out unless something is asked for by its name
 * @throws InputError naming what is wrong
 */
export function runFilter(
  store: Store,
  workshop: Pick<Workshop, 'registry' | 'metrics'> | undefined,
  options: FilterOptions,
): RunFilter {
  const limit = options.limit === undefined ? undefined : Number(options.limit);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new InputError(`--limit is ${JSON.stringify(options.limit)}; allowed: an integer at least 0`);
  for (const state of options.state ?? []) assertState(state);
  const { where, words, order } =
    workshop === undefined
      ? { where: [], words: [], order: undefined }
      : inOwnOrForeignNames(store, workshop, (names) => readFlags(options, names));
  return {
    ...(options.state === undefined ? {} : { state: options.state as RunState[] }),
    ...(options.sweep === undefined ? {} : { sweepId: findSweepOrLatest(store, options.sweep).id }),
    ...(options.tag === undefined ? {} : { tags: options.tag }),
    where,
    words,
    ...(options.deleted === true ? { deleted: 'only' as const } : {}),
    ...(order === undefined ? {} : { order }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** @throws InputError naming the flag, and what is wrong */
function readFlags({ where = [], search = '', sort }: FilterOptions, names: FilterNames) {
  const conditions = where.map((text) => {
    const condition = parseCondition(text, names);
    if ('message' in condition) throw new InputError(`--where: ${condition.message}`);
    return condition;
  });
  const searched = parseSearch(search, names);
  const [problem] = searched.problems;
  if (problem !== undefined) throw new InputError(`--search: ${problem.message}`);
  return {
    where: [...conditions, ...(searched.where ?? [])],
    words: searched.words ?? [],
    order: sort === undefined ? undefined : orderOf(sort, names),
  };
}

/**
 * Reads with the names of this version's settings and metrics. Where that fails, runs of another version or from elsewhere may have the
 * names that are meant; what is wrong then is told with what is nearest among the declared ones.
 */
function inOwnOrForeignNames<T>(
  store: Store,
  { registry, metrics }: Pick<Workshop, 'registry' | 'metrics'>,
  read: (names: FilterNames) => T,
): T {
  const declared: FilterNames = {
    settings: new Map(registry.specs.map((spec) => [spec.name, valueKindOf(spec)])),
    metrics: metricNames(metrics),
  };
  try {
    return read(declared);
  } catch (error) {
    const all = namesOf(store.listRuns({ deleted: 'any' }), declared);
    try {
      return read(all);
    } catch {
      throw error;
    }
  }
}

/** `created` or `-val/bpb`: a title of a table, a column, a setting or a metric. @throws InputError with the nearest name */
function orderOf(text: string, names: FilterNames): RunOrder {
  const descending = text.startsWith('-');
  const resolved = resolveField(descending ? text.slice(1) : text, names);
  if ('problem' in resolved) throw new InputError(`--sort: ${resolved.problem}`);
  return { field: resolved.field, descending };
}

function assertState(state: string): void {
  if ((RUN_STATES as readonly string[]).includes(state)) return;
  const near = nearestName(state, RUN_STATES);
  throw new InputError(
    `--state is "${state}"; allowed: one of ${RUN_STATES.join(', ')}${near === undefined ? '' : `; nearest: ${near}`}`,
  );
}

/** Runs by id, beginning of an id, or name; each once. @throws StoreError `not-found` or `ambiguous` */
export function resolveRuns(store: Store, texts: readonly string[]): RunRecord[] {
  return [...new Map(texts.map((text) => store.resolveRun(text)).map((run) => [run.id, run])).values()];
}

/** Settings of a run that differ from the defaults; of another program's all, since the defaults are not its own. */
export function changedSettings(
  { config, origin }: RunRecord,
  defaults: Config,
): Readonly<Record<string, SettingValue>> {
  if (origin !== 'sweeplab') return config;
  return Object.fromEntries(Object.entries(config).filter(([name, value]) => defaults[name] !== value));
}
