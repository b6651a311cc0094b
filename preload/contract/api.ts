/**
 * Every call and every event of the lab: the name, the schema of the input, the type of the answer. Hosts parse each input with its
 * schema before anything else looks at it; clients take the types. A new call is a line here and a function in `main/host/services`.
 *
 * Clients import types alone, so that the schemas are not part of what a browser loads.
 */
import { z } from 'zod';
import { type Draft, draft, few, settingName, settingValue } from './draft.ts';
import { COLUMN_ROLES } from './imports.ts';
import type { ImportPreview, ImportProgress, ImportResult } from './imports.ts';
import { grouped, LIMITS } from './limits.ts';
import type { MetricColumn, MetricSpec, PlacedPoints } from './metrics.ts';
import type { SeriesTable } from './seriesTable.ts';
import { COMPARISONS, RUN_EVENT_KINDS, RUN_STATES } from './runs.ts';
import type { RunTable } from './runTable.ts';
import type { RunEvent, RunRecord } from './runs.ts';
import type { Warning } from './settings.ts';
import type * as shapes from './shapes.ts';
import { CHECK_NAMES, MOST_CHECK_STEPS } from './shapes.ts';

interface Route<I extends z.ZodType, O> {
  readonly input: I;
  /** Only a type; never set. */
  readonly output?: O;
}
const route = <I extends z.ZodType>(input: I) => ({ to: <O>(): Route<I, O> => ({ input }) });

const name = z.string().max(200);
const id = z.string().min(1).max(64);
const text = z.string().max(100_000);
const values = few(z.record(settingName, settingValue));
const metric = z.string().min(1).max(200);
const some = <T extends z.ZodType>(item: T) => z.array(item).max(LIMITS.values);
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes');
const nothing = z.strictObject({});
const byId = z.strictObject({ id });

const order = z.strictObject({ field: z.string().max(200), descending: z.boolean().optional() });
const state = z.enum(RUN_STATES);
const filter = z.strictObject({
  ids: some(id).optional(),
  state: z.union([state, z.array(state).max(RUN_STATES.length)]).optional(),
  sweepId: id.optional(),
  settingKey: z.string().max(100).optional(),
  tags: z.array(name).max(100).optional(),
  where: z
    .array(z.strictObject({ field: z.string().max(200), op: z.enum(COMPARISONS), value: settingValue }))
    .max(50)
    .optional(),
  search: z.string().max(LIMITS.searchCharacters).optional(),
  words: z.array(name).max(LIMITS.searchWords).optional(),
  deleted: z.enum(['no', 'only', 'any']).optional(),
  order: order.optional(),
  limit: z.int().positive().optional(),
  offset: z.int().nonnegative().optional(),
});

/** Where to check: this machine by default, one of its devices, or a card of the table by name. */
const where = { device: z.string().max(60).optional(), gpu: z.string().max(120).optional() };
const prices = z
  .strictObject({
    pricePerHour: z.number().nonnegative().optional(),
    kilowatts: z.number().nonnegative().optional(),
    tariff: z.number().nonnegative().optional(),
  })
  .optional();
/** Where a program starts; empty: the home folder of the user. */
const folder = z.string().max(4096);
const configured = { values, recipe: z.string().max(4096).nullish() };

