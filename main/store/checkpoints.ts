/** Where the checkpoints of a run lie. The files themselves belong to whoever writes them. */

import type { CheckpointKind, CheckpointRecord } from '../../preload/contract/runs.ts';
import type { Connection, Row } from './connection.ts';

export class Checkpoints {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Replaces the record of the same kind. */
  set(run: number, checkpoint: Omit<CheckpointRecord, 'runId'>): void {
    this.#connection.run(
      'INSERT OR REPLACE INTO checkpoints (run, kind, step, path, val_loss, saved_at) VALUES (?, ?, ?, ?, ?, ?)',
      run,
      checkpoint.kind,
      checkpoint.step,
      checkpoint.path,
      checkpoint.valLoss !== null && Number.isFinite(checkpoint.valLoss) ? checkpoint.valLoss : null,
      checkpoint.savedAt,
    );
  }

  list(run: number, runId: string): CheckpointRecord[] {
    return this.#connection
      .all('SELECT kind, step, path, val_loss, saved_at FROM checkpoints WHERE run = ? ORDER BY kind', run)
      .map((row: Row) => ({
        runId,
        kind: row.kind as CheckpointKind,
        step: row.step as number,
        path: row.path as string,
        valLoss: row.val_loss as number | null,
        savedAt: row.saved_at as number,
      }));
  }

  remove(run: number, kind: CheckpointKind): void {
    this.#connection.run('DELETE FROM checkpoints WHERE run = ? AND kind = ?', run, kind);
  }
}
