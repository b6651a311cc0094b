/** What becomes of the runs that were surveyed: which are new, which update one that was read before, which the lab has already. Writes nothing. */
import type { ImportFate, ImportPreview, ImportRun } from '../../../preload/contract/imports.ts';
import type { NewRun, RunSummary } from '../../../preload/contract/runs.ts';
import type { NewSweep } from '../../../preload/contract/runs.ts';
import type { Store } from '../../store/index.ts';
import { cleanTags } from './outsideRun.ts';
import { outsideSettingKey, outsideSettings } from './settings.ts';
import type { OutsideSettings } from './settings.ts';
import type { Surveyed, SurveyedSource } from '../imports/reading.ts';
import type { RunSays } from '../imports/receiver.ts';
import type { SurveyedRun } from '../imports/survey.ts';

export interface PlanOptions {
  /** Runs that were read from the same place before stay as they are, and the files' become further ones. */
  readonly asNew?: boolean;
  /** The sweep that runs join whose files name none; null: none. Default: one for each folder, archive or file with several runs. */
  readonly sweep?: string | null;
}

/** What a file said of a run when it was read last: what somebody has changed here since then stays. */
export interface Said {
  readonly note?: string;
  readonly tags?: readonly string[];
  readonly name?: string;
}

export interface PlannedRun {
  /** Number of its source. */
  readonly source: number;
  readonly surveyed: SurveyedRun;
  readonly fate: ImportFate;
  /** By it the run is found again. */
  readonly identity: string;
  /** The run here that it updates, or is. */
  readonly runId: string | null;
  readonly run: NewRun;
  readonly seedSaid: boolean;
  readonly sweep: { readonly source: string; readonly sweep: NewSweep } | undefined;
  readonly said: Said;
}

export interface ImportPlan {
  readonly surveyed: Surveyed;
  readonly runs: readonly PlannedRun[];
}

/** What the store is asked. */
export type Known = Pick<Store, 'outside' | 'getRun' | 'listRuns' | 'getSweep'>;

const DETAILS = 'Runs that were read from files.';
/** Runs that a preview shows one by one. */
const SHOWN = 500;

export function planImport(store: Known, surveyed: Surveyed, options: PlanOptions = {}): ImportPlan {
  const planner = new Planner(store, surveyed, options);
  return { surveyed, runs: planner.runs() };
}

class Planner {
  readonly #store: Known;
  readonly #surveyed: Surveyed;
  readonly #options: PlanOptions;
  readonly #taken = new Set<string>();
  /** Seeds that are taken, by sweep and setting. */
  readonly #seeds = new Map<string, Set<number>>();

  constructor(store: Known, surveyed: Surveyed, options: PlanOptions) {
    this.#store = store;
    this.#surveyed = surveyed;
    this.#options = options;
  }

  runs(): PlannedRun[] {
    const several = this.#surveyed.sources.reduce((sum, { found }) => sum + found.length, 0) > 1;
    return this.#surveyed.sources.flatMap((source, number) =>
      source.found.map((run) => this.#plan(source, number, run, several)),
    );
  }

