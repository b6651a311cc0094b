/** The runs of other programs that are known, found by what those call them; and which of them have fallen silent. */
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { RunOrigin, RunRecord } from '../../../preload/contract/runs.ts';
import type { Store } from '../../store/index.ts';
import { STOP_WORDS } from '../queue/resume.ts';
import { cleanTags, OutsideRun, unseeded } from './outsideRun.ts';
import type { OutsideDescription, OutsideEnd } from './outsideRun.ts';
import { outsideSettingKey, outsideSettings } from './settings.ts';

/** A script that lives is heard at least every half minute. */
const SILENT_MS = 5 * 60_000;
const LOOK_MS = 15_000;
/** Runs that are kept at hand. */
const MOST_OPEN = 1000;
/** Where such runs train, as far as the lab knows. */
export const ELSEWHERE = 'elsewhere';

export interface OutsideRunsOptions {
  readonly store: Store;
  readonly origin: Exclude<RunOrigin, 'sweeplab'>;
  /** Keys of rows and summaries that are the program's own and no metrics. */
  readonly ownKeys?: readonly string[];
  /** Points on their way into the database. */
  readonly onPoints?: (runId: string, columns: readonly MetricColumn[]) => void;
  readonly onChanged?: (what: { readonly runs: readonly string[]; readonly sweeps: readonly string[] }) => void;
  readonly onEnded?: (run: RunRecord) => void;
  /** Replaced in tests. */
  readonly now?: () => number;
}

export interface OutsideStart extends OutsideDescription {
  readonly name: string;
  readonly sweepId: string | null;
  /** Names by which the program knows the run. */
  readonly names: readonly string[];
}

export class OutsideRuns {
  readonly #options: OutsideRunsOptions;
  readonly #ownKeys: ReadonlySet<string>;
  /** By source, those used last at the end. */
  readonly #open = new Map<string, OutsideRun>();
  /** Since this process can have heard of anybody. */
  readonly #since: number;
  readonly #timer: NodeJS.Timeout;

  constructor(options: OutsideRunsOptions) {
    this.#options = options;
    this.#ownKeys = new Set(options.ownKeys);
    this.#since = this.#now();
    this.#timer = setInterval(() => this.endSilent(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The run that a program calls so. */
  find(source: string, names: readonly string[] = []): OutsideRun | undefined {
    const { store, onPoints = () => undefined } = this.#options;
    const open = this.#open.get(source);
    if (open !== undefined && store.hasRun(open.id)) {
      this.#open.delete(source);
      this.#open.set(source, open);
      return open;
    }
    const known = store.outside.run(source);
    if (known === undefined) return undefined;
    const { runId: id, feed } = known;
    const run = new OutsideRun({ store, id, feed, names, ownKeys: this.#ownKeys, onPoints });
    this.#open.set(source, run);
    if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value!);
    return run;
  }

  /** The same, by the id here, of those that are at hand. */
  byId(id: string): OutsideRun | undefined {
    return [...this.#open.values()].find((run) => run.id === id);
  }

  /** What is remembered of a run may be more than was written: it is looked up again. */
  forget(source: string): void {
    this.#open.delete(source);
  }

  /** A program begins a run, or goes on with one that it knows: it is `running` then. */
  begin(source: string, start: OutsideStart): OutsideRun {
    const { sweepId, names, ...description } = start;
    const known = this.find(source, names);
    if (known !== undefined) {
      this.resume(known);
      if (known.describe(description)) this.#changed(known.id);
      known.heardAt = this.#now();
      return known;
    }
    const { store, origin } = this.#options;
    const { config, seed, about } = outsideSettings(start.config, names);
    const { id } = store.outside.createRun(source, {
      name: start.name,
      config,
      seed: seed ?? unseeded(store, sweepId, config),
      settingKey: outsideSettingKey(config),
      sweepId,
      origin,
      state: 'running',
      note: start.note ?? '',
      tags: cleanTags(start.tags ?? []),
      startedAt: start.startedAt ?? this.#now(),
      environment: { ...start.environment, ...about },
      codeVersion: start.codeVersion ?? '',
    });
    this.#beginSweep(sweepId);
    this.#changed(id);
    const run = this.find(source, names)!;
    run.heardAt = this.#now();
    return run;
  }

  /** One that was given up, or had ended, speaks again. */
  resume(run: OutsideRun): void {
    const { state, sweepId, deletedAt } = run.record;
    const { store } = this.#options;
    // What somebody still writes is not thrown away.
    if (deletedAt !== null) store.restoreRuns([run.id]);
    if (state === 'running') return;
    store.setRunState(run.id, 'running', { reason: 'reports again' }, ELSEWHERE);
    run.stopWanted = false;
    this.#beginSweep(sweepId);
    this.#changed(run.id);
  }

  end(run: OutsideRun, { state, reason, cause, at = this.#now() }: OutsideEnd): void {
    const { store, onEnded } = this.#options;
    if (run.record.state !== 'running') return;
    store.setRunState(run.id, state, { reason, ...(cause === undefined ? {} : { cause }), at, endedAt: at });
    this.settle(run.record.sweepId);
    this.#changed(run.id);
    onEnded?.(run.record);
  }

  /** Ends runs of which nothing was heard for long: their process is gone, or the machine. */
  endSilent(): void {
    const { store, origin } = this.#options;
    const where = [{ field: 'origin', op: '=', value: origin }] as const;
    const running = store.listRuns({ state: 'running', where });
    const open = new Map([...this.#open.values()].map((run) => [run.id, run]));
    for (const { id, sweepId } of running) {
      const last = Math.max(this.#since, open.get(id)?.heardAt ?? 0);
      if (this.#now() - last < SILENT_MS) continue;
      const silence = `nothing was heard of it for ${SILENT_MS / 60_000} minutes`;
      const times = { at: this.#now(), endedAt: last };
      if (open.get(id)?.stopWanted === true)
        store.setRunState(id, 'stopped', {
          reason: `${STOP_WORDS.cancelled}; ${silence}`,
          cause: 'cancelled',
          ...times,
        });
      else store.setRunState(id, 'failed', { reason: `crashed: ${silence}`, ...times });
      this.settle(sweepId);
      this.#changed(id);
      this.#options.onEnded?.(store.getRun(id)!);
    }
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #changed(runId: string): void {
    const sweepId = this.#options.store.getRun(runId)?.sweepId ?? null;
    this.#options.onChanged?.({ runs: [runId], sweeps: sweepId === null ? [] : [sweepId] });
  }

  #beginSweep(id: string | null): void {
    const { store } = this.#options;
    const sweep = id === null ? undefined : store.getSweep(id);
    // A project was never anything that somebody can end.
    const ended = sweep?.state === 'finished' || (sweep?.state === 'stopped' && sweep.yaml === '');
    if (ended) store.updateSweep(id!, { state: 'running' });
  }

  /** A sweep of which nothing runs and nothing waits has ended. */
  settle(id: string | null): void {
    const { store } = this.#options;
    const sweep = id === null ? undefined : store.getSweep(id);
    if (sweep?.state === 'running' && sweep.counts.running + sweep.counts.queued === 0)
      store.updateSweep(id!, { state: 'finished' });
  }
}
