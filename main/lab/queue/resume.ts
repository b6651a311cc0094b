/** Why runs stop, in the words that are recorded, and which of them go on when somebody asks. */
import type { RunRecord, StopCause } from '../../../preload/contract/runs.ts';
import { isStartedHere } from '../../../preload/shared/origin.ts';
import type { Store } from '../../store/index.ts';

/** The beginning of the reason that is recorded with a stop; a step or more may follow. The cause tells machines. */
export const STOP_WORDS: Readonly<Record<Exclude<StopCause, 'killed' | 'pruned'>, string>> = {
  cancelled: 'cancelled by the user',
  sweep: 'stopped with its sweep',
  interrupted: 'interrupted by the user',
};

/** What the user said of these runs is not undone by resuming their sweep. */
const FOR_GOOD: ReadonlySet<StopCause | null> = new Set(['cancelled', 'pruned']);

/** Whether a run of a sweep is taken up when the sweep is resumed. */
export const goesOnWithSweep = (run: RunRecord): boolean =>
  isStartedHere(run) && (run.state === 'queued' || (run.state === 'stopped' && !FOR_GOOD.has(run.stopCause)));

type Ended = 'stopped' | 'failed';

/**
 * Puts runs of a sweep back into the queue, those that were stopped with it and, when asked for, those that failed; and lets the sweep go
 * on where it was paused or stopped. They continue from their last checkpoints. All of it happens, or nothing. @returns how many
 */
export function requeueSweep(store: Store, sweepId: string, states: readonly Ended[]): number {
  const ids = store
    .listRuns({ sweepId, state: states })
    .filter((run) => isStartedHere(run) && (run.state === 'failed' || goesOnWithSweep(run)))
    .map(({ id }) => id);
  const waiting = store.countRuns({ sweepId, state: 'queued' });
  const sweep = ids.length + waiting > 0 ? ({ id: sweepId, state: 'running' } as const) : undefined;
  store.setRunStates(ids, 'queued', { reason: RESUMED }, sweep);
  return ids.length;
}

/**
 * Puts the runs that were in training when their process was killed back into the queue, and lets the sweeps go on that were paused by that:
 * what a host does at its start, since nobody wanted them to end. @returns how many, and whether some are programs, which may begin anew
 */
export function requeueKilled(store: Store): { readonly all: number; readonly anew: boolean } {
  const where = [{ field: 'stopCause', op: '=', value: 'killed' }] as const;
  const killed = store.listRuns({ state: 'stopped', where }).filter(isStartedHere);
  for (const [sweepId, runs] of Map.groupBy(killed, (run) => run.sweepId)) {
    const ids = runs.map(({ id }) => id);
    const sweep = sweepId === null ? undefined : ({ id: sweepId, state: 'running' } as const);
    store.setRunStates(ids, 'queued', { reason: 'taken up again at the start of the lab' }, sweep);
  }
  return { all: killed.length, anew: killed.some(({ origin }) => origin === 'program') };
}

/** Puts one run back into the queue, whoever stopped it. @returns why that cannot be, in words; undefined: done */
export function requeueRun(store: Store, run: RunRecord): string | undefined {
  const why = whyNot(run);
  if (why === undefined) store.setRunState(run.id, 'queued', { reason: RESUMED });
  return why;
}

/**
 * As {@link requeueRun}, for a host, which takes whatever waits: where the sweep of the run is paused, the others that wait in it are set
 * aside as what an interruption would have left; resuming the sweep takes them up.
 */
export function requeueAlone(store: Store, run: RunRecord): string | undefined {
  const { sweepId } = run;
  if (whyNot(run) === undefined && sweepId !== null && store.getSweep(sweepId)?.state === 'paused') {
    const others = store.listRuns({ sweepId, state: 'queued' }).map(({ id }) => id);
    const stop = { reason: STOP_WORDS.interrupted, cause: 'interrupted' } as const;
    store.setRunStates(others, 'stopped', stop, { id: sweepId, state: 'running' });
  }
  return requeueRun(store, run);
}

const RESUMED = 'resumed by the user';

function whyNot(run: RunRecord): string | undefined {
  const { name, state, stopCause } = run;
  if (!isStartedHere(run)) return `${name} was not trained by Sweeplab, so only what made it can continue it.`;
  if (state !== 'stopped' && state !== 'failed')
    return `${name} is ${state}: only stopped and failed runs can be resumed.`;
  if (stopCause === 'pruned')
    return `${name} was ended by the search method of its sweep; to train these settings all the same, run it again as a new run.`;
  return undefined;
}
