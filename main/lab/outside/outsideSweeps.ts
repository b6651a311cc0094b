/** Sweeps over scripts: their runs wait here and are handed out one by one to whoever asks; what the person at the lab wants of them. */
import type { Draft } from '../../../preload/contract/draft.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { RunRecord, SweepRecord } from '../../../preload/contract/runs.ts';
import type { Store } from '../../store/index.ts';
import { STOP_WORDS } from '../queue/resume.ts';
import { storedSweep } from '../sweeps/index.ts';
import { ELSEWHERE } from './outsideRuns.ts';
import type { OutsideRuns } from './outsideRuns.ts';
import { isSeed } from './settings.ts';
import { nextRuns, scriptSweep } from './sweepPlan.ts';

/** A script that does not hear a stop for so long is no longer waited for. */
const DEAF_MS = 60_000;

export interface HandedOut {
  readonly run: RunRecord;
  /** Of which the script is told. */
  readonly values: RunRecord['config'];
}

export class OutsideSweeps {
  readonly #store: Store;
  readonly #runs: OutsideRuns;
  readonly #onChanged: (what: { readonly runs: readonly string[]; readonly sweeps: readonly string[] }) => void;

  constructor(
    store: Store,
    runs: OutsideRuns,
    onChanged: (what: { readonly runs: readonly string[]; readonly sweeps: readonly string[] }) => void = () =>
      undefined,
  ) {
    this.#store = store;
    this.#runs = runs;
    this.#onChanged = onChanged;
  }

  /** A sweep with the runs that wait in it. @param draft one without problems */
  create(draft: Draft, yaml: string, fallback: string): string {
    const planned = nextRuns(scriptSweep(draft), 0);
    const { sweep } = this.#store.createSweep(
      { name: draft.name.trim() || fallback, spec: draft, yaml, origin: 'wandb', state: 'running' },
      planned,
    );
    this.#onChanged({ runs: [], sweeps: [sweep.id] });
    return sweep.id;
  }

  /** One that hands out runs; not a project. */
  get(id: string): SweepRecord | undefined {
    const sweep = this.#store.getSweep(id);
    return sweep?.origin === 'wandb' && sweep.yaml !== '' ? sweep : undefined;
  }

  /** The next run, which is `running` from then on; undefined when none waits. @param sourceOf the name of a run outside, by its id */
  handOut(id: string, sourceOf: (runId: string) => string): HandedOut | undefined {
    const store = this.#store;
    const sweep = this.get(id);
    if (sweep === undefined || sweep.state === 'paused' || sweep.state === 'stopped') return undefined;
    if (sweep.counts.queued === 0) this.#planMore(sweep);
    const run = store.claimNext({ sweepId: id, origins: ['wandb'] }, ELSEWHERE);
    if (run === undefined) return undefined;
    const source = sourceOf(run.id);
    if (store.outside.run(source) === undefined) store.outside.nameRun(source, run.id);
    // Tried again: what it logged before is no part of this run.
    if (run.attempt > 1) {
      this.#runs.forget(source);
      store.truncateAfter(run.id, Number.MIN_SAFE_INTEGER);
      store.outside.resetFeed(source);
    }
    this.#runs.find(source, [run.id])!.heardAt = Date.now();
    this.#onChanged({ runs: [run.id], sweeps: [id] });
    return { run, values: valuesFor(sweep, run) };
  }

  /** Ends one run: at once when it waits; a script is asked with its next report. */
  stopRun(run: RunRecord): void {
    const reason = STOP_WORDS.cancelled;
    if (run.state === 'queued') this.#store.setRunState(run.id, 'stopped', { reason, cause: 'cancelled' });
    if (run.state !== 'running') return;
    const open = this.#runs.byId(run.id);
    const deaf = open === undefined || open.stopWanted || Date.now() - open.heardAt > DEAF_MS;
    if (!deaf) open.stopWanted = true;
    else {
      this.#store.setRunState(run.id, 'stopped', { reason: `${reason}; the script was not heard`, cause: 'cancelled' });
      this.#runs.settle(run.sweepId);
    }
    this.#onChanged({ runs: [run.id], sweeps: run.sweepId === null ? [] : [run.sweepId] });
  }

  /** Hands out no more and asks the scripts that run to end. */
  stopSweep(id: string): void {
    const waiting = this.#store.listRuns({ sweepId: id, state: 'queued' }).map((run) => run.id);
    const stop = { reason: STOP_WORDS.sweep, cause: 'sweep' } as const;
    this.#store.setRunStates(waiting, 'stopped', stop, { id, state: 'stopped' });
    for (const run of this.#store.listRuns({ sweepId: id, state: 'running' })) this.stopRun(run);
    this.#onChanged({ runs: waiting, sweeps: [id] });
  }

  /** Runs that were stopped with the sweep, or failed, wait again. @returns how many */
  requeue(id: string, failed: boolean): number {
    const again = this.#store
      .listRuns({ sweepId: id, state: ['stopped', 'failed'] })
      .filter(({ state, stopCause }) =>
        state === 'failed' ? failed : stopCause !== 'cancelled' && stopCause !== 'pruned',
      )
      .map((run) => run.id);
    this.#store.setRunStates(again, 'queued', { reason: 'handed out again' }, { id, state: 'running' });
    return again.length;
  }

  #planMore(sweep: SweepRecord): void {
    const draft = storedSweep(sweep.spec);
    if (draft === null || !scriptSweep(draft).method.draws || draft.runCap !== null) return;
    const planned = this.#store.countRuns({ sweepId: sweep.id, deleted: 'any' });
    this.#store.createRuns(nextRuns(scriptSweep(draft), planned).map((run) => ({ ...run, sweepId: sweep.id })));
  }
}

/** What the sweep gives a run; a script that was tried before has said more of itself, which are no arguments. */
function valuesFor({ spec }: SweepRecord, { config, seed }: RunRecord): RunRecord['config'] {
  const draft = storedSweep(spec);
  if (draft === null) return config;
  const names = Object.keys(draft.parameters);
  const given = names.map((name): [string, SettingValue | undefined] => [
    name,
    config[name] ?? (isSeed(name) ? seed : undefined),
  ]);
  const seeded = !names.includes('seed') && scriptSweep(draft).seeds !== null;
  const all = [...given, ...(seeded ? [['seed', seed] as [string, SettingValue]] : [])];
  return Object.fromEntries(all.filter((entry): entry is [string, SettingValue] => entry[1] !== undefined));
}
