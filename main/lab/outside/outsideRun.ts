/**
 * One run of another program: what it says of itself, what it logs and how it ends, written into the run database. Whoever receives or reads
 * such runs (a client of W&B, a program that the lab started, a file) writes through this.
 */
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { RunEnvironment, RunRecord, RunSummary, StopCause } from '../../../preload/contract/runs.ts';
import { counted, listed } from '../../../preload/shared/format.ts';
import type { Store } from '../../store/index.ts';
import { visitNumbers } from '../../../preload/shared/loggedNumbers.ts';
import { outsideSettingKey, outsideSettings } from './settings.ts';

/** Metrics of one run: more are a mistake in a loop. */
const MOST_METRICS = 20_000;
/** Lines of its log that are kept, and characters of each. */
const MOST_LINES = 200_000;
const LONGEST_LINE = 10_000;
/** Of all its lines together. */
const MOST_CHARACTERS = 64 << 20;
/** Words about what was left out; the counts go on. */
const MOST_WARNINGS = 20;

export interface OutsideRow {
  readonly step: number;
  /** Since its begin; becomes the metric `seconds` where the row has none of that name. */
  readonly seconds?: number;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface OutsideLine {
  readonly text: string;
  /** Milliseconds since 1970; default: now. */
  readonly at?: number;
  readonly stream?: 'stdout' | 'stderr';
}

/** What came at once; it is committed at once. */
export interface OutsideNews {
  readonly rows?: readonly OutsideRow[];
  /** Measured of the machine between the steps. */
  readonly system?: readonly Readonly<Record<string, unknown>>[];
  readonly lines?: readonly OutsideLine[];
  /** Final or latest values; they replace those of the same names. */
  readonly summary?: Readonly<Record<string, unknown>>;
  /** How far it was received: given back when the run is found again. */
  readonly feed: unknown;
}

export interface OutsideEnd {
  readonly state: 'finished' | 'failed' | 'stopped';
  readonly reason: string;
  readonly cause?: StopCause;
  readonly at?: number;
}

export interface OutsideDescription {
  readonly name?: string;
  readonly note?: string;
  readonly tags?: readonly string[];
  /** As a tree. */
  readonly config?: unknown;
  /** Added to what is known. */
  readonly environment?: RunEnvironment;
  readonly codeVersion?: string;
  readonly startedAt?: number;
}

export interface OutsideRunOptions {
  readonly store: Store;
  readonly id: string;
  readonly feed: unknown;
  /** Names by which the program knows the run. */
  readonly names: readonly string[];
  /** Keys of rows and summaries that are the program's own and no metrics. */
  readonly ownKeys: ReadonlySet<string>;
  /** Points on their way into the database. */
  readonly onPoints: (runId: string, columns: readonly MetricColumn[]) => void;
}

interface Growing {
  readonly steps: number[];
  readonly values: number[];
}

export class OutsideRun {
  readonly id: string;
  /** Milliseconds since 1970. */
  heardAt = Date.now();
  /** The person at the lab wants it to end. */
  stopWanted = false;
  #feed: unknown;
  readonly #options: OutsideRunOptions;
  /** By metric. */
  readonly #lastSteps: Map<string, number>;
  #lastStep: number;
  /** Measurements of the machine since that step. */
  #between = 0;
  #lines = 0;
  #characters = 0;
  #logFull = false;
  #warned = 0;
  readonly #others = new Set<string>();

  constructor(options: OutsideRunOptions) {
    const { store, id, feed } = options;
    this.#options = options;
    this.id = id;
    this.#feed = feed;
    const states = Object.entries(store.metricStates(id));
    this.#lastSteps = new Map(states.map(([name, { lastStep }]) => [name, lastStep]));
    const logged = states.filter(([name]) => !name.startsWith(SYSTEM));
    this.#lastStep = logged.reduce((last, [, state]) => Math.max(last, state.lastStep), -1);
    this.#between = states.reduce(
      (most, [name, { points }]) => (name.startsWith(SYSTEM) ? Math.max(most, points) : most),
      0,
    );
  }

  get record(): RunRecord {
    return this.#options.store.getRun(this.id)!;
  }

  get feed(): unknown {
    return this.#feed;
  }

  get lastStep(): number {
    return this.#lastStep;
  }

