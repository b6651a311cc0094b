/**
 * The state of runs: one guarded function changes it, writes the event that tells of it, and knows who owns a running
 * run; and the order in which queued runs are taken. Whatever changes something runs inside a write transaction of its caller.
 */

import { randomUUID } from 'node:crypto';
import type { RunOrigin, RunState, StopCause } from '../../preload/contract/runs.ts';
import type { Connection } from './connection.ts';
import { StoreError } from './errors.ts';
import type { Events } from './events.ts';
import { assertCanFollow, hasEnded } from './states.ts';

export interface TransitionOptions {
  /** Why; kept as the run's `endReason` when it has ended. */
  readonly reason?: string;
  /** Of a stop. */
  readonly cause?: StopCause;
  readonly at?: number;
  /** When it ended, where that was not now; null: nobody knows. */
  readonly endedAt?: number | null;
}

export interface ClaimOptions {
  /** Only runs of this sweep. */
  readonly sweepId?: string;
  /** Only this run. */
  readonly runId?: string;
  /** Where runs come from that can be taken. Default: those that Sweeplab trains. */
  readonly origins?: readonly RunOrigin[];
  /** Values of the setting `device` whose runs are passed over. */
  readonly notOn?: readonly string[];
}

/** Runs on this machine, in processes of the writer, which end with it. */
export const LOCAL = 'local';

/** What the user has set of the queue; it stays over restarts. */
export interface QueueSwitches {
  readonly paused: boolean;
  /** Runs at a time; null: as many as the lab finds right. */
  readonly places: number | null;
}

const OWN: readonly RunOrigin[] = ['sweeplab'];

/** Sweeps that are paused are passed over, unless the very run is asked for. ?1 sweep, ?2 run, ?3 origins and ?4 devices as JSON arrays. */
const WAITING = `FROM runs LEFT JOIN sweeps ON sweeps.key = runs.sweep
  WHERE runs.state = 'queued' AND runs.deleted_at IS NULL AND (sweeps.state IS NULL OR sweeps.state <> 'paused' OR runs.id = ?2)
    AND (?1 IS NULL OR sweeps.id = ?1) AND (?2 IS NULL OR runs.id = ?2)
    AND runs.origin IN (SELECT value FROM json_each(?3))
    AND (?4 = '[]' OR coalesce(runs.config ->> '$.device', '') NOT IN (SELECT value FROM json_each(?4)))
  ORDER BY runs.position`;

/** Milliseconds of the session of training that ends at ?, or else when it was last heard of; none: 0. The clock may have been set back. */
const SESSION = 'coalesce(max(0, coalesce(?, seen_at) - session_at), 0)';

export class Queue {
  readonly #connection: Connection;
  readonly #events: Events;
  /**
   * Names this writing session. There is one writer per database at a time, so a running run of any other session has
   * lost its owner: no guess about process ids is needed.
   */
  readonly session = randomUUID();

  constructor(connection: Connection, events: Events) {
    this.#connection = connection;
    this.#events = events;
  }