  #plan(source: SurveyedSource, number: number, run: SurveyedRun, several: boolean): PlannedRun {
    const { says } = run;
    const identity = this.#identity(source, run);
    const known = this.#options.asNew === true ? undefined : this.#store.outside.run(identity);
    const here = known === undefined ? this.#here(says) : undefined;
    const sweep = this.#sweep(source, says, several);
    const before = known && this.#store.getRun(known.runId);
    const same =
      before?.deletedAt === null && (known!.feed as { fingerprint?: string } | null)?.fingerprint === run.fingerprint;
    const fate: ImportFate = here !== undefined ? 'here' : before === undefined ? 'new' : same ? 'same' : 'update';
    const names = [says.name, ...(says.names ?? [])].filter((name): name is string => name !== undefined);
    const settings = seeded(outsideSettings(says.config ?? {}, names), says.name);
    const settingKey = outsideSettingKey(settings.config);
    const sweepId = before?.sweepId ?? (sweep && this.#store.outside.sweepId(sweep.source)) ?? null;
    const seed = settings.seed ?? this.#number(settingKey, sweep?.source ?? sweepId, sweepId, before);
    const said = (known?.said ?? {}) as Said;
    const kept = (name: keyof Said): boolean =>
      before !== undefined && JSON.stringify(said[name]) === JSON.stringify(says[name]);
    return {
      source: number,
      surveyed: run,
      fate,
      identity,
      runId: before?.id ?? here ?? null,
      seedSaid: settings.seed !== undefined,
      sweep: before?.sweepId == null ? sweep : undefined,
      said: { ...only(says, 'note'), ...only(says, 'tags'), ...only(says, 'name') },
      run: {
        name: kept('name') ? before!.name : says.name?.trim() || source.name,
        note: kept('note') ? before!.note : (says.note ?? ''),
        tags: kept('tags') ? before!.tags : cleanTags(says.tags ?? []),
        config: settings.config,
        seed,
        settingKey,
        origin: 'import',
        state:
          says.state === undefined || says.state === 'queued' || says.state === 'running' ? 'finished' : says.state,
        endReason: says.reason ?? `read from ${source.name}`,
        stopCause: says.cause ?? null,
        startedAt: wholeTime(says.startedAt),
        endedAt: wholeTime(endOf(run) ?? undefined),
        steps: stepsOf(run),
        ...tokensOf(run),
        parameters: countOf(says.parameters) ?? null,
        summary: summaryOf(run),
        environment: { ...says.environment, ...settings.about, read_from: source.name },
        codeVersion: says.codeVersion ?? '',
      },
    };
  }

  /** Two files of an import that hold the same run are two runs. */
  #identity({ identity: of }: SurveyedSource, { key, says }: SurveyedRun): string {
    const base = `import/${says.identity ?? `file/${of}/${key}`}`;
    const tail = this.#options.asNew === true ? `/${Date.now().toString(36)}` : '';
    let identity = `${base}${tail}`;
    for (let i = 2; this.#taken.has(identity); i++) identity = `${base}${tail}~${i}`;
    this.#taken.add(identity);
    return identity;
  }

  /** A run of this lab that was exported, or that has reported through an endpoint. */
  #here({ sweeplabId, name, reportedAs }: RunSays): string | undefined {
    const run = sweeplabId === undefined ? undefined : this.#store.getRun(sweeplabId);
    if (run !== undefined && (name === undefined || run.name === name || name.endsWith(run.id))) return run.id;
    return reportedAs === undefined ? undefined : this.#store.outside.run(reportedAs)?.runId;
  }

  #sweep(source: SurveyedSource, { group }: RunSays, several: boolean): PlannedRun['sweep'] {
    const make = (key: string, name: string): NonNullable<PlannedRun['sweep']> => ({
      source: `import/sweep/${key}`,
      sweep: { name: name.trim() || 'import', spec: { notes: DETAILS }, origin: 'import', state: 'finished' },
    });
    if (group !== undefined) return make(group.key, group.name);
    const { sweep } = this.#options;
    if (sweep === null || (!several && sweep === undefined)) return undefined;
    if (sweep !== undefined) return make(`named/${sweep}`, sweep);
    return make(`root/${source.rootIdentity}`, source.root);
  }

  /** Runs that do not say their seed are samples of their setting all the same: they are numbered. */
  #number(
    settingKey: string,
    group: string | null,
    sweepId: string | null,
    before: { readonly id: string; readonly seed: number; readonly settingKey: string } | undefined,
  ): number {
    const key = `${group ?? ''} ${settingKey}`;
    let taken = this.#seeds.get(key);
    if (taken === undefined) {
      const same =
        sweepId === null && group !== null
          ? []
          : this.#store.listRuns({ settingKey, deleted: 'any', ...(sweepId === null ? {} : { sweepId }) });
      taken = new Set(same.map(({ seed }) => seed));
      this.#seeds.set(key, taken);
    }
    if (before?.settingKey === settingKey) return before.seed;
    let seed = 1;
    while (taken.has(seed)) seed++;
    taken.add(seed);
    return seed;
  }
}