  /** What the program says of itself. What it does not mention stays. @returns whether anything changed */
  describe({ name, note, tags, config, environment, codeVersion, startedAt }: OutsideDescription): boolean {
    const { store, names } = this.#options;
    const before = this.record;
    const patch = {
      ...(name === undefined || name.trim() === '' || name === before.name ? {} : { name }),
      ...(note === undefined || note === before.note ? {} : { note }),
      ...(tags === undefined || sameTexts(tags, before.tags) ? {} : { tags: cleanTags(tags) }),
      ...(codeVersion === undefined || codeVersion === before.codeVersion ? {} : { codeVersion }),
    };
    const settings = config === undefined ? undefined : outsideSettings(config, names);
    const around = { ...before.environment, ...environment, ...settings?.about };
    const planned = isPlanned(store, before);
    const seed =
      settings && (settings.seed ?? (planned ? before.seed : unseeded(store, before.sweepId, settings.config, before)));
    const definition =
      settings === undefined || seed === undefined
        ? undefined
        : {
            config: settings.config,
            seed,
            // What a script says beside the settings of its sweep makes no setting of its own.
            settingKey: planned ? before.settingKey : outsideSettingKey(settings.config),
            ...(startedAt === undefined ? {} : { startedAt }),
          };
    const { config: configBefore, seed: seedBefore, settingKey } = before;
    const earlier =
      startedAt === undefined ? undefined : { config: configBefore, seed: seedBefore, settingKey, startedAt };
    const redefined = definition === undefined || sameConfig(definition.config, configBefore) ? earlier : definition;
    const all = {
      ...patch,
      ...(JSON.stringify(around) === JSON.stringify(before.environment) ? {} : { environment: around }),
      ...(redefined === undefined ? {} : { definition: redefined }),
    };
    if (Object.keys(all).length === 0) return false;
    store.outside.update(this.id, all);
    if (planned && redefined !== undefined && redefined === definition) tellSeeds(store, before, definition.config);
    if (settings !== undefined && settings.left > 0)
      void this.#warn(
        `${counted(settings.left, 'entry', 'entries')} of the configuration were left out: too many, too deep, or too long a name`,
      );
    return true;
  }

  /** Resolves when everything is durable. @throws StoreError (rejection) and has taken nothing of it */
  async add({ rows = [], system = [], lines = [], summary, feed }: OutsideNews): Promise<void> {
    const { store, onPoints } = this.#options;
    this.heardAt = Date.now();
    const columns = new Map<string, Growing>();
    let late = 0;
    let much = 0;
    const others = new Set<string>();
    const at = { step: 0 };
    const visitor = {
      number: (name: string, value: number): void => {
        const last = this.#lastSteps.get(name);
        if (last === undefined && this.#lastSteps.size >= MOST_METRICS) return void much++;
        if (last !== undefined && !(at.step > last)) return void late++;
        this.#lastSteps.set(name, at.step);
        const column = columns.get(name);
        if (column === undefined) columns.set(name, { steps: [at.step], values: [value] });
        else {
          column.steps.push(at.step);
          column.values.push(value);
        }
      },
      other: (name: string): void => void others.add(name),
    };
    for (const row of rows) this.#row(row, at, visitor);
    for (const measured of system) this.#measured(measured, at, visitor);
    const batch = [...columns].map(([metric, { steps, values }]): MetricColumn => ({
      metric,
      steps: Float64Array.from(steps),
      values: Float64Array.from(values),
    }));
    const events = [...this.#kept(lines), ...this.#leftOut(late, much, others)];
    const progress = {
      ...(this.#lastStep >= 0 ? { steps: Math.floor(this.#lastStep) } : {}),
      ...(summary === undefined ? {} : { summary: this.#summaryOf(summary) }),
    };
    this.#feed = feed;
    const done = store.appendMetrics(this.id, batch, progress, { events, feed });
    if (batch.length > 0) onPoints(this.id, batch);
    await done;
  }

  /** A word about the run, for its log. */
  async #warn(message: string): Promise<void> {
    await this.#options.store.appendEvent({ runId: this.id, kind: 'warning', message });
  }

  #row(row: OutsideRow, at: { step: number }, visitor: Parameters<typeof visitNumbers>[2]): void {
    if (!Number.isFinite(row.step)) return;
    const { ownKeys } = this.#options;
    at.step = row.step;
    for (const name in row.values) if (!ownKeys.has(name)) visitNumbers(row.values[name], name, visitor);
    if (row.seconds !== undefined && !('seconds' in row.values)) visitor.number('seconds', row.seconds);
    if (row.step > this.#lastStep) {
      this.#lastStep = row.step;
      this.#between = 0;
    }
  }

  /** Between two steps there may be many: each stands a little further, and before the next step. */
  #measured(
    values: Readonly<Record<string, unknown>>,
    at: { step: number },
    visitor: Parameters<typeof visitNumbers>[2],
  ): void {
    const { ownKeys } = this.#options;
    this.#between++;
    at.step = Math.max(0, this.#lastStep) + this.#between / (this.#between + 1);
    for (const name in values) if (!ownKeys.has(name)) visitNumbers(values[name], `${SYSTEM}${name}`, visitor);
  }

  #summaryOf(summary: Readonly<Record<string, unknown>>): RunSummary {
    const { ownKeys } = this.#options;
    const found: Record<string, number | null> = {};
    const visitor = {
      number: (name: string, value: number): void => void (found[name] = Number.isFinite(value) ? value : null),
      other: (): void => undefined,
    };
    for (const [name, value] of Object.entries(summary)) if (!ownKeys.has(name)) visitNumbers(value, name, visitor);
    return found;
  }

  /** As much of the log as is kept, and once that there is more. */
  #kept(lines: readonly OutsideLine[]): LineEvent[] {
    const events: LineEvent[] = [];
    for (const line of lines) {
      if (this.#logFull) break;
      const event = eventOf(line);
      this.#lines++;
      this.#characters += event.message.length;
      this.#logFull = this.#lines > MOST_LINES || this.#characters > MOST_CHARACTERS;
      if (!this.#logFull) events.push(event);
      else
        events.push({
          kind: 'warning',
          message: `the log is longer than ${MOST_LINES} lines or ${MOST_CHARACTERS >> 20} million characters; what follows is not kept`,
          at: Date.now(),
          data: null,
        });
    }
    return events;
  }

  #leftOut(late: number, much: number, others: ReadonlySet<string>): LineEvent[] {
    const fresh = [...others].filter((name) => !this.#others.has(name) && this.#others.size < MOST_METRICS);
    for (const name of fresh) this.#others.add(name);
    const words = [
      ...(late > 0 ? [`${counted(late, 'point')} left out: the step was there already, or lies behind it`] : []),
      ...(much > 0 ? [`${counted(much, 'point')} left out: a run has at most ${MOST_METRICS} metrics`] : []),
      ...(fresh.length > 0 ? [`not numbers, and not kept as points: ${listed(fresh, 5)}`] : []),
    ].slice(0, Math.max(0, MOST_WARNINGS - this.#warned));
    this.#warned += words.length;
    return words.map((message) => ({ kind: 'warning', message, at: Date.now(), data: null }));
  }
}

/** Whether its settings were drawn up by a sweep of this lab; projects, which hold runs, have drawn up nothing. */
const isPlanned = (store: Store, { sweepId }: Pick<RunRecord, 'sweepId'>): boolean =>
  sweepId !== null && (store.getSweep(sweepId)?.yaml ?? '') !== '';

/** The other seeds of a setting that wait will say the same: until then they would look like a setting of their own. */
function tellSeeds(store: Store, { sweepId, settingKey }: RunRecord, config: RunRecord['config']): void {
  const { seed: _, ...shared } = config;
  for (const { id, seed, attempt, config: own } of store.listRuns({ sweepId: sweepId!, settingKey, state: 'queued' }))
    if (attempt === 0) store.outside.update(id, { definition: { config: { ...shared, ...own }, seed, settingKey } });
}

/** Before the names of what was measured of the machine. */
const SYSTEM = 'system/';

interface LineEvent {
  readonly kind: 'log' | 'warning';
  readonly message: string;
  readonly at: number;
  readonly data: unknown;
}

const eventOf = ({ text, at = Date.now(), stream }: OutsideLine): LineEvent => ({
  kind: 'log',
  message: text.slice(0, LONGEST_LINE),
  at,
  data: stream === 'stderr' ? { stream } : null,
});

export const cleanTags = (tags: readonly string[]): readonly string[] =>
  [...new Set(tags.map((tag) => tag.trim()))].filter(Boolean);
const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify([...cleanTags(a)].sort()) === JSON.stringify([...b].sort());
const sameConfig = (a: RunRecord['config'], b: RunRecord['config']): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** Runs that do not say their seed are samples of their setting all the same: they are numbered. @param own the run, where it exists */
export function unseeded(
  store: Store,
  sweepId: string | null,
  config: RunRecord['config'],
  own?: Pick<RunRecord, 'id' | 'seed'>,
): number {
  const settingKey = outsideSettingKey(config);
  const same = store.listRuns({ settingKey, deleted: 'any', ...(sweepId === null ? {} : { sweepId }) });
  const taken = same.filter(({ id }) => id !== own?.id).map(({ seed }) => seed);
  if (own !== undefined && own.seed > 0 && !taken.includes(own.seed)) return own.seed;
  return Math.max(0, ...taken) + 1;
}
