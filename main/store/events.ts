/** The log of what happened, numbered over the whole database so that a reader can continue where it was. */

import { RUN_EVENT_KINDS } from '../../preload/contract/runs.ts';
import type { RunEvent, RunEventKind } from '../../preload/contract/runs.ts';
import type { Connection, Row } from './connection.ts';

export interface EventQuery {
  /** Only events with a greater number. Default 0: from the beginning. */
  readonly after?: number;
  readonly runId?: string;
  readonly kinds?: readonly RunEventKind[];
  readonly limit?: number;
}

export class Events {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  add(run: number | null, kind: RunEventKind, message: string, data: unknown, at: number): number {
    return this.#connection.run(
      'INSERT INTO events (run, at, kind, message, data) VALUES (?, ?, ?, ?, ?)',
      run,
      at,
      kind,
      message,
      data === undefined || data === null ? null : JSON.stringify(data),
    ).lastInsertRowid;
  }

  /** In order of their numbers. */
  read(query: EventQuery): RunEvent[] {
    // Two texts, so that each has its index: the number alone, or run and number.
    const ofRun = query.runId === undefined ? '' : 'AND events.run = (SELECT key FROM runs WHERE id = ?)';
    return this.#connection
      .all(
        `SELECT seq, runs.id AS run_id, at, kind, message, data FROM events LEFT JOIN runs ON runs.key = events.run
         WHERE seq > ? ${ofRun} AND kind IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?`,
        query.after ?? 0,
        ...(query.runId === undefined ? [] : [query.runId]),
        JSON.stringify(query.kinds ?? RUN_EVENT_KINDS),
        query.limit ?? -1,
      )
      .map(toEvent);
  }

  /** The number of the newest event; 0 before the first. */
  lastSeq(): number {
    return this.#connection.get<{ seq: number }>('SELECT coalesce(max(seq), 0) AS seq FROM events')!.seq;
  }
}

function toEvent(row: Row): RunEvent {
  return {
    seq: row.seq as number,
    runId: row.run_id as string | null,
    at: row.at as number,
    kind: row.kind as RunEventKind,
    message: row.message as string,
    data: row.data === null ? null : JSON.parse(row.data as string),
  };
}