const only = <K extends keyof Said>(says: RunSays, name: K): Pick<Said, K> | object =>
  says[name] === undefined ? {} : { [name]: says[name] };

/** `depth-4-seed-2`, `lr0.1_seed3`: where nothing else says the seed, a name may. */
const SEED_IN_NAME = /(?:^|[^a-z])seed[-_= ]?(\d{1,9})(?!\d)/iu;

function seeded(settings: OutsideSettings, name = ''): OutsideSettings {
  const [, digits] = SEED_IN_NAME.exec(name) ?? [];
  return settings.seed !== undefined || digits === undefined ? settings : { ...settings, seed: Number(digits) };
}

const countOf = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** Whole milliseconds, as the database has times; a damaged file may say anything. */
function wholeTime(time: number | undefined): number | null {
  const whole = Math.round(time ?? Number.NaN);
  return Number.isSafeInteger(whole) ? whole : null;
}

function endOf({ says, last }: SurveyedRun): number | null {
  if (says.endedAt !== undefined) return says.endedAt;
  const seconds = says.summary?.seconds ?? last.seconds;
  return says.startedAt === undefined
    ? null
    : says.startedAt + (seconds !== undefined && seconds > 0 && seconds < 1e9 ? Math.round(seconds * 1000) : 0);
}

/** Steps between those of the training are of the machine. */
const SYSTEM = 'system/';

function stepsOf({ series }: SurveyedRun): number {
  const last = series.filter(({ metric }) => !metric.startsWith(SYSTEM)).map(({ lastStep }) => lastStep);
  return countOf(Math.floor(Math.max(0, ...last))) ?? 0;
}

const tokensOf = ({ last }: SurveyedRun): { tokens?: number } => {
  const tokens = countOf(last.tokens);
  return tokens === undefined ? {} : { tokens };
};

/** The last value of every series, and what the file says itself, which counts. */
function summaryOf({ says, last }: SurveyedRun): RunSummary {
  const all = { ...last, ...says.summary };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
}

export const countsOf = (runs: readonly PlannedRun[]): Record<ImportFate, number> => {
  const counts = { new: 0, update: 0, same: 0, here: 0 };
  for (const { fate } of runs) counts[fate]++;
  return counts;
};

/** What people are shown before anything is written. */
export function previewOf(store: Known, { surveyed, runs }: ImportPlan): ImportPreview {
  const points = (run: PlannedRun): number => run.surveyed.series.reduce((sum, series) => sum + series.points, 0);
  return {
    sources: surveyed.sources.map(({ name, kind, label, bytes, runs: count, columns, notes }) => ({
      name,
      kind,
      label,
      bytes,
      runs: count,
      columns,
      notes,
    })),
    runs: runs.slice(0, SHOWN).map((planned) => shown(store, planned, surveyed)),
    counts: countsOf(runs),
    points: runs.reduce((sum, run) => sum + (run.fate === 'new' || run.fate === 'update' ? points(run) : 0), 0),
    leftOut: surveyed.leftOut,
  };
}

function shown(
  store: Known,
  { source, surveyed, fate, runId, run, seedSaid, sweep }: PlannedRun,
  all: Surveyed,
): ImportRun {
  const before = runId === null ? undefined : store.getRun(runId);
  const joined = before?.sweepId == null ? sweep?.sweep.name : store.getSweep(before.sweepId)?.name;
  const series = new Set(surveyed.series.map(({ metric }) => metric));
  return {
    source: all.sources[source]!.name,
    name: run.name,
    fate,
    runId,
    sweep: joined ?? null,
    state: run.state!,
    seed: run.seed,
    seedSaid,
    config: run.config,
    series: surveyed.series,
    finals: Object.keys(surveyed.says.summary ?? {}).filter((name) => !series.has(name)),
    lines: surveyed.lines,
  };
}
