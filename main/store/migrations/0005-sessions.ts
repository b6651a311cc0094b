import type { Migration } from '../migrate.ts';

/**
 * How long a run trained, apart from how long it waited between its sessions of training. Of runs that are there already the sessions are those
 * between their events of state. Where a process was gone, its end is not known: what was last heard of the run is taken for it, or the seconds of
 * its steps where those are more. Imported runs have no events: theirs is the time from start to end.
 */
export const sessions: Migration = {
  version: 5,
  name: 'sessions',
  sql: `
    -- Milliseconds of all sessions of training that have ended.
    ALTER TABLE runs ADD COLUMN trained INTEGER NOT NULL DEFAULT 0;
    -- Begin of the session that trains now.
    ALTER TABLE runs ADD COLUMN session_at INTEGER;
    -- When it last gave a sign of life: points, checkpoints.
    ALTER TABLE runs ADD COLUMN seen_at INTEGER;

    CREATE TEMP TABLE turns AS
      SELECT run, seq, at, message, json_extract(data, '$.from') AS before,
        lag(at) OVER (PARTITION BY run ORDER BY seq) AS previous_at, lag(seq) OVER (PARTITION BY run ORDER BY seq) AS previous,
        lead(seq) OVER (PARTITION BY run ORDER BY seq) AS next
      FROM events WHERE kind = 'state' AND run IS NOT NULL;

    CREATE TEMP TABLE ended AS
      SELECT turns.run, turns.message LIKE 'interrupted: its process is gone%' OR turns.message LIKE 'interrupted: Sweeplab ended%' AS lost,
        coalesce(previous_at, started_at, created_at) AS begin,
        CASE
          WHEN turns.message LIKE 'interrupted: its process is gone%' OR turns.message LIKE 'interrupted: Sweeplab ended%' THEN max(
            coalesce((SELECT max(at) FROM events WHERE events.run = turns.run AND kind <> 'state' AND seq > coalesce(previous, 0) AND seq < turns.seq), 0),
            coalesce((SELECT max(saved_at) FROM checkpoints WHERE checkpoints.run = turns.run AND saved_at <= turns.at), 0))
          WHEN next IS NULL THEN coalesce(ended_at, turns.at)
          ELSE turns.at
        END AS until
      FROM turns JOIN runs ON runs.key = turns.run WHERE before = 'running';

    UPDATE runs SET trained = coalesce((SELECT sum(max(0, until - begin)) FROM ended WHERE run = key), max(0, ended_at - started_at), 0)
      WHERE started_at IS NOT NULL;
    UPDATE runs SET trained = max(trained, CAST(1000 * json_extract(summary, '$.seconds') AS INTEGER))
      WHERE key IN (SELECT run FROM ended WHERE lost) AND json_type(summary, '$.seconds') IN ('integer', 'real');
    UPDATE runs SET session_at = coalesce((SELECT at FROM turns WHERE run = key AND next IS NULL), started_at, created_at) WHERE state = 'running';
    UPDATE runs SET seen_at = max(session_at,
        coalesce((SELECT max(at) FROM events WHERE run = key), 0), coalesce((SELECT max(saved_at) FROM checkpoints WHERE run = key), 0))
      WHERE state = 'running';

    DROP TABLE turns;
    DROP TABLE ended;
  `,
};