export const routes = {
  'app.info': route(nothing).to<shapes.AppInfo>(),
  'app.doctor': route(nothing).to<{ findings: shapes.Finding[] }>(),
  /** An address that lets another browser in, once. */
  'browsers.address': route(nothing).to<{ url: string }>(),
  /** Turns all browsers out, the caller's too: each needs a new address. */
  'browsers.forget': route(nothing).to<{ forgotten: number }>(),
  'wandb.get': route(nothing).to<shapes.WandbState>(),
  'wandb.switch': route(z.strictObject({ on: z.boolean() })).to<shapes.WandbState>(),
  /** A new key; the old one is refused from then on. */
  'wandb.revoke': route(nothing).to<shapes.WandbState>(),
  /** Of `app.doctor` what one begins with: kernels, cards, driver, libraries, disk. Reads no database. */
  'setup.machine': route(nothing).to<{ findings: shapes.Finding[] }>(),
  /** Fetching NVIDIA's cuBLASLt; its steps come as events of the topic `setup`. */
  'setup.get': route(nothing).to<shapes.CudaSetup>(),
  'setup.fetch': route(nothing).to<shapes.CudaSetup>(),
  /** The licence that is shown. */
  'setup.accept': route(nothing).to<shapes.CudaSetup>(),
  /** Stops fetching, or refuses the licence. */
  'setup.cancel': route(nothing).to<shapes.CudaSetup>(),
  'updates.get': route(nothing).to<shapes.UpdateState>(),
  'updates.switch': route(z.strictObject({ on: z.boolean() })).to<shapes.UpdateState>(),
  'devices.list': route(nothing).to<{ devices: shapes.DeviceInfo[] }>(),

  'recipes.list': route(nothing).to<{ recipes: shapes.RecipeCard[] }>(),
  /** On the device that its settings name. */
  'recipes.check': route(z.strictObject({ recipe: name })).to<shapes.RecipeCheck>(),
  'settings.list': route(nothing).to<shapes.SettingsList>(),
  /** What is known of each metric, in the order of charts. */
  'metrics.list': route(nothing).to<{ readonly specs: readonly MetricSpec[] }>(),
  /** Kinds that are chosen elsewhere than in a run's settings. */
  'kinds.list': route(nothing).to<shapes.KindsList>(),
  'settings.check': route(z.strictObject(configured)).to<shapes.CheckedSettings>(),

  /** `budget`: milliseconds after which the fit check may stop and say how many settings are `pending`. */
  'sweeps.plan': route(
    z.strictObject({ draft, ...where, prices, budget: z.number().positive().optional() }),
  ).to<shapes.SweepPlan>(),
  'sweeps.fromYaml': route(z.strictObject({ yaml: z.string().max(LIMITS.yamlCharacters) })).to<{
    /** Null when there are problems. */
    draft: Draft | null;
    problems: shapes.Problem[];
    /** Keys used that W&B does not know. */
    extensions: string[];
  }>(),
  'sweeps.toYaml': route(z.strictObject({ draft })).to<{ yaml: string }>(),
  'sweeps.launch': route(z.strictObject({ draft, force: z.boolean().optional() })).to<{
    sweepId: string;
    runIds: string[];
    warnings: Warning[];
  }>(),
  'sweeps.list': route(nothing).to<{ sweeps: shapes.ListedSweep[] }>(),
  'sweeps.get': route(byId).to<{ sweep: shapes.ListedSweep; draft: Draft | null }>(),
  'sweeps.rename': route(z.strictObject({ id, name })).to<{ sweep: shapes.ListedSweep }>(),
  /** At most so many runs at a time while one of this sweep trains; null: no limit. */
  'sweeps.limit': route(z.strictObject({ id, limit: z.int().min(1).max(64).nullable() })).to<{
    sweep: shapes.ListedSweep;
  }>(),
  'sweeps.stop': route(byId).to<{ sweep: shapes.ListedSweep }>(),
  'sweeps.resume': route(byId).to<{ sweep: shapes.ListedSweep; queued: number }>(),
  'sweeps.retryFailed': route(byId).to<{ sweep: shapes.ListedSweep; queued: number }>(),
  /** Moves all of its runs to the bin. */
  'sweeps.remove': route(byId).to<{ sweep: shapes.ListedSweep; runIds: string[] }>(),
  'sweeps.restore': route(byId).to<{ sweep: shapes.ListedSweep; runIds: string[] }>(),

  /** A short training of the first run of a draft, of which nothing is recorded. */
  'checks.run': route(
    z.strictObject({
      draft,
      check: z.enum(CHECK_NAMES),
      /** Instead of the usual number. */
      steps: z.int().min(2).max(MOST_CHECK_STEPS).optional(),
    }),
  ).to<shapes.CheckAnswer>(),

  /** What a sweep over a program would start, and whether a page may have it started. */
  'programs.plan': route(z.strictObject({ draft, folder })).to<shapes.ProgramPlan>(),
  /** Asks the person at the machine where the lab has not been told that pages may. */
  'programs.start': route(
    z.strictObject({ draft, folder, limit: z.int().min(1).max(64).nullable().default(null) }),
  ).to<{ sweepId: string }>(),
  /** A sweep that waits for agents of the W&B client. */
  'programs.handOut': route(z.strictObject({ draft })).to<{ sweepId: string; agent: string }>(),

  'runs.list': route(z.strictObject({ filter: filter.default({}) })).to<{ runs: RunTable }>(),
  'runs.get': route(byId).to<{ run: RunRecord }>(),
  'runs.stop': route(byId).to<{ run: RunRecord }>(),
  /** Continues from the last checkpoint. */
  'runs.resume': route(byId).to<{ run: RunRecord }>(),
  /** A new run with the same settings and seed. */
  'runs.rerun': route(byId).to<{ run: RunRecord }>(),
  'runs.rename': route(z.strictObject({ id, name })).to<{ run: RunRecord }>(),
  /** Replaces the tags. */
  'runs.tag': route(z.strictObject({ id, tags: z.array(name).max(100) })).to<{ run: RunRecord }>(),
  'runs.note': route(z.strictObject({ id, note: text })).to<{ run: RunRecord }>(),
  'runs.remove': route(byId).to<{ run: RunRecord }>(),
  'runs.restore': route(byId).to<{ run: RunRecord }>(),
  'runs.events': route(
    z.strictObject({
      id: id.optional(),
      after: z.int().nonnegative().optional(),
      kinds: z.array(z.enum(RUN_EVENT_KINDS)).max(RUN_EVENT_KINDS.length).optional(),
      limit: z.int().positive().max(10_000).default(1000),
    }),
  ).to<{ events: RunEvent[] }>(),
  'runs.checkpoints': route(byId).to<{ checkpoints: shapes.Checkpoint[] }>(),
  'runs.samples': route(byId).to<{ samples: shapes.RunSample[] }>(),
  /** What a step was trained on, as text. */
  'runs.batch': route(z.strictObject({ id, step: z.int().min(1) })).to<shapes.BatchText>(),

  'series.read': route(
    z
      .strictObject({
        runs: z.array(id).max(2000),
        metric,
        x: metric.optional(),
        from: z.number().optional(),
        to: z.number().optional(),
        maxPoints: z.int().min(3).max(100_000).default(2000),
        /** Shorter series come as they were logged. */
        loggedUpTo: z.int().max(100_000).optional(),
        /** Buckets of one size for all runs, so that they can be averaged entry by entry. */
        aligned: z.boolean().optional(),
        /** For a part within a whole curve: see SeriesQuery. */
        wholeBuckets: z.boolean().optional(),
        envelopes: z.boolean().optional(),
      })
      .refine(({ runs, maxPoints, loggedUpTo = 0 }) => runs.length * Math.max(maxPoints, loggedUpTo) <= LIMITS.points, {
        error: `at most ${grouped(LIMITS.points)} points in all: fewer runs, or a smaller maxPoints`,
      }),
  ).to<{ series: SeriesTable }>(),

  /** A metric that a run has for each layer, or for each head of each layer, in all of these. */
  'series.places': route(
    z.strictObject({ run: id, metric, maxPoints: z.int().min(3).max(5000).default(500) }),
  ).to<PlacedPoints>(),

  'fit.report': route(
    z.strictObject({ ...configured, ...where, prices, occupancy: z.boolean().optional() }),
  ).to<shapes.FitReport>(),
  'fit.gpus': route(nothing).to<{ gpus: shapes.GpuInfo[] }>(),

  'queue.get': route(nothing).to<shapes.QueueState>(),
  'queue.setConcurrency': route(z.strictObject({ concurrency: z.int().min(1).max(64) })).to<shapes.QueueState>(),
  'queue.pause': route(nothing).to<shapes.QueueState>(),
  'queue.resume': route(nothing).to<shapes.QueueState>(),
  /** Puts runs that wait, in the order given, before another one that waits; null: behind all. */
  'queue.move': route(z.strictObject({ ids: some(id).min(1), before: id.nullable() })).to<shapes.QueueState>(),

  'data.list': route(nothing).to<{
    corpora: { name: string; description: string }[];
    prepared: shapes.PreparedData[];
    unfinished: shapes.UnfinishedData[];
    /** Of the files that were downloaded for data and libraries. */
    downloadedBytes: number;
  }>(),
  /** Deletes prepared data, never what it was read from. Refused while a run may be reading it. */
  'data.remove': route(z.strictObject({ contentHash: z.string().min(1).max(128) })).to<{ readonly freed: number }>(),
  /** Deletes what an interrupted preparation has left. Refused while one works on it. */
  'data.removeUnfinished': route(z.strictObject({ id: z.string().min(1).max(128) })).to<{ readonly freed: number }>(),
  /** Deletes what was downloaded. Refused while a run or a preparation may be reading it. */
  'data.removeDownloads': route(nothing).to<{ readonly freed: number }>(),
  /** Tokenizers whose vocabulary no setting changes, and its size. */
  'data.vocabularies': route(nothing).to<{ readonly fixed: Readonly<Record<string, number>> }>(),
  /** Prepares the data when need be; progress comes as events of the topic `data`. */
  'data.stats': route(z.strictObject(configured)).to<shapes.DataFacts>(),
  'data.tokens': route(z.strictObject({ ...configured, text: z.string().max(LIMITS.exploredCharacters) })).to<{
    tokens: shapes.Token[];
    tokenizer: shapes.TokenizerInfo;
  }>(),
  /** Training text from the `from`-th document on; `next` is where to go on. */
  'data.sample': route(z.strictObject({ ...configured, from: z.int().nonnegative().default(0) })).to<{
    text: string;
    from: number;
    next: number;
    documents: number;
  }>(),

  'sampling.generate': route(
    z.strictObject({
      runId: id,
      prompt: z.string().max(20_000).default(''),
      temperature: z.number().min(0).max(100).default(1),
      topK: z.int().nonnegative().default(0),
      topP: z.number().min(0).max(1).default(1),
      tokens: z.int().min(1).max(4096).default(100),
      seed: z.int().nonnegative().default(0),
      count: z.int().min(1).max(16).default(1),
      checkpoint: z.enum(['best', 'last']).optional(),
      stopAtEnd: z.boolean().default(false),
    }),
  ).to<{ samples: shapes.SampleText[] }>(),

  'views.get': route(z.strictObject({ key: z.string().min(1).max(200) })).to<{ value: unknown }>(),
  /** Null removes it. */
  'views.set': route(z.strictObject({ key: z.string().min(1).max(200), value: z.unknown() })).to<{ saved: true }>(),

  /** What a chart shows as a bundle of files for a paper; the lab adds PDFs of its pictures. */
  'export.figure': route(
    z.strictObject({
      /** Of its files, without their endings. */
      name: z.string().min(1).max(200),
      title: z.string().max(2000),
      pictures: some(
        z.strictObject({
          millimetres: z.number().min(20).max(1000),
          /** In CSS pixels. */
          width: z.number().min(20).max(10_000),
          height: z.number().min(20).max(100_000),
          svg: z.string().max(16_000_000),
        }),
      ),
      csv: z.string().max(64_000_000),
      script: z.string().max(4_000_000),
      path: z.string().min(1).max(4096).optional(),
    }),
  ).to<shapes.Download>(),
  /** Begins an import: what is in its files is sent, or they lie where the lab may read them. */
  'import.open': route(nothing).to<{ readonly id: string }>(),
  /** Files that could be sent. @returns for each its number, or null where it holds no runs: a hidden file, one of another program */
  'import.files': route(
    z.strictObject({
      id,
      files: some(
        z.strictObject({ path: z.string().min(1).max(LIMITS.importPathCharacters), size: z.int().nonnegative() }),
      ),
    }),
  ).to<{ readonly numbers: readonly (number | null)[] }>(),
  /** Bytes of files that were told, each from its beginning on. */
  'import.send': route(
    z.strictObject({
      id,
      parts: z.array(z.strictObject({ file: z.int().nonnegative(), at: z.int().nonnegative(), bytes })).max(1000),
    }),
  ).to<{ readonly received: number }>(),
  /** Reads everything once and says what would become of it. Nothing is written. */
  'import.preview': route(
    z.strictObject({
      id,
      /** Files, folders and archives of the lab's machine, beside what was sent. */
      paths: z.array(z.string().min(1).max(4096)).max(100).optional(),
      /** Read only as this format, one of `kinds.list`. */
      format: z.string().max(60).optional(),
      /** What columns of tables are, by their names. */
      roles: few(z.record(z.string().max(1000), z.enum(COLUMN_ROLES))).optional(),
      /** The sweep that runs join whose files name none; null: none. */
      sweep: name.nullish(),
      /** Further runs instead of an update of those that were read before. */
      asNew: z.boolean().optional(),
    }),
  ).to<ImportPreview>(),
  /** Writes what was shown last: all of it, or nothing when it is cancelled or fails. */
  'import.write': route(byId).to<ImportResult>(),
  /** Forgets an import, and what was sent for it. */
  'import.close': route(byId).to<{ readonly closed: boolean }>(),

  'export.runs': route(
    z.strictObject({
      /** Ids; empty: all runs. */
      runs: some(id),
      /** One of `kinds.list`; default: the first. */
      format: z.string().max(60).optional(),
      /** Of the file, without date and ending. */
      name: name.optional(),
      metrics: some(metric).optional(),
      exact: z.boolean().default(false),
      allSettings: z.boolean().default(false),
      /** A file chosen by the native dialog of the app. */
      path: z.string().max(4096).optional(),
    }),
  ).to<shapes.Download>(),
} as const;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
/** What a caller writes: parts with defaults may be left out. */
export type Input<R extends RouteName> = z.input<Routes[R]['input']>;
/** What a service gets. */
export type Parsed<R extends RouteName> = z.output<Routes[R]['input']>;
export type Output<R extends RouteName> = Routes[R] extends Route<z.ZodType, infer O> ? O : never;