  /** `place`: where a run that becomes `running` was begun. @throws StoreError `state` when the transition is not allowed. */
  transition(
    key: number,
    to: RunState,
    { reason, cause, at = Date.now(), endedAt = at }: TransitionOptions,
    place: string = LOCAL,
  ): void {
    const row = this.#connection.get<{ id: string; state: RunState; origin: RunOrigin }>(
      'SELECT id, state, origin FROM runs WHERE key = ?',
      key,
    )!;
    assertCanFollow(row.id, row.state, to, row.origin);
    if (to === 'running') {
      this.#connection.run(
        `UPDATE runs SET state = 'running', owner = ?, place = ?, attempt = attempt + 1, started_at = coalesce(started_at, ?),
           session_at = ?, seen_at = ?, ended_at = NULL, end_reason = NULL, stop_cause = NULL WHERE key = ?`,
        this.session,
        place,
        at,
        at,
        at,
        key,
      );
    } else {
      const ended = hasEnded(to);
      this.#connection.run(
        `UPDATE runs SET state = ?, owner = NULL, trained = trained + ${SESSION}, session_at = NULL, seen_at = NULL,
           ended_at = max(?, coalesce(started_at, 0)), end_reason = ?, stop_cause = ? WHERE key = ?`,
        to,
        // Nobody knows when it ended: it trained at least until it was last heard of.
        endedAt,
        ended ? endedAt : null,
        ended ? (reason ?? null) : null,
        to === 'stopped' ? (cause ?? null) : null,
        key,
      );
    }
    const data = { from: row.state, to, ...(to === 'stopped' && cause !== undefined ? { cause } : {}) };
    this.#events.add(key, 'state', reason ?? `${row.state} → ${to}`, data, at);
  }

  /** The id of the run whose turn it is. */
  next(options: ClaimOptions): string | undefined {
    return this.#connection.get<{ id: string }>(`SELECT runs.id ${WAITING} LIMIT 1`, ...claim(options))?.id;
  }

  /** The ids of the runs that wait, in their order. */
  waiting(options: ClaimOptions): string[] {
    return this.#connection.all<{ id: string }>(`SELECT runs.id ${WAITING}`, ...claim(options)).map(({ id }) => id);
  }

  /**
   * Puts queued runs, in the order given, before another queued one, or behind all. All queued runs keep the positions that they
   * have together, so no run that has ended, and may come back, changes its place among them.
   * @throws StoreError `not-found` or `state` for a run that does not wait; nothing is moved then
   */
  move(ids: readonly string[], before: string | null): void {
    const queued = this.#connection.all<{ key: number; id: string; position: number }>(
      "SELECT key, id, position FROM runs WHERE state = 'queued' AND deleted_at IS NULL ORDER BY position",
    );
    const byId = new Map(queued.map((run) => [run.id, run]));
    const moved = [...new Set(ids)].map((id) => byId.get(id) ?? this.#notWaiting(id));
    if (before !== null && !byId.has(before)) this.#notWaiting(before);
    const chosen = new Set(moved.map(({ id }) => id));
    // What stands before a run that moves itself is the next one that stays.
    const at = before === null ? queued.length : queued.findIndex(({ id }) => id === before);
    const first = queued.slice(0, at).filter(({ id }) => !chosen.has(id));
    const rest = queued.slice(at).filter(({ id }) => !chosen.has(id));
    [...first, ...moved, ...rest].forEach(({ key }, i) => {
      if (queued[i].key !== key)
        this.#connection.run('UPDATE runs SET position = ? WHERE key = ?', queued[i].position, key);
    });
  }

  switches(): QueueSwitches {
    const rows = this.#connection.all<{ name: string; value: number }>('SELECT name, value FROM switches');
    const values = new Map(rows.map(({ name, value }) => [name, value]));
    return { paused: values.get('paused') === 1, places: values.get('places') ?? null };
  }

  setSwitches({ paused, places }: Partial<QueueSwitches>): void {
    const set = (name: string, value: number): void => {
      this.#connection.run('INSERT OR REPLACE INTO switches (name, value) VALUES (?, ?)', name, value);
    };
    if (paused !== undefined) set('paused', paused ? 1 : 0);
    if (places === null) this.#connection.run("DELETE FROM switches WHERE name = 'places'");
    else if (places !== undefined) set('places', places);
  }

  #notWaiting(id: string): never {
    const row = this.#connection.get<{ state: string }>('SELECT state FROM runs WHERE id = ?', id);
    if (row === undefined) throw new StoreError('not-found', `there is no run ${id}`);
    throw new StoreError('state', `run ${id} is ${row.state}: only runs that wait have a place in the queue`);
  }
}

const claim = ({
  sweepId,
  runId,
  origins = OWN,
  notOn = [],
}: ClaimOptions): [string | null, string | null, string, string] => [
  sweepId ?? null,
  runId ?? null,
  JSON.stringify(origins),
  JSON.stringify(notOn),
];
