import type { Migration } from '../migrate.ts';

/** What the queue must know again after a restart: order, limits, where runs come from, why they were stopped, its switches. */
export const queue: Migration = {
  version: 3,
  name: 'queue',
  sql: `
    ALTER TABLE sweeps ADD COLUMN concurrency_limit INTEGER;
    ALTER TABLE sweeps ADD COLUMN origin TEXT NOT NULL DEFAULT 'sweeplab';

    ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT 'sweeplab';
    ALTER TABLE runs ADD COLUMN place TEXT;
    ALTER TABLE runs ADD COLUMN stop_cause TEXT;
    -- Whose turn it is: unique over all runs, since a new one stands behind all and moving only exchanges positions.
    ALTER TABLE runs ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
    UPDATE runs SET position = key;
    DROP INDEX runs_by_state;
    CREATE INDEX runs_by_turn ON runs (state, position);

    -- Until now the cause was told by the first words of the reason.
    UPDATE runs SET stop_cause = CASE
      WHEN end_reason LIKE 'cancelled by the user%' THEN 'cancelled'
      WHEN end_reason LIKE 'stopped with its sweep%' THEN 'sweep'
      WHEN end_reason LIKE 'interrupted by the user%' OR end_reason LIKE 'Sweeplab was closed%' THEN 'interrupted'
    END WHERE state = 'stopped';

    CREATE TABLE switches (
      name TEXT PRIMARY KEY,
      value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
