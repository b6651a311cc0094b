/** The table of sweeps. */

import { RUN_ORIGINS, RUN_STATES, SWEEP_STATES } from '../../preload/contract/runs.ts';
import type { NewSweep, RunOrigin, RunState, SweepRecord, SweepState } from '../../preload/contract/runs.ts';
import { STARTED_HERE } from '../../preload/shared/origin.ts';
import type { Connection, Row } from './connection.ts';
import { StoreError } from './errors.ts';
import { nextId } from './ids.ts';

const HERE = STARTED_HERE.map((origin) => `'${origin}'`).join(', ');

const SELECT = `
  SELECT sweeps.*, (
    SELECT json_group_object(state, n) FROM (
      SELECT state, count(*) AS n FROM runs WHERE sweep = sweeps.key AND deleted_at IS NULL GROUP BY state
    )
  ) AS counts FROM sweeps`;

export interface SweepPatch {
  readonly name?: string;
  readonly plan?: unknown;
  readonly state?: SweepState;
  /** Null takes the limit away. */
  readonly concurrencyLimit?: number | null;
}

export class Sweeps {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Inside a transaction of the caller. @returns the id */
  create(sweep: NewSweep): string {
    const previous = this.#connection.get<{ id: string | null }>('SELECT max(id) AS id FROM sweeps')?.id ?? null;
    const id = nextId(previous);
    this.#connection.run(
      `INSERT INTO sweeps (id, name, spec, yaml, plan, concurrency_limit, origin, state, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      sweep.name,
      JSON.stringify(sweep.spec ?? null),
      sweep.yaml ?? '',
      JSON.stringify(sweep.plan ?? null),
      limitOf(sweep.concurrencyLimit ?? null),
      originOf(sweep.origin),
      known(sweep.state ?? 'queued'),
      sweep.createdAt ?? Date.now(),
    );
    return id;
  }

  get(id: string): SweepRecord | undefined {
    const row = this.#connection.get(`${SELECT} WHERE id = ?`, id);
    return row && toSweep(row);
  }

  /** The oldest first. */
  list(): SweepRecord[] {
    return this.#connection.all(`${SELECT} ORDER BY key`).map(toSweep);
  }

  /** A run was taken: its sweep runs. */
  begin(runId: string): void {
    this.#connection.run(
      "UPDATE sweeps SET state = 'running' WHERE key = (SELECT sweep FROM runs WHERE id = ?) AND state IN ('queued', 'finished', 'stopped')",
      runId,
    );
  }

  /** Sweeps of Sweeplab that run with nothing left to train. */
  exhausted(): string[] {
    const sweeps = this.#connection.all<{ id: string }>(
      `SELECT id FROM sweeps WHERE state = 'running' AND origin IN (${HERE}) AND NOT EXISTS
         (SELECT 1 FROM runs WHERE sweep = sweeps.key AND deleted_at IS NULL AND state IN ('queued', 'running')) ORDER BY key`,
    );
    return sweeps.map(({ id }) => id);
  }

  update(id: string, patch: SweepPatch): void {
    if (!this.get(id)) throw new StoreError('not-found', `there is no sweep ${id}`);
    const set = (column: string, value: string | number | null | undefined): void => {
      if (value !== undefined) this.#connection.run(`UPDATE sweeps SET ${column} = ? WHERE id = ?`, value, id);
    };
    set('name', patch.name);
    set('plan', patch.plan === undefined ? undefined : JSON.stringify(patch.plan));
    set('state', patch.state && known(patch.state));
    set('concurrency_limit', patch.concurrencyLimit === undefined ? undefined : limitOf(patch.concurrencyLimit));
  }
}

function known(state: SweepState): SweepState {
  if (SWEEP_STATES.includes(state)) return state;
  throw new StoreError('invalid', `"${String(state)}" is not a state of a sweep; one of ${SWEEP_STATES.join(', ')}`);
}

function limitOf(limit: number | null): number | null {
  if (limit === null || (Number.isSafeInteger(limit) && limit >= 1)) return limit;
  throw new StoreError('invalid', `the limit of runs at a time is ${limit}; it must be a whole number from 1 on`);
}

/** @throws StoreError `invalid` */
export function originOf(origin: RunOrigin = 'sweeplab'): RunOrigin {
  if (RUN_ORIGINS.includes(origin)) return origin;
  throw new StoreError('invalid', `"${String(origin)}" is not an origin; one of ${RUN_ORIGINS.join(', ')}`);
}

function toSweep(row: Row): SweepRecord {
  const counts = JSON.parse(row.counts as string) as Partial<Record<RunState, number>>;
  return {
    id: row.id as string,
    name: row.name as string,
    spec: JSON.parse(row.spec as string),
    yaml: row.yaml as string,
    plan: JSON.parse(row.plan as string),
    concurrencyLimit: row.concurrency_limit as number | null,
    origin: row.origin as RunOrigin,
    createdAt: row.created_at as number,
    state: row.state as SweepState,
    counts: Object.fromEntries(RUN_STATES.map((state) => [state, counts[state] ?? 0])) as Record<RunState, number>,
  };
}
