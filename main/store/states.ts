/** Which state of a run may follow which. The only place that knows. */

import type { RunOrigin, RunState } from '../../preload/contract/runs.ts';
import { STARTED_HERE } from '../../preload/shared/origin.ts';
import { StoreError } from './errors.ts';

const NEXT: Readonly<Record<RunState, readonly RunState[]>> = {
  // Cancelled before its turn: stopped. Cannot even be started (the engine is missing): failed.
  queued: ['running', 'stopped', 'failed'],
  // Interrupted, to be resumed: queued.
  running: ['finished', 'failed', 'stopped', 'queued'],
  // A finished run is a result: it is never run again.
  finished: [],
  // Retried or resumed.
  failed: ['queued'],
  stopped: ['queued'],
};

/** What a script does, the lab hears of: one that was given up speaks again, one that ended is continued under its own name. */
const NEXT_OUTSIDE: typeof NEXT = {
  ...NEXT,
  finished: ['running'],
  failed: ['running', 'queued'],
  stopped: ['running', 'queued'],
};

const nextOf = (from: RunState, origin: RunOrigin): readonly RunState[] =>
  (STARTED_HERE.includes(origin) ? NEXT : NEXT_OUTSIDE)[from];

export function canFollow(from: RunState, to: RunState, origin: RunOrigin = 'sweeplab'): boolean {
  return nextOf(from, origin).includes(to);
}

/** @throws StoreError `state`, naming what is allowed. */
export function assertCanFollow(runId: string, from: RunState, to: RunState, origin: RunOrigin): void {
  const next = nextOf(from, origin);
  if (next.includes(to)) return;
  const allowed = next.length === 0 ? 'it stays so' : `it can become ${next.join(' or ')}`;
  throw new StoreError('state', `run ${runId} is ${from} and cannot become ${to}: ${allowed}`);
}

/** True for a state in which a run has come to an end (it may be queued again). */
export function hasEnded(state: RunState): boolean {
  return state === 'finished' || state === 'failed' || state === 'stopped';
}
