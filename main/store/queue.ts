/**
 * The state of runs: one guarded function changes it, writes the event that tells of it, and knows who owns a running
 * run. Everything here runs inside a write transaction of its caller.
 */

import { randomUUID } from 'node:crypto';
import type { RunState } from '../../preload/contract/runs.ts';
import type { Connection } from './connection.ts';
import type { Events } from './events.ts';
import { assertCanFollow, hasEnded } from './states.ts';

export interface TransitionOptions {
  /** Why; kept as the run's `endReason` when it has ended. */
  readonly reason?: string;
  readonly at?: number;
}

export interface ClaimOptions {
  /** Only runs of this sweep. */
  readonly sweepId?: string;
  /** Only this run. */
  readonly runId?: string;
}

export class Queue {
  readonly #connection: Connection;
  readonly #events: Events;
  /**
   * Names this writing session. There is one writer per database at a time, so a running run of any other session has
   * lost its owner: no guess about process ids is needed.
   */
  readonly #session = randomUUID();

  constructor(connection: Connection, events: Events) {
    this.#connection = connection;
    this.#events = events;
  }

  /** @throws StoreError `state` when the transition is not allowed. */
  transition(key: number, to: RunState, { reason, at = Date.now() }: TransitionOptions): void {
    const row = this.#connection.get<{ id: string; state: RunState }>('SELECT id, state FROM runs WHERE key = ?', key)!;
    assertCanFollow(row.id, row.state, to);
    if (to === 'running') {
      this.#connection.run(
        `UPDATE runs SET state = 'running', owner = ?, attempt = attempt + 1, started_at = coalesce(started_at, ?),
           ended_at = NULL, end_reason = NULL WHERE key = ?`,
        this.#session,
        at,
        key,
      );
    } else {
      const ended = hasEnded(to);
      this.#connection.run(
        'UPDATE runs SET state = ?, owner = NULL, ended_at = ?, end_reason = ? WHERE key = ?',
        to,
        ended ? at : null,
        ended ? (reason ?? null) : null,
        key,
      );
    }
    this.#events.add(key, 'state', reason ?? `${row.state} → ${to}`, { from: row.state, to }, at);
  }

  /** The id of the run whose turn it is: the oldest queued one. */
  next({ sweepId, runId }: ClaimOptions): string | undefined {
    return this.#connection.get<{ id: string }>(
      `SELECT runs.id FROM runs LEFT JOIN sweeps ON sweeps.key = runs.sweep
       WHERE runs.state = 'queued' AND runs.deleted_at IS NULL AND (sweeps.state IS NULL OR sweeps.state <> 'paused')
         AND (?1 IS NULL OR sweeps.id = ?1) AND (?2 IS NULL OR runs.id = ?2)
       ORDER BY runs.key LIMIT 1`,
      sweepId ?? null,
      runId ?? null,
    )?.id;
  }

  /** Running runs that no living process owns. */
  interrupted(): { key: number; id: string }[] {
    return this.#connection.all<{ key: number; id: string }>(
      "SELECT key, id FROM runs WHERE state = 'running' AND owner IS NOT ? ORDER BY key",
      this.#session,
    );
  }
}
