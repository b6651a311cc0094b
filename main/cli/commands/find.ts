/** Runs and sweeps as users name them. */
import type { RunFilter, RunRecord, RunState, SweepRecord } from '../../../preload/contract/runs.ts';
import { RUN_STATES } from '../../../preload/contract/runs.ts';
import type { Config, SettingValue } from '../../../preload/contract/settings.ts';
import { nearestName, parseValue } from '../../lab/settings/index.ts';
import type { SettingsRegistry } from '../../lab/settings/index.ts';
import { parseComparison } from '../../store/index.ts';
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

const COLUMNS = [
  'id',
  'name',
  'state',
  'seed',
  'steps',
  'tokens',
  'parameters',
  'attempt',
  'endReason',
  'createdAt',
  'startedAt',
  'endedAt',
];

/** The flags of `runs ls` and `export` as a filter. @throws InputError naming what is wrong */
export function runFilter(store: Store, registry: SettingsRegistry, options: FilterOptions): RunFilter {
  const limit = options.limit === undefined ? undefined : Number(options.limit);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new InputError(`--limit is ${JSON.stringify(options.limit)}; allowed: an integer at least 0`);
  for (const state of options.state ?? []) assertState(state);
  const descending = options.sort?.startsWith('-') === true;
  const field =
    options.sort === undefined
      ? undefined
      : knownField(descending ? options.sort.slice(1) : options.sort, '--sort', registry);
  return {
    ...(options.state === undefined ? {} : { state: options.state as RunState[] }),
    ...(options.sweep === undefined ? {} : { sweepId: findSweepOrLatest(store, options.sweep).id }),
    ...(options.tag === undefined ? {} : { tags: options.tag }),
    where: (options.where ?? []).map((text) => {
      const comparison = parseComparison(text);
      const spec = registry.get(knownField(comparison.field, '--where', registry));
      // `10k` means on the command line what it means everywhere; text such as `adamw` stays.
      const parsed = spec === undefined ? undefined : parseValue(spec, String(comparison.value));
      return parsed?.value === undefined ? comparison : { ...comparison, value: parsed.value };
    }),
    ...(options.search === undefined ? {} : { search: options.search }),
    ...(options.deleted === true ? { deleted: 'only' as const } : {}),
    ...(field === undefined ? {} : { order: { field, descending } }),
    ...(limit === undefined ? {} : { limit }),
  };
}

function assertState(state: string): void {
  if ((RUN_STATES as readonly string[]).includes(state)) return;
  const near = nearestName(state, RUN_STATES);
  throw new InputError(
    `--state is "${state}"; allowed: one of ${RUN_STATES.join(', ')}${near === undefined ? '' : `; nearest: ${near}`}`,
  );
}

/** A column, a metric (it has a slash or stands behind `summary.`) or a setting. @throws InputError with the nearest name */
function knownField(field: string, flag: string, registry: SettingsRegistry): string {
  const metric = field.includes('/') || field.startsWith('summary.');
  if (metric || COLUMNS.includes(field) || registry.has(field)) return field;
  const near = nearestName(field, COLUMNS) ?? registry.suggest(field);
  throw new InputError(
    `${flag} names "${field}"; allowed: ${COLUMNS.join(', ')}, a setting such as model.depth, or a metric such as val/bpb` +
      (near === undefined ? '' : `; nearest: ${near}`),
  );
}

/** Runs by id, beginning of an id, or name; each once. @throws StoreError `not-found` or `ambiguous` */
export function resolveRuns(store: Store, texts: readonly string[]): RunRecord[] {
  return [...new Map(texts.map((text) => store.resolveRun(text)).map((run) => [run.id, run])).values()];
}

/** Settings of a run that differ from the defaults. */
export function changedSettings(config: Config, defaults: Config): Record<string, SettingValue> {
  return Object.fromEntries(Object.entries(config).filter(([name, value]) => defaults[name] !== value));
}