/** Events by topic. `points`, `progress` and `devices` may be merged or skipped; the others always arrive. */
export interface Events {
  /** Whole records that changed, those in the bin included. */
  runs: { readonly runs: readonly RunRecord[] };
  sweeps: { readonly sweeps: readonly shapes.ListedSweep[] };
  progress: { readonly progress: readonly shapes.RunProgress[] };
  /**
   * New points. After a gap (a slow client, many points) they come from the database, and dense ones as means of neighbours: `resync`
   * names runs whose curves are complete again when they are read again.
   */
  points: {
    readonly runs: readonly {
      readonly runId: string;
      /** A resumed run went back: points after this step were removed before `columns`. */
      readonly keepUpTo?: number;
      readonly columns: readonly MetricColumn[];
    }[];
    readonly resync: readonly string[];
  };
  queue: shapes.QueueState;
  devices: { readonly devices: readonly { readonly id: string; readonly reading: shapes.DeviceReading }[] };
  data: { readonly corpus: string; readonly tokenizer: string; readonly progress: shapes.DataProgress | null };
  notice: shapes.Notice;
  /** The endpoint for scripts was opened or shut, or has a new key. */
  wandb: shapes.WandbState;
  setup: shapes.CudaSetup;
  updates: shapes.UpdateState;
  imports: ImportProgress;
  /** Of the check that trains now: there is one at a time. */
  checks: shapes.CheckProgress;
}
export type Topic = keyof Events;

export const TOPICS: readonly Topic[] = [
  'runs',
  'sweeps',
  'progress',
  'points',
  'queue',
  'devices',
  'data',
  'notice',
  'wandb',
  'setup',
  'updates',
  'imports',
  'checks',
];
